package gdb

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Threads that packets can name beside those that there are.
const (
	anyThread  = 0
	allThreads = -1
)

// threadID takes a thread's name from a packet.
func threadID(b []byte) (int, error) {
	if string(b) == "-1" {
		return allThreads, nil
	}
	n, rest, err := number(b)
	if err != nil || len(rest) > 0 || n > 1<<16 {
		return 0, fmt.Errorf("%w: no thread %q", ErrPacket, b)
	}
	return int(n), nil
}

// existing takes the name of one thread that there is.
func (s *Server) existing(b []byte) (int, error) {
	id, err := threadID(b)
	if err == nil && !slices.Contains(s.target.Threads(), id) {
		err = fmt.Errorf("%w: there is no thread %d", ErrPacket, id)
	}
	return id, err
}

// selectThread serves Hg, whose registers are meant from now on, and Hc,
// which says what c and s are for.
func (s *Server) selectThread(arg []byte) (string, error) {
	if len(arg) < 2 {
		return "", fmt.Errorf("%w: H without a thread", ErrPacket)
	}
	id, err := threadID(arg[1:])
	if err != nil {
		return "", err
	}
	if id > 0 {
		if id, err = s.existing(arg[1:]); err != nil {
			return "", err
		}
	}
	switch {
	case arg[0] == 'c':
		s.runs = max(id, 0)
	case arg[0] == 'g' && id == anyThread:
		s.thread = s.last.Thread
	case arg[0] == 'g' && id > 0:
		s.thread = id
	default:
		return "", fmt.Errorf("%w: H%s", ErrPacket, arg)
	}
	return "OK", nil
}

// threads serves qfThreadInfo.
func (s *Server) threads() string {
	var names []string
	for _, id := range s.target.Threads() {
		names = append(names, fmt.Sprintf("%x", id))
	}
	return "m" + strings.Join(names, ",")
}

// describe serves qThreadExtraInfo: what a person reads beside the number.
func (s *Server) describe(arg []byte) (string, error) {
	id, err := s.existing(arg)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(fmt.Appendf(nil, "vCPU %d", id-1)), nil
}

// resume serves c and s, and C and S, whose signal no guest can take. An
// address to go on from is set first.
func (s *Server) resume(command byte, arg []byte) (string, error) {
	if command == 'C' || command == 'S' {
		_, arg, _ = bytes.Cut(arg, []byte(";"))
	}
	one := s.runs
	if one == anyThread {
		one = s.thread
	}
	if len(arg) > 0 {
		pc, _, err := number(arg)
		if err != nil {
			return "", err
		}
		v, err := s.target.Registers(one)
		if err != nil {
			return "", err
		}
		v.Set(v.PC, pc)
		if err := s.target.SetRegisters(one, v); err != nil {
			return "", err
		}
	}
	step := command == 's' || command == 'S'
	return s.let(func(id int) Action {
		switch {
		case step && id == one:
			return Step
		case step || s.runs != anyThread && id != s.runs:
			return Stay
		}
		return Continue
	})
}

// resumeEach serves vCont: actions, each for one thread or for all; of several
// that are for a thread the first one counts.
func (s *Server) resumeEach(list string) (string, error) {
	type order struct {
		thread int
		do     Action
	}
	var orders []order
	for _, item := range strings.Split(list, ";") {
		what, name, named := strings.Cut(item, ":")
		o := order{thread: allThreads}
		switch {
		case what == "c" || strings.HasPrefix(what, "C"):
			o.do = Continue
		case what == "s" || strings.HasPrefix(what, "S"):
			o.do = Step
		default:
			return "", fmt.Errorf("%w: action %q", ErrPacket, item)
		}
		if named {
			var err error
			if o.thread, err = threadID([]byte(name)); err != nil {
				return "", err
			}
		}
		orders = append(orders, o)
	}
	return s.let(func(id int) Action {
		for _, o := range orders {
			if o.thread == id || o.thread == allThreads {
				return o.do
			}
		}
		return Stay
	})
}

// let lets the target run and tells what stopped it.
func (s *Server) let(do func(thread int) Action) (string, error) {
	stop, err := s.target.Resume(do)
	if err != nil {
		return "", err
	}
	if s.last = stop; stop.Exited {
		return s.stopped(), ErrExited
	}
	s.thread = stop.Thread
	return s.stopped(), nil
}
