package hvt

// Layout checks entry point and segments against a guest memory of memSize
// octets and fills Segments and End. The rules, in the order of Solo5's
// tender: segments start at MinBase or above, in ascending order of address,
// without overlap, inside memory, on page boundaries once aligned, and never
// both writable and executable. A PT_LOAD without file octets is skipped:
// guest memory starts zeroed. An ABI 1 guest, though, learns from the end of
// such a segment where its heap begins, so there only an empty one is.
func (im *Image) Layout(memSize uint64) error {
	if im.Entry < MinBase || im.Entry >= memSize {
		return badImage("e_entry does not fall within the memory allocation range (%d < %d || %d >= %d)",
			im.Entry, MinBase, im.Entry, memSize)
	}
	im.Segments, im.End = nil, 0
	last := uint64(0)
	for i, h := range im.headers {
		size := h.filesz
		if im.ABI.Version == 1 {
			size |= h.memsz
		}
		if size == 0 || h.typ != segmentLoad {
			continue
		}
		s, err := h.segment(i, last, im.End, memSize)
		if err != nil {
			return err
		}
		last = h.vaddr
		im.End = max(im.End, s.End)
		im.Segments = append(im.Segments, s)
	}
	return nil
}

// segment turns a PT_LOAD header into a Segment. last is the address of the
// one before, end the first octet above all before.
func (h header) segment(i int, last, end, memSize uint64) (Segment, error) {
	s := Segment{Index: i, Offset: h.offset, Filesz: h.filesz, Vaddr: h.vaddr, Memsz: h.memsz,
		Read:     h.flags&flagRead != 0,
		Write:    h.flags&flagWrite != 0,
		Executes: h.flags&flagExecutes != 0}
	if h.vaddr < MinBase {
		return s, badImage("phdr[%d].p_vaddr outside of valid memory range (%d < %d)", i, h.vaddr, MinBase)
	}
	if h.vaddr < last {
		return s, badImage("phdr[%d].p_vaddr is not in ascending order (%d < %d)", i, h.vaddr, last)
	}
	if h.align == 0 || h.align&(h.align-1) != 0 {
		return s, badImage("phdr[%d].p_vaddr is outside of memory range"+
			" (align_down with %d (p_vaddr) and %d (p_align) failed)", i, h.vaddr, h.align)
	}
	s.Start = h.vaddr &^ (h.align - 1)
	if s.Start < MinBase {
		return s, badImage("phdr[%d].p_vaddr_start is outside of memory range (%d < %d (p_min_loadaddr))", i, s.Start, MinBase)
	}
	if s.Start < end {
		return s, badImage("phdr[%d].p_vaddr_start is outside of memory range (%d < %d (e_end))", i, s.Start, end)
	}
	if err := h.checkSizes(i, memSize); err != nil {
		return s, err
	}
	s.End = h.vaddr + h.memsz
	if up := s.End + h.align - 1; up < s.End {
		return s, badImage("phdr[%d] program memory segment falls outside of valid range"+
			" (align_up with %d (p_vaddr_end) and %d (p_align) failed)", i, s.End, h.align)
	}
	s.End = (s.End + h.align - 1) &^ (h.align - 1)
	if s.End > memSize {
		return s, badImage("phdr[%d] program memory segment falls outside of valid range"+
			" (%d (p_vaddr + p_memsz) > %d (mem_size))", i, s.End, memSize)
	}
	if s.Start%PageSize != 0 {
		return s, badImage("phdr[%d] p_vaddr_start not aligned with architectural page size (%d & (%d - 1))", i, s.Start, PageSize-1)
	}
	if s.End%PageSize != 0 {
		return s, badImage("phdr[%d] p_vaddr_end not aligned with architectural page size (%d & (%d - 1))", i, s.End, PageSize-1)
	}
	if s.Write && s.Executes {
		return s, badImage("phdr[%d] requests WRITE and EXEC permissions", i)
	}
	return s, nil
}

// checkSizes keeps file and memory sizes inside memory, without overflow.
func (h header) checkSizes(i int, memSize uint64) error {
	const file = "phdr[%d] program file segment falls outside of valid range"
	const mem = "phdr[%d] program memory segment falls outside of valid range"
	switch {
	case h.vaddr >= memSize:
		return badImage(file+" (%d >= %d (mem_size))", i, h.vaddr, memSize)
	case h.vaddr+h.filesz < h.vaddr:
		return badImage(file+" (%d (p_vaddr) + %d (p_filesz) overflow)", i, h.vaddr, h.filesz)
	case h.vaddr+h.filesz > memSize:
		return badImage(file+" (%d (p_vaddr + p_filesz) > %d (mem_size))", i, h.vaddr+h.filesz, memSize)
	case h.memsz < h.filesz:
		return badImage(mem+" (%d (p_memsz) < %d (p_filesz))", i, h.memsz, h.filesz)
	case h.vaddr+h.memsz < h.vaddr:
		return badImage(mem+" (%d (p_vaddr) + %d (p_memsz) overflow)", i, h.vaddr, h.memsz)
	}
	return nil
}
