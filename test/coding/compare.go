package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
)

// libfec is the C program that measures Debian's libfec.
const libfec = "test/coding/testdata/libfec.c"

// ratio is a speed of ours and how many times libfec's it should be; 0 for no goal.
type ratio struct {
	name string // as the C program prints it
	text string
	goal float64
	ours func() (func() (bits int, err error), error)
}

var ratios = []ratio{
	{"rs0", "RS(255,223)0errors", 0, func() (func() (int, error), error) { return decodeRS(0) }},
	{"rs8", "RS(255,223)8errors", 2, func() (func() (int, error), error) { return decodeRS(8) }},
	{"rs16", "RS(255,223)16errors", 0, func() (func() (int, error), error) { return decodeRS(16) }},
	{"viterbi", "Viterbi(7,1/2)", 4, decodeViterbi},
}

// compare measures CPU time against libfec, one after the other in this run.
func compare(out io.Writer, match *regexp.Regexp, short bool) bool {
	seconds := 1.0
	if short {
		seconds = 0.2
	}
	theirs, err := runLibfec(seconds)
	if err != nil {
		fmt.Fprintf(out, "BENCH coding/libfec 0 ratio needs-cc-and-libfec-dev short\n")
		fmt.Fprintln(os.Stderr, "coding: libfec:", err)
		return false
	}
	ok := true
	for _, r := range ratios {
		if !match.MatchString(r.text) {
			continue
		}
		speed, err := timed(r.ours, seconds)
		if err != nil {
			fmt.Fprintln(os.Stderr, "coding:", r.text, err)
			return false
		}
		goal, verdict := "-", "ok"
		if r.goal > 0 {
			goal = fmt.Sprintf(">=%g", r.goal)
			if speed < r.goal*theirs[r.name] {
				verdict, ok = "short", false
			}
		}
		fmt.Fprintf(out, "BENCH %s/speed %.0f Mbit/s - ok\n", field(r.text), speed)
		fmt.Fprintf(out, "BENCH %s/libfec %.2f ratio %s %s\n", field(r.text), speed/theirs[r.name], goal, verdict)
	}
	return ok
}

// runLibfec builds and runs the C program, and returns what it prints.
func runLibfec(seconds float64) (map[string]float64, error) {
	source := libfec
	if _, err := os.Stat(source); err != nil {
		source = strings.TrimPrefix(libfec, "test/coding/") // as go test runs it
	}
	dir, err := os.MkdirTemp("", "perilune-libfec-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "libfec")
	if text, err := exec.Command("cc", "-O3", "-o", program, source, "-lfec").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w: %s", source, err, text)
	}
	text, err := exec.Command(program, fmt.Sprint(seconds)).Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", program, err)
	}
	speeds := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		var name string
		var v float64
		if _, err := fmt.Sscan(line, &name, &v); err != nil {
			return nil, fmt.Errorf("libfec said %q: %w", line, err)
		}
		speeds[name] = v
	}
	return speeds, nil
}

// timed returns Mbit/s of information by the CPU time of this thread.
func timed(start func() (func() (int, error), error), seconds float64) (float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	once, err := start()
	if err != nil {
		return 0, err
	}
	if _, err := once(); err != nil {
		return 0, err
	}
	bits := 0
	for begin := cpu(); ; {
		for range 20 {
			n, err := once()
			if err != nil {
				return 0, err
			}
			bits += n
		}
		if spent := cpu() - begin; spent.Seconds() >= seconds {
			return float64(bits) / spent.Seconds() / 1e6, nil
		}
	}
}

func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func decodeRS(errs int) (func() (int, error), error) {
	rs, err := coding.NewRS(16, 1, true)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 223)
	fill(source(1), data)
	good, err := rs.Encode(nil, data)
	if err != nil {
		return nil, err
	}
	word, k := make([]byte, 255), 0
	return func() (int, error) {
		copy(word, good)
		k++
		for i := range errs {
			word[(i*15+k)%255] ^= byte(1 + i)
		}
		if n, err := rs.Decode(word); n != errs || err != nil || !bytes.Equal(word, good) {
			return 0, fmt.Errorf("corrected %d of %d errors: %w", n, errs, err)
		}
		return 1784, nil
	}, nil
}

func decodeViterbi() (func() (int, error), error) {
	e, err := conv.NewEncoder(conv.Rate12, conv.Options{})
	if err != nil {
		return nil, err
	}
	d, err := conv.NewDecoder(conv.Rate12, conv.Options{})
	if err != nil {
		return nil, err
	}
	noise, err := channel.NewAWGN(1, 4, 0.5)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 1115)
	fill(source(2), data)
	soft := noise.AppendSoft(nil, e.Flush(e.Terminate(e.Encode(nil, data))))[:conv.Rate12.SymbolsFor(8*len(data)+6)]
	got := make([]byte, 0, len(data)+8)
	return func() (int, error) {
		d.Reset(true)
		got = d.Flush(d.Decode(got[:0], soft), true)
		return 8 * len(data), nil
	}, nil
}
