package nest

import (
	"maps"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The libraries of this machine's own programs are those that ldd lists.
func TestLibraries(t *testing.T) {
	s := system{"/", runtime.GOARCH}
	for _, name := range []string{"bash", "ls", "env"} {
		program, err := s.program(name)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.libraries(program)
		if err != nil {
			t.Error(err)
		}
		out, err := exec.CommandContext(t.Context(), "ldd", program).Output()
		if err != nil {
			t.Skipf("needs %s to be a dynamic program, and ldd to list its libraries: %v", program, err)
		}
		var want []string
		for _, word := range strings.Fields(string(out)) {
			if filepath.IsAbs(word) { // "libc.so.6 => /lib/…/libc.so.6 (0x…)"
				want = append(want, word)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, ldd lists %q", name, got, want)
		}
	}
}

// A script has no libraries, and what is not there is an error.
func TestLibrariesNone(t *testing.T) {
	s := system{"/", runtime.GOARCH}
	if found, err := s.libraries("programs_test.go"); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := s.program("no-such-program"); err == nil {
		t.Error("a program that is not there")
	}
	if _, _, err := s.library("libnone.so.1"); err == nil {
		t.Error("a library that is not there")
	}
}
