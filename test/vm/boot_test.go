package vm_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/cmd/perilune/build"
	"github.com/perilune/perilune/images/disk"
	"github.com/perilune/perilune/internal/doctor"
	"github.com/perilune/perilune/sim/qemu"
)

// patience is for one thing to happen in the craft: long, because the machine
// may be loaded; nothing here waits for a time to pass.
const patience = 4 * time.Minute

// TestBoot boots the real image, with stand-ins for the flight program and
// the tender, through everything that init has to survive.
func TestBoot(t *testing.T) {
	c := boot(t, nil)
	c.waitForInit()
	t.Logf("BENCH boot.init %.1f s", time.Since(c.started).Seconds())
	c.hear("Welcome", "Mode:normal", "Boots:1", "Restarts:0", "KeptSlots:0")
	t.Logf("BENCH boot.flight %.1f s", time.Since(c.started).Seconds())

	c.say("pool")
	c.say("slot")
	ready := c.hear("SlotReady", "Kept:false", "files 2")
	c.hear("slot says uid 1001 pid 1 kvm true")
	if text, err := os.ReadFile(c.console); err != nil || !strings.Contains(string(text), "pool: pid "+pid(ready)+" gets a guest") {
		t.Errorf("pid %s was not from the pool, %v", pid(ready), err)
	}
	c.hear("count 2") // by now the slot counts no more than others
	c.say("walls")
	c.hear(`memory.max "67108864"`)
	c.hear(`pids.max "64"`)
	c.hear(`cpu.max "50000 100000"`)
	c.hear(`cpu.weight "100"`)
	c.hear(`io.max "`, " rbps=7340032 wbps=7340032 ")

	c.say("die")
	c.hear("Welcome", "Mode:normal", "Restarts:1", "status 7", "KeptSlots:1")
	if kept := c.hear("SlotReady", "Kept:true", "files 2"); pid(kept) != pid(ready) {
		t.Errorf("another slot: %q, then %q", ready, kept)
	}
	if n := c.number("slot says count "); n < 3 {
		t.Errorf("the slot's count went back to %d", n)
	}

	c.say("die")
	c.hear("Welcome", "Mode:normal", "Restarts:2")
	c.say("die")
	c.hear("Welcome", "Mode:safe", "died 3 times", "KeptSlots:0")
	c.say("slot")
	c.hear("SlotFailed", "safe mode")
	c.say("leave")
	c.hear("Welcome", "Mode:normal")

	if err := c.p.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.hear("Welcome", "Mode:normal", "Boots:2", "Restarts:0")
	c.say("reboot")
	c.hear("Welcome", "Mode:normal", "Boots:3", "Restarts:0")

	if err := c.p.Quit(); err != nil {
		t.Errorf("quit: %v", err)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", c.p.PID())); err == nil {
		t.Error("QEMU is still there")
	}
}

// Without its data the craft still comes up, and says why it is safe.
func TestBootWithoutData(t *testing.T) {
	c := boot(t, func(image string) {
		f, err := os.OpenFile(image, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		// The file system's first blocks.
		if _, err := f.WriteAt(make([]byte, 1<<20), build.DataOffset); err != nil {
			t.Fatal(err)
		}
	})
	c.hear("data false")
	c.hear("Welcome", "Mode:safe", "Boots:0", "Cause:data partition")
}

type craft struct {
	t       *testing.T
	p       *qemu.Process
	console string
	lines   chan string
	started time.Time
}

func boot(t *testing.T, change func(image string)) *craft {
	t.Helper()
	if testing.Short() {
		t.Skip("booting the image takes a minute: left out of -short")
	}
	if missing, _ := doctor.Missing(doctor.Check(doctor.Needs)); len(missing) > 0 {
		t.Skipf("%s is missing: run 'perilune doctor --install'", missing[0].Name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	a, err := build.Build(ctx, build.Options{
		Dir: filepath.Join("..", "..", "out", "test-boot"), Cache: filepath.Join("..", "..", "out", "cache"),
		Source: filepath.Join("..", ".."),
		Flight: "./test/vm/testdata/flight", Tender: "./test/vm/testdata/tender", Host: []string{},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	image := filepath.Join(dir, "disk.img")
	if err := disk.Copy(image, a.Disk); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(image)
	}
	c := &craft{t: t, console: filepath.Join(dir, "console.log"), lines: make(chan string, 1000), started: time.Now()}
	c.p, err = qemu.Start(ctx, qemu.Config{Dir: dir, Accel: qemu.TCG, Disk: image, ConsoleLog: c.console})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.p.Kill()
		if text, err := os.ReadFile(c.console); err == nil && t.Failed() {
			t.Logf("console:\n%s", text)
		}
	})
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(c.p.Radio); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	return c
}

// waitForInit waits for init's first line on the console.
func (c *craft) waitForInit() {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(c.console); err == nil && strings.Contains(string(text), "init: ") {
			return
		}
	}
	c.t.Fatalf("init was not heard within %s", patience)
}

func (c *craft) say(line string) {
	if _, err := fmt.Fprintln(c.p.Radio, line); err != nil {
		c.t.Fatal(err)
	}
}

// hear waits for a line from the craft that holds all parts.
func (c *craft) hear(parts ...string) string {
	c.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.t.Fatalf("the radio fell silent before %q", parts)
			}
			if holdsAll(line, parts) {
				return line
			}
		case <-limit:
			c.t.Fatalf("%q was not heard within %s", parts, patience)
		}
	}
}

func holdsAll(line string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(line, p) {
			return false
		}
	}
	return true
}

// number waits for a line with the text and gives the number behind it.
func (c *craft) number(text string) (n int) {
	c.t.Helper()
	_, after, _ := strings.Cut(c.hear(text), text)
	if _, err := fmt.Sscan(after, &n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

func pid(line string) string {
	_, after, _ := strings.Cut(line, "PID:")
	word, _, _ := strings.Cut(after, " ")
	return word
}
