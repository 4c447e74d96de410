package sdk_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// libc are the library's parts that need no guest around them.
var libc = []string{"lib/ctype.c", "lib/heap.c", "lib/sort.c", "lib/stdio.c", "lib/stdlib.c", "lib/string.c"}

// compareProgram builds the library's C functions under other names (testdata/ours.h)
// into a program of the host, beside the host's own, with the address and undefined
// behaviour sanitizers where a compiler has them.
func compareProgram(t *testing.T) string {
	t.Helper()
	cc, sanitize := sanitizer(t)
	dir := t.TempDir()
	var objects []string
	compile := func(source string, args ...string) {
		object := filepath.Join(dir, fmt.Sprint(len(objects), ".o"))
		objects = append(objects, object)
		args = append(append(args, sanitize...), "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-c", "-o", object, source)
		if said, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", source, err, said)
		}
	}
	for _, source := range append([]string{"testdata/heap.c"}, libc...) {
		compile(source, "-ffreestanding", "-Iinclude", "-Ilib", "-include", "testdata/ours.h")
	}
	for _, part := range []string{"", "_formats", "_numbers", "_strings"} {
		compile("testdata/compare"+part+".c", "-fno-builtin", "-Wno-format-truncation")
	}
	program := filepath.Join(dir, "compare")
	if said, err := exec.Command(cc, append(append(objects, sanitize...), "-o", program)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

// sanitizer finds a compiler for the host, one with sanitizers first.
func sanitizer(t *testing.T) (cc string, flags []string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), "empty.c")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	checks := []string{"-fsanitize=address,undefined", "-fno-sanitize-recover=all"}
	for _, flags := range [][]string{checks, nil} {
		for _, cc := range []string{"clang", "gcc", "cc"} {
			if exec.Command(cc, append(flags, "-o", source+".out", source)...).Run() == nil {
				if flags == nil {
					t.Log("no compiler has sanitizers (Debian: gcc, or clang with libclang-rt-dev)")
				}
				return cc, flags
			}
		}
	}
	t.Skip("no compiler makes programs for this machine: run 'perilune doctor --install --for test' (Debian: gcc libc6-dev)")
	return "", nil
}

// TestLibcAgainstHost gives the library and the host's C library the same arguments,
// made by chance, and expects the same results.
func TestLibcAgainstHost(t *testing.T) {
	said, err := exec.Command(compareProgram(t), "20000").CombinedOutput()
	if want := "20000 rounds, 0 differences\n"; err != nil || string(said) != want {
		t.Errorf("%v: %s", err, said)
	}
}

// TestHeapSanitized runs the heap's test where a sanitizer watches the heap's ends, its
// alignment and its arithmetic.
func TestHeapSanitized(t *testing.T) {
	said, err := exec.Command(compareProgram(t), "heap").CombinedOutput()
	if err != nil || string(said) != "whole\n" {
		t.Errorf("%v: %s", err, said)
	}
}
