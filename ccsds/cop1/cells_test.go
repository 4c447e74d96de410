package cop1

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

// farmEvent numbers the events of FARM-1 (CCSDS 232.1-B-2 table 6-1).
type farmEvent int

const (
	farmExpected  farmEvent = 1  // E1: N(S)=V(R), room
	farmNoRoom    farmEvent = 2  // E2: N(S)=V(R), no room
	farmAhead     farmEvent = 3  // E3: in the positive window
	farmBehind    farmEvent = 4  // E4: in the negative window
	farmOutside   farmEvent = 5  // E5: outside the window
	farmBypass    farmEvent = 6  // E6: Type-BD
	farmUnlock    farmEvent = 7  // E7
	farmSetVR     farmEvent = 8  // E8
	farmInvalid   farmEvent = 9  // E9: invalid frame or directive
	farmRelease   farmEvent = 10 // E10
	farmReport    farmEvent = 11 // E11
	farmEvents              = 12
	farmStateRows           = 4
)

// farmNext is the next state of FARM-1 by event for S1, S2, S3: table 6-1.
var farmNext = map[farmEvent][3]FARMState{
	farmExpected: {FARMOpen, FARMWait, FARMLockout}, // S2: the book has "not applicable", no room is known there
	farmNoRoom:   {FARMWait, FARMWait, FARMLockout},
	farmAhead:    {FARMOpen, FARMWait, FARMLockout},
	farmBehind:   {FARMOpen, FARMWait, FARMLockout},
	farmOutside:  {FARMLockout, FARMLockout, FARMLockout},
	farmBypass:   {FARMOpen, FARMWait, FARMLockout},
	farmUnlock:   {FARMOpen, FARMOpen, FARMOpen},
	farmSetVR:    {FARMOpen, FARMOpen, FARMLockout},
	farmInvalid:  {FARMOpen, FARMWait, FARMLockout},
	farmRelease:  {FARMOpen, FARMOpen, FARMLockout},
	farmReport:   {FARMOpen, FARMWait, FARMLockout},
}

// event says which event of the table a Type-AD frame is, by the book's own words on the
// windows: computed apart from FARM.AD.
func (f *FARM) event(ns uint8, room bool) farmEvent {
	d := int(ns) - int(f.vr)
	if d > 127 {
		d -= 256
	}
	if d < -128 {
		d += 256
	}
	switch {
	case d == 0 && room:
		return farmExpected
	case d == 0:
		return farmNoRoom
	case d > 0 && d <= int(f.pw)-1:
		return farmAhead
	case d < 0 && -d <= int(f.nw):
		return farmBehind
	}
	return farmOutside
}

func controlEvent(data []byte) farmEvent {
	switch len(data) {
	case 1:
		return farmUnlock
	case 3:
		return farmSetVR
	}
	return farmInvalid
}

var eventNames = [events]string{"E1", "E2", "E3", "E4", "E5", "E6", "E7", "E101", "E102", "E8", "E9",
	"E10", "E11", "E12", "E103", "E13", "E14", "E16", "E104", "E17", "E18"}

// coverage counts the cells of both state tables that were entered, each compared with
// where it leads: FOP-1 by the outside table of testdata, FARM-1 by table 6-1.
type coverage struct {
	reference map[string][6]string
	fopSeen   map[string]int
	farmSeen  map[string]int
	wrong     []string
}

// newCoverage reads the table that test/golden/cop1.py took from PyPI ccsds-cop.
func newCoverage(t *testing.T) *coverage {
	t.Helper()
	file, err := os.Open("testdata/fop_states.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := &coverage{reference: map[string][6]string{}, fopSeen: map[string]int{}, farmSeen: map[string]int{}}
	for s := bufio.NewScanner(file); s.Scan(); {
		cols := strings.Split(s.Text(), ",")
		if len(cols) == 7 && cols[0] != "event" {
			c.reference[cols[0]] = [6]string(cols[1:])
		}
	}
	return c
}

// disputed are cells in which the reference and this package differ, with the reason.
var disputed = map[string]string{
	"E5 S6":   "not in the reference's reach: CLCWs are ignored in S6 by both",
	"E18 S5":  "the reference suspends into a state that no Resume leads out of",
	"E104 S5": "the reference has no entry; a directive is sent again as by E16",
}

func (c *coverage) fop(f *FOP, e event, do func()) {
	from := f.state
	do()
	if c.reference == nil {
		return
	}
	c.fopCell(eventNames[e], from, f.state)
}

func (c *coverage) fopCell(name string, from, to State) {
	cell := fmt.Sprintf("%s S%d", name, from)
	c.fopSeen[cell]++
	want := c.reference[name][from-1]
	if got := fmt.Sprint(int(to)); got != want && disputed[cell] == "" {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: S%s, the reference has %s", cell, got, want))
	}
}

func (c *coverage) farm(f *FARM, e farmEvent, do func()) {
	from := f.state
	do()
	if c.reference == nil {
		return
	}
	cell := fmt.Sprintf("E%d S%d", e, from)
	c.farmSeen[cell]++
	if want := farmNext[e][from-1]; f.state != want {
		c.wrong = append(c.wrong, fmt.Sprintf("FARM %s: %v, table 6-1 has %v", cell, f.state, want))
	}
}
