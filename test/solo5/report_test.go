package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	is := func(s state) result { return result{state: s, said: []string{"why"}} }
	for _, c := range []struct {
		rows [][2]state // solo5-hvt, perilune-tender
		good bool
		says []string
	}{
		{[][2]state{{pass, pass}, {fail, pass}, {late, late}, {skip, skip}}, true,
			[]string{"timed out  timed out\n    | why\n", "4 tests: 1 pass with both tenders, 1 with perilune-tender alone, 0 with solo5-hvt alone, 1 with neither; 1 skipped"}},
		{[][2]state{{pass, pass}, {pass, late}}, false, []string{"pass       timed out\n    | why\n", "1 with solo5-hvt alone", "fails what solo5-hvt passes"}},
		{[][2]state{{fail, none}, {skip, skip}}, false, []string{"FAIL       no result\n", "nothing passed"}},
	} {
		var out bytes.Buffer
		r := report{out: &out}
		for _, row := range c.rows {
			r.name("x hvt")
			r.reference(is(row[0]))
			r.tender(is(row[0]), is(row[1]))
		}
		if r.verdict() != c.good {
			t.Errorf("%v", c.rows)
		}
		for _, s := range c.says {
			if !strings.Contains(out.String(), s) {
				t.Errorf("no %q in\n%s", s, out.String())
			}
		}
	}
}
