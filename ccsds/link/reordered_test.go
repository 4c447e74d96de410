package link_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/layertest"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tc"
)

// TestReordered: the sequence number of a frame up, and the count of a frame down, are not
// authenticated. Who holds back frames of ours and lets them go in another order with those
// changed gets none through that is older than one that has been taken.
func TestReordered(t *testing.T) {
	t.Run("up", reorderedUp)
	t.Run("down", reorderedDown)
	t.Run("over a change of keys", reorderedRotation)
}

// framesOf takes the frames out of units of the uplink.
func framesOf(t *testing.T, w *world, cltus [][]byte) (frames [][]byte) {
	t.Helper()
	d, err := link.NewUpDecoder(w.p)
	if err != nil {
		t.Fatal(err)
	}
	for _, cltu := range cltus {
		d.Push(cltu, func(frame []byte, _ link.UpInfo) bool {
			n, err := tc.Length(frame)
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, bytes.Clone(frame[:n]))
			return true
		})
	}
	return frames
}

// radiate sends a frame that was held, with its check made anew.
func radiate(t *testing.T, w *world, frame []byte) {
	t.Helper()
	if err := w.space.Receive(coding.EncodeCLTU(bytes.Repeat([]byte{0x55}, 16), layertest.Seal(bytes.Clone(frame)))); err != nil {
		t.Fatal(err)
	}
}

func reorderedUp(t *testing.T) {
	w := newWorld(t, profile(), 11, 0, 0)
	if err := w.space.Manage(w.p.FirstKeys([32]byte{99}), w.p.FirstRecords(), nil); err != nil {
		t.Fatal(err)
	}
	ping, err := sdls.PDU{Procedure: sdls.Ping}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.feedUp = load(0, 5, 1)
	w.until(time.Minute, "first packets", func() bool { return len(w.accepted[0]) == 5 })
	w.up.SetSignal(false)
	var held [][]byte
	w.tap = func(cltu []byte) { held = append(held, cltu) }
	for id := range 2 {
		if err := w.gnd.Send(0, packet(5+id, 100), false, 5+id); err != nil {
			t.Fatal(err)
		}
	}
	w.feedUp = nil
	w.until(time.Minute, "two frames", func() bool { return len(held) >= 2 })
	frames := framesOf(t, w, held[:2])
	if len(frames) != 2 || frames[0][4] != 5 && frames[0][4]+1 != frames[1][4] {
		t.Fatalf("%d frames held", len(frames))
	}
	frames[0][4], frames[1][4] = frames[1][4], frames[0][4]
	for _, f := range [][]byte{frames[1], frames[0]} {
		// A procedure that begins no numbers anew in between is no way in.
		if _, err := w.space.Procedure(ping); err != nil {
			t.Fatal(err)
		}
		radiate(t, w, f)
	}
	if got := w.got[0]; len(got) != 6 || got[5] != 6 || w.refused["sdls: replayed"] != 1 {
		t.Errorf("on board %v, refused %v", got, w.refused)
	}
}

