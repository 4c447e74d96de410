package debian

import (
	"os"
	"path/filepath"
	"testing"
)

// What is in the cache is taken as it is, without network, for the same packages alone.
func TestRootFromCache(t *testing.T) {
	cache := t.TempDir()
	dir := filepath.Join(cache, "debian", "arm64")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, stampFile), []byte("bash\ngdb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if root, err := Root(t.Context(), cache, "arm64", "gdb", "bash"); err != nil || root != filepath.Join(dir, "root") {
		t.Errorf("%q, %v", root, err)
	}
	t.Setenv("PATH", "") // where there is no apt
	if root, err := Root(t.Context(), cache, "arm64", "gdb"); err == nil {
		t.Errorf("other packages: %q", root)
	}
}
