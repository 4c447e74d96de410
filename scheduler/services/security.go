package services

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/sdls"
)

// procedureNames are the procedures that change something, as events call them.
var procedureNames = map[sdls.Procedure]string{
	sdls.OTAR: "new keys", sdls.KeyActivate: "keys activated", sdls.KeyDeactivate: "keys deactivated", sdls.KeyDestroy: "keys destroyed",
	sdls.SACreate: "association created", sdls.SARekey: "association rekeyed", sdls.SAStart: "association started", sdls.SAStop: "association stopped",
	sdls.SAExpire: "association expired", sdls.SADelete: "association deleted",
	sdls.SASetARSN: "anti-replay number set", sdls.SASetWindow: "anti-replay window set",
	sdls.EraseLog: "security log erased", sdls.ResetAlarmFlag: "security alarm reset",
}

// changesKeys says in words what a procedure changes, nothing if it only asks.
func changesKeys(command []byte) string {
	p, err := sdls.ParsePDU(command)
	if err != nil || procedureNames[p.Procedure] == "" {
		return ""
	}
	text := procedureNames[p.Procedure]
	if p.Procedure.Group == sdls.AssociationManagement && len(p.Data) >= 2 {
		text += fmt.Sprintf(": SPI %d", int(p.Data[0])<<8|int(p.Data[1]))
	}
	return text
}

// security carries out TC[129,1], an extended procedure of CCSDS 355.1-B-1; a reply of its
// own goes down as TM[129,1]. Nothing that an event says of it is secret.
func (s *Services) security(command []byte) error {
	if s.cfg.Security == nil {
		return refusal(pus.FailureNotNow, "keys are not managed here")
	}
	reply, err := s.cfg.Security(command)
	if err != nil {
		s.Event(pus.EventMedium, pus.EventKeysRefused, clip(err.Error()))
		return refusal(pus.FailureRefused, "%s", clip(err.Error()))
	}
	if text := changesKeys(command); text != "" {
		s.Event(pus.EventInfo, pus.EventKeysChanged, text)
	}
	if reply == nil {
		return nil
	}
	return s.cfg.Send(pus.ServiceSecurity, pus.SecurityReply, reply)
}
