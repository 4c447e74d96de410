package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"regexp"
	"runtime"
	"strconv"
	"time"
)

// step is the distance of points of a swept curve in dB.
const step = 0.2

// sweep measures whole curves, from where most frames are wrong down to the rate least or
// to the first point that takes longer than patience, and writes them as CSV with the
// reference points between them: what test/coding/plot.py draws.
func sweep(out io.Writer, match *regexp.Regexp, least float64, patience time.Duration) error {
	w := csv.NewWriter(out)
	if err := w.Write([]string{"code", "unit", "ebn0_db", "rate", "frames", "wrong", "source"}); err != nil {
		return err
	}
	for _, c := range curves {
		if !match.MatchString(c.name) {
			continue
		}
		if err := sweepOne(w, c, least, patience); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		w.Flush()
	}
	return w.Error()
}

func sweepOne(w *csv.Writer, c curve, least float64, patience time.Duration) error {
	for _, p := range c.points {
		if p.rate != 0 {
			if err := w.Write(row(c, p.db, p.rate, 0, 0, c.source)); err != nil {
				return err
			}
		}
	}
	from := math.Floor((c.points[0].db-1)*5) / 5
	for i := range 40 {
		db, begin := from+float64(i)*step, time.Now()
		m, err := measure(c.system, db, c.enough(), runtime.NumCPU())
		if err != nil {
			return err
		}
		if err := w.Write(row(c, db, m.rate(), m.frames, m.wrong, "measured")); err != nil {
			return err
		}
		// The next point takes as much longer as errors get rarer, a factor of ten at times.
		if m.rate() < least || time.Since(begin) > patience/10 {
			return nil
		}
	}
	return nil
}

func row(c curve, db, rate float64, frames, wrong int64, source string) []string {
	return []string{c.name, c.unit, strconv.FormatFloat(db, 'f', 2, 64), strconv.FormatFloat(rate, 'e', 2, 64),
		strconv.FormatInt(frames, 10), strconv.FormatInt(wrong, 10), source}
}
