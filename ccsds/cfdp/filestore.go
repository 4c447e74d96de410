package cfdp

import "io"

// Filestore is where files come from and go to. Names come from the other
// side: an implementation must not let one out of its root.
type Filestore interface {
	// Create begins a file of size octets; 0 may also mean that the size is not
	// known yet. Nothing is visible under name before Commit.
	Create(name string, size uint64) (Writer, error)
	Open(name string) (Reader, error)
}

// Reader is a file that is sent.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() int64 // negative: not known before ReadAt gives io.EOF
}

// Lender is a Filestore that gives other files to those who ask by a proxy put
// than to its own user.
type Lender interface {
	Lend(name string) (Reader, error)
}

// RecordReader is a Reader of a file of records, whose boundaries a transfer may
// keep.
type RecordReader interface {
	Reader
	// RecordEnd is the first octet behind the record that offset is part of.
	RecordEnd(offset uint64) uint64
}

// Writer is a file that is being received, in any order.
type Writer interface {
	io.WriterAt
	io.ReaderAt
	Commit() error // make it durable and give it its name
	Abort() error  // throw it away
}

// Resumer is a Filestore whose unfinished files survive a restart. Without it,
// a transfer that is interrupted by a restart begins anew.
type Resumer interface {
	// Resume opens the unfinished file that had this token; size is as for Create.
	Resume(name, token string, size uint64) (ResumableWriter, error)
	// Received opens a file that was committed under this name.
	Received(name string) (Reader, error)
	// Sweep removes the unfinished files whose tokens are not in keep.
	Sweep(keep map[string]bool) error
}

// ResumableWriter is the Writer of a Resumer.
type ResumableWriter interface {
	Writer
	Token() string
	Sync() error  // what was written is durable when it returns
	Close() error // leave the file for Resume
}

// Saver keeps records over a restart. Each record is a short JSON document.
// Save returns when the record is durable.
type Saver interface {
	Save(key string, record []byte) error
	Delete(key string) error
	Load() (map[string][]byte, error)
}
