package sdls

import "github.com/perilune/perilune/ccsds"

// monitor carries out a procedure of monitoring and control (§5.6).
func (m *Manager) monitor(p PDU) (reply []byte, answers bool, err error) {
	if len(p.Data) != 0 {
		return nil, false, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrLength, "%d octets too many", len(p.Data))
	}
	log := m.c.Log
	switch {
	case p.Procedure == Ping:
		return nil, true, nil
	case p.Procedure == ResetAlarmFlag && m.c.FSR != nil:
		m.c.FSR.Reset()
		return nil, false, nil
	case p.Procedure == SelfTesting:
		if SelfTest() != nil {
			if log != nil {
				log.Add(LogEvent{Tag: p.Tag(), Code: LogSelfTestBad})
			}
			return []byte{selfTestBad}, true, nil
		}
		return []byte{selfTestGood}, true, nil
	case log == nil:
	case p.Procedure == LogStatus:
		return log.status(), true, nil
	case p.Procedure == DumpLog:
		return AppendLog(nil, log.events), true, nil
	case p.Procedure == EraseLog:
		log.Erase()
		return log.status(), true, nil
	}
	return nil, false, unknown(p)
}

// What the reply to SelfTesting says.
const (
	selfTestGood byte = 0x00
	selfTestBad  byte = 0x80
)
