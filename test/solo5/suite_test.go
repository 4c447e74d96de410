package main

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	got := parse([]byte("1..5\nok 1 hello hvt\nok 2 # skip (needs OpenBSD) rnow hvt\nok 3 xnow hvt # skip why\n" +
		"not ok 4 fpu hvt\n# (in test file)\n#   failed\nok 5 # skip tls hvt\n"))
	want := []result{{"hello hvt", pass, ""}, {"rnow hvt", skip, ""}, {"xnow hvt", skip, ""},
		{"fpu hvt", fail, "    # (in test file)\n    #   failed\n"}, {"tls hvt", skip, ""}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestChoose(t *testing.T) {
	in := "setup() {\n  x\n}\n\n@test \"a hvt\" {\n  one\n}\n\n@test \"a spt\" {\n  if two; then {\n    three\n  }\n}\nend\n"
	want := "setup() {\n  x\n}\n\n@test \"a hvt\" {\n  one\n}\n\nend\n"
	if got := choose([]byte(in), regexp.MustCompile(" hvt$")); string(got) != want {
		t.Errorf("%q", got)
	}
}

func TestReport(t *testing.T) {
	reference := []result{{name: "a", state: pass}, {name: "b", state: fail}, {name: "c", state: pass}}
	for _, c := range []struct {
		state state
		good  bool
		last  string
	}{{pass, true, "2 passed, 1 failed, 0 skipped; 0 of"}, {fail, false, "1 passed, 2 failed, 0 skipped; 1 of"}} {
		var out bytes.Buffer
		ours := []result{{name: "a", state: pass}, {name: "b", state: fail}, {name: "c", state: c.state, said: "why\n"}}
		if report(&out, reference, ours) != c.good || !strings.Contains(out.String(), c.last) || strings.Contains(out.String(), "why") == c.good {
			t.Errorf("%s:\n%s", c.state, out.String())
		}
	}
}
