package services_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
)

// A table on board is loaded in part, dumped and checked, and holds over write protection.
func TestMemory(t *testing.T) {
	withFiles(t, func(g *ground, dir string) {
		load := func(at uint32, data string, sum uint16) pus.Failure {
			return g.send(6, 1, pus.ObjectLoad{Memory: 1, Base: 1, Areas: []pus.ObjectData{{Offset: at, Data: pus.Octets(data), Checksum: sum}}})
		}
		const text = "123456789" // CRC-16 of the check string, 29B1: published for this CRC
		for name, c := range map[string]struct{ got, want pus.Failure }{
			"good":      {load(10, text, 0x29B1), 0},
			"bad sum":   {load(10, text, 0x29B2), pus.FailureBadChecksum},
			"too far":   {load(4090, text, 0x29B1), pus.FailureBadData},
			"no object": {g.send(6, 17, pus.MemoryObject{Memory: 1, Base: 99}), pus.FailureUnknownName},
			"no memory": {g.send(6, 15, pus.MemoryID{Memory: 9}), pus.FailureUnknownName},
			"raw":       {g.send(6, 5, pus.RawAreas{Memory: 1}), pus.FailureIllegalType},
		} {
			if c.got != c.want {
				g.t.Errorf("%s: %v", name, c.got)
			}
		}
		area := pus.ObjectAreas{Memory: 1, Base: 1, Areas: []pus.ObjectArea{{Offset: 8, Length: 4}, {Offset: 10, Length: 9}}}
		g.ok(6, 3, area)
		if got := g.last(6, 4).(pus.ObjectLoad).Areas; string(got[0].Data) != "\x00\x0012" || string(got[1].Data) != text || got[1].Checksum != 0x29B1 {
			g.t.Errorf("dump %+v", got)
		}
		g.ok(6, 7, area)
		if got := g.last(6, 8).(pus.ObjectCheck).Areas; got[1].Checksum != 0x29B1 {
			g.t.Errorf("check %+v", got)
		}
		g.ok(6, 17, pus.MemoryObject{Memory: 1, Base: 1})
		g.ok(6, 15, pus.MemoryID{Memory: 1})
		if code := load(10, text, 0x29B1); code != pus.FailureRefused {
			g.t.Errorf("write protected: %v", code)
		}
		g.ok(6, 16, pus.MemoryID{Memory: 1})
		g.ok(6, 22, pus.ObjectToFile{Memory: 1, Base: 1, Areas: area.Areas[1:], File: pus.FileName{Name: "out"}})
		g.ok(6, 21, pus.ObjectFiles{Memory: 1, Base: 2, Areas: []pus.ObjectFile{{Offset: 0, File: pus.FileName{Name: "out"}}}})
		g.ok(6, 3, pus.ObjectAreas{Memory: 1, Base: 2, Areas: []pus.ObjectArea{{Length: 9}}})
		if got := g.last(6, 4).(pus.ObjectLoad).Areas; string(got[0].Data) != text {
			g.t.Errorf("loaded from a file %+v", got)
		}
		g.ok(23, 1, pus.FileCreate{Name: "much", Size: 64 << 10})
		if err := os.WriteFile(filepath.Join(dir, "much"), make([]byte, 64<<10), 0o600); err != nil {
			g.t.Fatal(err)
		}
		many := slices.Repeat([]pus.ObjectFile{{File: pus.FileName{Name: "much"}}}, 20)
		if code := g.send(6, 21, pus.ObjectFiles{Memory: 1, Base: 2, Areas: many}); code != pus.FailureFull {
			g.t.Errorf("20 files of 64 KiB in one telecommand: %v", code)
		}
	})
}
