package tender

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
)

func fault(format string, a ...any) Exit {
	return Exit{Status: statusFault, Kind: Fault, Reason: fmt.Sprintf(format, a...)}
}

func internal(format string, a ...any) Exit {
	return Exit{Status: statusFault, Kind: Internal, Reason: fmt.Sprintf(format, a...)}
}

func killed() Exit { return Exit{Status: statusKilled, Kind: Killed, Reason: "stopped by order"} }

// ended explains an exit that is not a hypercall, in the reference's words.
func (m *Machine) ended(v *kvm.VCPU, x kvm.Exit, err error) Exit {
	switch {
	case errors.Is(err, kvm.ErrKicked):
		return killed()
	case errors.Is(err, kvm.ErrFault):
		return m.translationFault(v)
	case err != nil:
		return internal("%v", err)
	}
	switch x.Kind {
	case kvm.ExitPort:
		if x.Number == hvt.PortBase {
			return fault("Invalid guest hypercall: num=0")
		}
		return fault("Invalid guest port access: port=%#x", x.Number)
	case kvm.ExitInternal:
		return internal("KVM: internal error exit: suberror=%#x", x.Number)
	case kvm.ExitFailEntry:
		return internal("KVM: entry failure: hw_entry_failure_reason=%#x", x.Addr)
	case kvm.ExitMMIO:
		// A software KVM emulates a write to a protected page and hands it
		// up like an access to a device.
		if x.Addr < uint64(len(m.mem.b)) || m.ext.holds(x.Addr) {
			return m.translationFault(v)
		}
		if kvm.HypercallsByMMIO {
			return fault("Invalid guest mmio access: mmio=%#x", x.Addr)
		}
	}
	pc, err := v.PC()
	if err != nil {
		return internal("%v after unhandled exit", err)
	}
	return fault("KVM: unhandled exit: exit_reason=%#x, %s=%#x", x.Number, kvm.PCName, pc)
}

func (m *Machine) translationFault(v *kvm.VCPU) Exit {
	pc, err := v.PC()
	if err != nil {
		return internal("%v after guest fault", err)
	}
	return fault("KVM: host/guest translation fault: %s=%#x", kvm.PCName, pc)
}
