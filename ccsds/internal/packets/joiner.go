package packets

// Stats count what a Joiner did.
type Stats struct {
	Packets uint64 // emitted
	Idle    uint64 // idle packets, not emitted
	Dropped uint64 // packets begun and not finished, or too long, or not packets
	Lost    uint64 // frames missing by their count
}

// Joiner finds the packets in the data fields of one channel. After a gap or nonsense in
// the data it goes on where the next first header pointer points.
type Joiner struct {
	Stats  Stats
	max    int
	encap  bool
	synced bool // the next octet continues part, or begins a packet
	part   []byte
}

// NewJoiner returns a Joiner that drops packets longer than max octets and takes
// encapsulation packets if encap says so.
func NewJoiner(max int, encap bool) *Joiner { return &Joiner{max: max, encap: encap} }

// Missed notes that n frames are missing before the next one.
func (j *Joiner) Missed(n uint64) {
	if n > 0 {
		j.Stats.Lost += n
		j.Break()
	}
}

// Push takes the next data field, in which the first packet begins at first, -1 when none
// does, and calls emit for each packet that is complete with it, idle packets excepted.
// The octets given to emit are valid only during the call.
func (j *Joiner) Push(data []byte, first int, emit func(packet []byte)) {
	head, tail := data, []byte(nil)
	if first >= 0 {
		n := min(first, len(data))
		head, tail = data[:n], data[n:]
	}
	j.finish(head, emit)
	if first >= 0 {
		if len(j.part) > 0 { // the pointer says that it should have ended
			j.Break()
		}
		j.synced = true
		j.begin(tail, emit)
	}
}

// Break gives up the packet in hand: the next field does not follow the last one.
func (j *Joiner) Break() {
	if len(j.part) > 0 {
		j.Stats.Dropped++
	}
	j.part, j.synced = j.part[:0], false
}

// finish continues the packet in hand with the octets in front of the first packet that
// begins in the field. They must end it, or not, but hold nothing else.
func (j *Joiner) finish(data []byte, emit func([]byte)) {
	if !j.synced || len(data) == 0 {
		return
	}
	if len(j.part) == 0 {
		j.Stats.Dropped++
		j.synced = false
		return
	}
	if need := header(j.part[0], j.encap) - len(j.part); need > 0 {
		n := min(need, len(data))
		j.part = append(j.part, data[:n]...)
		data = data[n:]
	}
	total, ok := j.length(j.part)
	if !ok || total > 0 && len(j.part)+len(data) > total {
		j.Break()
		return
	}
	j.part = append(j.part, data...)
	if len(j.part) == total {
		j.deliver(j.part, emit)
		j.part = j.part[:0]
	}
}

// begin takes octets that begin with a packet and keeps the last, unfinished one.
func (j *Joiner) begin(data []byte, emit func([]byte)) {
	for len(data) > 0 {
		n, ok := j.length(data)
		if !ok {
			j.Stats.Dropped++
			j.synced, j.part = false, j.part[:0]
			return
		}
		if n == 0 || n > len(data) {
			break
		}
		j.deliver(data[:n:n], emit)
		data = data[n:]
	}
	j.part = append(j.part[:0], data...)
}

func (j *Joiner) length(hdr []byte) (n int, ok bool) {
	n, ok = Length(hdr, j.encap)
	return n, ok && n <= j.max
}

func (j *Joiner) deliver(packet []byte, emit func([]byte)) {
	if Idle(packet) {
		j.Stats.Idle++
		return
	}
	j.Stats.Packets++
	emit(packet)
}
