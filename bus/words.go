package bus

import (
	"fmt"
	"sync"
)

// words are those of the server's log; only the last ones of a server that gives up count.
type words struct {
	mu   sync.Mutex
	last string
}

// fatal is empty as long as the server has not given up.
func (w *words) fatal() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// Fatalf is where the server says why it gives up.
func (w *words) Fatalf(format string, v ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = fmt.Sprintf(format, v...)
}

func (*words) Noticef(string, ...any) {}
func (*words) Warnf(string, ...any)   {}
func (*words) Errorf(string, ...any)  {}
func (*words) Debugf(string, ...any)  {}
func (*words) Tracef(string, ...any)  {}
