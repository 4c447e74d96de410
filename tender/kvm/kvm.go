// Package kvm is the little of Linux' KVM interface that an hvt guest needs:
// a virtual machine with one memory slot and virtual processors that start
// as the hvt contract says and whose exits are hypercalls or mistakes
// (Linux Documentation/virt/kvm/api.rst).
package kvm

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/perilune/perilune/hvt"
	"golang.org/x/sys/unix"
)

// Requests that both architectures share.
const (
	getAPIVersion    = 0xae00
	createVM         = 0xae01
	checkExtension   = 0xae03
	getVCPUMmapSize  = 0xae04
	createVCPU       = 0xae41
	setMemoryRegion  = 0x4020ae46
	ReqRun           = 0xae80 // KVM_RUN; a filter must let it through
	apiVersion       = 12
	capUserMemory    = 3
	capImmediateExit = 136
)

// ErrUnsupported is wrapped when the host's KVM lacks something.
var ErrUnsupported = errors.New("not supported by this host")

// System is an open /dev/kvm.
type System struct {
	f  *os.File
	fd int
}

// Open opens the device at path.
func Open(path string) (*System, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("Could not open: %s: %w", path, &os.PathError{Op: "open", Path: path, Err: err}) //nolint:revive // the reference's words
	}
	return New(os.NewFile(uintptr(fd), path))
}

// New takes over an open /dev/kvm and checks what every guest needs.
func New(f *os.File) (*System, error) {
	s := &System{f: f, fd: int(f.Fd())}
	v, err := ioctl(s.fd, getAPIVersion, 0)
	if err != nil {
		return nil, fmt.Errorf("KVM: ioctl (GET_API_VERSION) failed: %w", err)
	}
	if v != apiVersion {
		return nil, fmt.Errorf("KVM: API version is %d, solo5-hvt requires version %d: %w", v, apiVersion, ErrUnsupported)
	}
	for _, c := range append([]capability{
		{capUserMemory, "KVM_CAP_USER_MEMORY"},
		{capImmediateExit, "KVM_CAP_IMMEDIATE_EXIT"},
	}, archCapabilities...) {
		ok, err := s.has(c.number)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("KVM: host does not support %s: %w", c.name, ErrUnsupported)
		}
	}
	return s, nil
}

type capability struct {
	number uintptr
	name   string
}

func (s *System) has(number uintptr) (bool, error) {
	n, err := ioctl(s.fd, checkExtension, number)
	if err != nil {
		return false, fmt.Errorf("KVM: ioctl (KVM_CHECK_EXTENSION) failed: %w", err)
	}
	return n > 0, nil
}

// Close closes the device; machines made from it live on.
func (s *System) Close() error { return s.f.Close() }

// VM is one virtual machine. It belongs to the process that made it.
type VM struct {
	fd      int
	runSize int // octets of each processor's run record
	vcpus   int
	// Extended says that the guest may make the hypercalls of extended guests;
	// for any other one they are accesses to a wrong port or address.
	Extended bool
}

func (v *VM) takes(n hvt.Number) bool { return n.Valid() && (v.Extended || !n.Extended()) }

// NewVM makes an empty machine.
func (s *System) NewVM() (*VM, error) {
	fd, err := ioctl(s.fd, createVM, 0)
	if err != nil {
		return nil, fmt.Errorf("KVM: ioctl (CREATE_VM) failed: %w", err)
	}
	size, err := ioctl(s.fd, getVCPUMmapSize, 0)
	if err == nil && size < runMinSize {
		err = fmt.Errorf("KVM: invalid VCPU_MMAP_SIZE: %d", size)
	}
	if err != nil {
		unix.Close(int(fd))
		return nil, fmt.Errorf("KVM: VCPU set-up: %w", err)
	}
	return &VM{fd: int(fd), runSize: int(size)}, nil
}

// Close destroys the machine once its vCPUs are closed too.
func (v *VM) Close() error { return unix.Close(v.fd) }

// SetMemory makes mem the guest's physical memory from address 0. mem must
// come from mmap and outlive the machine.
func (v *VM) SetMemory(mem []byte) error { return v.setMemory(0, 0, mem) }

// AddMemory adds mem from address gpa, once.
func (v *VM) AddMemory(gpa uint64, mem []byte) error { return v.setMemory(1, gpa, mem) }

// AddShared adds mem from address gpa, once, beside the guest's own memory.
func (v *VM) AddShared(gpa uint64, mem []byte) error { return v.setMemory(2, gpa, mem) }

func (v *VM) setMemory(slot uint32, gpa uint64, mem []byte) error {
	region := struct {
		slot, flags     uint32
		gpa, size, addr uint64
	}{slot: slot, gpa: gpa, size: uint64(len(mem)), addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(mem))))}
	if _, err := ioctlPtr(v.fd, setMemoryRegion, unsafe.Pointer(&region)); err != nil {
		return fmt.Errorf("KVM: ioctl (SET_USER_MEMORY_REGION) failed: %w", err)
	}
	return nil
}

func ioctl(fd int, req, arg uintptr) (uintptr, error) {
	for {
		r, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), req, arg)
		if e == 0 {
			return r, nil
		}
		if e != unix.EINTR {
			return 0, e
		}
	}
}

func ioctlPtr(fd int, req uintptr, p unsafe.Pointer) (uintptr, error) {
	for {
		r, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), req, uintptr(p))
		if e == 0 {
			return r, nil
		}
		if e != unix.EINTR {
			return 0, e
		}
	}
}
