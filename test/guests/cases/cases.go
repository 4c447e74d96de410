// Package cases runs hvt guests on a tender and holds what happens against
// expectations written in TOML: devices, command line, exit status, what is
// printed, what is on the disks afterwards.
package cases

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/config"
)

// File is one file of expectations, for one guest.
type File struct {
	About string `toml:"about"` // what of the contract it shows
	Build Build  `toml:"build"` // how the guest is made, where it is not there yet
	Case  []Case `toml:"case"`
}

// Build is what the guest's program needs besides its sources.
type Build struct {
	Block []string `toml:"block"` // devices declared, by name
	Net   []string `toml:"net"`
	Rings []string `toml:"rings"` // of those, the ones with a ring of depth 64 beside them

	Vectors bool `toml:"vectors"` // it uses floating point and vectors
}

// Case is one run of the guest.
type Case struct {
	Name    string   `toml:"name"`
	Arch    []string `toml:"arch"`  // of the host; empty: all
	KVM     string   `toml:"kvm"`   // of the host: hardware or software; empty: all
	Patch   []string `toml:"patch"` // changes to the program's file: see Patches
	Memory  *int     `toml:"mem"`   // MiB; 0: no --mem at all; default 16
	Options []string `toml:"options"`
	Args    []string `toml:"args"`
	Status  int      `toml:"status"`
	Stdout  *string  `toml:"stdout"` // all of it
	Prints  []string `toml:"prints"` // parts of it, in this order
	Stderr  *string  `toml:"stderr"` // all of it, behind the program's name
	Warns   []string `toml:"warns"`  // parts of it, in this order
	Seconds int      `toml:"seconds"`
	Beyond  bool     `toml:"beyond"` // solo5-hvt does otherwise: not tried on another tender
	Block   []Block  `toml:"block"`
	Net     []Net    `toml:"net"`
	Ask     []Ask    `toml:"ask"`  // put one after the other while the guest runs
	Stop    bool     `toml:"stop"` // SIGTERM to the tender once all is answered: the guest does not end by itself
	Core    bool     `toml:"core"` // the guest must leave a core file, by --dumpcore
}

// Block is a block device on a new file.
type Block struct {
	Name   string `toml:"name"`
	Size   int64  `toml:"size"`   // octets
	Sector int    `toml:"sector"` // octets; 0: not told to the tender
	Before []Span `toml:"before"`
	After  []Span `toml:"after"`
}

// Span is text at an offset of a file.
type Span struct {
	At   int64  `toml:"at"`
	Text string `toml:"text"`
}

// Net is a network device whose other side returns every frame, or stays
// silent.
type Net struct {
	Name   string `toml:"name"`
	Kind   string `toml:"kind"` // tap, tapfd (a tap by descriptor), socket (by descriptor)
	MTU    int    `toml:"mtu"`  // of a tap
	MAC    string `toml:"mac"`
	Silent bool   `toml:"silent"`

	Address string `toml:"address"` // of the host on a tap, as 10.0.0.1/24; empty: none
}

const (
	defaultMemory  = 16
	defaultSeconds = 60
)

// Load reads a file of expectations.
func Load(path string) (*File, error) {
	f := &File{}
	if err := config.Load(path, f); err != nil {
		return nil, err
	}
	if len(f.Case) == 0 {
		f.Case = []Case{{Name: "runs"}}
	}
	for i := range f.Case {
		if err := f.Case[i].check(); err != nil {
			return nil, fmt.Errorf("%s: case %d: %w", path, i+1, err)
		}
	}
	return f, nil
}

// Default is what is expected of a guest without a file: that it succeeds.
func Default() *File { return &File{Case: []Case{{Name: "runs"}}} }

func (c *Case) check() error {
	if c.Name == "" {
		return errors.New("it has no name")
	}
	if c.Status < 0 || c.Status > 255 {
		return fmt.Errorf("status %d is none", c.Status)
	}
	if !slices.Contains([]string{"", hardware, software}, c.KVM) {
		return fmt.Errorf("kvm %q: want hardware or software", c.KVM)
	}
	for _, b := range c.Block {
		if !hvt.ValidDeviceName(b.Name) || b.Size < 0 || b.Size > 1<<30 {
			return fmt.Errorf("block %q of %d octets: want a device name and at most 1 GiB", b.Name, b.Size)
		}
	}
	for _, n := range c.Net {
		if !hvt.ValidDeviceName(n.Name) || !slices.Contains([]string{"tap", "tapfd", "socket"}, n.Kind) {
			return fmt.Errorf("net %q of kind %q: want a device name and tap, tapfd or socket", n.Name, n.Kind)
		}
		if p, err := netip.ParsePrefix(n.Address); n.Address != "" && (err != nil || !p.Addr().Is4() || n.Kind == "socket") {
			return fmt.Errorf("net %q: address %q: want an IPv4 address with its prefix, of a tap or tapfd", n.Name, n.Address)
		}
	}
	for _, a := range c.Ask {
		if err := a.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Case) memory() int {
	if c.Memory == nil {
		return defaultMemory
	}
	return *c.Memory
}

func (c *Case) limit() time.Duration {
	if c.Seconds == 0 {
		return defaultSeconds * time.Second
	}
	return time.Duration(c.Seconds) * time.Second
}

// SkipError says why a case cannot run on this machine.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return e.Reason }

// Kinds of KVM. A software one emulates what a guest does in ring 0, and not every
// instruction.
const (
	hardware = "hardware"
	software = "software"
)

// hostKVM is this host's kind. On amd64 the processor tells the kernel whether it can run
// guests; a KVM without that is a software one.
var hostKVM = sync.OnceValue(func() string {
	if runtime.GOARCH != "amd64" {
		return hardware
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return hardware
	}
	if words := strings.Fields(string(text)); slices.Contains(words, "vmx") || slices.Contains(words, "svm") {
		return hardware
	}
	return software
})

// Runnable says with a SkipError why no guest can run here at all.
func Runnable() error {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return &SkipError{fmt.Sprintf("needs /dev/kvm: %v; in the nest (NEST=amd64 or arm64) it runs emulated", err)}
	}
	return f.Close()
}
