// Package streams sends files of the file store down as they are, on downlink channels that
// carry something else than packets: a stream of bits or octets, or data units. Nothing is sent
// twice, and a stream ends with flight.
package streams

import (
	"fmt"
	"sync"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
)

// Files is the file store.
type Files interface {
	Attributes(pus.FileName) (pus.FileAttributes, error)
	ReadAt(f pus.FileName, offset, length int64) ([]byte, error)
}

// Sink is where frames get their data: the queues of the link, one a virtual channel.
type Sink interface {
	Room(vc ccsds.VCID) int
	Send(vc ccsds.VCID, unit []byte) error
}

// Config connects Streams.
type Config struct {
	Profile link.Profile
	Files   Files
	Done    func(text string, err error) // a stream has ended; err says that it broke off
}

// Streams is safe for concurrent use.
type Streams struct {
	cfg Config
	mu  sync.Mutex
	all map[ccsds.VCID]*stream
}

// stream is a file on its way.
type stream struct {
	file     pus.FileName
	size, at int64
	block    []byte // read ahead
}

// Bounds of what is ahead of the link.
const (
	readAhead = 32 << 10 // octets
	sendAhead = 4        // units in the link's queue
)

// New makes streams; none runs.
func New(cfg Config) *Streams {
	cfg.Profile = cfg.Profile.WithDefaults()
	return &Streams{cfg: cfg, all: map[ccsds.VCID]*stream{}}
}

func refuse(code pus.Failure, form string, args ...any) error {
	return &pus.Refusal{Code: code, Text: fmt.Sprintf(form, args...)}
}

// Start sends a file on a channel, which must have nothing else to send. Errors are *pus.Refusal
// or of Files.
func (s *Streams) Start(vc ccsds.VCID, file pus.FileName) error {
	service := s.cfg.Profile.Service(vc)
	if service == link.ServicePackets {
		return refuse(pus.FailureUnknownName, "channel %d carries packets", vc)
	}
	info, err := s.cfg.Files.Attributes(file)
	if err != nil {
		return err
	}
	unit := uint64(s.cfg.Profile.DownRoom(vc))
	switch {
	case info.Size == 0:
		return refuse(pus.FailureBadData, "the file is empty")
	case service == link.ServiceAccess && s.cfg.Profile.Down != link.FramingUSLP && info.Size%unit != 0:
		return refuse(pus.FailureBadData, "%d octets are no whole number of data units, which have %d", info.Size, unit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.all[vc]; other != nil {
		return refuse(pus.FailureNotNow, "channel %d is sending %s", vc, other)
	}
	s.all[vc] = &stream{file: file, size: int64(info.Size)}
	return nil
}

func (st *stream) String() string {
	if st.file.Repository == "" {
		return st.file.Name
	}
	return st.file.Repository + "/" + st.file.Name
}

// Stop ends what a channel sends. What the link has taken still goes.
func (s *Streams) Stop(vc ccsds.VCID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[vc] == nil {
		return refuse(pus.FailureNotNow, "channel %d is sending no file", vc)
	}
	delete(s.all, vc)
	return nil
}

// Fill gives the link what it has room for.
func (s *Streams) Fill(to Sink) {
	type ended struct {
		text string
		err  error
	}
	var all []ended
	s.mu.Lock()
	for vc, st := range s.all {
		err := s.fill(to, vc, st)
		if err == nil && (st.at < st.size || len(st.block) > 0 || to.Room(vc) < s.cfg.Profile.Queue) {
			continue
		}
		delete(s.all, vc)
		text := fmt.Sprintf("%s on channel %d, %d octets", st, vc, st.size)
		if err != nil {
			text = fmt.Sprintf("%s on channel %d broke off at octet %d of %d", st, vc, st.at-int64(len(st.block)), st.size)
		}
		all = append(all, ended{text, err})
	}
	s.mu.Unlock()
	for _, e := range all {
		s.cfg.Done(e.text, e.err)
	}
}

// fill moves units of one stream to the link's queue.
func (s *Streams) fill(to Sink, vc ccsds.VCID, st *stream) error {
	unit := s.cfg.Profile.DownRoom(vc)
	for s.cfg.Profile.Queue-to.Room(vc) < sendAhead {
		if len(st.block) < unit && st.at < st.size {
			more, err := s.cfg.Files.ReadAt(st.file, st.at, min(readAhead, st.size-st.at))
			if err != nil {
				return err
			}
			st.block, st.at = append(st.block, more...), st.at+int64(len(more))
		}
		n := min(unit, len(st.block))
		if n == 0 {
			return nil
		}
		if err := to.Send(vc, st.block[:n]); err != nil {
			return err
		}
		st.block = append(st.block[:0], st.block[n:]...)
	}
	return nil
}
