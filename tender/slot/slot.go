// Package slot is the tender as a pool slot: a process that makes its virtual
// machine, shuts itself in, and waits on its control socket for the one guest
// it will run.
package slot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/jail"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/wire"
)

// Files are the descriptors a slot inherits (package spawn).
type Files struct{ Control, KVM, Data *os.File }

// lastWord bounds how long the slot waits for room to say how its guest
// ended; the exit status says it too.
const lastWord = 2 * time.Second

// slot is one run of the program.
type slot struct {
	conn    *wire.Conn
	machine *tender.Machine
	data    *os.File
	console *live
	devices devices
	saver   saver
}

// Main serves one claim and returns the exit status: the guest's own, or 1
// with an error when there was no guest.
func Main(f Files) (int, error) {
	runtime.GOMAXPROCS(2) // one for the guest, one for the rest
	s := &slot{data: f.Data}
	var err error
	if s.conn, err = wire.NewConn(f.Control); err != nil {
		return 1, err
	}
	defer s.conn.Close()
	sys, err := kvm.New(f.KVM)
	if err != nil {
		return 1, err
	}
	if s.machine, err = tender.New(sys); err != nil {
		return 1, err
	}
	if err := errors.Join(s.machine.Warm(), sys.Close()); err != nil {
		return 1, err
	}
	if s.console, err = newLive(s.conn); err != nil {
		return 1, err
	}
	if err := s.shut(); err != nil {
		return 1, err
	}
	deepen(nil)
	if err := s.conn.Send(wire.Hello{Version: wire.Version, ABI: hvt.ABIVersion}); err != nil {
		return 1, err
	}
	return s.serve()
}

// deepen has Go make the stack as large as it will be once a guest is loaded:
// to copy it to a larger place then would take a twentieth of the time until the
// guest runs. A slot that waits has no garbage to collect, so it stays so large.
//
//go:noinline
func deepen(b []byte) byte {
	var room [6 << 10]byte
	copy(room[:], b)
	return room[len(b)]
}

// shut closes the jail around a slot that waits.
func (s *slot) shut() error {
	missing, err := jail.Enter()
	if err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(os.Stderr, "perilune-tender: slot:", m)
	}
	return jail.Waiting(s.conn.Fd(), s.requests(s.machine.VCPU().SetupRequests())).Install()
}

// requests adds the slot's own ioctl to those of the machine.
func (s *slot) requests(of []kvm.Request) []jail.Ioctl {
	out := make([]jail.Ioctl, 0, len(of)+1)
	for _, r := range of {
		out = append(out, jail.Ioctl{FD: r.FD, Request: r.Number})
	}
	return append(out, jail.Ioctl{FD: s.conn.Fd(), Request: requestQueued})
}

// serve waits for the claim and runs its guest. A Stop, or the end of the
// connection, before the claim ends the slot in peace.
func (s *slot) serve() (int, error) {
	m, files, err := s.conn.Receive()
	if err != nil {
		return 1, fmt.Errorf("wait for claim: %w", err)
	}
	claim, ok := m.(wire.Claim)
	if !ok {
		closeAll(files)
		if _, stop := m.(wire.Stop); stop {
			return 0, nil
		}
		return 1, fmt.Errorf("wait for claim: unexpected %T", m)
	}
	if err := s.load(claim, files); err != nil {
		refused := wire.Refused{Rule: ruleOf(err), Reason: err.Error()}
		return 1, errors.Join(fmt.Errorf("claim for %s refused: %w", claim.Guest, err), s.say(refused))
	}
	if err := s.say(wire.Claimed{}); err != nil {
		return 1, err
	}
	if err := s.filter().Install(); err != nil {
		return 1, errors.Join(err, s.say(wire.Exited{Status: 1, Kind: wire.Internal, Reason: err.Error()}))
	}
	if err := s.say(wire.Started{}); err != nil {
		return 1, err
	}
	go s.listen()
	e := s.machine.Run(context.Background())
	s.saver.busy.Lock() // what is being written comes before the last word
	if m, ok := s.console.rest(); ok {
		err = s.say(m)
	}
	s.console.handOver()
	err = errors.Join(err, s.say(wire.Exited{Status: e.Status, Kind: wire.Kind(e.Kind), Reason: e.Reason}))
	return int(e.Status), err
}

// filter is that of the guest that runs.
func (s *slot) filter() *jail.Filter {
	requests := s.machine.RunRequests()
	if s.saver.file != nil {
		requests = append(requests, s.machine.StateRequests()...)
	}
	f := jail.Running(s.requests(requests), s.devices.blockFDs())
	if s.saver.file != nil {
		f.Save(int(s.saver.file.Fd()), s.devices.blockFDs())
	}
	return f
}

// listen answers for the console, saves the guest, and stops it when it is told
// to, or when nobody is left who could tell: the socket's other end is held by
// init as well as by flight.
func (s *slot) listen() {
	for {
		m, err := s.conn.ReceivePlain()
		if err != nil && !errors.Is(err, wire.ErrMessage) {
			break
		}
		switch m := m.(type) {
		case wire.Recall:
			s.console.recall(m.Offset)
		case wire.Save:
			s.save(m)
		case wire.Stop:
			s.machine.Stop()
			return
		}
	}
	s.machine.Stop()
}

// say sends a message that must not be lost, within reason. The deadline is
// its own: left behind, it would silence the console later on.
func (s *slot) say(m wire.Message) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(lastWord)); err != nil {
		return err
	}
	return errors.Join(s.conn.Send(m), s.conn.SetWriteDeadline(time.Time{}))
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
