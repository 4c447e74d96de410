package main

import (
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	d := make([]time.Duration, 1000)
	for i := range d {
		d[i] = time.Duration(1000-i) * time.Millisecond
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 501, 0.999: 1000, 1: 1000} {
		if got := quantile(d, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
}

func TestField(t *testing.T) {
	text := "Rss:  12 kB\nPrivate_Dirty:     812 kB\n"
	if v, err := field(text, "Private_Dirty:"); err != nil || v != 812 {
		t.Errorf("%g, %v", v, err)
	}
	if _, err := field(text, "Dirty:"); err == nil {
		t.Error("found the end of another name")
	}
}
