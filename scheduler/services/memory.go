package services

import (
	"path"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/missions/database"
)

// maxMemoryArea bounds what one telecommand loads, dumps or checks, in octets.
const maxMemoryArea = 48 << 10

// memoryHandlers are those of service 6 for structured memory (ECSS-E-ST-70-41C §6.6): an
// object is a file of the file store, its base a number that the mission database gives it,
// so that a table on board can be changed, dumped and checked in part. Raw memory,
// at addresses, is refused: that of Linux programs moves, and keys are in it.
func (s *Services) memoryHandlers() map[pus.Kind]handler {
	return map[pus.Kind]handler{
		kind(6, 1):  s.loadObject,
		kind(6, 3):  s.dumpObject,
		kind(6, 7):  s.checkObject,
		kind(6, 12): func(any) error { return nil }, // a dump is complete when its telecommand is
		kind(6, 15): func(b any) error { return s.protect(b.(pus.MemoryID).Memory, true) },
		kind(6, 16): func(b any) error { return s.protect(b.(pus.MemoryID).Memory, false) },
		kind(6, 17): s.checkWholeObject,
		kind(6, 21): s.loadObjectFiles,
		kind(6, 22): s.dumpObjectFile,
	}
}

// object finds what a memory has at a base.
func (s *Services) object(memory uint16, base uint32) (*database.Object, pus.FileName, error) {
	if s.cfg.Depot == nil {
		return nil, pus.FileName{}, refusal(pus.FailureNotNow, "there is no file store: no data partition")
	}
	if err := s.checkMemory(memory); err != nil {
		return nil, pus.FileName{}, err
	}
	o := s.cfg.Database.Object(memory, base)
	if o == nil {
		return nil, pus.FileName{}, refusal(pus.FailureUnknownName, "memory %d has no object at base %d", memory, base)
	}
	dir, name := path.Split(o.File)
	return o, pus.FileName{Repository: path.Clean("/" + dir)[1:], Name: name}, nil
}

func (s *Services) checkMemory(memory uint16) error {
	if !slices.ContainsFunc(s.cfg.Database.Memories, func(m database.Named) bool { return m.ID == memory }) {
		return refusal(pus.FailureUnknownName, "no memory %d", memory)
	}
	return nil
}

// protect is TC[6,15] and TC[6,16].
func (s *Services) protect(memory uint16, on bool) error {
	if err := s.checkMemory(memory); err != nil {
		return err
	}
	return s.protected.change(func(all *[]uint16) error {
		*all = slices.DeleteFunc(*all, func(m uint16) bool { return m == memory })
		if on {
			*all = append(*all, memory)
		}
		return nil
	})
}

// loadObject is TC[6,1]: areas whose checksums hold, all of them or none.
func (s *Services) loadObject(body any) error {
	l := body.(pus.ObjectLoad)
	for i, a := range l.Areas {
		if sum := ccsds.CRC16(a.Data); sum != a.Checksum {
			return refusal(pus.FailureBadChecksum, "area %d: checksum %04x, its data has %04x", i, a.Checksum, sum)
		}
	}
	return s.writeObject(l.Memory, l.Base, l.Areas)
}

func (s *Services) writeObject(memory uint16, base uint32, areas []pus.ObjectData) error {
	o, file, err := s.object(memory, base)
	if err != nil {
		return err
	}
	if slices.Contains(s.protected.get(), memory) {
		return refusal(pus.FailureRefused, "memory %d is write protected", memory)
	}
	for i, a := range areas {
		if end := uint64(a.Offset) + uint64(len(a.Data)); end > uint64(o.Size) {
			return refusal(pus.FailureBadData, "area %d ends at %d, %s has %d octets", i, end, o.Name, o.Size)
		}
	}
	if err := s.shape(o, file); err != nil {
		return err
	}
	for _, a := range areas {
		if err := s.cfg.Depot.WriteAt(file, int64(a.Offset), a.Data); err != nil {
			return err
		}
	}
	return nil
}

// shape makes an object that nobody has loaded yet, of zeros.
func (s *Services) shape(o *database.Object, file pus.FileName) error {
	a, err := s.cfg.Depot.Attributes(file)
	if err == nil && a.Size >= uint64(o.Size) {
		return nil
	}
	if err != nil {
		if file.Repository != "" { // if it is there, so much the better
			_ = s.cfg.Depot.MakeDirectory(pus.FileName{Name: file.Repository})
		}
		if err := s.cfg.Depot.Create(pus.FileCreate{Repository: file.Repository, Name: file.Name, Size: uint64(o.Size)}); err != nil {
			return err
		}
	}
	return s.cfg.Depot.WriteAt(file, int64(a.Size), make([]byte, uint64(o.Size)-a.Size))
}

