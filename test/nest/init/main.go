// Init is the nest's PID 1: it mounts, loads modules, runs the jobs one after the other,
// says on a port how each went, and powers off. When it fails the kernel panics, which the
// machine around it sees.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/u-root/u-root/pkg/kmodule"
	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/test/nest/wire"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: this is the nest's PID 1; it runs nowhere else")
		os.Exit(2)
	}
	if err := run(); err != nil {
		panic(err) // to the console
	}
	panic(unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

func run() error {
	if err := mounts(); err != nil {
		return err
	}
	if err := modules(); err != nil {
		return err
	}
	if err := disk(); err != nil {
		return err
	}
	if err := loopback(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	text, err := os.ReadFile(wire.JobsPath)
	if err != nil {
		return err
	}
	var jobs []wire.Job
	if err := json.Unmarshal(text, &jobs); err != nil {
		return err
	}
	port, err := openPort(2 * time.Minute)
	if err != nil {
		return err
	}
	say := &speaker{out: json.NewEncoder(port)}
	for i, j := range jobs {
		if err := say.job(i, j); err != nil {
			return err
		}
	}
	return port.Close()
}

func mounts() error {
	for _, m := range []struct{ kind, target, options string }{
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"devtmpfs", "/dev", "mode=0755"},
		{"tmpfs", "/run", "mode=0755"}, {"tmpfs", "/tmp", "mode=1777"},
		{"cgroup2", "/sys/fs/cgroup", "nsdelegate"},
	} {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.target, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	// Guests of 4 GiB touch little of it, but a small machine would not promise them so much.
	if err := os.WriteFile("/proc/sys/vm/overcommit_memory", []byte("1"), 0); err != nil {
		return err
	}
	return os.Symlink("/proc/self/fd", "/dev/fd") // for shells
}

// modules loads all, in the order of their names.
func modules() error {
	paths, err := filepath.Glob("/lib/modules/*.ko")
	for _, p := range paths {
		f, openErr := os.Open(p)
		if openErr != nil {
			return openErr
		}
		if err := kmodule.FileInit(f, "", 0); err != nil {
			return fmt.Errorf("module %s: %w", p, err)
		}
		f.Close()
	}
	return err
}

// disk mounts the machine's, if it has one.
func disk() error {
	if _, err := os.Stat(wire.DiskDevice); os.IsNotExist(err) {
		return nil
	}
	if err := os.Mkdir(wire.DiskPath, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(wire.DiskDevice, wire.DiskPath, "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", wire.DiskDevice, err)
	}
	return nil
}

// loopback brings up the interface lo.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// openPort waits for the port: the kernel makes it when the other side is known.
func openPort(wait time.Duration) (*os.File, error) {
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if b, err := os.ReadFile(n); err == nil && strings.TrimSpace(string(b)) == wire.PortName {
				return os.OpenFile("/dev/"+filepath.Base(filepath.Dir(n)), os.O_RDWR, 0)
			}
		}
	}
	return nil, fmt.Errorf("no virtio port named %s", wire.PortName)
}

// speaker runs jobs and says what they say. The job's output is copied by one goroutine,
// which has ended when the job's end is told.
type speaker struct {
	out *json.Encoder
	now int
}

// Write takes output of the job that runs.
func (s *speaker) Write(b []byte) (int, error) {
	return len(b), s.out.Encode(wire.Message{Job: s.now, Output: b})
}

func (s *speaker) job(i int, j wire.Job) error {
	s.now = i
	if j.Seconds == 0 {
		j.Seconds = wire.DefaultSeconds
	}
	cmd := exec.Command(j.Args[0], j.Args[1:]...)
	cmd.Dir = j.Dir
	cmd.Env = append([]string{"PATH=/bin", "HOME=/tmp", "TMPDIR=/tmp"}, j.Env...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s, s, 5*time.Second
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	m := wire.Message{Job: i, Done: true}
	if err := cmd.Start(); err != nil {
		m.Status, m.Error = -1, err.Error()
		return s.out.Encode(m)
	}
	stop := limit(j.Seconds, func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	err := cmd.Wait()
	late := stop()
	switch m.Status = cmd.ProcessState.ExitCode(); {
	case late:
		m.Status, m.Error = -1, fmt.Sprintf("killed after %d s", j.Seconds)
	case m.Status < 0:
		m.Error = cmd.ProcessState.String()
	case err != nil && m.Status == 0:
		m.Error = err.Error()
	}
	return s.out.Encode(m)
}

// limit calls kill after so many seconds, unless it is stopped before, and stop says whether it
// did. They are counted one by one: on emulated arm64 a single timer of ten minutes was seen to
// end after half a minute, by a leap of the clock, which costs one second here.
func limit(seconds int, kill func()) (stop func() (late bool)) {
	done, killed := make(chan struct{}), make(chan bool, 1)
	go func() {
		for range seconds {
			select {
			case <-done:
				killed <- false
				return
			case <-time.After(time.Second):
			}
		}
		kill()
		killed <- true
	}()
	return func() bool {
		close(done)
		return <-killed
	}
}
