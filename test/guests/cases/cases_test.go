package cases_test

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/test/guests/cases"
)

func TestLoad(t *testing.T) {
	load := func(text string) error {
		path := filepath.Join(t.TempDir(), "expect.toml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := cases.Load(path)
		if err == nil && len(f.Case) == 0 {
			t.Errorf("%q has no case", text)
		}
		return err
	}
	for text, want := range map[string]string{
		"":                                   "",
		"about = 'x'\n[[case]]\nname = 'y'":  "",
		"[[case]]\nstatus = 1":               "no name",
		"[[case]]\nname = 'y'\nstatus = 256": "status 256",
		"[[case]]\nname = 'y'\nstdot = ''":   "stdot",
		"[[case]]\nname = 'y'\nkvm = 'x'":    "hardware or software",
		"[[case]]\nname = 'y'\nblock = [{name = '../x', size = 1}]":                            "device name",
		"[[case]]\nname = 'y'\nnet = [{name = 'x', kind = 'pigeons'}]":                         "tap, tapfd or socket",
		"[[case]]\nname = 'y'\nnet = [{name = 'x', kind = 'socket', address = '10.0.0.1/24'}]": "of a tap",
		"[[case]]\nname = 'y'\nask = [{by = 'pigeon', at = '10.0.0.2:7', answer = 'x'}]":       "tcp, udp or ping",
		"[[case]]\nname = 'y'\nask = [{by = 'ping', at = 'there'}]":                            "IPv4 address",
		"[[case]]\nname = 'y'\nask = [{by = 'tcp', at = '10.0.0.2', answer = 'x'}]":            "address:port",
		"[[case]]\nname = 'y'\nask = [{by = 'udp', at = '10.0.0.2:7'}]":                        "an answer",
	} {
		err := load(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Each patch leaves a file that is an ELF file, and the loader says of it
// what the contract says.
func TestPatches(t *testing.T) {
	good := hvttest.ELF(hvttest.Spec{Segments: []hvttest.Segment{
		{Vaddr: hvt.MinBase, Data: make([]byte, 100), Flags: elf.PF_R | elf.PF_X},
		{Vaddr: hvt.MinBase + 0x1000, Data: make([]byte, 100), Flags: elf.PF_R | elf.PF_W}}})
	refused := map[string]bool{"load-write-execute": true, "abi-3": true}
	for name := range cases.Patches {
		b, err := cases.Patch(good, []string{name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := elf.NewFile(bytes.NewReader(b)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := hvt.ReadImage(bytes.NewReader(b), int64(len(b))); (err != nil) != refused[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, b := range [][]byte{nil, good[:63], good[:70]} {
		if _, err := cases.Patch(b, nil); err == nil {
			t.Errorf("%d octets were patched", len(b))
		}
	}
	if _, err := cases.Patch(good, []string{"paint-it-black"}); err == nil {
		t.Error("an unknown patch was applied")
	}
}
