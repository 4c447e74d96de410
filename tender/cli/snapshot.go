package cli

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/snapshot"
	"golang.org/x/sys/unix"
)

// savingOptions are --snapshot, --snapshot-exit and --restore.
//
// The file to write is made before the jail shuts and gets its name from
// outside of it, like a core file. One process writes one snapshot.
type savingOptions struct {
	path    string
	exit    bool
	restore string

	file    *lateFile
	signals chan os.Signal
	reader  *snapshot.Reader
	written chan bool // says once whether the snapshot is there
}

// option takes the options.
func (s *savingOptions) option(o string) (taken bool, err error) {
	switch path, ok := strings.CutPrefix(o, "--snapshot="); {
	case ok && path == "":
		return false, failure("Malformed argument to --snapshot")
	case ok:
		s.path = path
		return true, nil
	}
	if o == "--snapshot-exit" {
		s.exit = true
		return true, nil
	}
	return strings.HasPrefix(o, "--restore="), nil
}

// openSnapshot reads the header: what an option may name is up to its manifest.
func (c *command) openSnapshot() error {
	path := c.saving.restore
	f, err := os.Open(path)
	if err != nil {
		return &exitError{text: path + ": Could not open: " + likeC(err, errnoText(err))}
	}
	c.file, c.kernel = path, f
	if c.saving.reader, err = snapshot.NewReader(f); err != nil {
		return failure("%s: %v", path, err)
	}
	h := c.saving.reader.Header
	manifest, err := hvt.ParseManifest(h.Manifest)
	if err != nil {
		return failure("%s: %v", path, err)
	}
	c.image, c.memory = &hvt.Image{Manifest: manifest}, h.Memory
	return nil
}

// openTarget makes the file that a snapshot will be.
func (c *command) openTarget() error {
	s := &c.saving
	if s.path == "" {
		if s.exit {
			return failure("--snapshot-exit needs --snapshot")
		}
		return nil
	}
	if c.debug.gdb {
		return failure("--snapshot and --gdb cannot both stop the guest")
	}
	var err error
	if s.file, err = newLateFile(SnapshotNamer, filepath.Dir(s.path), s.path); err != nil {
		return failure("snapshot: %v", err)
	}
	s.written, s.signals = make(chan bool, 1), make(chan os.Signal, 1)
	signal.Notify(s.signals, unix.SIGUSR1) // one that comes too early must not end the program
	return nil
}

// serve writes the snapshot at the first SIGUSR1.
func (s *savingOptions) serve(c *command, m *tender.Machine) {
	if s.file == nil {
		return
	}
	go func() {
		<-s.signals
		s.written <- s.save(c, m)
		for range s.signals {
			c.warn("snapshot: %s: there is one already", s.path)
		}
	}()
}

// save writes the snapshot, gives it its name and says whether it is there.
func (s *savingOptions) save(c *command, m *tender.Machine) bool {
	err := m.Snapshot(s.file.File, s.exit)
	if err == nil {
		err = s.file.name()
	}
	if err != nil {
		c.warn("snapshot: %s: %s", s.path, likeC(err, err.Error()))
		return false
	}
	c.warn("snapshot: wrote %s", s.path)
	return true
}

// wait lets a guest that ended for its snapshot's sake not end before it, nor
// well without it.
func (s *savingOptions) wait(e tender.Exit) tender.Exit {
	if e.Reason == tender.Saved && !<-s.written {
		e.Status = 1
	}
	return e
}

// requests and calls are what the filter lets through for a snapshot.
func (s *savingOptions) requests(m *tender.Machine) []kvm.Request {
	if s.file == nil {
		return nil
	}
	return m.StateRequests()
}

func (s *savingOptions) calls() []uintptr {
	if s.file == nil {
		return nil
	}
	return []uintptr{unix.SYS_FSYNC}
}
