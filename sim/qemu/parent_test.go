package qemu_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/sim/qemu"
)

// parentEnv makes this test's binary start a machine in that folder, say its
// number and wait.
const parentEnv = "PERILUNE_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" {
		p, err := qemu.Start(context.Background(), empty(dir))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		_ = p.Wait()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// empty is a machine with nothing on its disk.
func empty(dir string) qemu.Config {
	return qemu.Config{Dir: dir, Accel: qemu.TCG, MemoryMiB: 64, CPUs: 1, Disk: filepath.Join(dir, "disk.img")}
}

func emptyDisk(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath(qemu.Program); err != nil {
		t.Skipf("needs QEMU: %v: run 'perilune doctor --install'", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "disk.img"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Whoever starts a machine and is killed leaves nothing running.
func TestDiesWithParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self)
	parent.Env = append(os.Environ(), parentEnv+"="+emptyDisk(t))
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent says %q", line)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	for end := time.Now().Add(3 * time.Minute); running(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("QEMU outlived its parent")
		}
	}
}

// running says whether the process is there and not a zombie.
func running(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func TestEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p, err := qemu.Start(ctx, empty(emptyDisk(t)))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := p.Wait(); err == nil {
		t.Error("a machine that was killed ended well")
	}
	p.Kill() // once more does no harm
	if err := unix.Kill(p.PID(), 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("QEMU is still there: %v", err)
	}
}

func TestQuitEndsWell(t *testing.T) {
	dir := emptyDisk(t)
	p, err := qemu.Start(context.Background(), empty(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Quit(); err != nil {
		t.Errorf("quit: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.sock"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	c := empty(emptyDisk(t))
	c.Disk = "/no/such/disk"
	if _, err := qemu.Start(context.Background(), c); err == nil || !strings.Contains(err.Error(), "/no/such/disk") {
		t.Errorf("%v", err)
	}
}
