package vm_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/internal/client"
)

// TestRestart orders a restart of the craft: the beacon is saved, the craft boots, and the beacon
// counts on from where it was.
func TestRestart(t *testing.T) {
	f := fly(t)
	f.wait("the beacon", 0, named("guest started"))
	before, since, at := f.beat(f.last()), f.last(), time.Now()
	if out := f.run(root, "craft", "restart"); out != "the craft restarts\n" {
		t.Errorf("craft restart: %s", out)
	}
	ordered := f.wait("the order", since, named("craft restarts"))
	if !strings.Contains(ordered.Text, "stopped 0") {
		t.Errorf("a guest was not saved: %s", ordered.Text)
	}
	booted := f.wait("the boot", ordered.Seq, named("boot"))
	f.wait("the beacon's return", booted.Seq, func(e client.Event) bool {
		return named("guest started")(e) && strings.HasPrefix(e.Text, "acme/beacon ") && strings.HasSuffix(e.Text, ", resumed")
	})
	// It counts once a second, and what was heard first had been on its way for some.
	if after, most := f.beat(booted.Seq), before+uint32(time.Since(at).Seconds())+60; after <= before || after > most {
		t.Errorf("the beacon counted %d before the restart and %d after, at most %d", before, after, most)
	}
	if console := f.console(); len(regexp.MustCompile(`init: .*boot \d`).FindAllString(console, -1)) != 2 ||
		!strings.Contains(console, `restart: flight asks: "restart ordered"`) {
		t.Errorf("the console knows nothing of a restart:\n%s", console)
	}
	if err := f.end(); err != nil {
		t.Errorf("Ctrl-C: %v\n%s", err, f.out.String())
	}
	nothingLeft(t)
}
