package core_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/core"
	"github.com/perilune/perilune/tender/regs"
	"github.com/perilune/perilune/tender/tendertest"
)

type memory []byte

func (m memory) ReadMemory(addr uint64, b []byte) error { copy(b, m[addr:]); return nil }

func write(t *testing.T, v regs.Values) (path string, pages int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "core")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mem := make(memory, 64*core.PageSize)
	copy(mem[0x3000:], "moon")
	mem[0x5fff] = 1
	if pages, err = core.Write(f, []regs.Values{v}, mem, uint64(len(mem))); err != nil {
		t.Fatal(err)
	}
	return path, pages
}

var layouts = map[elf.Machine]*regs.Layout{elf.EM_X86_64: regs.AMD64, elf.EM_AARCH64: regs.ARM64}

func TestWrite(t *testing.T) {
	for machine, layout := range layouts {
		path, pages := write(t, layout.New())
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Type != elf.ET_CORE || f.Machine != machine || len(f.Progs) != 2 || pages != 2 {
			t.Errorf("%v %v, %d headers, %d pages", f.Type, f.Machine, len(f.Progs), pages)
		}
		load := f.Progs[1]
		b := make([]byte, load.Memsz)
		if n, err := load.ReadAt(b, 0); err != nil || load.Vaddr != 0 || n != 64*core.PageSize {
			t.Errorf("memory of %d octets at %#x: %v", n, load.Vaddr, err)
		}
		if string(b[0x3000:0x3004]) != "moon" || b[0x5fff] != 1 || b[0] != 0 {
			t.Error("the memory is another one")
		}
	}
	if _, err := core.Header([]regs.Values{(&regs.Layout{}).New()}, 0); err == nil {
		t.Error("an unknown architecture passed")
	}
}

// What gdb reads out of a core file is what was put in.
func TestGDB(t *testing.T) {
	for machine, c := range map[elf.Machine]struct {
		set  map[string]uint64
		wide string // a vector register
	}{
		elf.EM_X86_64:  {map[string]uint64{"rax": 1, "rbx": 2, "rsp": 0x3000, "rip": 0x4444, "r15": 15, "fs_base": 77}, "xmm7"},
		elf.EM_AARCH64: {map[string]uint64{"x0": 1, "x29": 2, "x30": 30, "sp": 0x3000, "pc": 0x4444}, "v7"},
	} {
		t.Run(machine.String(), func(t *testing.T) {
			v := layouts[machine].New()
			for name, n := range c.set {
				v.Set(name, n)
			}
			v.Field(c.wide)[8] = 0x5a
			path, _ := write(t, v)
			prog := tendertest.GDBFor(t, v.Layout)
			args := []string{"-nx", "-batch", "-ex", "set architecture " + v.Architecture, "-ex", "core-file " + path, "-ex", "x/s 0x3000"}
			want := []string{"\"moon\""}
			for name, n := range c.set {
				args = append(args, "-ex", "printf \""+name+" %ld\\n\", (long)$"+name)
				want = append(want, name+" "+itoa(n)+"\n")
			}
			vector := map[string]string{"xmm7": "$xmm7.v16_int8[8]", "v7": "$v7.b.u[8]"}[c.wide]
			args = append(args, "-ex", "printf \"wide %d\\n\", "+vector)
			out, _ := exec.Command(prog, args...).CombinedOutput()
			for _, w := range append(want, "wide 90\n") {
				if !strings.Contains(string(out), w) {
					t.Errorf("gdb does not say %q:\n%s", w, out)
				}
			}
		})
	}
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }
