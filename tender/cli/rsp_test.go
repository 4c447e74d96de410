package cli_test

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
)

// debugger speaks gdb's protocol where there is no gdb: one packet, one answer.
type debugger struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// ask sends a command and gives the answer's text.
func (d *debugger) ask(format string, a ...any) string {
	d.t.Helper()
	command, sum := fmt.Sprintf(format, a...), byte(0)
	for i := range len(command) {
		sum += command[i]
	}
	if _, err := fmt.Fprintf(d.conn, "$%s#%02x", command, sum); err != nil {
		d.t.Fatal(err)
	}
	answer, err := d.in.ReadString('#')
	if err == nil {
		_, err = d.in.Discard(2)
	}
	if err != nil {
		d.t.Fatalf("%s: %q, %v", command, answer, err)
	}
	if _, err := d.conn.Write([]byte("+")); err != nil {
		d.t.Fatal(err)
	}
	_, text, _ := strings.Cut(strings.TrimSuffix(answer, "#"), "$")
	return text
}

// want asks and holds the answer's start against want.
func (d *debugger) want(want, format string, a ...any) {
	d.t.Helper()
	if got := d.ask(format, a...); !strings.HasPrefix(got, want) {
		d.t.Errorf("%s: %q, want %q", fmt.Sprintf(format, a...), got, want)
	}
}

// little is a number as the protocol writes a register or a word of memory.
func little(v uint64, octets int) string {
	return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, v)[:octets])
}

// symbol is the address of a guest's function or variable.
func symbol(t *testing.T, guest, name string) uint64 {
	t.Helper()
	f, err := elf.Open(guest)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("no %s in %s: %v", name, guest, err)
	return 0
}

// gdb's numbers of the program counter, a function's first argument and a vector register,
// and the length of a breakpoint.
var numbers = map[string]struct{ pc, argument, vector, length int }{
	"amd64": {16, 5, 40, 1},
	"arm64": {32, 0, 34, 4},
}[runtime.GOARCH]

// Breakpoints of both kinds, registers and memory read and written, a step, and the end.
func TestRemoteProtocol(t *testing.T) {
	prog, guest := asSolo5(t), tendertest.Guest(t, "debugged")
	twice, counter := symbol(t, guest, "twice"), symbol(t, guest, "counter")
	for kind := range 2 {
		tender := exec.Command(prog, "--mem=16", "--gdb", "--gdb-port=0", guest)
		stderr, err := tender.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		tender.Stdout = &out
		if err := tender.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(5*time.Minute, func() { tender.Process.Kill() })
		defer timer.Stop()
		conn, err := net.Dial("tcp", "localhost:"+waitForPort(t, bufio.NewReader(stderr)))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		d := &debugger{t, conn, bufio.NewReader(conn)}
		for call, before := range []uint64{5, 100} {
			d.want("OK", "Z%d,%x,%x", kind, twice, numbers.length)
			d.want("T05", "c")
			d.want(little(twice, 8), "p%x", numbers.pc)
			d.want(little(uint64(call), 8), "p%x", numbers.argument)
			d.want(little(before, 4), "m%x,4", counter)
			d.want("OK", "M%x,4:%s", counter, little(100, 4))
			// As gdb goes on from a breakpoint: without it, by one instruction.
			d.want("OK", "z%d,%x,%x", kind, twice, numbers.length)
			d.want("T05", "s")
			if d.ask("p%x", numbers.pc) == little(twice, 8) {
				t.Error("a step went nowhere")
			}
		}
		const pattern = "00112233445566778899aabbccddeeff"
		d.want("OK", "P%x=%s", numbers.vector, pattern)
		d.want(pattern, "p%x", numbers.vector)
		d.want("W06", "c")
		err = tender.Wait()
		if status := tender.ProcessState.ExitCode(); status != 6 || out.String() != "6 103\n" {
			t.Errorf("status %d, %q, %v", status, out.String(), err)
		}
	}
}
