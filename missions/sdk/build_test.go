package sdk_test

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/sdk"
)

var arches = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// build builds p into a folder of the test and returns the program.
func build(t *testing.T, p sdk.Project) []byte {
	t.Helper()
	p.Out = filepath.Join(t.TempDir(), "kernel.hvt")
	path, err := sdk.Build(context.Background(), p)
	if errors.Is(err, sdk.ErrTools) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// project reads a mission's folder.
func project(t *testing.T, dir, arch string) sdk.Project {
	t.Helper()
	file := filepath.Join(dir, "mission.toml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := missions.Parse(data, file)
	if err != nil {
		t.Fatal(err)
	}
	return sdk.Project{Dir: dir, Name: m.Name, Sources: m.Build.Sources, Manifest: m.Manifest(), Arch: arch, Vectors: m.Build.Vectors}
}

func writeSource(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "main.c"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBuildExamples builds every example for both architectures and reads the
// result as the tender does: machine, notes, manifest, W^X, addresses.
func TestBuildExamples(t *testing.T) {
	dirs, err := filepath.Glob("../examples/*/mission.toml")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("%d examples, %v", len(dirs), err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		for arch, machine := range arches {
			t.Run(filepath.Base(dir)+"/"+arch, func(t *testing.T) {
				t.Parallel()
				p := project(t, dir, arch)
				program := build(t, p)
				image, err := hvt.ReadImage(bytes.NewReader(program), int64(len(program)))
				if err != nil {
					t.Fatal(err)
				}
				if image.Machine != hvt.Machine(machine) {
					t.Errorf("machine %v, want %v", image.Machine, machine)
				}
				if len(image.Manifest.Entries) != len(p.Manifest.Entries) {
					t.Fatalf("manifest %v, want %v", image.Manifest, p.Manifest)
				}
				for i, e := range image.Manifest.Entries {
					if e != p.Manifest.Entries[i] {
						t.Errorf("device %d is %v, want %v", i, e, p.Manifest.Entries[i])
					}
				}
				checkSegments(t, program)
			})
		}
	}
}

// checkSegments holds the program against the rules of Solo5's loader.
func checkSegments(t *testing.T, program []byte) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != elf.ET_EXEC {
		t.Errorf("type %v, want ET_EXEC", f.Type)
	}
	end := uint64(hvt.MinBase)
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
			t.Errorf("segment at %#x can be written and executed", p.Vaddr)
		}
		if p.Vaddr < end || p.Vaddr%hvt.PageSize != 0 || p.Memsz == 0 {
			t.Errorf("segment at %#x, %d octets: want pages from %#x on", p.Vaddr, p.Memsz, end)
		}
		end = p.Vaddr + p.Memsz
	}
}

// TestBuildReproducible builds one project in two folders with different
// names and expects the same octets, whatever asserts and debug lines say.
func TestBuildReproducible(t *testing.T) {
	source := "#include <perilune.h>\nint solo5_app_main(const struct solo5_start_info *i)\n" +
		"{ perilune_log(\"%s %d %s\", __FILE__, __LINE__, i->cmdline); return 0; }\n"
	for arch := range arches {
		for _, debug := range []bool{false, true} {
			if debug && arch == "arm64" {
				continue // as amd64, and builds take time
			}
			var first []byte
			for _, name := range []string{"a", "another folder"} {
				dir := filepath.Join(t.TempDir(), name)
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				writeSource(t, dir, source)
				program := build(t, sdk.Project{Dir: dir, Name: "x", Sources: []string{"main.c"}, Arch: arch, Debug: debug})
				if first == nil {
					first = program
				}
				if !bytes.Equal(first, program) {
					t.Errorf("%s, debug %v: two builds differ", arch, debug)
				}
				for _, secret := range []string{dir, os.TempDir(), "perilune-build"} {
					if bytes.Contains(program, []byte(secret)) {
						t.Errorf("%s, debug %v: the program contains %q", arch, debug, secret)
					}
				}
			}
		}
	}
}

// TestBuildNoVector looks for vector registers in the amd64 code: a host that
// emulates ring 0 has none.
func TestBuildNoVector(t *testing.T) {
	dir := t.TempDir()
	writeSource(t, dir, "#include <perilune.h>\nint solo5_app_main(const struct solo5_start_info *i)\n"+
		"{ volatile double d = i->heap_size; return d > 1.0; }\n")
	_, err := sdk.Build(context.Background(), sdk.Project{Dir: dir, Name: "float", Sources: []string{"main.c"}, Arch: "amd64"})
	if errors.Is(err, sdk.ErrTools) {
		t.Skip(err)
	}
	// Without registers for it, floating point is a call of a library that is not there.
	if !errors.Is(err, sdk.ErrCompile) {
		t.Fatalf("floating point built: %v", err)
	}
	for arch := range arches {
		if len(build(t, sdk.Project{Dir: dir, Name: "float", Sources: []string{"main.c"}, Arch: arch, Vectors: true})) == 0 {
			t.Errorf("%s: nothing built with vectors", arch)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	dir := t.TempDir()
	writeSource(t, dir, "int solo5_app_main(void) { return missing; }\n")
	ok := sdk.Project{Dir: dir, Name: "x", Sources: []string{"main.c"}, Arch: "amd64"}
	for name, c := range map[string]struct {
		change func(*sdk.Project)
		want   string
	}{
		"compiler":     {func(*sdk.Project) {}, "main.c:1:35: error: use of undeclared identifier 'missing'"},
		"architecture": {func(p *sdk.Project) { p.Arch = "sparc" }, `architecture "sparc": want amd64 or arm64`},
		"no sources":   {func(p *sdk.Project) { p.Sources = nil }, "no sources"},
		"kind":         {func(p *sdk.Project) { p.Sources = []string{"main.go"} }, `source "main.go": want a .c or .S file`},
		"outside":      {func(p *sdk.Project) { p.Sources = []string{"../main.c"} }, "is not inside the project"},
		"absent":       {func(p *sdk.Project) { p.Sources = []string{"b.c"} }, `source "b.c": no such file`},
	} {
		t.Run(name, func(t *testing.T) {
			p := ok
			c.change(&p)
			_, err := sdk.Build(context.Background(), p)
			if errors.Is(err, sdk.ErrTools) {
				t.Skip(err)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestBuildSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	writeSource(t, dir, "")
	t.Setenv("PATH", dir)
	_, err := sdk.Build(context.Background(), sdk.Project{Dir: dir, Name: "x", Sources: []string{"main.c"}, Arch: "amd64"})
	if !errors.Is(err, sdk.ErrTools) || !strings.Contains(err.Error(), "apt-get install clang lld") {
		t.Errorf("error %v", err)
	}
}

func TestNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "probe")
	if err := sdk.New(dir, "acme", "probe"); err != nil {
		t.Fatal(err)
	}
	p := project(t, dir, "amd64")
	if p.Name != "probe" || len(p.Manifest.Entries) != 1 {
		t.Errorf("project %+v", p)
	}
	if err := sdk.New(dir, "acme", "probe"); !errors.Is(err, sdk.ErrExists) {
		t.Errorf("second time: %v", err)
	}
	if err := sdk.New(filepath.Join(dir, "x"), "Acme", "probe"); err == nil {
		t.Error("a tenant in capitals was taken")
	}
	build(t, p)
}
