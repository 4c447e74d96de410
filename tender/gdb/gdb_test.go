package gdb_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/gdb"
	"github.com/perilune/perilune/tender/regs"
	"github.com/perilune/perilune/tender/tendertest"
)

// Both descriptions are what gdb itself wants: it names no register amiss and
// shows what was set.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		layout *regs.Layout
		set    map[string]uint64
	}{
		{regs.AMD64, map[string]uint64{"rip": 0x1000, "r15": 15, "eflags": 2, "fs_base": 0x123456, "mxcsr": 0x1f80}},
		{regs.ARM64, map[string]uint64{"x7": 7, "x28": 28, "fpcr": 3}},
	} {
		t.Run(c.layout.Architecture, func(t *testing.T) {
			prog := tendertest.GDBFor(t, c.layout)
			d := &dummy{v: c.layout.New(), stops: []gdb.Stop{{Exited: true}}}
			l, err := gdb.Listen(0)
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() {
				conn, peer, err := l.Accept()
				if err == nil && peer == "127.0.0.1" {
					err = gdb.Serve(conn, d)
					conn.Close()
				}
				served <- err
			}()
			args := []string{"-nx", "-batch", "-ex", "set architecture " + c.layout.Architecture,
				"-ex", "target remote localhost:" + strconv.Itoa(l.Port)}
			for name, v := range c.set {
				args = append(args, "-ex", "set $"+name+" = "+strconv.FormatUint(v, 10), "-ex", "p/x (long)$"+name)
			}
			args = append(args, "-ex", "info registers", "-ex", "detach")
			cmd := exec.Command(prog, args...)
			timer := time.AfterFunc(3*time.Minute, func() { cmd.Process.Kill() })
			defer timer.Stop()
			out, _ := cmd.CombinedOutput()
			if err := <-served; err != nil {
				t.Errorf("serve: %v", err)
			}
			for name, v := range c.set {
				if d.v.Get(name) != v {
					t.Errorf("%s is %#x after gdb set %#x", name, d.v.Get(name), v)
				}
				if !strings.Contains(string(out), "= 0x"+strconv.FormatUint(v, 16)+"\n") {
					t.Errorf("gdb does not show %s", name)
				}
			}
			if strings.Count(string(out), "warning:") > 1 /* no executable was named */ || t.Failed() {
				t.Errorf("gdb said:\n%s", out)
			}
		})
	}
}
