package spacelink

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

// maxRecording bounds one recording, in octets: a craft that flies for days must not fill
// the disk of who flies it.
const maxRecording = 1 << 30

// recorder keeps the octets that pass one point of the way, and counts them also when it
// keeps no more.
type recorder struct {
	f    *os.File
	most int64 // octets in f
	n    atomic.Int64
}

func newRecorder(dir, name string) (*recorder, error) {
	f, err := os.Create(filepath.Join(dir, name+".raw"))
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return &recorder{f: f, most: maxRecording}, nil
}

func (r *recorder) add(b []byte) error {
	n := r.n.Load()
	if _, err := r.f.Write(b[:min(int64(len(b)), max(0, r.most-n))]); err != nil {
		return err
	}
	r.n.Store(n + int64(len(b)))
	return nil
}
