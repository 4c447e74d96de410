package core

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/tender/regs"
)

// A process' status in a core file is Linux' struct elf_prstatus: 112 octets
// of signals, numbers and times, the registers, and a word that says whether
// there is a floating point note.
const (
	statusSignal = 12 // pr_cursig
	statusPID    = 32
	statusRegs   = 112
	sigAbort     = 6
)

func status(words []uint64) []byte {
	le := binary.LittleEndian
	b := make([]byte, statusRegs, statusRegs+8*len(words)+8)
	le.PutUint16(b[statusSignal:], sigAbort)
	for _, w := range words {
		b = le.AppendUint64(b, w)
	}
	b = le.AppendUint32(b, 1) // pr_fpvalid
	return append(b, 0, 0, 0, 0)
}

// amd64Status has the registers in the order of struct user_regs_struct.
func amd64Status(v regs.Values) []byte {
	var words []uint64
	for _, name := range [...]string{"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx",
		"rdx", "rsi", "rdi", "" /* orig_rax */, "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs"} {
		words = append(words, v.Get(name))
	}
	words[15] = ^uint64(0) // not in a system call
	return status(words)
}

// amd64Vectors is struct user_fpregs_struct, the image of FXSAVE.
func amd64Vectors(v regs.Values) []byte {
	le := binary.LittleEndian
	b := make([]byte, 512)
	le.PutUint16(b, uint16(v.Get("fctrl")))
	le.PutUint16(b[2:], uint16(v.Get("fstat")))
	for i, full := 0, v.Get("ftag"); i < 8; i++ { // one bit a register in use
		if full>>(2*i)&3 != 3 {
			b[4] |= 1 << i
		}
	}
	le.PutUint16(b[6:], uint16(v.Get("fop")))
	le.PutUint64(b[8:], v.Get("fioff"))
	le.PutUint64(b[16:], v.Get("fooff"))
	le.PutUint32(b[24:], uint32(v.Get("mxcsr")))
	for i := range 8 {
		copy(b[32+16*i:], v.Field(fmt.Sprint("st", i)))
	}
	for i := range 16 {
		copy(b[160+16*i:], v.Field(fmt.Sprint("xmm", i)))
	}
	return b
}

// arm64Status has the registers in the order of struct user_pt_regs.
func arm64Status(v regs.Values) []byte {
	var words []uint64
	for i := range 31 {
		words = append(words, v.Get(fmt.Sprint("x", i)))
	}
	return status(append(words, v.Get("sp"), v.Get("pc"), v.Get("cpsr")))
}

// arm64Vectors is struct user_fpsimd_state.
func arm64Vectors(v regs.Values) []byte {
	le := binary.LittleEndian
	var b []byte
	for i := range 32 {
		b = append(b, v.Field(fmt.Sprint("v", i))...)
	}
	b = le.AppendUint32(b, uint32(v.Get("fpsr")))
	b = le.AppendUint32(b, uint32(v.Get("fpcr")))
	return append(b, make([]byte, 8)...)
}
