package jail

import (
	"os"

	"golang.org/x/sys/unix"
)

// Ioctl is one request a filter lets through, on one descriptor, or on any if
// FD is negative.
type Ioctl struct {
	FD      int
	Request uint32
}

// threadFlags is how the Go runtime makes a thread, and nothing else.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND |
	unix.CLONE_SYSVSEM | unix.CLONE_THREAD

// runtimeCalls adds what the Go runtime needs to live: memory without
// execution, threads but no processes, signals to itself, its poller.
func (f *Filter) runtimeCalls() {
	f.Allow(
		unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_SCHED_YIELD,
		unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SCHED_GETAFFINITY,
		unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_MINCORE,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
		unix.SYS_RESTART_SYSCALL,
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE,
		unix.SYS_CLOCK_GETTIME, unix.SYS_GETRANDOM,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	)
	// New memory only, and none that can be executed.
	f.allowIf(unix.SYS_MMAP, test{arg: 2, mask: unix.PROT_EXEC},
		test{arg: 3, mask: unix.MAP_ANONYMOUS, want: unix.MAP_ANONYMOUS})
	f.allowIf(unix.SYS_MPROTECT, test{arg: 2, mask: unix.PROT_EXEC})
	f.allowIf(unix.SYS_CLONE, test{arg: 0, mask: ^uint32(unix.CLONE_SETTLS), want: threadFlags})
	f.allowIf(unix.SYS_TGKILL, test{arg: 0, want: uint32(os.Getpid())})
	for _, n := range archCalls {
		f.Allow(n)
	}
}

// Waiting is the filter of a slot that waits for its Claim on the control
// socket: it may receive files there, set up the guest with the given
// requests and install the next filter, but open nothing. Filters add up:
// what this one forbids, Running cannot give back.
func Waiting(control int, requests []Ioctl) *Filter {
	f := &Filter{}
	f.runtimeCalls()
	f.Allow(
		unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_PREADV, unix.SYS_PWRITEV, unix.SYS_LSEEK, unix.SYS_FSTAT, unix.SYS_PPOLL,
		unix.SYS_FSYNC,
	)
	f.allowIf(unix.SYS_PRLIMIT64, test{arg: 0, want: 0}, test{arg: 1, want: unix.RLIMIT_FSIZE})
	// The run record of one more vCPU; what else is mapped so could be read and
	// written anyhow.
	f.allowIf(unix.SYS_MMAP, test{arg: 2, mask: unix.PROT_EXEC}, test{arg: 3, want: unix.MAP_SHARED})
	f.allowIf(unix.SYS_RECVMSG, test{arg: 0, want: uint32(control)})
	f.allowIf(unix.SYS_FCNTL, test{arg: 1, want: unix.F_GETFL})
	f.allowIf(unix.SYS_FCNTL, test{arg: 1, want: unix.F_SETFL})
	for _, q := range requests {
		f.ioctl(q)
	}
	f.allowIf(unix.SYS_PRCTL, test{arg: 0, want: unix.PR_SET_NO_NEW_PRIVS})
	f.allowIf(unix.SYS_SECCOMP, test{arg: 0, want: unix.SECCOMP_SET_MODE_FILTER},
		test{arg: 1, want: unix.SECCOMP_FILTER_FLAG_TSYNC})
	return f
}

// Running is the filter of a guest that runs: the hypercalls of its devices
// and the given requests, no new descriptors and no further filter.
func Running(requests []Ioctl, blocks []int) *Filter {
	f := &Filter{rules: make([]rule, 0, usualRules)}
	for _, q := range requests {
		f.ioctl(q) // first: KVM_RUN is the one that counts
	}
	f.runtimeCalls()
	f.Allow(unix.SYS_PPOLL)
	for _, fd := range blocks {
		for _, call := range [...]uintptr{unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_PREADV, unix.SYS_PWRITEV} {
			f.allowIf(call, test{arg: 0, want: uint32(fd)})
		}
	}
	return f
}

// Save lets a snapshot be written to a file and synced, beside the disks.
func (f *Filter) Save(file int, blocks []int) {
	f.allowIf(unix.SYS_PWRITE64, test{arg: 0, want: uint32(file)})
	for _, fd := range append([]int{file}, blocks...) {
		f.allowIf(unix.SYS_FSYNC, test{arg: 0, want: uint32(fd)})
	}
}

// Accept lets connections in on a socket that listens, and new descriptors be
// asked for their flags, as the Go runtime does.
func (f *Filter) Accept(listener int) {
	f.allowIf(unix.SYS_ACCEPT4, test{arg: 0, want: uint32(listener)})
	f.allowIf(unix.SYS_FCNTL, test{arg: 1, want: unix.F_GETFL})
}

func (f *Filter) ioctl(q Ioctl) {
	if q.FD < 0 {
		f.allowIf(unix.SYS_IOCTL, test{arg: 1, want: q.Request})
		return
	}
	f.allowIf(unix.SYS_IOCTL, test{arg: 0, want: uint32(q.FD)}, test{arg: 1, want: q.Request})
}
