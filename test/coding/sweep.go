package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"time"
)

// plan is how far a sweep goes.
type plan struct {
	step     float64       // between points, in dB
	least    float64       // rate below which nothing is measured
	patience time.Duration // for one point, roughly
}

// sweep measures whole curves, from where most frames are wrong down to the least rate or
// to the first point that would take longer than patience, and writes them as CSV with the
// reference points between them: what test/coding/plot.py draws.
func sweep(out io.Writer, match *regexp.Regexp, p plan) error {
	w := csv.NewWriter(out)
	if err := w.Write([]string{"code", "unit", "ebn0_db", "rate", "frames", "wrong", "source"}); err != nil {
		return err
	}
	for _, c := range curves {
		if !match.MatchString(c.name) {
			continue
		}
		if err := sweepOne(w, c, p); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		w.Flush()
	}
	return w.Error()
}

func sweepOne(w *csv.Writer, c curve, how plan) error {
	for _, p := range c.points {
		if p.rate != 0 {
			if err := w.Write(row(c, p.db, p.rate, 0, 0, c.source)); err != nil {
				return err
			}
		}
	}
	from := math.Floor((c.points[0].db-1)*5) / 5
	for i := range 40 {
		db, begin := from+float64(i)*how.step, time.Now()
		m, err := measure(c.system, db, c.enough())
		if err != nil {
			return err
		}
		if err := w.Write(row(c, db, m.rate(), m.frames, m.wrong, "measured")); err != nil {
			return err
		}
		w.Flush()
		// The next point takes as much longer as errors get rarer, a factor of ten at times.
		if m.rate() < how.least || time.Since(begin) > how.patience/10 {
			return nil
		}
	}
	return nil
}

func row(c curve, db, rate float64, frames, wrong int64, source string) []string {
	return []string{c.name, c.unit, strconv.FormatFloat(db, 'f', 2, 64), strconv.FormatFloat(rate, 'e', 2, 64),
		strconv.FormatInt(frames, 10), strconv.FormatInt(wrong, 10), source}
}
