package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ProbeLimit is how long the probe may take. By working KVM it needs two
// seconds; some machines have a /dev/kvm on which QEMU hangs.
const ProbeLimit = 20 * time.Second

// probeCmdline makes init run one guest instruction and power off.
const probeCmdline = "console=ttyS0 quiet no_timer_check panic=-1 perilune.probe"

// Verdict is what to run the craft by, and why.
type Verdict struct {
	Accel  Accel
	Reason string
}

// ProbeConfig says what to probe with: the craft's own kernel and initramfs.
type ProbeConfig struct {
	Kernel, Initrd string
	Cache          string        // folder where the verdict is kept for this boot of the machine; "" keeps none
	Limit          time.Duration // 0: ProbeLimit
}

// Probe decides between KVM and TCG. KVM it is only if the craft's kernel
// boots by it and a virtual machine inside halts, all within the limit.
func Probe(ctx context.Context, c ProbeConfig) (Verdict, error) {
	if c.Limit == 0 {
		c.Limit = ProbeLimit
	}
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return Verdict{TCG, fmt.Sprintf("no KVM: %v", err)}, nil
	}
	kvm.Close()
	key := c.key()
	if v, ok := c.cached(key); ok {
		return v, nil
	}
	v, err := c.run(ctx)
	if err != nil {
		return Verdict{}, fmt.Errorf("probe KVM: %w", err)
	}
	c.remember(key, v)
	return v, nil
}

func (c ProbeConfig) run(ctx context.Context) (Verdict, error) {
	dir, err := os.MkdirTemp(c.Cache, "probe-")
	if err != nil {
		return Verdict{}, err
	}
	defer os.RemoveAll(dir)
	limited, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	log := filepath.Join(dir, "console.log")
	p, err := start(limited, Config{
		Dir: dir, Accel: KVM, MemoryMiB: 256, CPUs: 1, ConsoleLog: log,
		Kernel: c.Kernel, Initrd: c.Initrd, Cmdline: probeCmdline,
	})
	switch {
	case ctx.Err() != nil:
		return Verdict{}, ctx.Err()
	case limited.Err() != nil:
		return Verdict{TCG, fmt.Sprintf("QEMU by KVM did not start within %s", c.Limit)}, nil
	case errors.Is(err, exec.ErrNotFound):
		return Verdict{}, err
	case err != nil:
		return Verdict{TCG, "KVM does not work: " + firstLine(err.Error())}, nil
	}
	defer p.Kill()
	p.untilStopped(limited)
	if ctx.Err() != nil {
		return Verdict{}, ctx.Err()
	}
	text, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Verdict{}, err
	}
	return judge(string(text), p.stderr.String(), c.Limit), nil
}

// untilStopped waits for the machine's end, or for KVM giving up on it, which
// QEMU answers by stopping it for good.
func (p *Process) untilStopped(ctx context.Context) {
	for {
		select {
		case e, ok := <-p.QMP.Events():
			if !ok || e.Name == "STOP" {
				return
			}
		case <-p.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// judge reads what init said, and failing that QEMU.
func judge(console, qemu string, limit time.Duration) Verdict {
	if strings.Contains(console, "PROBE OK") {
		return Verdict{KVM, "the kernel boots by KVM and a nested guest halts"}
	}
	if _, after, ok := strings.Cut(console, "PROBE FAIL "); ok {
		return Verdict{TCG, "KVM does not nest: " + firstLine(after)}
	}
	if qemu != "" {
		return Verdict{TCG, "the kernel does not boot by KVM: " + firstLine(qemu)}
	}
	return Verdict{TCG, fmt.Sprintf("the kernel did not boot by KVM within %s", limit)}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

// key changes when the machine, its kernel's state, QEMU or ours does.
func (c ProbeConfig) key() string {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	key := strings.TrimSpace(string(boot)) + " " + filepath.Base(c.Kernel) + " " + c.Limit.String()
	if path, err := exec.LookPath(Program); err == nil {
		if st, err := os.Stat(path); err == nil {
			key += st.ModTime().UTC().Format(" 20060102T150405")
		}
	}
	return key
}

type cachedVerdict struct {
	Key string
	Verdict
}

func (c ProbeConfig) file() string { return filepath.Join(c.Cache, "probe.json") }

func (c ProbeConfig) cached(key string) (Verdict, bool) {
	var v cachedVerdict
	b, err := os.ReadFile(c.file())
	if c.Cache == "" || err != nil || json.Unmarshal(b, &v) != nil {
		return Verdict{}, false
	}
	return v.Verdict, v.Key == key && (v.Accel == KVM || v.Accel == TCG)
}

// remember keeps the verdict; a verdict that cannot be kept is found again.
func (c ProbeConfig) remember(key string, v Verdict) {
	if b, err := json.Marshal(cachedVerdict{key, v}); err == nil && c.Cache != "" {
		_ = os.WriteFile(c.file(), b, 0o644)
	}
}
