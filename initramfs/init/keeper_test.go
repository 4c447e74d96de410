package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/perilune/perilune/internal/initproto"
)

// twoFiles are such as flight gives.
func twoFiles(t *testing.T) []*os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return []*os.File{r, w}
}

func open(f *os.File) bool { _, err := f.Stat(); return err == nil }

func TestKeeper(t *testing.T) {
	k := keeper{}
	first, second := twoFiles(t), twoFiles(t)
	if err := k.keep("acme/notes", first); err != nil {
		t.Fatal(err)
	}
	if err := k.keep("acme/notes", second); err != nil || open(first[0]) || !open(second[0]) || len(k) != 1 {
		t.Errorf("the same name again: %v, %d kept", err, len(k))
	}
	if one := twoFiles(t); k.keep("odd", one[:1]) == nil || open(one[0]) {
		t.Error("one file was kept")
	}
	for i := len(k); i < initproto.MaxKept; i++ {
		if err := k.keep(fmt.Sprintf("acme/%d", i), twoFiles(t)); err != nil {
			t.Fatal(err)
		}
	}
	more := twoFiles(t)
	if k.keep("acme/more", more) == nil || open(more[0]) || len(k) != initproto.MaxKept {
		t.Errorf("more than %d are kept", initproto.MaxKept)
	}
	list := k.sorted()
	if len(list) != initproto.MaxKept || list[0].name != "acme/1" {
		t.Errorf("%d, the first is %q", len(list), list[0].name)
	}
	k.forget("acme/notes")
	k.forget("nothing")
	if open(second[1]) || len(k) != initproto.MaxKept-1 {
		t.Error("what was forgotten is open still")
	}
	k.clear()
	if len(k) != 0 || open(list[0].files[0]) {
		t.Error("what was cleared is open still")
	}
}
