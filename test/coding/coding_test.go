package main

import (
	"bytes"
	"strings"
	"testing"
)

// The short form: points that take a second each, held to the same tolerance.
func TestErrorRates(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-short", "-only", `RS.*@6\.[046]|LDPC.*@(3\.0|4\.0|2\.5)dB|conv.7,1/2.@[23]`}
	ok, err := run(args, &out)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "BENCH "); !ok || n != 8 {
		t.Errorf("%d points, want 8, all ok:\n%s", n, out.String())
	}
}

// The offset is measured along the reference, positive where the measurement is worse.
func TestOffset(t *testing.T) {
	c := curve{points: []point{{db: 1, rate: 1e-2}, {db: 2, rate: 1e-4}}}
	for _, x := range []struct {
		i          int
		rate, want float64
	}{{0, 1e-2, 0}, {0, 1e-3, -0.5}, {1, 1e-3, 0.5}, {1, 1e-4, 0}} {
		if got := c.offset(x.i, x.rate); got-x.want > 1e-9 || x.want-got > 1e-9 {
			t.Errorf("point %d at %g: %g dB, want %g", x.i, x.rate, got, x.want)
		}
	}
}
