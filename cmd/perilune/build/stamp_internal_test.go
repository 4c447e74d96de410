package build

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A stamp never speaks of what is not there, wherever the making of it breaks off.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	out, stamp := filepath.Join(dir, "out"), filepath.Join(dir, "out.stamp")
	make := func(text string) func(string) error {
		return func(tmp string) error { return os.WriteFile(tmp, []byte(text), 0o644) }
	}
	if err := replace(out, stamp, "1", make("one")); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("disk full")
	err := replace(out, stamp, "2", func(tmp string) error { return errors.Join(make("tw")(tmp), bad) })
	if got, read := os.ReadFile(out); !errors.Is(err, bad) || string(got) != "one" || read != nil {
		t.Errorf("%v, %q, %v", err, got, read)
	}
	if got, err := os.ReadFile(stamp); err != nil || string(got) != "1" {
		t.Errorf("stamp %q, %v", got, err)
	}
	// What is there can be neither the old nor the new one.
	if err := errors.Join(os.Remove(out), os.MkdirAll(filepath.Join(out, "full"), 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := replace(out, stamp, "2", make("two")); err == nil {
		t.Error("a folder was replaced")
	}
	if got, err := os.ReadFile(stamp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stamp %q, %v", got, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}
