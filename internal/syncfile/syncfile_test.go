package syncfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/internal/syncfile"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "count")
	if err := os.WriteFile(path+".new", []byte("a longer text that a crash has left"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first", "2"} {
		if err := syncfile.Replace(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	if err := syncfile.Replace(filepath.Join(dir, "nowhere", "count"), nil); err == nil {
		t.Error("a file in a folder that is not there")
	}
	if err := syncfile.Dir(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there was synced")
	}
}
