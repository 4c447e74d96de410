package files_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/scheduler/files"
)

// ends is the ground's entity that notes how its uploads end.
func (w *world) ends() map[string]cfdp.Condition {
	w.t.Helper()
	all := map[string]cfdp.Condition{}
	store, err := cfdp.DirStore(filepath.Join(w.dir, "ground"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.ground, err = cfdp.New(cfdp.Config{Local: files.EntityGround, Store: store},
		cfdp.Events{Finished: func(i cfdp.Info) { all[i.DestName] = i.Condition }})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) upload(name string, size int, unbounded bool) {
	w.t.Helper()
	w.write("ground/"+name, make([]byte, size))
	if _, err := w.ground.Put(w.clock.Now(), cfdp.Put{Dest: files.EntityCraft, Source: name, DestName: name, Unbounded: unbounded}); err != nil {
		w.t.Fatal(err)
	}
}

// onBoard is what is in the folder of uploads, with what is not complete.
func (w *world) onBoard() (n int, octets int64) {
	w.t.Helper()
	err := filepath.Walk(filepath.Join(w.dir, "incoming"), func(_ string, st os.FileInfo, err error) error {
		if err == nil && st.Mode().IsRegular() {
			n, octets = n+1, octets+st.Size()
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n, octets
}

// A file of unknown length is held against the quota as it comes: at no time is there more
// on board than that, and of one that is refused nothing stays.
func TestUnboundedInQuota(t *testing.T) {
	w := newWorld(t)
	const quota = 3 << 20
	w.quota(quota)
	w.open()
	ends := w.ends()
	w.upload("fits", 2<<20, true)
	w.exchange(20_000)
	if ends["fits"] != cfdp.NoError {
		t.Fatalf("one that fits: %v", ends["fits"])
	}
	w.upload("not", 2<<20, true)
	var refused []error
	for range 200 {
		refused = append(refused, w.carry(20)...)
		if _, octets := w.onBoard(); octets > quota {
			t.Fatalf("%d octets on board, the quota is %d", octets, quota)
		}
	}
	refused = append(refused, w.carry(20_000)...)
	if c, over := ends["not"]; !over || c != cfdp.FilestoreRejection || len(refused) != 1 || !strings.Contains(refused[0].Error(), "no room for") {
		t.Errorf("one that does not fit: over %t, %v, %v", over, c, refused)
	}
	if n, octets := w.onBoard(); n != 1 || octets != 2<<20 {
		t.Errorf("%d files of %d octets stay on board", n, octets)
	}
	w.upload("rest", 1<<20, false) // what was refused is held no more
	w.exchange(20_000)
	if c, over := ends["rest"]; !over || c != cfdp.NoError {
		t.Errorf("the rest of the quota: over %t, %v", over, c)
	}
}

// Uploads under way count with all that they will be, so that two that do not fit together
// are not both begun; also after a restart of flight, when one of them has hardly begun.
func TestUploadsTogetherInQuota(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w := newWorld(t)
		w.quota(100_000)
		w.open()
		ends := w.ends()
		w.upload("first", 60_000, false)
		w.exchange(10)
		if restart {
			w.quota(100_000) // of a new process
			w.open()
		}
		w.upload("second", 60_000, false)
		if refused := w.carry(2000); len(refused) != 1 {
			t.Errorf("refused with %v", refused)
		}
		if ends["first"] != cfdp.NoError || ends["second"] != cfdp.FilestoreRejection || len(ends) != 2 {
			t.Errorf("restart %t: %v", restart, ends)
		}
		if n, octets := w.onBoard(); n != 1 || octets != 60_000 {
			t.Errorf("restart %t: %d files of %d octets on board", restart, n, octets)
		}
	}
}

// A file that is locked while another of its name comes is not replaced, nor one whose bound
// the other exceeds.
func TestLockedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.quota(4 << 20)
	w.open()
	ends := w.ends()
	for name, protect := range map[string]func() error{
		"locked":  func() error { return w.depot.Create(pus.FileCreate{Name: "locked", Size: 50_000, Locked: true}) },
		"bounded": func() error { return w.depot.Create(pus.FileCreate{Name: "bounded", Size: 20_000}) },
	} {
		w.upload(name, 30_000, name == "bounded")
		w.exchange(10)
		if err := protect(); err != nil {
			t.Fatal(err)
		}
		if refused := w.carry(2000); len(refused) != 1 {
			t.Errorf("%s: refused with %v", name, refused)
		}
		if c, over := ends[name]; !over || c != cfdp.FilestoreRejection {
			t.Errorf("%s: over %t, %v", name, over, c)
		}
		if st, err := os.Stat(filepath.Join(w.dir, "incoming", name)); err != nil || st.Size() != 0 {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
	if n, _ := w.onBoard(); n != 2 {
		t.Errorf("%d files on board, 2 expected", n)
	}
}
