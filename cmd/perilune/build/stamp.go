package build

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"
)

// digest of all that goes into an artefact, with the version of the step.
type digest struct {
	h   hash.Hash
	err error
}

func newDigest(words ...string) *digest {
	d := &digest{h: sha256.New()}
	d.text(words...)
	return d
}

func (d *digest) text(words ...string) {
	for _, w := range words {
		fmt.Fprintf(d.h, "%d:%s,", len(w), w)
	}
}

// file adds a file's contents under a name.
func (d *digest) file(name, path string) {
	d.text(name)
	f, err := os.Open(path)
	if err != nil {
		d.fail(err)
		return
	}
	defer f.Close()
	own := sha256.New()
	if _, err := io.Copy(own, f); err != nil {
		d.fail(err)
	}
	d.h.Write(own.Sum(nil))
}

func (d *digest) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// step makes out by calling build with a temporary name, unless out was made
// from the same input before. The stamp beside it says from what.
func (b *builder) step(name, out string, in *digest, build func(tmp string) error) error {
	if in.err != nil {
		return fmt.Errorf("%s: %w", name, in.err)
	}
	sum := hex.EncodeToString(in.h.Sum(nil)) + "\n"
	stamp := out + ".stamp"
	if old, err := os.ReadFile(stamp); err == nil && string(old) == sum {
		if _, err := os.Stat(out); err == nil {
			return nil
		}
	}
	start := time.Now()
	if err := replace(out, stamp, sum, build); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.made = append(b.made, name)
	b.log.Info("built", "what", name, "path", out, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// replace makes out anew. Whatever breaks it off, a stamp that is there is that of the whole
// of what lies beside it.
func replace(out, stamp, sum string, build func(tmp string) error) error {
	tmp := out + ".new"
	defer os.Remove(tmp)
	if err := build(tmp); err != nil {
		return err
	}
	if err := os.Remove(stamp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, out); err != nil {
		return err
	}
	if err := sync(out); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(sum), 0o644)
}

func sync(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
