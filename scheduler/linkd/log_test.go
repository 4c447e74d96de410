package linkd_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/safe"
)

// logged is a link whose security log is in a file, with what it refused.
func logged(t *testing.T, file string) (l *linkd.Link, up *port, refused *[]string) {
	t.Helper()
	refused, up = new([]string), &port{up: make(chan []byte)}
	l, err := linkd.New(linkd.Config{
		Profile: profile(), Saver: linkd.Saver{Records: safe.NewRecords()}, Radio: up, Clock: clock.Real{},
		Master: &[32]byte{9}, Keys: safe.NewRecords(), Log: linkd.LogFile(file), Fill: func(linkd.Sink) {},
		Packet:  func(context.Context, ccsds.VCID, []byte) error { return nil },
		Refused: func(layer, reason string, _ int) { *refused = append(*refused, layer+": "+reason) },
		Locked:  func(bool) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, up, refused
}

// ask carries out a procedure and returns its reply.
func ask(t *testing.T, l *linkd.Link, p sdls.PDU) sdls.PDU {
	t.Helper()
	command, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := l.Procedure(command)
	if err != nil {
		t.Fatal(err)
	}
	if data == nil {
		return sdls.PDU{}
	}
	reply, err := sdls.ParsePDU(data)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func dump(t *testing.T, l *linkd.Link) []sdls.LogEvent {
	t.Helper()
	events, err := sdls.ParseLog(ask(t, l, sdls.PDU{Procedure: sdls.DumpLog}))
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func onDisk(t *testing.T, file string) []sdls.LogEvent {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	events, err := linkd.DecodeLog(data)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// What procedures leave in the log is in the file before their report; the next program has it,
// and what the ground has erased stays erased.
func TestLogOutlivesFlight(t *testing.T) {
	file := filepath.Join(t.TempDir(), "security.log")
	l, _, _ := logged(t, file)
	refused := sdls.KeysPDU(sdls.KeyActivate, 77)
	command, err := refused.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Procedure(command); !errors.Is(err, sdls.ErrNoKey) {
		t.Fatal(err)
	}
	want := []sdls.LogEvent{{Tag: refused.Tag(), Code: sdls.LogRefused, Number: 77}}
	if got := onDisk(t, file); !slices.Equal(got, want) {
		t.Errorf("on disk: %+v", got)
	}
	l, _, _ = logged(t, file) // the first one was killed: nothing else was written
	if got := dump(t, l); !slices.Equal(got, want) {
		t.Errorf("after a restart: %+v", got)
	}
	ask(t, l, sdls.PDU{Procedure: sdls.EraseLog})
	l, _, problems := logged(t, file)
	if got := dump(t, l); len(got) != 0 || len(*problems) != 0 {
		t.Errorf("after it was erased and another restart: %+v, %v", got, *problems)
	}
}

// Refused frames are in the file after a while and at the end, however many they are.
func TestLogOfFrames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "security.log")
	bits := uplink(t, 1)[0]
	synctest.Test(t, func(t *testing.T) {
		l, up, _ := logged(t, file)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		for range 5 { // the first is good, the others replay it
			up.up <- bytes.Clone(bits)
		}
		time.Sleep(11 * time.Second)
		if got := onDisk(t, file); len(got) != 4 || got[0].Code != sdls.LogReplayed {
			t.Errorf("after ten seconds: %+v", got)
		}
		up.up <- bytes.Clone(bits)
		synctest.Wait()
		stop()
		<-ended
		if got := onDisk(t, file); len(got) != 5 {
			t.Errorf("at the end: %+v", got)
		}
	})
}

// A log that cannot be read is put aside, which is told, and another begins.
func TestLogDamaged(t *testing.T) {
	events := []sdls.LogEvent{{Tag: 3, Code: sdls.LogForged, SPI: 2, Number: 5}}
	good := linkd.EncodeLog(events)
	for name, data := range map[string][]byte{
		"empty": {}, "header alone": good[:8], "cut": good[:len(good)-1], "flipped": append(bytes.Clone(good[:len(good)-1]), 9),
		"another file": []byte("not a log at all"), "too long": append(bytes.Clone(good), make([]byte, 5000)...),
		"too many": linkd.EncodeLog(slices.Repeat(events, sdls.LogSize+1)),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "security.log")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			l, _, problems := logged(t, file)
			if len(*problems) != 1 || len(dump(t, l)) != 0 {
				t.Errorf("told: %q, log %+v", *problems, dump(t, l))
			}
			if aside, err := os.ReadFile(file + ".bad"); err != nil || !bytes.Equal(aside, data) {
				t.Errorf("put aside: %d octets, %v", len(aside), err)
			}
			ask(t, l, sdls.PDU{Procedure: sdls.EraseLog})
			if got := onDisk(t, file); len(got) != 0 {
				t.Errorf("the new one: %+v", got)
			}
		})
	}
}

