package jail

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// archCalls are calls the runtime makes on this architecture only. Calls of
// the x32 ABI have other numbers and so are not allowed.
var archCalls = []uintptr{unix.SYS_EPOLL_WAIT, unix.SYS_ARCH_PRCTL}
