package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
)

// flight is one life of the flight program.
type flight struct {
	pid      int
	conn     *initproto.Conn
	lastSign time.Time // of its last Health, or of its start
	asked    time.Time // when it was asked to end; zero if it was not
}

// received is a message, or an error that the connection outlived.
type received struct {
	from    *flight
	message initproto.Message
	files   []*os.File // of a Keep; whoever receives it has them
	err     error
}

// startFlight starts flight, greets it and hands over the slots that have
// outlived its predecessor. If that fails it is tried again.
func (s *supervisor) startFlight() {
	f, err := s.execFlight()
	if err != nil {
		logf("start flight: %v", err)
		s.restart = time.After(max(time.Second, s.nextPause()))
		return
	}
	s.flight = f
	logf("flight: pid %d, mode %s", f.pid, s.mode)
	kept := s.slots.kept()
	ok := s.tell(initproto.Welcome{
		Mode: s.mode, Boots: s.boots, Restarts: s.restarts, Cause: clip(s.cause), KeptSlots: uint32(len(kept)), KeptFiles: uint32(len(s.keeper)),
	})
	for _, slot := range kept {
		ok = ok && s.tell(slot.ready(true), slot.control, slot.data)
	}
	for _, k := range s.keeper.sorted() {
		ok = ok && s.tell(initproto.Kept{Name: k.name}, k.files...)
	}
	go s.listen(f)
}

// clip keeps a text within what a message may carry.
func clip(text string) string { return text[:min(len(text), initproto.MaxString)] }

func (s *supervisor) execFlight() (*flight, error) {
	conn, theirs, err := initproto.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	pid, err := s.forkFlight(theirs)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", s.flightPath, err)
	}
	return &flight{pid: pid, conn: conn, lastSign: time.Now()}, nil
}

func (s *supervisor) forkFlight(socket *os.File) (int, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	attr := &syscall.SysProcAttr{Setsid: true, Cloneflags: s.namespaces}
	if os.Geteuid() == 0 && s.uid != 0 {
		attr.Credential = &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.gid)}
	}
	if s.cgroups.flight != "" {
		dir, err := os.Open(s.cgroups.flight)
		if err != nil {
			return 0, err
		}
		defer dir.Close()
		attr.UseCgroupFD, attr.CgroupFD = true, int(dir.Fd())
	}
	// Its number as initproto.FD says.
	files := []*os.File{null, s.console, s.console, socket}
	fds := make([]uintptr, len(files))
	for i, f := range files {
		fds[i] = f.Fd()
	}
	pid, err := syscall.ForkExec(s.flightPath, []string{s.flightPath},
		&syscall.ProcAttr{Dir: "/", Env: s.env, Files: fds, Sys: attr})
	runtime.KeepAlive(files)
	return pid, err
}

// listen passes on what this life of flight says, until it ends.
func (s *supervisor) listen(f *flight) {
	for {
		m, files, err := f.conn.Receive()
		if _, keep := m.(initproto.Keep); !keep {
			closeAll(files) // nothing else of flight's has any
			files = nil
		}
		if err != nil && !errors.Is(err, initproto.ErrMessage) {
			if err != io.EOF && !errors.Is(err, os.ErrClosed) {
				logf("flight: %v", err)
			}
			return
		}
		s.messages <- received{f, m, files, err}
	}
}

// tell sends flight a message; a flight that does not take it is killed.
func (s *supervisor) tell(m initproto.Message, files ...*os.File) bool {
	if s.flight == nil {
		return false
	}
	_ = s.flight.conn.SetWriteDeadline(time.Now().Add(s.times.send))
	err := s.flight.conn.Send(m, files...)
	switch {
	case err == nil:
		return true
	case errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
		// It is dying; its end comes by SIGCHLD.
	default:
		s.killFlight(err.Error())
	}
	return false
}

func (s *supervisor) killFlight(why string) {
	logf("flight: %s: kill", why)
	if err := unix.Kill(s.flight.pid, unix.SIGKILL); err != nil {
		logf("flight: %v", err)
	}
}
