package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
)

// program is the C program that measures Debian's libfec.
const program = "test/benchccsds/testdata/libfec.c"

// libfecRow is something that libfec has too.
type libfecRow struct {
	theirs string  // as the C program calls it
	name   string  // as we do
	ratio  float64 // how many times libfec's speed it should be; 0 for no goal
	mbits  float64 // and Mbit/s of information
	ours   func() (step, error)
}

var libfecRows = []libfecRow{
	{"rs0", "RS(255,223)/0-errors", 0, 0, func() (step, error) { return decodeRS(0) }},
	{"rs8", "RS(255,223)/8-errors", 2, 300, func() (step, error) { return decodeRS(8) }},
	{"rs16", "RS(255,223)/16-errors", 0, 0, func() (step, error) { return decodeRS(16) }},
	{"viterbi", "Viterbi(7,1/2)", 4, 0, decodeViterbi},
}

// libfec compares with libfec, one after the other in this run.
func (b *bench) libfec() error {
	theirs, err := runLibfec(b.seconds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchccsds: libfec:", err)
	}
	for _, r := range libfecRows {
		if !b.wanted(r.name) {
			continue
		}
		do, err := r.ours()
		if err != nil {
			return err
		}
		bits, _, err := rate(do, b.seconds)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		b.atLeast(r.name+"/speed", bits/1e6, "Mbit/s", r.mbits)
		ratio := 0.0
		if v := theirs[r.theirs]; v > 0 {
			ratio = bits / 1e6 / v
		}
		b.atLeast(r.name+"/libfec", ratio, "ratio", r.ratio)
	}
	return nil
}

// runLibfec builds and runs the C program, and returns Mbit/s by name.
func runLibfec(seconds float64) (map[string]float64, error) {
	dir, err := os.MkdirTemp("", "perilune-libfec-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "libfec")
	if text, err := exec.Command("cc", "-O3", "-o", binary, program, "-lfec").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w: %s", program, err, text)
	}
	text, err := exec.Command(binary, fmt.Sprint(seconds)).Output()
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

func decodeRS(errs int) (step, error) {
	rs, err := coding.NewRS(16, 1, true)
	if err != nil {
		return nil, err
	}
	good, err := rs.Encode(nil, random(1, 223))
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
		return 8 * 223, nil
	}, nil
}

func decodeViterbi() (step, error) { return viterbi(conv.Rate12, 4) }

// viterbi decodes frames of 1115 octets at db dB.
func viterbi(r conv.Rate, db float64) (step, error) {
	e, err := conv.NewEncoder(r, conv.Options{})
	if err != nil {
		return nil, err
	}
	d, err := conv.NewDecoder(r, conv.Options{})
	if err != nil {
		return nil, err
	}
	noise, err := channel.NewAWGN(1, db, r.Ratio())
	if err != nil {
		return nil, err
	}
	data := random(2, 1115)
	soft := noise.AppendSoft(nil, e.Flush(e.Terminate(e.Encode(nil, data))))[:r.SymbolsFor(8*len(data)+6)]
	got := make([]byte, 0, len(data)+8)
	return func() (int, error) {
		d.Reset(true)
		got = d.Flush(d.Decode(got[:0], soft), true)
		return 8 * len(data), nil
	}, nil
}
