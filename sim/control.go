package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/perilune/perilune/missions/craft"
)

// controlSocket is where a running simulation takes faults from a second terminal.
const controlSocket = "control.sock"

// maxOrder bounds one fault on the control socket, in octets.
const maxOrder = 4096

// ErrNotRunning says that no simulation takes orders in a folder.
var ErrNotRunning = errors.New("no simulation runs")

// Inject has the simulation whose folder is dir carry out f now.
func Inject(ctx context.Context, dir string, f craft.Fault) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", dir+"/"+controlSocket)
	if err != nil {
		return fmt.Errorf("%w in %s: %w", ErrNotRunning, dir, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := json.NewEncoder(conn).Encode(f); err != nil {
		return err
	}
	var answer struct{ Error string }
	if err := json.NewDecoder(io.LimitReader(conn, maxOrder)).Decode(&answer); err != nil {
		return fmt.Errorf("the simulation does not answer: %w", err)
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return nil
}

// control serves the control socket until ctx ends.
func (s *session) control(ctx context.Context) error {
	l, err := net.Listen("unix", s.path(controlSocket))
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.take(ctx, conn)
		}
	}()
	return nil
}

// take reads one fault, begins it and answers. What lasts goes on after the answer.
func (s *session) take(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	var f craft.Fault
	err := conn.SetReadDeadline(time.Now().Add(settle))
	if err == nil {
		err = json.NewDecoder(io.LimitReader(conn, maxOrder)).Decode(&f)
	}
	if err == nil {
		err = f.Validate()
	}
	if err == nil {
		fmt.Fprintf(s.opt.Talk, "fault: %s\n", describe(f))
		if f.Duration > 0 {
			go s.report(f, func() error { return s.fault(ctx, f) })
		} else {
			err = s.fault(ctx, f)
		}
	}
	answer := struct{ Error string }{}
	if err != nil {
		answer.Error = err.Error()
	}
	// Nobody is left to tell when the answer does not arrive.
	_ = json.NewEncoder(conn).Encode(answer)
}

// report says when a fault did not work.
func (s *session) report(f craft.Fault, run func() error) {
	if err := run(); err != nil {
		fmt.Fprintf(s.opt.Talk, "fault: %s: %v\n", f.Kind, err)
	}
}
