package modules

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/seqpacket"
	"golang.org/x/sys/unix"
)

// Sector sizes of block devices, in octets: powers of two in these limits.
const (
	DefaultSector = 512
	MaxSector     = 32768
)

// ErrSector is returned for a sector size that is none.
var ErrSector = errors.New("Block size must be a multiple of 2 greater than or equal 512") //nolint:revive // the reference's words

// CheckSector says whether size can be a sector size.
func CheckSector(size uint64) error {
	if size < DefaultSector || size > MaxSector || size&(size-1) != 0 {
		return ErrSector
	}
	return nil
}

// Block is a block device on a file.
type Block struct {
	f        *os.File
	fd       int
	capacity uint64
	sector   uint64
	readOnly bool
}

// NewBlock attaches f, which it takes over. sector is in octets, 0 for the
// default.
func NewBlock(f *os.File, sector uint64, readOnly bool) (*Block, error) {
	if sector == 0 {
		sector = DefaultSector
	}
	if err := CheckSector(sector); err != nil {
		return nil, err
	}
	fd, err := seqpacket.Descriptor(f)
	if err != nil {
		return nil, err
	}
	end, err := unix.Seek(fd, 0, unix.SEEK_END)
	if err != nil {
		return nil, fmt.Errorf("%s: Could not determine capacity: %w", f.Name(), err)
	}
	return &Block{f: f, fd: fd, capacity: uint64(end), sector: sector, readOnly: readOnly}, nil
}

// Check says whether the file holds whole sectors, at least one. name is the
// device's in the manifest.
func (d *Block) Check(name string) error {
	if d.capacity%d.sector != 0 {
		return fmt.Errorf("%s: Backing storage size must be block aligned (%d bytes)", name, d.sector)
	}
	if d.capacity < d.sector {
		return fmt.Errorf("%s: Backing storage must be at least 1 block (%d bytes) in size", name, d.sector)
	}
	return nil
}

// SetSector changes the sector size, before the guest is loaded.
func (d *Block) SetSector(size uint64) error {
	if err := CheckSector(size); err != nil {
		return err
	}
	d.sector = size
	return nil
}

// Attachment is what the guest's manifest says of the device.
func (d *Block) Attachment() hvt.Attachment {
	return hvt.Attachment{Attached: true, Capacity: d.capacity, SectorSize: uint16(d.sector)}
}

// FD is the file's descriptor, for a filter.
func (d *Block) FD() int { return d.fd }

// Close closes the file.
func (d *Block) Close() error { return d.f.Close() }

// inside says whether a request lies on whole sectors inside the device.
func (d *Block) inside(io hvt.BlockIO) bool {
	return io.Offset < d.capacity && io.Len <= d.capacity-io.Offset && io.Len <= math.MaxInt64 &&
		io.Offset%d.sector == 0 && io.Len%d.sector == 0
}

// Read serves BLOCK_READ. An I/O error or a short read ends the guest.
func (d *Block) Read(mem Memory, io hvt.BlockIO) (hvt.Result, error) {
	if !d.inside(io) {
		return hvt.ResultInvalid, nil
	}
	b, err := mem.Writable(io.Data, io.Len)
	if err != nil {
		return 0, err
	}
	n, err := retry(func() (int, error) { return unix.Pread(d.fd, b, int64(io.Offset)) })
	if err != nil {
		return 0, fatal("Fatal error when reading: %s", errno(err))
	}
	if n != len(b) {
		return 0, fatal("Fatal error: read only %d out of %d bytes", n, len(b))
	}
	return hvt.ResultOK, nil
}

// Write serves BLOCK_WRITE. A read-only device answers ResultUnspecified; an
// I/O error or a short write ends the guest.
func (d *Block) Write(mem Memory, io hvt.BlockIO) (hvt.Result, error) {
	if !d.inside(io) {
		return hvt.ResultInvalid, nil
	}
	b, err := mem.Readable(io.Data, io.Len)
	if err != nil {
		return 0, err
	}
	if d.readOnly {
		return hvt.ResultUnspecified, nil
	}
	n, err := retry(func() (int, error) { return unix.Pwrite(d.fd, b, int64(io.Offset)) })
	if err != nil {
		return 0, fatal("Fatal error when writing: %s", errno(err))
	}
	if n != len(b) {
		return 0, fatal("Fatal error: wrote only %d out of %d bytes", n, len(b))
	}
	return hvt.ResultOK, nil
}

// Sync returns once what the guest wrote is on the medium. A file of a kind
// that cannot be synced is no error.
func (d *Block) Sync() error {
	if err := unix.Fsync(d.fd); err != unix.EINVAL {
		return err
	}
	return nil
}

// ReadAt reads the device's content for its digest.
func (d *Block) ReadAt(b []byte, off int64) (int, error) {
	n, err := retry(func() (int, error) { return unix.Pread(d.fd, b, off) })
	if n < len(b) && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}
