package gdb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/perilune/perilune/tender/regs"
)

// Signals by gdb's numbers.
const (
	SigInt  = 2
	SigIll  = 4
	SigTrap = 5
	SigAbrt = 6
	SigSegv = 11
)

// Stop is why the target no longer runs.
type Stop struct {
	Signal int    // gdb's number; the target can go on, or be looked at
	Thread int    // whose doing it is
	Watch  Point  // the kind of watchpoint that was hit; Software: none
	At     uint64 // the address that it watches
	Exited bool   // it cannot: it is over with Status
	Status uint8
}

// Point is a kind of breakpoint, by the number that Z packets give it.
type Point int

// The breakpoints and watchpoints of a Target.
const (
	Software Point = iota
	Hardware
	WatchWrite
	WatchRead
	WatchAccess
)

// watches are the names of watchpoints in stop replies.
var watches = [...]string{WatchWrite: "watch", WatchRead: "rwatch", WatchAccess: "awatch"}

// ErrNoPoint is returned by Insert for a kind that the target does not have.
var ErrNoPoint = errors.New("no such breakpoint here")

// Action is what a thread does until something stops the target.
type Action uint8

// The actions.
const (
	Stay     Action = iota // nothing
	Continue               // it runs
	Step                   // it runs one instruction
)

// Target is what is debugged: threads, numbered from 1, with one memory. Its
// methods are called by the goroutine of Serve, except for Interrupt.
type Target interface {
	// Threads lists those that there are now; 1 is always there.
	Threads() []int
	Registers(thread int) (regs.Values, error)
	SetRegisters(thread int, v regs.Values) error
	ReadMemory(addr uint64, b []byte) error
	WriteMemory(addr uint64, b []byte) error
	// Insert sets a breakpoint, or watches size octets.
	Insert(p Point, addr, size uint64) error
	Remove(p Point, addr, size uint64) error
	// Resume lets each thread do something, those too that start meanwhile,
	// until something stops one of them and with it all. After an exit it says
	// the same again.
	Resume(do func(thread int) Action) (Stop, error)
	// Interrupt makes a running Resume, or the next one, return SigInt.
	Interrupt()
}

// Sentinels of Serve.
var (
	// ErrLost means that the connection ended without a word.
	ErrLost = errors.New("the debugger is gone")
	// ErrKill means that gdb wants the target dead.
	ErrKill = errors.New("the debugger asked to quit")
	// ErrExited means that the target ended and gdb was told.
	ErrExited = errors.New("the target has ended")
)

// Server debugs one target over one connection.
type Server struct {
	conn   io.ReadWriter
	target Target
	frames chan Frame
	noAck  bool
	last   Stop
	thread int    // whose registers are asked for
	runs   int    // the thread that c and s are for, 0 for all
	sent   []byte // the last packet, for a Nack
	done   chan struct{}
}

// Serve answers gdb until it detaches (nil: the target shall run on), or one
// of the sentinels. The target must be stopped.
func Serve(conn io.ReadWriter, target Target) error {
	s := &Server{conn: conn, target: target, frames: make(chan Frame), last: Stop{Signal: SigTrap, Thread: 1}, thread: 1, done: make(chan struct{})}
	defer close(s.done)
	go s.read()
	for f := range s.frames {
		switch err := s.frame(f); {
		case errors.Is(err, errDetach):
			return nil
		case err != nil:
			return err
		}
	}
	return ErrLost
}

// read hands frames over one by one. It interrupts the target itself: the
// other goroutine is inside it.
func (s *Server) read() {
	defer close(s.frames)
	var p Parser
	b := make([]byte, 4096)
	for {
		n, err := s.conn.Read(b)
		p.Push(b[:n], func(f Frame) {
			if f.Kind == Interrupt {
				s.target.Interrupt()
				return
			}
			select {
			case s.frames <- f:
			case <-s.done:
			}
		})
		if err != nil {
			s.target.Interrupt()
			return
		}
	}
}

