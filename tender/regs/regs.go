// Package regs says which registers a debugger sees of a guest, in what order
// and how wide: gdb's own descriptions of the two architectures. The remote
// protocol and core files are made from it.
package regs

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
)

// Register is one register.
type Register struct {
	Name string
	Bits int    // a multiple of 8
	Type string // gdb's name of the type
}

// Feature is a group of registers under the name by which gdb knows it.
type Feature struct {
	Name      string
	Registers []Register
}

// Layout is all registers of an architecture.
type Layout struct {
	Architecture string // as gdb calls it
	PC           string // the program counter's name

	// Made when they are first asked for: most guests are never looked at.
	build    func() []Feature
	once     sync.Once
	features []Feature
}

// Features lists the groups of registers in order; none of the zero Layout.
func (l *Layout) Features() []Feature {
	l.once.Do(func() {
		if l.build != nil {
			l.features = l.build()
		}
	})
	return l.features
}

// Values are the registers' contents in the order of a Layout, without gaps,
// each little endian.
type Values struct {
	*Layout
	Octets []byte
}

// New gives zeroes for l.
func (l *Layout) New() Values { return Values{l, make([]byte, l.Size())} }

// All lists the registers in order.
func (l *Layout) All() []Register {
	var out []Register
	for _, f := range l.Features() {
		out = append(out, f.Registers...)
	}
	return out
}

// Size is the length of all registers in octets.
func (l *Layout) Size() (n int) {
	for _, r := range l.All() {
		n += r.Bits / 8
	}
	return n
}

// Place is where the register with number n lies in Values; ok is false when
// there is none.
func (l *Layout) Place(n int) (offset, size int, ok bool) {
	for i, r := range l.All() {
		if i == n {
			return offset, r.Bits / 8, true
		}
		offset += r.Bits / 8
	}
	return 0, 0, false
}

// Field is the part of v that holds the register called name; nil if there
// is none.
func (v Values) Field(name string) []byte {
	offset := 0
	for _, r := range v.All() {
		if r.Name == name {
			return v.Octets[offset : offset+r.Bits/8]
		}
		offset += r.Bits / 8
	}
	return nil
}

// Get is the value of a register of at most 64 bits, 0 if there is none.
func (v Values) Get(name string) uint64 {
	var b [8]byte
	copy(b[:], v.Field(name))
	return binary.LittleEndian.Uint64(b[:])
}

// Set changes a register; a narrow one takes the low octets.
func (v Values) Set(name string, value uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], value)
	copy(v.Field(name), b[:])
}

// XML is the description that gdb asks a remote target for.
func (l *Layout) XML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"+
		"<target version=\"1.0\">\n<architecture>%s</architecture>\n", l.Architecture)
	for _, f := range l.Features() {
		fmt.Fprintf(&b, "<feature name=%q>\n", f.Name)
		for _, r := range f.Registers {
			fmt.Fprintf(&b, "<reg name=%q bitsize=\"%d\" type=%q/>\n", r.Name, r.Bits, r.Type)
		}
		b.WriteString("</feature>\n")
	}
	b.WriteString("</target>\n")
	return b.String()
}

func some(bits int, typ string, names ...string) []Register {
	out := make([]Register, len(names))
	for i, n := range names {
		out[i] = Register{n, bits, typ}
	}
	return out
}

func numbered(bits int, typ, prefix string, first, last int) []Register {
	var out []Register
	for i := first; i <= last; i++ {
		out = append(out, Register{fmt.Sprint(prefix, i), bits, typ})
	}
	return out
}

func join(lists ...[]Register) []Register {
	var out []Register
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}
