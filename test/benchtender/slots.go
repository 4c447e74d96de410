package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/wire"
)

const (
	firstUID = 60000
	patience = 30 * time.Second
)

// slot is a started tender that has said Hello.
type slot struct {
	*spawn.Slot
	conn *wire.Conn
}

func (b *bench) start(n int) (*slot, error) {
	uid := firstUID + n
	s, err := spawn.Start(spawn.Spec{Path: b.tender, UID: uid, GID: uid, KVM: b.kvm, Stderr: os.Stderr})
	if err != nil {
		return nil, err
	}
	conn, err := wire.NewConn(s.Control)
	if err != nil {
		return nil, err
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := conn.Receive(); err != nil {
		return nil, fmt.Errorf("wait for a slot: %w", err)
	}
	return &slot{s, conn}, nil
}

// order gives the slot a guest and waits for the first word it says.
func (s *slot) order(kernel string, mem uint32, devices ...wire.Device) error {
	f, err := os.Open(kernel)
	if err != nil {
		return err
	}
	defer f.Close()
	s.conn.SetReadDeadline(time.Now().Add(patience))
	if err := s.conn.Send(wire.Claim{Guest: "bench/bench", MemMiB: mem, Devices: devices}, f); err != nil {
		return err
	}
	for {
		m, _, err := s.conn.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case wire.Console:
			return nil
		case wire.Refused:
			return errors.New(m.Reason)
		case wire.Exited:
			return fmt.Errorf("guest ended with %d: %s", m.Status, m.Reason)
		}
	}
}

// radio is the device of the guest hold.
var radio = wire.Device{Name: "radio", Type: uint8(hvt.Net), Source: wire.SlotPacket}

// end kills the slot and reaps it.
func (s *slot) end() {
	_ = syscall.Kill(s.PID, syscall.SIGKILL)
	_, _ = syscall.Wait4(s.PID, nil, 0, nil)
	s.conn.Close()
	s.Data.Close()
}
