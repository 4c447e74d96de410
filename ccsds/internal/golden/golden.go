// Package golden reads the files of reference values under testdata, for tests only. The
// scripts under test/golden make them; a comment on top of each says with what.
package golden

import (
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Row is one line of a file: columns of hexadecimal octets or decimal numbers.
type Row struct {
	t       testing.TB
	Columns []string
}

// Read returns the rows of testdata/name.
func Read(t testing.TB, name string) []Row {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, Row{t, strings.Fields(line)})
		}
	}
	if len(rows) == 0 {
		t.Fatalf("testdata/%s holds no rows", name)
	}
	return rows
}

// Hex returns column i as octets.
func (r Row) Hex(i int) []byte {
	r.t.Helper()
	b, err := hex.DecodeString(r.Columns[i])
	if err != nil {
		r.t.Fatalf("column %d: %v", i, err)
	}
	return b
}

// Int returns column i as a number.
func (r Row) Int(i int) int {
	r.t.Helper()
	n, err := strconv.Atoi(r.Columns[i])
	if err != nil {
		r.t.Fatalf("column %d: %v", i, err)
	}
	return n
}

// Bool returns column i, 0 or 1.
func (r Row) Bool(i int) bool { return r.Int(i) != 0 }
