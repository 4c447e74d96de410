package pus_test

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
)

// Messages that test/golden/pus_fields.py put together field by field, independently, are
// read and written so. Of these services no message with data is without an example.
func TestFields(t *testing.T) {
	seen := inFields(t, "testdata/fields.csv")
	for _, k := range pus.Kinds() {
		switch k.Service {
		case 4, 6, 12, 13, 14, 15, 19, 21, 22, 23:
			if pus.BodyType(k).NumField() > 0 && !seen[k] {
				t.Errorf("%s has no example", k)
			}
		}
	}
}

// Services 3, 5 and 20 as PyPI's puslib has them (test/golden/pus_puslib.py).
func TestPuslib(t *testing.T) {
	if seen := inFields(t, "testdata/puslib.csv"); len(seen) != 27 {
		t.Errorf("%d messages, want 27", len(seen))
	}
}

// inFields holds messages against those of a file, and returns which it has.
func inFields(t *testing.T, file string) map[pus.Kind]bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[pus.Kind]bool{}
	for i, row := range rows {
		service, err1 := strconv.ParseUint(row[1], 10, 8)
		subtype, err2 := strconv.ParseUint(row[2], 10, 8)
		want, err3 := hex.DecodeString(row[5])
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatalf("row %d: %v, %v, %v", i, err1, err2, err3)
		}
		k := pus.Kind{TM: row[0] == "TM", Service: uint8(service), Subtype: uint8(subtype)}
		seen[k] = true
		if pus.BodyType(k) == nil {
			t.Errorf("%s: no such message", k)
			continue
		}
		body := reflect.New(pus.BodyType(k))
		strict := json.NewDecoder(bytes.NewReader([]byte(row[4])))
		strict.DisallowUnknownFields()
		if err := strict.Decode(body.Interface()); err != nil {
			t.Errorf("%s, clause %s: %v", k, row[3], err)
			continue
		}
		got, err := full.Encode(k, body.Elem().Interface())
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s, clause %s: %x, want %x (%v)\n%s", k, row[3], got, want, err, row[4])
		}
		back, err := full.Decode(k, want)
		if err != nil || !sameBody(body.Elem(), reflect.ValueOf(back)) {
			t.Errorf("%s, clause %s: %x is %+v, want %s (%v)", k, row[3], want, back, row[4], err)
		}
	}
	return seen
}
