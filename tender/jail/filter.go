// Package jail shuts the tender in from inside: an empty root folder, no
// capabilities, small limits, and system call filters that kill the process
// for anything it has no business with.
package jail

import (
	"fmt"

	"golang.org/x/net/bpf"
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
// nothing without it, then a block for each rule that falls through to the
// next one.
func (f *Filter) program() ([]bpf.RawInstruction, error) {
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: dataArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		bpf.RetConstant{Val: retKillProcess},
		bpf.LoadAbsolute{Off: dataNumber, Size: 4},
	}
	for _, r := range f.rules {
		var block []bpf.Instruction
		for i := len(r.tests) - 1; i >= 0; i-- {
			// Built from its end, so that each jump knows how far it is to
			// the end of the block: past the tests below and the return.
			t := r.tests[i]
			skip := len(block) + 1
			test := []bpf.Instruction{bpf.LoadAbsolute{Off: dataArgs + 8*uint32(t.arg), Size: 4}}
			if t.mask != 0 {
				test = append(test, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: t.mask})
			}
			test = append(test, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: t.want, SkipTrue: uint8(skip)})
			block = append(test, block...)
		}
		block = append(block, bpf.RetConstant{Val: retAllow})
		if len(r.tests) > 0 {
			block = append(block, bpf.LoadAbsolute{Off: dataNumber, Size: 4})
		}
		if len(block) > 255 {
			return nil, fmt.Errorf("filter: rule for call %d is too long", r.number)
		}
		code = append(code, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: r.number, SkipTrue: uint8(len(block))})
		code = append(code, block...)
	}
	code = append(code, bpf.RetConstant{Val: retKillProcess})
	raw, err := bpf.Assemble(code)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return raw, nil
}