// areas reads areas of an object.
func (s *Services) areas(memory uint16, base uint32, list []pus.ObjectArea) (out []pus.ObjectData, err error) {
	o, file, err := s.object(memory, base)
	if err != nil {
		return nil, err
	}
	octets := uint64(0)
	for i, a := range list {
		if octets += uint64(a.Length); octets > maxMemoryArea {
			return nil, refusal(pus.FailureFull, "more than %d octets at once", maxMemoryArea)
		}
		if end := uint64(a.Offset) + uint64(a.Length); end > uint64(o.Size) {
			return nil, refusal(pus.FailureBadData, "area %d ends at %d, %s has %d octets", i, end, o.Name, o.Size)
		}
	}
	if err := s.shape(o, file); err != nil {
		return nil, err
	}
	for _, a := range list {
		data, err := s.cfg.Depot.ReadAt(file, int64(a.Offset), int64(a.Length))
		if err != nil {
			return nil, err
		}
		out = append(out, pus.ObjectData{Offset: a.Offset, Data: data, Checksum: ccsds.CRC16(data)})
	}
	return out, nil
}

// dumpObject is TC[6,3], answered by TM[6,4].
func (s *Services) dumpObject(body any) error {
	b := body.(pus.ObjectAreas)
	list, err := s.areas(b.Memory, b.Base, b.Areas)
	if err != nil {
		return err
	}
	return s.answer(pus.ServiceMemory, 4, pus.ObjectLoad{Memory: b.Memory, Base: b.Base, Areas: list})
}

// checkObject is TC[6,7], answered by TM[6,8].
func (s *Services) checkObject(body any) error {
	b := body.(pus.ObjectAreas)
	list, err := s.areas(b.Memory, b.Base, b.Areas)
	if err != nil {
		return err
	}
	out := pus.ObjectCheck{Memory: b.Memory, Base: b.Base}
	for i, a := range list {
		out.Areas = append(out.Areas, pus.ObjectChecked{Offset: a.Offset, Length: b.Areas[i].Length, Checksum: a.Checksum})
	}
	return s.answer(pus.ServiceMemory, 8, out)
}

// checkWholeObject is TC[6,17], answered by TM[6,18].
func (s *Services) checkWholeObject(body any) error {
	b := body.(pus.MemoryObject)
	o, file, err := s.object(b.Memory, b.Base)
	if err == nil {
		err = s.shape(o, file)
	}
	if err != nil {
		return err
	}
	data, err := s.wholeFile(file, uint64(o.Size))
	if err != nil {
		return err
	}
	return s.answer(pus.ServiceMemory, 18, pus.MemoryObjectCheck{Memory: b.Memory, Base: b.Base, Checksum: ccsds.CRC16(data)})
}

// loadObjectFiles is TC[6,21]: what files hold, at offsets.
func (s *Services) loadObjectFiles(body any) error {
	b := body.(pus.ObjectFiles)
	if s.cfg.Depot == nil {
		return refusal(pus.FailureNotNow, "there is no file store: no data partition")
	}
	var list []pus.ObjectData
	left := uint64(database.MaxObject) // of all files together
	for _, a := range b.Areas {
		data, err := s.wholeFile(a.File, left)
		if err != nil {
			return err
		}
		left -= uint64(len(data))
		list = append(list, pus.ObjectData{Offset: a.Offset, Data: data})
	}
	return s.writeObject(b.Memory, b.Base, list)
}

// dumpObjectFile is TC[6,22]: areas one after the other in a new file.
func (s *Services) dumpObjectFile(body any) error {
	b := body.(pus.ObjectToFile)
	list, err := s.areas(b.Memory, b.Base, b.Areas)
	if err != nil {
		return err
	}
	var data []byte
	for _, a := range list {
		data = append(data, a.Data...)
	}
	if err := s.cfg.Depot.Create(pus.FileCreate{Repository: b.File.Repository, Name: b.File.Name}); err != nil {
		return err
	}
	return s.cfg.Depot.WriteAt(b.File, 0, data)
}
