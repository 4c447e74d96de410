package sdk_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// prototype is the first line of a function's declaration: a type at the margin, then
// a name with a parenthesis.
var prototype = regexp.MustCompile(`^[a-z][a-z0-9_ *]*[ *]([a-z][a-z0-9_]*)\(`)

// Every function of the public headers has words of its own, or shares those above its
// paragraph, and the handbook names it.
func TestHeadersAreDocumented(t *testing.T) {
	headers, err := filepath.Glob("include/*.h")
	if err != nil || len(headers) < 6 {
		t.Fatalf("%d headers, %v", len(headers), err)
	}
	handbook, err := os.ReadFile("../../docs/handbook/sdk.md")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, file := range headers {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said, last := false, "" // the paragraph began with a comment; the line before
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\n")
			switch {
			case line == "":
				said = said && last == "}" // inline functions share the words above the first
			case strings.HasPrefix(line, "/*"):
				said = true
			}
			last = line
			m := prototype.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			total++
			if !said {
				t.Errorf("%s: %s has no comment", file, m[1])
			}
			if !strings.Contains(string(handbook), "`"+m[1]+"`") {
				t.Errorf("docs/handbook/sdk.md does not name %s of %s", m[1], file)
			}
		}
	}
	if total < 60 {
		t.Errorf("only %d functions found", total)
	}
}