// frame answers one frame; an error ends the session.
func (s *Server) frame(f Frame) error {
	switch f.Kind {
	case Nack:
		return s.write(s.sent)
	case Damaged:
		return s.write([]byte("-"))
	case Packet:
	default:
		return nil
	}
	if !s.noAck {
		if err := s.write([]byte("+")); err != nil {
			return err
		}
	}
	answer, err := s.command(f.Payload)
	if errors.Is(err, ErrKill) && !bytes.HasPrefix(f.Payload, []byte("vKill")) {
		return err // gdb waits for no answer to k
	}
	var end error
	for _, e := range []error{ErrKill, ErrExited, errDetach} {
		if errors.Is(err, e) {
			end, err = e, nil
		}
	}
	if err != nil {
		answer = "E01"
	}
	if err := s.reply(answer); err != nil {
		return err
	}
	return end
}

// errDetach ends Serve in peace.
var errDetach = errors.New("detached")

func (s *Server) reply(answer string) error {
	s.sent = Encode([]byte(answer))
	return s.write(s.sent)
}

func (s *Server) write(b []byte) error {
	if _, err := s.conn.Write(b); err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return nil
}

// command gives the answer to a packet; "" means that it is not supported.
func (s *Server) command(p []byte) (string, error) {
	if len(p) == 0 {
		return "", nil
	}
	rest := p[1:]
	switch p[0] {
	case '?':
		return s.stopped(), nil
	case 'g':
		v, err := s.target.Registers(s.thread)
		return hex.EncodeToString(v.Octets), err
	case 'G':
		return s.setAll(rest)
	case 'p', 'P':
		return s.one(p[0], rest)
	case 'm':
		return s.readMemory(rest)
	case 'M', 'X':
		return s.writeMemory(p[0], rest)
	case 'Z', 'z':
		return s.point(p[0], rest)
	case 'c', 'C', 's', 'S':
		return s.resume(p[0], rest)
	case 'D':
		return "OK", errDetach
	case 'k':
		return "", ErrKill
	case 'H':
		return s.selectThread(rest)
	case 'T':
		_, err := s.existing(rest)
		return "OK", err
	case 'q', 'Q', 'v':
		return s.named(string(p))
	}
	return "", nil
}

func (s *Server) stopped() string {
	if s.last.Exited {
		return fmt.Sprintf("W%02x", s.last.Status)
	}
	text := fmt.Sprintf("T%02xthread:%x;", s.last.Signal, s.last.Thread)
	if name := watches[s.last.Watch]; name != "" {
		text += fmt.Sprintf("%s:%x;", name, s.last.At)
	}
	return text
}

// named answers the packets that have words for names.
func (s *Server) named(p string) (string, error) {
	name, arg, _ := strings.Cut(p, ":")
	switch {
	case name == "qSupported":
		return fmt.Sprintf("PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+", MaxPacket), nil
	case name == "QStartNoAckMode":
		s.noAck = true
		return "OK", nil
	case name == "qXfer":
		return s.features(arg)
	case name == "qAttached":
		return "1", nil
	case name == "qC":
		return fmt.Sprintf("QC%x", s.last.Thread), nil
	case name == "qfThreadInfo":
		return s.threads(), nil
	case name == "qsThreadInfo":
		return "l", nil
	case strings.HasPrefix(name, "vKill"):
		return "OK", ErrKill
	case name == "vCont?":
		return "vCont;c;C;s;S", nil
	case strings.HasPrefix(name, "vCont;"):
		return s.resumeEach(p[len("vCont;"):])
	case strings.HasPrefix(name, "qThreadExtraInfo,"):
		return s.describe([]byte(name[len("qThreadExtraInfo,"):]))
	}
	return "", nil
}

// features hands the description out in the pieces that gdb asks for.
func (s *Server) features(arg string) (string, error) {
	span, ok := strings.CutPrefix(arg, "features:read:target.xml:")
	if !ok {
		return "E00", nil
	}
	from, n, _, err := pair([]byte(span), 0)
	if err != nil {
		return "", err
	}
	v, err := s.target.Registers(1)
	if err != nil {
		return "", err
	}
	text := v.XML()
	if from >= uint64(len(text)) {
		return "l", nil
	}
	text = text[from:]
	if n = min(n, MaxPacket/2); uint64(len(text)) > n {
		return "m" + text[:n], nil
	}
	return "l" + text, nil
}
