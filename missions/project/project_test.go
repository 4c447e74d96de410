package project_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/missions/project"
	"github.com/perilune/perilune/missions/sdk"
)

// TestVectors: floating point builds where mission.toml asks for it, and only there.
func TestVectors(t *testing.T) {
	const source = "#include <perilune.h>\nint solo5_app_main(const struct solo5_start_info *i)\n" +
		"{ volatile double d = i->heap_size; return d > 1.0; }\n"
	const about = "name = \"float\"\ntenant = \"acme\"\n[build]\nsources = [\"main.c\"]\n"
	for more, want := range map[string]error{"": sdk.ErrCompile, "vectors = false\n": sdk.ErrCompile, "vectors = true\n": nil} {
		dir := t.TempDir()
		for name, text := range map[string]string{"main.c": source, "mission.toml": about + more} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p, err := project.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Compile(t.Context(), "amd64", filepath.Join(dir, "float.hvt"))
		if errors.Is(err, sdk.ErrTools) {
			t.Skip(err)
		}
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", more, err, want)
		}
	}
}
