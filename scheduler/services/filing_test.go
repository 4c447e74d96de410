package services_test

import (
	"slices"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
)

// Files are managed by telecommand: made, found, locked, copied, taken away.
func TestFiles(t *testing.T) {
	withFiles(t, func(g *ground, _ string) {
		g.ok(23, 9, pus.FileName{Name: "tables"})
		a := pus.FileName{Repository: "tables", Name: "a"}
		g.ok(23, 1, pus.FileCreate{Repository: "tables", Name: "a", Size: 64, Locked: true})
		g.ok(23, 14, pus.FileCopy{Operation: 3, From: a, To: pus.FileName{Name: "b"}})
		g.ok(23, 7, pus.FileFind{Pattern: "*"})
		if got := g.last(23, 8).(pus.FilesFound).Files; len(got) != 2 {
			g.t.Errorf("found %v", got)
		}
		if code := g.send(23, 2, a); code != pus.FailureRefused {
			g.t.Errorf("a locked file is deleted: %v", code)
		}
		g.ok(23, 6, a)
		g.ok(23, 3, a)
		if got := g.last(23, 4).(pus.FileAttributes); got != (pus.FileAttributes{Repository: "tables", Name: "a"}) {
			g.t.Errorf("attributes %+v", got)
		}
		g.ok(23, 2, a)
		g.ok(23, 12, pus.DirectoryName{})
		want := []pus.DirectoryObject{{Name: "b"}, {Directory: true, Name: "tables"}}
		if got := g.last(23, 13).(pus.DirectorySummary).Objects; !slices.Equal(got, want) {
			g.t.Errorf("root: %v", got)
		}
		if code := g.send(23, 3, pus.FileName{Repository: "..", Name: "x"}); code != pus.FailureNotPermitted {
			g.t.Errorf("out of the root: %v", code)
		}
	})
}
