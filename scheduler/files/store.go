package files

import "github.com/perilune/perilune/ccsds/cfdp"

// holdStep is by how many octets a file of unknown length grows in its claim on the quota:
// asking for each PDU would look through the whole store for each.
const holdStep = 1 << 20

// Depot keeps the bounds of the folder where files come in: its locks and its quota.
type Depot interface {
	// Admit refuses a file that may not be made of so many octets, or only touched.
	Admit(name string, octets uint64, grows bool) error
	// Hold has room for octets in all of the file that is to be name, of which part, a name
	// in the folder of those that are not complete, is what has come.
	Hold(part, name string, octets uint64) error
	// Place calls put, which gives the part its name, unless that may not be.
	Place(part, name string, put func() error) error
	// Release ends what Hold began.
	Release(part string)
}

// unbounded has neither locks nor a quota.
type unbounded struct{}

func (unbounded) Admit(string, uint64, bool) error          { return nil }
func (unbounded) Hold(string, string, uint64) error         { return nil }
func (unbounded) Place(_, _ string, put func() error) error { return put() }
func (unbounded) Release(string)                            {}

// store lets files come into one folder and go out of another. What the ground asks
// for by requests and messages is about the first alone: it is the filestore's root for
// the ground, and the products of tenants are none of its business before they are sent.
type store struct {
	*cfdp.Dir
	out   *cfdp.Dir
	depot Depot
}

func (s store) Create(name string, size uint64) (cfdp.Writer, error) {
	// Not even an empty file is made where there is no room for this one.
	if err := s.depot.Admit(name, size, true); err != nil {
		return nil, err
	}
	w, err := s.Dir.Create(name, size)
	if err != nil {
		return nil, err
	}
	return s.held(w.(cfdp.ResumableWriter), name, size), nil // a Dir's outlive a restart
}

func (s store) Resume(name, token string, size uint64) (cfdp.ResumableWriter, error) {
	f, err := s.Dir.Resume(name, token, size)
	if err != nil {
		return nil, err
	}
	return s.held(f, name, size), nil
}

// held is a file that comes in, with its claim on the quota. Without room for all of it the
// claim grows with what arrives, as that of a file of unknown length does.
func (s store) held(f cfdp.ResumableWriter, name string, size uint64) *incoming {
	w := &incoming{ResumableWriter: f, depot: s.depot, name: name}
	if s.depot.Hold(f.Token(), name, size) == nil {
		w.claim = size
	}
	return w
}

// incoming is a file that is not complete.
type incoming struct {
	cfdp.ResumableWriter
	depot Depot
	name  string
	claim uint64 // octets that the quota has for it
}

func (w *incoming) WriteAt(p []byte, at int64) (int, error) {
	if end := uint64(at) + uint64(len(p)); end > w.claim {
		if err := w.grow(end); err != nil {
			return 0, err
		}
	}
	return w.ResumableWriter.WriteAt(p, at)
}

// grow claims a step, or where there is no room for one, what is needed.
func (w *incoming) grow(end uint64) error {
	claim := (end/holdStep + 1) * holdStep
	err := w.depot.Hold(w.Token(), w.name, claim)
	if err != nil {
		claim = end
		err = w.depot.Hold(w.Token(), w.name, claim)
	}
	if err == nil {
		w.claim = claim
	}
	return err
}

// Commit first makes the octets durable, which takes long, so that the depot waits for no
// more than the change of the name.
func (w *incoming) Commit() error {
	if err := w.Sync(); err != nil {
		return err
	}
	if err := w.depot.Place(w.Token(), w.name, w.ResumableWriter.Commit); err != nil {
		return err
	}
	w.depot.Release(w.Token())
	return nil
}

func (w *incoming) Abort() error {
	err := w.ResumableWriter.Abort()
	w.depot.Release(w.Token())
	return err
}

// Act carries out a filestore request that touches nothing which is locked, and makes nothing
// beyond the bounds.
func (s store) Act(r cfdp.FilestoreRequest, most uint64) (cfdp.RequestStatus, error) {
	for _, name := range []string{r.First, r.Second} {
		if name == "" {
			continue
		}
		if err := s.depot.Admit(name, 0, false); err != nil {
			return cfdp.RequestNotPerformed, err
		}
	}
	if octets, makes := s.made(r); makes {
		if err := s.depot.Admit(r.First, octets, true); err != nil {
			return cfdp.RequestNotPerformed, err
		}
	}
	return s.Dir.Act(r, most)
}

// made says whether a request makes a file or directory, and of how many octets. What is not
// there counts nothing: the request will fail.
func (s store) made(r cfdp.FilestoreRequest) (octets uint64, makes bool) {
	var parts []string
	switch r.Action {
	case cfdp.ActionCreateFile, cfdp.ActionCreateDirectory:
	case cfdp.ActionReplaceFile:
		parts = []string{r.Second}
	case cfdp.ActionAppendFile:
		parts = []string{r.First, r.Second}
	default:
		return 0, false
	}
	for _, name := range parts {
		if f, err := s.Dir.Open(name); err == nil {
			octets += uint64(f.Size())
			_ = f.Close() // it was not read
		}
	}
	return octets, true
}

func (s store) Open(name string) (cfdp.Reader, error) { return s.out.Open(name) }

// Lend opens a file that the ground asks for.
func (s store) Lend(name string) (cfdp.Reader, error) { return s.Dir.Open(name) }
