package tender

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/queue"
	"github.com/perilune/perilune/tender/ring"
)

// call serves one hypercall whose record lies at gpa. It copies the record
// before it looks at it, so that nothing can change under a check. ended says
// that the guest is over.
func (m *Machine) call(n hvt.Number, gpa uint64) (e Exit, ended bool) {
	var record [hvt.MaxCallSize]byte
	src, err := m.mem.Readable(gpa, uint64(n.Size()))
	if err != nil {
		return callError(err), true
	}
	r := record[:copy(record[:], src)]
	switch n {
	case hvt.CallWalltime:
		err = m.put64(gpa, uint64(time.Now().UnixNano()))
	case hvt.CallPuts:
		err = m.puts(r)
	case hvt.CallPoll:
		err = m.poll(gpa, r)
	case hvt.CallBlockRead, hvt.CallBlockWrite:
		err = m.block(n, gpa, r)
	case hvt.CallNetRead:
		err = m.netRead(gpa, r)
	case hvt.CallNetWrite:
		err = m.netWrite(gpa, r)
	case hvt.CallHalt:
		return m.halt(r), true
	default:
		return fault("Invalid guest hypercall: num=%d", n), true
	}
	if err != nil {
		return callError(err), true
	}
	return Exit{}, false
}

// callError explains why a hypercall ended the guest.
func callError(err error) Exit {
	var access *AccessError
	var index *ring.IndexError
	var queued *queue.IndexError
	switch {
	case errors.Is(err, modules.ErrStopped):
		return killed()
	case errors.As(err, &access), errors.As(err, &index), errors.As(err, &queued):
		return fault("%v", err)
	}
	return internal("%v", err)
}

func (m *Machine) put32(gpa uint64, v uint32) error {
	b, err := m.mem.Writable(gpa, 4)
	if err == nil {
		binary.LittleEndian.PutUint32(b, v)
	}
	return err
}

func (m *Machine) put64(gpa uint64, v uint64) error {
	b, err := m.mem.Writable(gpa, 8)
	if err == nil {
		binary.LittleEndian.PutUint64(b, v)
	}
	return err
}

func (m *Machine) puts(r []byte) error {
	p, _ := hvt.DecodePuts(r)
	text, err := m.mem.Readable(p.Data, p.Len)
	if err != nil {
		return err
	}
	if m.console == nil {
		return nil
	}
	return m.console(text)
}

func (m *Machine) poll(gpa uint64, r []byte) error {
	p, _ := hvt.DecodePoll(r)
	ready, n, err := m.poller.Wait(m.boot().left(p.Timeout))
	if err != nil {
		return err
	}
	if err := m.put64(gpa+hvt.PollReadySet, ready); err != nil {
		return err
	}
	return m.put32(gpa+hvt.PollRet, uint32(n))
}

func (m *Machine) block(n hvt.Number, gpa uint64, r []byte) error {
	io, _ := hvt.DecodeBlockIO(r)
	ret := hvt.ResultInvalid
	var err error
	if io.Handle < hvt.MaxEntries && m.blocks[io.Handle] != nil {
		if n == hvt.CallBlockRead {
			ret, err = m.blocks[io.Handle].Read(m.mem, io)
		} else {
			ret, err = m.blocks[io.Handle].Write(m.mem, io)
		}
	}
	if err != nil {
		return err
	}
	return m.put32(gpa+hvt.BlockRet, uint32(ret))
}

func (m *Machine) netWrite(gpa uint64, r []byte) error {
	io, _ := hvt.DecodeNetIO(r)
	ret := hvt.ResultInvalid
	var err error
	if io.Handle < hvt.MaxEntries && m.nets[io.Handle] != nil {
		ret, err = m.nets[io.Handle].Write(m.mem, io, m.stop)
	}
	if err != nil {
		return err
	}
	return m.put32(gpa+hvt.NetRet, uint32(ret))
}

func (m *Machine) netRead(gpa uint64, r []byte) error {
	io, _ := hvt.DecodeNetIO(r)
	ret, n := hvt.ResultInvalid, 0
	var err error
	if io.Handle < hvt.MaxEntries && m.nets[io.Handle] != nil {
		n, ret, err = m.nets[io.Handle].Read(m.mem, io)
	}
	if err != nil {
		return err
	}
	if ret == hvt.ResultOK {
		if err := m.put64(gpa+hvt.NetLen, uint64(n)); err != nil {
			return err
		}
	}
	return m.put32(gpa+hvt.NetRet, uint32(ret))
}

func (m *Machine) halt(r []byte) Exit {
	h, _ := hvt.DecodeHalt(r)
	if h.Cookie != 0 {
		cookie, err := m.mem.Readable(h.Cookie, hvt.HaltCookieSize)
		if err != nil {
			return callError(err)
		}
		m.cookie = slices.Clone(cookie)
	}
	status := uint8(h.Status) // as an exit status is: the low octet
	if status == hvt.StatusAbort {
		return Exit{Status: status, Kind: Abort, Reason: Aborted}
	}
	return Exit{Status: status, Kind: Halt}
}
