package coding_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

type cltu struct {
	data []byte
	info coding.CLTUInfo
}

// receive pushes octets through a fresh decoder in uneven pieces.
func receive(octets []byte) (got []cltu) {
	d := coding.NewCLTUDecoder()
	for n := 1; len(octets) > 0; n = n*7%13 + 1 {
		n = min(n, len(octets))
		d.Push(octets[:n], func(frame []byte, info coding.CLTUInfo) bool {
			got = append(got, cltu{bytes.Clone(frame), info})
			return false // so that all readings are seen
		})
		octets = octets[n:]
	}
	return got
}

// stream joins bits: each part is moved to the bit at which the one before it ended.
type stream struct {
	b []byte
	n int
}

func (s *stream) put(octets []byte, nbits int) {
	for i := range nbits {
		if s.n%8 == 0 {
			s.b = append(s.b, 0)
		}
		s.b[s.n/8] |= octets[i/8] << (i % 8) & 0x80 >> (s.n % 8)
		s.n++
	}
}

// behind is how many octets behind a CLTU end any false one that began before it, at the latest
// because it is too long.
const behind = 8*coding.MaxCLTUData/7 + 16

func flip(b []byte, bit int) { b[bit/8] ^= 0x80 >> (bit % 8) }

// find returns the received CLTU that begins at the bit given.
func find(got []cltu, bit int) *cltu {
	for i := range got {
		if got[i].info.BitOffset == uint64(bit) {
			return &got[i]
		}
	}
	return nil
}

// A CLTU is found at any bit, behind any noise, with a wrong bit in its start sequence, one in
// each codeblock and one in its tail, and its offset is right.
func TestCLTUAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var s stream
		lead := rapid.IntRange(0, 4000).Draw(t, "lead")
		s.put(layertest.Random(rnd, 501), lead)
		frame := layertest.Random(rnd, rapid.IntRange(1, 1024).Draw(t, "octets"))
		c := coding.EncodeCLTU(nil, frame)
		blocks := (len(c) - 10) / 8
		if rapid.Bool().Draw(t, "start") {
			flip(c, rnd.IntN(16))
		}
		want := 0
		for i := range blocks {
			if rnd.IntN(2) == 0 {
				flip(c, 16+64*i+rnd.IntN(63))
				want++
			}
		}
		for _, bit := range rnd.Perm(64)[:rnd.IntN(2)] {
			flip(c, 16+64*blocks+bit)
		}
		s.put(c, 8*len(c))
		s.put(layertest.Random(rnd, behind), 8*behind)
		got := find(receive(s.b), lead)
		if got == nil {
			t.Fatalf("no CLTU at bit %d", lead)
		}
		if !bytes.Equal(got.data[:len(frame)], frame) || got.info.Corrected != want || got.info.Blocks != blocks {
			t.Fatalf("CLTU at bit %d: %+v, want %d corrections in %d blocks", lead, got.info, want, blocks)
		}
		if got.info.Ended != coding.EndTail {
			t.Fatalf("ended by %v", got.info.Ended)
		}
	})
}

// A false start at every distance before a true one does not hide it, whether what lies
// between decodes or not.
func TestCLTUFalseStart(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 0))
	frame := layertest.Random(rnd, 40)
	c := coding.EncodeCLTU(nil, frame)
	for distance := 16; distance <= 320; distance++ {
		for try := range 8 {
			s := stream{}
			noise := layertest.Random(rnd, 48)
			noise[0], noise[1] = 0xEB, 0x90
			if try%2 == 0 { // codeblocks behind the false start
				good := coding.EncodeCLTU(nil, layertest.Random(rnd, 35))
				copy(noise, good[:42])
			}
			if try%4 == 0 && distance%64 == 0 {
				// The worst case: the block that ends in the true start is a codeblock.
				fix := aligned(rnd)
				copy(noise[distance/8-6:], fix[:])
			}
			s.put(noise, distance)
			s.put(c, 8*len(c))
			got := find(receive(s.b), distance)
			if got == nil || !bytes.Equal(got.data[:len(frame)], frame) {
				t.Fatalf("distance %d: true CLTU is hidden by a false start", distance)
			}
		}
	}
}

