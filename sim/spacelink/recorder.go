package spacelink

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

// recorder keeps every octet that passes one point of the way.
type recorder struct {
	f *os.File
	n atomic.Int64
}

func newRecorder(dir, name string) (*recorder, error) {
	f, err := os.Create(filepath.Join(dir, name+".raw"))
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return &recorder{f: f}, nil
}

func (r *recorder) add(b []byte) error {
	n, err := r.f.Write(b)
	r.n.Add(int64(n))
	return err
}
