package spawn

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// cpuPeriod is the period of cpu.max in microseconds.
const cpuPeriod = 100_000

// makeCgroup makes the folder and writes its limits. A limit whose controller
// is not there is an error: a slot without its walls must not start.
func makeCgroup(dir string, l Limits) (*os.File, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	set := func(file, value string) error {
		// Not os.WriteFile, which would make the file where there is none.
		f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		defer f.Close()
		if _, err := f.WriteString(value); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		return nil
	}
	if l.MemoryMax > 0 {
		if err := set("memory.max", strconv.FormatInt(l.MemoryMax, 10)); err != nil {
			return nil, err
		}
	}
	if l.CPUMaxPercent > 0 {
		if err := set("cpu.max", fmt.Sprintf("%d %d", l.CPUMaxPercent*cpuPeriod/100, cpuPeriod)); err != nil {
			return nil, err
		}
	}
	if l.PidsMax > 0 {
		if err := set("pids.max", strconv.Itoa(l.PidsMax)); err != nil {
			return nil, err
		}
	}
	return os.Open(dir)
}
