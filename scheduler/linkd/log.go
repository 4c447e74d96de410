package linkd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"time"

	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/syncfile"
)

// Log is where the security log outlives flight.
type Log interface {
	// Load returns the events that were saved last, and why there are none if they cannot be read.
	Load() ([]sdls.LogEvent, error)
	// Save puts events in the place of those before; they are durable when it returns.
	Save([]sdls.LogEvent) error
}

// LogFile is the path of the security log, which outlives flight; "" keeps it in memory. It is
// a file of its own: evidence should not go when other records are damaged.
//
//	"PSL1" | CRC-32C of the rest 4 | events as in the reply to DumpLog
type LogFile string

const (
	logMagic  = "PSL1"
	logHeader = len(logMagic) + 4
	logLimit  = 4096 // octets of the longest file that is read: more than LogSize events have
)

// ErrLog says that a security log is damaged.
var ErrLog = errors.New("security log is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Load reads the events. A file that is damaged or cannot be read is put aside, with ".bad"
// behind its name, in the place of one that was there before.
func (f LogFile) Load() ([]sdls.LogEvent, error) {
	if f == "" {
		return nil, nil
	}
	info, err := os.Stat(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var data []byte
	if err == nil && info.Size() <= logLimit {
		data, err = os.ReadFile(string(f))
	}
	var events []sdls.LogEvent
	if err != nil {
		err = fmt.Errorf("security log: %w", err)
	} else {
		events, err = DecodeLog(data)
	}
	if err != nil {
		return nil, errors.Join(err, os.Rename(string(f), string(f)+".bad"))
	}
	return events, nil
}

// Save puts events in the place of what the file holds.
func (f LogFile) Save(events []sdls.LogEvent) error {
	if f == "" {
		return nil
	}
	if err := syncfile.Replace(string(f), EncodeLog(events)); err != nil {
		return fmt.Errorf("security log: %w", err)
	}
	return nil
}

// EncodeLog is the content of a LogFile.
func EncodeLog(events []sdls.LogEvent) []byte {
	body := sdls.AppendLog(nil, events)
	return append(binary.BigEndian.AppendUint32([]byte(logMagic), crc32.Checksum(body, castagnoli)), body...)
}

// DecodeLog reads it. Errors wrap ErrLog.
func DecodeLog(data []byte) ([]sdls.LogEvent, error) {
	if len(data) < logHeader || string(data[:len(logMagic)]) != logMagic {
		return nil, fmt.Errorf("%w: no header", ErrLog)
	}
	body := data[logHeader:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(data[len(logMagic):]) {
		return nil, fmt.Errorf("%w: checksum", ErrLog)
	}
	events, err := sdls.ParseLog(sdls.PDU{Reply: true, Procedure: sdls.DumpLog, Data: body})
	if err == nil && len(events) > sdls.LogSize {
		err = fmt.Errorf("%d events, want at most %d", len(events), sdls.LogSize)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLog, err)
	}
	return events, nil
}

// logEvery is how long refused frames may be in memory alone: whoever sends many must not
// wear out the disk. Procedures are on disk before their report.
const logEvery = 10 * time.Second

// keepLog saves the security log now and then, and at the end.
func (l *Link) keepLog(ctx context.Context) error {
	failed := false
	for {
		done := clock.Sleep(ctx, l.cfg.Clock, logEvery)
		l.file.Lock()
		err := l.saveLog()
		l.file.Unlock()
		if err != nil && !failed {
			l.cfg.Refused("records", err.Error(), 1)
		}
		if failed = err != nil; done != nil {
			return done
		}
	}
}

// saveLog makes the log durable if it has changed. The file's lock is held, the link's is not.
func (l *Link) saveLog() error {
	l.mu.Lock()
	log := l.space.SecurityLog()
	n, events := log.Changes(), log.Events()
	l.mu.Unlock()
	if n == l.logged {
		return nil
	}
	if err := l.cfg.Log.Save(events); err != nil {
		return err
	}
	l.logged = n
	return nil
}

// loadLog takes up the log of before.
func (l *Link) loadLog() error {
	events, err := l.cfg.Log.Load()
	log := l.space.SecurityLog()
	log.Restore(events)
	l.logged = log.Changes()
	return err
}