// A false start whose blocks reach to eight bits before the true tail, which look like a tail
// too, does not hide the true CLTU.
func TestCLTUFalseTail(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 0))
	swallowed := 0
	for range 1000 {
		frame := layertest.Random(rnd, 7)
		octets := append(append([]byte{0xEB, 0x90}, layertest.Random(rnd, 7)...), coding.EncodeCLTU(nil, frame)...)
		got := receive(append(octets, layertest.Random(rnd, behind)...))
		if c := find(got, 0); c != nil && c.info.Ended == coding.EndTail {
			swallowed++
		}
		if c := find(got, 72); c == nil || !bytes.Equal(c.data, frame) {
			t.Fatalf("the CLTU of %x is hidden by a false one in %x", frame, octets)
		}
	}
	if swallowed < 5 {
		t.Errorf("%d of 1000 false starts end in a tail: too few to say anything", swallowed)
	}
}

// aligned returns six octets that with EB90 behind them make a correctable codeblock.
func aligned(rnd *rand.Rand) (six [6]byte) {
	for {
		b := layertest.Random(rnd, 7)
		b[6] = 0xEB
		block := coding.EncodeCLTU(nil, b)[2:10]
		if block[7] == 0x90 {
			copy(six[:], block)
			return six
		}
	}
}

// Two errors in a codeblock end a CLTU; the next one is received at once.
func TestCLTUBroken(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 0))
	first, second := layertest.Random(rnd, 70), layertest.Random(rnd, 70)
	a, b := coding.EncodeCLTU(nil, first), coding.EncodeCLTU(nil, second)
	flip(a, 16+64*3+5)
	flip(a, 16+64*3+50)
	got := receive(append(a, b...))
	head := find(got, 0)
	if head == nil || head.info.Ended != coding.EndBlock || !bytes.Equal(head.data, first[:21]) {
		t.Errorf("broken CLTU: %+v", head)
	}
	if c := find(got, 8*len(a)); c == nil || !bytes.Equal(c.data[:70], second) {
		t.Error("the CLTU behind a broken one is lost")
	}
}

// A frame of octets C5 looks like a tail; a wrong bit anywhere in it still does not end it.
func TestCLTULooksLikeTail(t *testing.T) {
	frame := bytes.Repeat([]byte{0xC5}, 70)
	for bit := range 63 {
		c := coding.EncodeCLTU(nil, frame)
		flip(c, 16+64*4+bit)
		if got := find(receive(c), 0); got == nil || !bytes.Equal(got.data, frame) || got.info.Corrected != 1 {
			t.Fatalf("bit %d: received %+v", bit, got)
		}
	}
}

// CLTUs follow each other without a gap, and a callback may change what it is given. Of
// what is taken nothing comes twice: without noise one call a CLTU, not a reading more.
func TestCLTUBackToBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 0))
	var all []byte
	var frames [][]byte
	for range 400 {
		f := layertest.Random(rnd, 1+rnd.IntN(1000))
		frames = append(frames, f)
		all = coding.EncodeCLTU(all, f)
	}
	d := coding.NewCLTUDecoder()
	n, calls := 0, 0
	d.Push(all, func(frame []byte, info coding.CLTUInfo) bool {
		calls++
		taken := info.Ended == coding.EndTail && n < len(frames) && bytes.HasPrefix(frame, frames[n])
		if taken {
			n++
		}
		clear(frame)
		return taken
	})
	if n != len(frames) || calls != n {
		t.Errorf("received %d of %d in %d calls", n, len(frames), calls)
	}
	if st := d.Stats(); st.Tails != 400 || st.Corrected != 0 || d.Bits() != 8*uint64(len(all)) {
		t.Errorf("stats %+v, bits %d", st, d.Bits())
	}
}

