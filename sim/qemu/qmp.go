package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// greetingTime bounds QEMU's start; it is long because the machine may be
// loaded.
const greetingTime = 60 * time.Second

// ErrQMP is wrapped by what QEMU answers to a command it does not like.
var ErrQMP = errors.New("QMP")

// Event is what QEMU says unasked, such as RESET, WATCHDOG or SHUTDOWN.
type Event struct {
	Name string
	Time time.Time
	Data map[string]any
}

// QMP is QEMU's control connection.
type QMP struct {
	f      *os.File
	events chan Event

	do      sync.Mutex // one command at a time
	answers chan answer
	closed  chan struct{}
	once    sync.Once
}

type answer struct {
	Value json.RawMessage `json:"return"`
	Error *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event     string         `json:"event"`
	Data      map[string]any `json:"data"`
	Timestamp struct {
		Seconds      int64 `json:"seconds"`
		Microseconds int64 `json:"microseconds"`
	} `json:"timestamp"`
	Greeting json.RawMessage `json:"QMP"`
}

// dial takes over f, reads the greeting and leaves negotiation mode.
func dial(f *os.File) (*QMP, error) {
	q := &QMP{f: f, events: make(chan Event, 64), answers: make(chan answer, 1), closed: make(chan struct{})}
	dec := json.NewDecoder(f)
	var hello answer
	_ = f.SetReadDeadline(time.Now().Add(greetingTime))
	err := dec.Decode(&hello)
	if err == nil && hello.Greeting == nil {
		err = errors.New("something else came")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: no greeting: %w", ErrQMP, err)
	}
	_ = f.SetReadDeadline(time.Time{})
	go q.listen(dec)
	ctx, cancel := context.WithTimeout(context.Background(), greetingTime)
	defer cancel()
	if err := q.Do(ctx, "qmp_capabilities"); err != nil {
		q.Close()
		return nil, err
	}
	return q, nil
}

// listen sorts what QEMU says. Events that nobody takes are dropped, oldest
// first.
func (q *QMP) listen(dec *json.Decoder) {
	defer close(q.events)
	defer q.once.Do(func() { close(q.closed) })
	for {
		var a answer
		if err := dec.Decode(&a); err != nil {
			return
		}
		if a.Event == "" {
			select {
			case q.answers <- a:
			case <-q.closed:
				return
			}
			continue
		}
		e := Event{Name: a.Event, Data: a.Data, Time: time.Unix(a.Timestamp.Seconds, a.Timestamp.Microseconds*1000)}
		for sent := false; !sent; {
			select {
			case q.events <- e:
				sent = true
			default:
				select {
				case <-q.events:
				default:
				}
			}
		}
	}
}

// Events gives what QEMU says unasked; it is closed with the connection.
func (q *QMP) Events() <-chan Event { return q.events }

// Do runs a command without arguments and waits for its answer.
func (q *QMP) Do(ctx context.Context, command string) error {
	_, err := q.Execute(ctx, command, nil)
	return err
}

// Execute runs a command and returns what it returns.
func (q *QMP) Execute(ctx context.Context, command string, arguments any) (json.RawMessage, error) {
	q.do.Lock()
	defer q.do.Unlock()
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	b, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrQMP, command, err)
	}
	if _, err := q.f.Write(append(b, '\n')); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrQMP, command, err)
	}
	select {
	case a := <-q.answers:
		return a.result(command)
	case <-q.closed:
		select {
		case a := <-q.answers: // its last, as to "quit"
			return a.result(command)
		default:
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrQMP, command, io.ErrUnexpectedEOF)
	case <-ctx.Done():
		// The answer may still come and would be taken for the next one's.
		q.Close()
		return nil, fmt.Errorf("%w: %s: %w", ErrQMP, command, ctx.Err())
	}
}

// result is what a command returns that has this answer.
func (a answer) result(command string) (json.RawMessage, error) {
	if a.Error != nil {
		return nil, fmt.Errorf("%w: %s: %s: %s", ErrQMP, command, a.Error.Class, a.Error.Desc)
	}
	return a.Value, nil
}

// Close ends the connection; the machine goes on.
func (q *QMP) Close() {
	q.once.Do(func() { close(q.closed) })
	q.f.Close()
}
