// Package jail shuts the tender in from inside: an empty root folder, no
// capabilities, small limits, and system call filters that kill the process
// for anything it has no business with.
package jail

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Results of a filter (Linux Documentation/userspace-api/seccomp_filter.rst).
const (
	retKillProcess = 0x80000000
	retAllow       = 0x7fff0000
)

// Offsets in struct seccomp_data; arguments are 64 bits, little endian.
const (
	dataNumber = 0
	dataArch   = 4
	dataArgs   = 16
)

// test is a condition on one argument's low 32 bits: arg & mask == want
// (mask 0 stands for all bits). Descriptors, request numbers and flags are
// 32-bit values to the kernel, which ignores the rest.
type test struct {
	arg  int
	mask uint32
	want uint32
}

// rule allows a system call, if all its tests hold.
type rule struct {
	number uint32
	tests  []test
}

// usualRules is room for the rules of a guest with a few devices.
const usualRules = 64

// Filter is a list of allowed system calls; everything else kills.
type Filter struct {
	rules []rule
}

// Allow adds calls without conditions.
func (f *Filter) Allow(numbers ...uintptr) {
	for _, n := range numbers {
		f.rules = append(f.rules, rule{number: uint32(n)})
	}
}

// allowIf adds a call under conditions; several such rules for one call are
// alternatives.
func (f *Filter) allowIf(number uintptr, tests ...test) {
	f.rules = append(f.rules, rule{uint32(number), tests})
}

// program compiles the filter: the architecture first, because numbers mean
// nothing without it, then a block for each rule with conditions that falls
// through to the next one, then a search for the calls that have none. The
// search keeps the way short: the kernel walks it once for every call there
// is when the filter is installed. Instructions are written down as the
// kernel has them; to assemble them costs more than to install them.
func (f *Filter) program() ([]unix.SockFilter, error) {
	code := append(make([]unix.SockFilter, 0, 192),
		load(dataArch), jump(unix.BPF_JEQ, auditArch, 1, 0), ret(retKillProcess),
		load(dataNumber))
	free := make([]uint32, 0, len(f.rules))
	for _, r := range f.rules {
		if len(r.tests) == 0 {
			free = append(free, r.number)
			continue
		}
		left := 2 // of the block: it ends with its return and the number again
		for _, t := range r.tests {
			left += t.length()
		}
		if left > 255 {
			return nil, fmt.Errorf("filter: rule for call %d is too long", r.number)
		}
		code = append(code, jump(unix.BPF_JEQ, r.number, 0, left))
		for _, t := range r.tests {
			left -= t.length()
			code = append(code, load(dataArgs+8*uint32(t.arg)))
			if t.mask != 0 {
				code = append(code, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: t.mask})
			}
			code = append(code, jump(unix.BPF_JEQ, t.want, 0, left-1))
		}
		code = append(code, ret(retAllow), load(dataNumber))
	}
	list := spans(free)
	if len(list) > maxSpans {
		return nil, fmt.Errorf("filter: %d ranges of calls, at most %d", len(list), maxSpans)
	}
	return search(code, list), nil
}

// length is how many instructions a test takes.
func (t test) length() int {
	if t.mask != 0 {
		return 3
	}
	return 2
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func ret(value uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
}

// jump skips as many instructions as said if the condition holds, or not.
func jump(condition uint16, value uint32, holds, not int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | condition, Jt: uint8(holds), Jf: uint8(not), K: value}
}

// span is calls with consecutive numbers, both ends included.
type span struct{ first, last uint32 }

// maxSpans keeps every jump of a search within its octet: half of them take
// no more than 5 instructions each.
const maxSpans = 100

// spans sorts numbers and joins neighbours.
func spans(numbers []uint32) []span {
	slices.Sort(numbers)
	out := make([]span, 0, len(numbers))
	for _, n := range numbers {
		if end := len(out) - 1; end >= 0 && n <= out[end].last+1 {
			out[end].last = n
			continue
		}
		out = append(out, span{n, n})
	}
	return out
}

// search allows the calls in list, which ascends, and kills for all others.
func search(code []unix.SockFilter, list []span) []unix.SockFilter {
	switch len(list) {
	case 0:
		return append(code, ret(retKillProcess))
	case 1:
		return append(code, jump(unix.BPF_JGE, list[0].first, 0, 2), jump(unix.BPF_JGT, list[0].last, 1, 0),
			ret(retAllow), ret(retKillProcess))
	}
	at, middle := len(code), len(list)/2
	code = append(code, jump(unix.BPF_JGE, list[middle].first, 0, 0))
	code = search(code, list[:middle])
	code[at].Jt = uint8(len(code) - at - 1)
	return search(code, list[middle:])
}
