package kvm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in the shared run record (struct kvm_run).
const (
	runImmediateExit = 1
	runExitReason    = 8
	runUnion         = 32
	runMinSize       = 64
)

// Exit reasons of KVM_RUN that are told apart.
const (
	exitIO            = 2
	exitDebug         = 4
	exitMMIO          = 6
	exitFailEntry     = 9
	exitIntr          = 10
	exitInternalError = 17
)

// ErrKicked is returned by Run after Kick.
var ErrKicked = errors.New("vCPU kicked")

// ErrFault is returned by Run when the guest touched memory that the host
// protects: a write to a read-only page.
var ErrFault = errors.New("host/guest translation fault")

// ExitKind says why the guest stopped running.
type ExitKind uint8

// The kinds of exits.
const (
	ExitCall      ExitKind = iota + 1 // hypercall: Number, Arg
	ExitPort                          // access to another I/O port: Number
	ExitMMIO                          // access to an address that is not memory: Addr
	ExitInternal                      // KVM's own failure: Number is the suberror
	ExitFailEntry                     // the processor refused the guest's state: Addr is the reason
	ExitOther                         // Number is KVM's exit reason
	ExitDebug                         // SetDebug's doing: an instruction is done, or a breakpoint reached
)

// Exit is one exit of the guest.
type Exit struct {
	Kind   ExitKind
	Number uint32
	Arg    uint64 // hypercall: guest-physical address of its record
	Addr   uint64
	Store  bool // port, address: one store of 32 bits, as a kick is
}

// VCPU is one of the machine's processors. Run belongs to one locked OS thread;
// Kick may come from anywhere.
type VCPU struct {
	vm  *VM
	fd  int
	run []byte
	tid atomic.Int32
}

// NewVCPU makes the machine's next processor: number 0, which boots, then 1
// and so on.
func (v *VM) NewVCPU() (*VCPU, error) {
	fd, err := ioctl(v.fd, createVCPU, uintptr(v.vcpus))
	if err != nil {
		return nil, fmt.Errorf("KVM: ioctl (CREATE_VCPU) failed: %w", err)
	}
	v.vcpus++
	c := &VCPU{vm: v, fd: int(fd)}
	c.run, err = unix.Mmap(c.fd, 0, v.runSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err == nil {
		err = c.prepare()
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("KVM: VCPU set-up: %w", err)
	}
	return c, nil
}

// FD is the processor's descriptor, for a filter.
func (c *VCPU) FD() int { return c.fd }

// Close destroys the processor; nothing may run it any more.
func (c *VCPU) Close() error {
	if c.run != nil {
		if err := unix.Munmap(c.run); err != nil {
			return err
		}
		c.run = nil
	}
	return unix.Close(c.fd)
}

// Kick makes a running or the next Run return ErrKicked, until Continue.
// The byte in the run record covers the moment before the processor enters
// the guest, the signal the time inside it. SIGURG is what the Go runtime
// itself sends to its threads, so its handler is there and ignores it.
func (c *VCPU) Kick() {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&c.run[0])), 1<<8*runImmediateExit)
	if tid := c.tid.Load(); tid != 0 {
		_ = unix.Tgkill(unix.Getpid(), int(tid), unix.SIGURG)
	}
}

// Run lets the guest run until its next exit. The caller has locked its OS
// thread. The exit path allocates nothing.
func (c *VCPU) Run() (Exit, error) {
	if c.tid.Load() == 0 {
		c.tid.Store(int32(unix.Gettid()))
	}
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(c.fd), ReqRun, 0)
		switch errno {
		case 0:
		case unix.EINTR, unix.EAGAIN:
			if c.run[runImmediateExit] != 0 {
				return Exit{}, ErrKicked
			}
			continue
		case unix.EFAULT:
			return Exit{}, ErrFault
		default:
			return Exit{}, fmt.Errorf("KVM: ioctl (RUN) failed: %w", errno)
		}
		if r := c.exitReason(); r != exitIntr {
			return c.exit(r), nil
		}
	}
}

func (c *VCPU) exitReason() uint32 { return binary.NativeEndian.Uint32(c.run[runExitReason:]) }

func (c *VCPU) exit(reason uint32) Exit {
	u := c.run[runUnion:]
	switch reason {
	case exitIO:
		return c.portExit(u)
	case exitMMIO:
		return c.mmioExit(u)
	case exitInternalError:
		return Exit{Kind: ExitInternal, Number: binary.NativeEndian.Uint32(u)}
	case exitFailEntry:
		return Exit{Kind: ExitFailEntry, Addr: binary.NativeEndian.Uint64(u)}
	case exitDebug:
		return Exit{Kind: ExitDebug, Number: exitDebug, Addr: uint64(binary.NativeEndian.Uint32(u))}
	}
	return Exit{Kind: ExitOther, Number: reason}
}

// mmio reads the union's mmio record.
func mmio(u []byte) (addr uint64, data uint64, size uint32, write bool) {
	return binary.NativeEndian.Uint64(u), binary.NativeEndian.Uint64(u[8:]),
		binary.NativeEndian.Uint32(u[16:]), u[20] != 0
}
