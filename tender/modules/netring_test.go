package modules_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/modules"
	"golang.org/x/sys/unix"
)

// answers collects completions.
type answers []hvt.Completion

func (a *answers) done(c hvt.Completion) { *a = append(*a, c) }

func send(id uint32, data uint64, n uint32) hvt.Submission {
	return hvt.Submission{Op: hvt.RingSend, ID: id, Data: data, Len: n}
}

func receive(id uint32, data uint64, n uint32) hvt.Submission {
	return hvt.Submission{Op: hvt.RingReceive, ID: id, Data: data, Len: n}
}

// What a guest may ask of a net ring, and what it is told of the rest.
func TestNetRing(t *testing.T) {
	d, peer := packet(t)
	defer unix.Close(peer)
	r := modules.NewNetRing(d, make(memory, 8192), 2, stopFD(t))
	var got answers
	err := r.Submit([]hvt.Submission{
		send(1, 0, 3), send(2, 0, hvt.PacketMax), send(3, 0, hvt.PacketMax+1), send(4, 0, 0), receive(5, 0, 0),
		{Op: hvt.RingRead, ID: 6, Len: 512}, {Op: 99, ID: 7, Len: 1},
		receive(8, 100, 10), receive(9, 200, 4), receive(10, 300, 10),
	}, got.done)
	want := answers{{ID: 1}, {ID: 2}, {ID: 3, Result: hvt.ResultInvalid}, {ID: 4, Result: hvt.ResultInvalid}, {ID: 5, Result: hvt.ResultInvalid},
		{ID: 6, Result: hvt.ResultInvalid}, {ID: 7, Result: hvt.ResultInvalid},
		{ID: 10, Result: hvt.ResultInvalid}} // of two buffers at a time the third
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	b := make([]byte, 8192)
	for _, n := range []int{3, hvt.PacketMax} {
		if k, err := unix.Read(peer, b); err != nil || k != n {
			t.Errorf("the peer has %d octets, %v; want %d", k, err, n)
		}
	}

	// Frames fill the oldest buffer first; what does not fit is cut off.
	if kept := r.Kept(); len(kept) != 2 || kept[0].ID != 8 || kept[1].ID != 9 {
		t.Errorf("kept %v", kept)
	}
	for _, text := range []string{"one", "the second", "third"} {
		if _, err := unix.Write(peer, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	got = nil
	if err := r.Progress(got.done); err != nil || !reflect.DeepEqual(got, answers{{ID: 8, Len: 3}, {ID: 9, Len: 4}}) || r.Waits() != -1 {
		t.Errorf("%v, %v, waits for %d", got, err, r.Waits())
	}
}

// A buffer that is not the guest's ends it, whenever it comes; so does nothing
// that its peer does.
func TestNetRingEnds(t *testing.T) {
	d, peer := packet(t)
	defer unix.Close(peer)
	r := modules.NewNetRing(d, make(memory, 8192), 4, stopFD(t))
	var got answers
	for _, s := range []hvt.Submission{send(1, 8190, 3), receive(1, 8190, 3), receive(1, 1<<63, 10), receive(1, ^uint64(0), 2)} {
		if err := r.Submit([]hvt.Submission{s}, got.done); !errors.Is(err, errAccess) || len(got) != 0 {
			t.Errorf("%+v: %v, %v", s, got, err)
		}
	}
	for _, s := range []hvt.Submission{receive(1, 8190, 3), receive(1, 0, 0), send(1, 0, 3)} {
		if err := r.Keep([]hvt.Submission{s}); err == nil {
			t.Errorf("kept %+v", s)
		}
	}
	if err := r.Keep(make([]hvt.Submission, 5)); err == nil {
		t.Error("kept more buffers than the ring is deep")
	}
	if err := r.Keep([]hvt.Submission{receive(7, 0, 8)}); err != nil || r.Waits() != d.FD() {
		t.Errorf("%v, waits for %d", err, r.Waits())
	}
	unix.Shutdown(peer, unix.SHUT_RDWR)
	if err := r.Progress(got.done); err != nil || len(got) != 0 || r.Waits() != -1 {
		t.Errorf("without a peer: %v, %v, waits for %d", got, err, r.Waits())
	}
	if err := r.Submit([]hvt.Submission{send(8, 0, 3)}, got.done); err != nil || !reflect.DeepEqual(got, answers{{ID: 8, Result: hvt.ResultUnspecified}}) {
		t.Errorf("sent to nobody: %v, %v", got, err)
	}
}
