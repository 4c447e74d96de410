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
	orders := 1
	for ; !f.restartAndResume(); orders++ {
		if orders == 5 {
			t.Fatalf("refused %d times, which chance does not do", orders)
		}
	}
	if console := f.console(); len(regexp.MustCompile(`init: .*boot \d`).FindAllString(console, -1)) != 1+orders ||
		!strings.Contains(console, `restart: flight asks: "restart ordered"`) {
		t.Errorf("the console knows nothing of a restart:\n%s", console)
	}
	if err := f.end(); err != nil {
		t.Errorf("Ctrl-C: %v\n%s", err, f.out.String())
	}
	nothingLeft(t)
}

// restartAndResume orders a restart and says whether the beacon went on. It must, but for one reason:
// a kernel that boots in an emulator measures how fast its cycle counter is, on a busy machine
// wrongly, and the craft refuses to go on by another counter. Then the beacon begins anew.
func (f *flight) restartAndResume() bool {
	f.t.Helper()
	before, since, at := f.beat(f.last()), f.last(), time.Now()
	if out := f.run(root, "craft", "restart"); out != "the craft restarts\n" {
		f.t.Errorf("craft restart: %s", out)
	}
	ordered := f.wait("the order", since, named("craft restarts"))
	if !strings.Contains(ordered.Text, "stopped 0") {
		f.t.Errorf("a guest was not saved: %s", ordered.Text)
	}
	booted := f.wait("the boot", ordered.Seq, named("boot"))
	back := f.wait("the beacon's return", booted.Seq, func(e client.Event) bool {
		return (named("guest started")(e) || named("guest refused")(e)) && strings.HasPrefix(e.Text, "acme/beacon")
	})
	if strings.Contains(back.Text, "cycle counter, Hz: ") {
		f.t.Log(back.Text)
		f.wait("the beacon, anew", back.Seq, named("guest started"))
		return false
	}
	if !strings.HasSuffix(back.Text, ", resumed") {
		f.t.Fatalf("the beacon did not go on: %s", back.Text)
	}
	// It counts once a second, and what was heard first had been on its way for some.
	if after, most := f.beat(booted.Seq), before+uint32(time.Since(at).Seconds())+60; after <= before || after > most {
		f.t.Errorf("the beacon counted %d before the restart and %d after, at most %d", before, after, most)
	}
	return true
}
