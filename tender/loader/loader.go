// Package loader fills a guest's memory before its first instruction: the
// program, the tables its processor needs, boot info, manifest and command
// line.
package loader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/perilune/perilune/hvt"
)

// Memory is the guest's memory. Protect sets what the guest and the tender
// may do with whole pages; an executable page is only readable in the host.
type Memory interface {
	Bytes() []byte
	Protect(start, end uint64, read, write bool) error
}

// Size rounds a wish in octets down to what a guest can have, at least one
// step. It refuses more than hypercalls can address.
func Size(wish uint64) (uint64, error) {
	size := max(wish-wish%hvt.MemoryStep, hvt.MemoryStep)
	if size > hvt.MaxMemory {
		return 0, fmt.Errorf("guest memory size %d bytes exceeds the max size %d bytes", size, uint64(hvt.MaxMemory))
	}
	return size, nil
}

// Program copies the image's segments from r and protects them. W^X rests on
// this protection of the host's mapping: the guest's own tables let it write
// and run everything above hvt.MinBase.
func Program(mem Memory, im *hvt.Image, r io.ReaderAt) error {
	b := mem.Bytes()
	if err := im.Layout(uint64(len(b))); err != nil {
		return err
	}
	for _, s := range im.Segments {
		if s.Offset > 1<<62 {
			return fmt.Errorf("invalid executable: phdr[%d] lies at offset %d of the file", s.Index, s.Offset)
		}
		n, err := r.ReadAt(b[s.Vaddr:s.Vaddr+s.Filesz], int64(s.Offset))
		if uint64(n) != s.Filesz {
			if errors.Is(err, io.EOF) {
				return fmt.Errorf("invalid executable: phdr[%d] host file segment mismatched (pread_in_full returned %d != %d (p_filesz))",
					s.Index, n, s.Filesz)
			}
			return fmt.Errorf("phdr[%d] pread_in_full returned -1: %w", s.Index, err)
		}
		if err := mem.Protect(s.Start, s.End, s.Read || s.Executes, s.Write); err != nil {
			return fmt.Errorf("mprotect failed: %w", err)
		}
	}
	return nil
}

// ErrCmdline means that a command line does not fit.
var ErrCmdline = errors.New("Guest command line too long (max=8191 characters)") //nolint:revive // the reference's words

// BootInfo writes boot info, manifest and command line to hvt.BootInfoBase,
// in this order and without a gap: a guest that knows a longer boot info
// reads the manifest's first words as the fields an old tender lacks, and
// must find nothing alarming in them. record is the address of an extended
// guest's record, else 0.
func BootInfo(mem Memory, kernelEnd, cycleFreq uint64, manifest []byte, cmdline string, record uint64) error {
	if len(cmdline) >= hvt.CmdlineSize {
		return ErrCmdline
	}
	b := mem.Bytes()
	info := hvt.BootInfo{
		MemSize:   uint64(len(b)),
		KernelEnd: kernelEnd,
		CycleFreq: cycleFreq,
		Manifest:  hvt.BootInfoBase + hvt.BootInfoSize,
	}
	if record != 0 {
		info.Manifest = hvt.BootInfoBase + hvt.BootInfoExtended
		info.HostFeatures, info.Record = hvt.FeatureExtension, record
	}
	info.Cmdline = info.Manifest + uint64(len(manifest))
	head, err := info.MarshalBinary()
	if err != nil {
		return err
	}
	if info.Cmdline+hvt.CmdlineSize > hvt.MinBase {
		return fmt.Errorf("manifest of %d octets does not fit below the program", len(manifest))
	}
	copy(b[hvt.BootInfoBase:], head)
	copy(b[info.Manifest:], manifest)
	copy(b[info.Cmdline:], cmdline)
	b[info.Cmdline+uint64(len(cmdline))] = 0
	return nil
}

// AnnounceRing tells the guest of a net ring at gpa, in the fields that Solo5
// 0.11 added to the boot info.
func AnnounceRing(mem Memory, gpa uint64) {
	b := mem.Bytes()[hvt.BootInfoBase:]
	features := binary.LittleEndian.Uint32(b[hvt.BootInfoFeatures:])
	binary.LittleEndian.PutUint32(b[hvt.BootInfoFeatures:], features|hvt.FeatureRing)
	binary.LittleEndian.PutUint64(b[hvt.BootInfoRing:], gpa)
}
