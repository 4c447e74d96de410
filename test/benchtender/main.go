// Command benchtender measures what it costs to start and to hold guests, a
// line a figure:
//
//	BENCH name value unit goal ok|short
//
// SOLO5_HVT=PATH names a solo5-hvt to compare with, GUEST=PATH a guest for
// both (an own one otherwise), which runs for each of them in turn. With -fifo
// all of it runs at real-time priority, and figures are named tender-fifo. Guests
// are full slots, jailed, as init starts them; run it as root, or the slots
// lack their namespaces and their memory cannot be looked into.
//
// The guests do next to nothing, because a KVM in software emulates each of
// their instructions; what is measured is the tender. The one that reads and
// sends as fast as it can runs at CPL 3, where no KVM emulates.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
)

type bench struct {
	tender string
	guests map[string]string
	kvm    *os.File

	cold, warm, hold, pool, mem, io int
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == controlArg {
		if err := answer(); err != nil {
			fmt.Fprintln(os.Stderr, "benchtender: control:", err)
			os.Exit(1)
		}
		return
	}
	b := &bench{guests: map[string]string{}}
	flag.IntVar(&b.cold, "cold", 200, "runs of each tender from start to exit")
	flag.IntVar(&b.warm, "warm", 10000, "orders to a warm pool; fewer say little about p99.9")
	flag.IntVar(&b.hold, "hold", 1000, "guests of 8 MiB held at once")
	flag.IntVar(&b.pool, "pool", 8, "slots that wait for an order")
	flag.IntVar(&b.mem, "mem", 8, "memory of the cold guest in MiB")
	flag.IntVar(&b.io, "io", 100000, "reads and frames of a round by ring; 0 leaves a part out")
	flag.Bool(fifoFlag[1:], false, "at real-time priority, without what else the machine does")
	flag.Parse()
	fifo, err := realTime(os.Args)
	if fifo {
		prefix = "tender-fifo"
	}
	if err == nil {
		err = b.run()
	}
	tendertest.Remove()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchtender:", err)
		os.Exit(1)
	}
}

func (b *bench) run() error {
	var err error
	// As it is shipped: without symbols.
	if b.tender, err = tendertest.BuildTender("-trimpath", "-ldflags=-s -w"); err != nil {
		return err
	}
	for _, name := range []string{"first", "hold"} {
		if b.guests[name], err = tendertest.Compile(name, "test/benchtender/"+name+"/main.c"); err != nil {
			return err
		}
	}
	if b.kvm, err = os.OpenFile("/dev/kvm", os.O_RDWR, 0); err != nil {
		return err
	}
	defer b.kvm.Close()
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "benchtender: not root: slots have no namespaces, and memory is not measured")
	}
	for _, part := range []struct {
		n   int
		run func() error
	}{{b.cold, b.coldStart}, {b.warm, b.warmOrders}, {b.hold, b.holdGuests}, {b.io, b.inputOutput}} {
		if part.n == 0 {
			continue
		}
		if err := part.run(); err != nil {
			return err
		}
	}
	return nil
}

// prefix begins every figure's name.
var prefix = "tender"

// figure prints one; a goal of 0 is none.
func figure(name string, value float64, unit string, goal float64) {
	line(name, value, unit, goal, value <= goal)
}

// atLeast prints a figure that must not be below its goal.
func atLeast(name string, value float64, unit string, goal float64) {
	line(name, value, unit, goal, value >= goal)
}

func line(name string, value float64, unit string, goal float64, good bool) {
	verdict, bound := "ok", "-"
	if goal > 0 {
		bound = fmt.Sprintf("%g", goal)
		if !good {
			verdict = "short"
		}
	}
	fmt.Printf("BENCH %s.%s %.3g %s %s %s\n", prefix, name, value, unit, bound, verdict)
}

// quantile sorts d and gives the value at q of 1, in milliseconds.
func quantile(d []time.Duration, q float64) float64 {
	slices.Sort(d)
	return float64(d[min(int(q*float64(len(d))), len(d)-1)]) / 1e6
}
