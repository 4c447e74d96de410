package jail

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// archCalls are calls the runtime makes on this architecture only.
var archCalls []uintptr