// Only a CLTU longer than any frame ends by itself.
func TestCLTUEndless(t *testing.T) {
	c := coding.EncodeCLTU(nil, make([]byte, 3*coding.MaxCLTUData))
	got := find(receive(c), 0)
	if got == nil || got.info.Ended != coding.EndLimit || len(got.data) != coding.MaxCLTUData {
		t.Errorf("endless CLTU: %+v", got)
	}
}

// With a bit error rate of 1e-3 nearly all CLTUs of 256 octets must come through: a loss
// takes two errors in one of 37 codeblocks (7 %) or in the start sequence.
func TestCLTUNoise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 0))
	const sent = 400
	var s stream
	var frames [][]byte
	for range sent {
		f := layertest.Random(rnd, 256)
		frames = append(frames, f)
		c := coding.EncodeCLTU(nil, f)
		s.put(c, 8*len(c))
		s.put(bytes.Repeat([]byte{0x55}, 9), 1+rnd.IntN(71))
	}
	for bit := range s.n {
		if rnd.Float64() < 1e-3 {
			flip(s.b, bit)
		}
	}
	n := 0
	for _, c := range receive(s.b) {
		if n < sent {
			for k := n; k < min(n+20, sent); k++ {
				if bytes.HasPrefix(c.data, frames[k]) {
					n = k + 1
					frames[k] = nil
				}
			}
		}
	}
	lost := 0
	for _, f := range frames {
		if f != nil {
			lost++
		}
	}
	if lost < sent*2/100 || lost > sent*13/100 {
		t.Errorf("lost %d of %d, expected near 7 %%", lost, sent)
	}
}

// Any octets: no panic, offsets inside the stream, whole codeblocks, and the same result
// in one piece as in many.
func FuzzCLTUDecoder(f *testing.F) {
	f.Add(coding.EncodeCLTU(nil, []byte("perilune")), uint8(3))
	f.Add(bytes.Repeat([]byte{0xEB, 0x90}, 40), uint8(1))
	f.Add(binary.BigEndian.AppendUint64([]byte{0xEB, 0x90}, 0xC5C5C5C5C5C5C579), uint8(0))
	f.Fuzz(func(t *testing.T, octets []byte, shift uint8) {
		var s stream
		s.put([]byte{0}, int(shift%8))
		s.put(octets, 8*len(octets))
		var whole []cltu
		coding.NewCLTUDecoder().Push(s.b, func(frame []byte, info coding.CLTUInfo) bool {
			if info.BitOffset >= 8*uint64(len(s.b)) || len(frame) != 7*info.Blocks || info.Blocks == 0 {
				t.Fatalf("%d octets, %+v", len(frame), info)
			}
			whole = append(whole, cltu{bytes.Clone(frame), info})
			return false
		})
		pieces := receive(s.b)
		if len(pieces) != len(whole) {
			t.Fatalf("%d CLTUs in pieces, %d in one", len(pieces), len(whole))
		}
		for i := range whole {
			if whole[i].info != pieces[i].info || !bytes.Equal(whole[i].data, pieces[i].data) {
				t.Fatalf("CLTU %d: %+v in pieces, %+v in one", i, pieces[i].info, whole[i].info)
			}
		}
	})
}

func BenchmarkCLTUDecode(b *testing.B) {
	c := coding.EncodeCLTU(nil, layertest.Random(rand.New(rand.NewPCG(1, 1)), 256))
	d := coding.NewCLTUDecoder()
	b.SetBytes(int64(len(c)))
	b.ReportAllocs()
	for b.Loop() {
		d.Push(c, func([]byte, coding.CLTUInfo) bool { return false })
	}
}

func BenchmarkCLTUSearchNoise(b *testing.B) {
	noise := layertest.Random(rand.New(rand.NewPCG(1, 1)), 4096)
	d := coding.NewCLTUDecoder()
	b.SetBytes(int64(len(noise)))
	for b.Loop() {
		d.Push(noise, func([]byte, coding.CLTUInfo) bool { return false })
	}
}