// While a key is changed both associations are operational. What was held back of the old one gets in
// as long as nothing of the sequence has come under the new one, and then no more; not even after the new one
// is stopped, if it is older than what came. Frames that bypass the sequence are bound by the window alone.
func reorderedRotation(t *testing.T) {
	const old, seq, spi = 1, 4, 6 // an SPI; places of N(S) and of the SPI in a frame
	next := link.Spare(old)
	w := newWorld(t, profile(), 11, 0, 0)
	fresh := sdls.Key{ID: 1000, Value: [32]byte{7}, State: sdls.Active}
	if err := w.space.Manage(append(w.p.FirstKeys([32]byte{99}), fresh), w.p.FirstRecords(), nil); err != nil {
		t.Fatal(err)
	}
	procedure := func(p sdls.PDU) {
		t.Helper()
		command, err := p.Append(nil)
		if err == nil {
			_, err = w.space.Procedure(command)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.feedUp = load(0, 1, 1)
	w.until(time.Minute, "the first packet", func() bool { return len(w.accepted[0]) == 1 })
	w.feedUp = nil
	vr := w.space.Stats().FARM[0].VR
	w.up.SetSignal(false)
	var held [][]byte
	w.tap = func(cltu []byte) { held = append(held, cltu) }
	seen := map[string]bool{}
	hold := func(id int, bd bool) (frame []byte) {
		t.Helper()
		if err := w.gnd.Send(0, packet(id, 100), bd, id); err != nil {
			t.Fatal(err)
		}
		w.until(time.Minute, "a frame", func() bool {
			for _, f := range framesOf(t, w, held) {
				if !seen[string(f)] {
					seen[string(f)], frame = true, f
				}
			}
			return frame != nil
		})
		return frame
	}
	frames := [][]byte{nil, hold(1, false), hold(2, false), hold(3, true), hold(4, false)}
	procedure(sdls.RekeyPDU(next, fresh.ID, 0, 12))
	procedure(sdls.StartPDU(next, sdls.Link{SCID: 42, VCID: 0}))
	if err := w.gnd.Associate(0, next, fresh.Value); err != nil {
		t.Fatal(err)
	}
	frames = append(frames, hold(5, false))
	for id, f := range frames[1:] {
		want := uint16(old)
		if id+1 == 5 {
			want = next
		}
		if got := binary.BigEndian.Uint16(f[spi:]); got != want {
			t.Fatalf("frame %d is under SPI %d, want %d", id+1, got, want)
		}
	}
	for _, step := range []struct {
		what  string
		id    int
		taken bool
	}{
		{"one from before the change", 2, true},
		{"the first under the new association", 5, true},
		{"another from before the change", 4, false},
		{"one beside the sequence from before the change", 3, true},
	} {
		f := bytes.Clone(frames[step.id])
		if f[0]&0x20 == 0 {
			f[seq] = vr
			vr++
		}
		before, refused := len(w.got[0]), w.refused["sdls: replayed"]
		radiate(t, w, f)
		if got := w.got[0]; (len(got) == before+1 && got[before] == step.id) != step.taken || (w.refused["sdls: replayed"] == refused) != step.taken {
			t.Errorf("%s: on board %v, refused %v", step.what, got, w.refused)
		}
	}
	procedure(sdls.AssociationPDU(sdls.SAStop, next))
	before := len(w.got[0])
	f := bytes.Clone(frames[1])
	f[seq] = vr
	radiate(t, w, f)
	if len(w.got[0]) != before {
		t.Errorf("after the new association was stopped an older frame got in: %v", w.got[0])
	}
}

func reorderedDown(t *testing.T) {
	for _, down := range []link.Framing{link.FramingTM, link.FramingAOS, link.FramingUSLP} {
		p := link.Profile{Down: down, Keys: map[uint16][32]byte{9: {9}}, DownSPI: map[ccsds.VCID]uint16{1: 9}}
		n := uint64(0)
		framer, deframer := framed(t, p, func(uint16) (uint64, error) { n++; return n, nil }, floors{})
		at := map[link.Framing]int{link.FramingTM: 3, link.FramingAOS: 4, link.FramingUSLP: 9}[down] // low octet of the count
		var frames [][]byte
		for id := range 2 {
			if err := framer.Send(1, packet(id, 300)); err != nil {
				t.Fatal(err)
			}
			frame, _ := framer.Next(nil, [4]byte{})
			frames = append(frames, frame)
		}
		frames[0][at], frames[1][at] = frames[1][at], frames[0][at]
		if _, err := deframer.Decode(layertest.Seal(frames[1])); err != nil {
			t.Errorf("%s: %v", down, err)
		}
		if _, err := deframer.Decode(layertest.Seal(frames[0])); !errors.Is(err, sdls.ErrReplayed) {
			t.Errorf("%s: an older frame: %v", down, err)
		}
	}
}