// A log that cannot be written does not hold up procedures, but erasing it: what the ground
// believes to be gone would be back after a restart.
func TestLogNotWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	l, _, _ := logged(t, filepath.Join(dir, "security.log"))
	otar, err := sdls.OTARPDU(sdls.Key{ID: link.MasterKey, Value: [32]byte{9}, State: sdls.Active, Master: true}, [12]byte{1}, sdls.KeyBlock{ID: 1000, Value: [32]byte{7}})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, l, otar)
	command, err := sdls.PDU{Procedure: sdls.EraseLog}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Procedure(command); err == nil || len(dump(t, l)) != 1 {
		t.Errorf("erased: %v, %+v", err, dump(t, l))
	}
}

// FuzzDecodeLog: whatever the disk holds, nothing panics, and what is read is written as it was.
func FuzzDecodeLog(f *testing.F) {
	f.Add(linkd.EncodeLog(nil))
	f.Add(linkd.EncodeLog([]sdls.LogEvent{{Tag: sdls.LogFrame, Code: sdls.LogReplayed, SPI: 1, Number: 9}, {Tag: 0x1E, Code: sdls.LogRefused, SPI: 2}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := linkd.DecodeLog(data)
		if err == nil && !bytes.Equal(linkd.EncodeLog(events), data) {
			t.Fatalf("%+v is written as something else", events)
		}
		if err != nil && !errors.Is(err, linkd.ErrLog) {
			t.Fatal(err)
		}
	})
}

// fullRecords have no room while full.
type fullRecords struct {
	*safe.Records
	full bool
}

func (r *fullRecords) Put(bucket, key string, v any) error {
	if r.full {
		return errors.New("no space")
	}
	return r.Records.Put(bucket, key, v)
}

// What the ground is told has not been erased is there still, in the file too.
func TestLogNotErased(t *testing.T) {
	file := filepath.Join(t.TempDir(), "security.log")
	if err := os.WriteFile(file, linkd.EncodeLog([]sdls.LogEvent{{Tag: 3, Code: sdls.LogForged, SPI: 2, Number: 5}}), 0o600); err != nil {
		t.Fatal(err)
	}
	records := &fullRecords{Records: safe.NewRecords()}
	l, err := linkd.New(linkd.Config{
		Profile: profile(), Saver: linkd.Saver{Records: safe.NewRecords()}, Radio: &port{up: make(chan []byte)}, Clock: clock.Real{},
		Master: &[32]byte{9}, Keys: records, Log: linkd.LogFile(file), Fill: func(linkd.Sink) {},
		Refused: func(string, string, int) {}, Locked: func(bool) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	records.full = true
	command, err := sdls.PDU{Procedure: sdls.EraseLog}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Procedure(command); err == nil {
		t.Fatal("carried out on a full disk")
	}
	records.full = false
	if got := onDisk(t, file); len(got) == 0 || got[0].Code != sdls.LogForged {
		t.Errorf("on disk: %+v", got)
	}
	if got := dump(t, l); len(got) == 0 || got[0].Code != sdls.LogForged {
		t.Errorf("in memory: %+v", got)
	}
}

// What cannot be read at all is put aside too: the next log would take its place.
func TestLogUnreadable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "security.log")
	if err := os.Mkdir(file, 0o700); err != nil { // reading it is an error, whoever reads
		t.Fatal(err)
	}
	l, _, problems := logged(t, file)
	if len(*problems) != 1 {
		t.Errorf("told %q", *problems)
	}
	ask(t, l, sdls.PDU{Procedure: sdls.EraseLog})
	if got := onDisk(t, file); len(got) != 0 {
		t.Errorf("on disk: %+v", got)
	}
	if info, err := os.Stat(file + ".bad"); err != nil || !info.IsDir() {
		t.Errorf("put aside: %v, %v", info, err)
	}
}
