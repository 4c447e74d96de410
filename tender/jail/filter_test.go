package jail

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// run lets x/net's machine, which is not ours, walk a filter for one call.
func run(t *testing.T, vm *bpf.VM, arch, number uint32, args [6]uint32) bool {
	t.Helper()
	// That machine loads big endian; the kernel loads what is there.
	data := binary.BigEndian.AppendUint32(nil, number)
	data = binary.BigEndian.AppendUint32(data, arch)
	data = append(data, make([]byte, 8)...) // the instruction pointer
	for _, a := range args {
		data = binary.BigEndian.AppendUint32(data, a)
		data = append(data, make([]byte, 4)...)
	}
	verdict, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(verdict) == retAllow
}

// allows is what the rules mean, said without a program.
func (f *Filter) allows(number uint32, args [6]uint32) bool {
	for _, r := range f.rules {
		ok := r.number == number
		for _, t := range r.tests {
			a := args[t.arg]
			if t.mask != 0 {
				a &= t.mask
			}
			ok = ok && a == t.want
		}
		if ok {
			return true
		}
	}
	return false
}

// Every call there is, and arguments that each rule asks for or nearly so.
func TestProgramMeansItsRules(t *testing.T) {
	waiting := Waiting(7, []Ioctl{{FD: 5, Request: 0xae80}, {FD: 7, Request: 0x5411}})
	running := Running([]Ioctl{{FD: 5, Request: 0xae80}}, []int{8, 9, 10})
	running.Allow(unix.SYS_LSEEK, unix.SYS_PWRITE64)
	saving := Running([]Ioctl{{FD: 5, Request: 0xae80}}, []int{8, 9})
	saving.Save(11, []int{8, 9})
	for name, f := range map[string]*Filter{"waiting": waiting, "running": running, "saving": saving, "empty": {}} {
		code, err := f.program()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d instructions", name, len(code))
		raw := make([]bpf.RawInstruction, len(code))
		for i, c := range code {
			raw[i] = bpf.RawInstruction{Op: c.Code, Jt: c.Jt, Jf: c.Jf, K: c.K}
		}
		instructions, ok := bpf.Disassemble(raw)
		if !ok {
			t.Fatalf("%s: not all of it is BPF", name)
		}
		vm, err := bpf.NewVM(instructions)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cases := [][6]uint32{{}, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}
		for _, r := range f.rules {
			var right [6]uint32
			for _, x := range r.tests {
				right[x.arg] = x.want
			}
			cases = append(cases, right)
			for _, x := range r.tests {
				wrong := right
				wrong[x.arg] ^= max(x.mask, 1) & -max(x.mask, 1) // its lowest bit that counts
				cases = append(cases, wrong)
			}
		}
		for number := range uint32(600) {
			for _, args := range cases {
				if got, want := run(t, vm, auditArch, number, args), f.allows(number, args); got != want {
					t.Fatalf("%s: call %d with %x: allowed %v, want %v", name, number, args, got, want)
				}
			}
			if run(t, vm, auditArch^1, number, cases[0]) {
				t.Fatalf("%s: call %d of another architecture is allowed", name, number)
			}
		}
	}
}

func TestTooManySpans(t *testing.T) {
	f := &Filter{}
	for n := range uintptr(maxSpans) {
		f.Allow(2 * n)
	}
	if _, err := f.program(); err != nil {
		t.Error(err)
	}
	f.Allow(2 * maxSpans)
	if _, err := f.program(); err == nil {
		t.Error("jumps that do not fit into an octet")
	}
}
