package station

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/client"
)

// maxStream is how long a file of a stream may grow, in octets.
const maxStream = 1 << 30

// streamed is what comes on a downlink channel that carries no packets, in a file that grows.
type streamed struct {
	file   *os.File // nil once it has failed
	octets int64
	joiner link.BitJoiner
}

// StreamFile is the name of the file of a channel in the folder of streams.
func StreamFile(vc ccsds.VCID) string { return fmt.Sprintf("vc-%d.bin", vc) }

// data keeps what came. It needs the lock.
func (s *Station) data(vc ccsds.VCID, d link.Data, at link.Offset) {
	if s.cfg.Streams == "" {
		return
	}
	st := s.streams[vc]
	if st == nil {
		st = &streamed{}
		s.streams[vc] = st
		if err := st.open(filepath.Join(s.cfg.Streams, StreamFile(vc))); err != nil {
			s.streamFails(vc, st, err)
			return
		}
		s.tellStream(vc, at, st, "goes on", d.Lost)
	} else if d.Lost {
		s.tellStream(vc, at, st, "something is missing", true)
	}
	octets := d.Octets
	if s.cfg.Profile.Service(vc) == link.ServiceBitstream {
		octets = st.joiner.Push(d)
	}
	if st.file == nil {
		return
	}
	if st.octets += int64(len(octets)); st.octets > maxStream {
		s.streamFails(vc, st, fmt.Errorf("%s is full", st.file.Name()))
		return
	}
	if _, err := st.file.Write(octets); err != nil {
		s.streamFails(vc, st, err)
	}
}

func (st *streamed) open(name string) (err error) {
	if err = os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if st.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return err
	}
	info, err := st.file.Stat()
	if err != nil {
		return err
	}
	st.octets = info.Size()
	return nil
}

// tellStream notes where in the file something begins, or is missing.
func (s *Station) tellStream(vc ccsds.VCID, at link.Offset, st *streamed, what string, lost bool) {
	if lost && !s.seldom(fmt.Sprintf("%s %d", client.KindData, vc)) {
		return
	}
	s.record(client.Event{Kind: client.KindData, VC: uint8(vc), Stream: client.StreamDown, Bit: at.Bit,
		Text:   fmt.Sprintf("%s on channel %d: %s at octet %d of %s", s.cfg.Profile.Service(vc), vc, what, st.octets, StreamFile(vc)),
		Fields: map[string]any{"offset": st.octets, "lost": lost}})
}

// streamFails gives up a stream until the station begins anew.
func (s *Station) streamFails(vc ccsds.VCID, st *streamed, err error) {
	if st.file != nil {
		err = errors.Join(err, st.file.Close())
		st.file = nil
	}
	s.record(client.Event{Kind: client.KindData, VC: uint8(vc), Text: fmt.Sprintf("channel %d is not kept any more: %v", vc, err)})
	s.cfg.Log.Error("stream", "vc", vc, "err", err)
}

// closeStreams ends the files.
func (s *Station) closeStreams() error {
	var errs []error
	for vc, st := range s.streams {
		if st.file == nil {
			continue
		}
		if last := st.joiner.End(); last != nil {
			_, err := st.file.Write(last)
			errs = append(errs, err)
		}
		errs = append(errs, st.file.Sync(), st.file.Close())
		delete(s.streams, vc)
	}
	return errors.Join(errs...)
}
