package spawn

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// cpuPeriod is the period of cpu.max in microseconds.
const cpuPeriod = 100_000

// Limits of the slot's cgroup; 0 means no limit.
type Limits struct {
	MemoryMax     int64 // octets, guest and tender together
	CPUMaxPercent int   // of one processor
	CPUWeight     int   // among its siblings, 1 to 10000
	PidsMax       int
	IOMax         uint64 // octets a second, read and written each
	IODevice      string // "major:minor" of the whole disk that IOMax is for
}

// Limit writes l to the cgroup folder dir, in which a slot may be living
// already. A limit whose controller is not there is an error: a guest without
// its walls must not start.
func Limit(dir string, l Limits) error {
	type line struct{ file, value string }
	var lines []line
	if l.MemoryMax > 0 {
		lines = append(lines, line{"memory.max", strconv.FormatInt(l.MemoryMax, 10)})
	}
	if l.CPUMaxPercent > 0 {
		lines = append(lines, line{"cpu.max", fmt.Sprintf("%d %d", l.CPUMaxPercent*cpuPeriod/100, cpuPeriod)})
	}
	if l.CPUWeight > 0 {
		lines = append(lines, line{"cpu.weight", strconv.Itoa(l.CPUWeight)})
	}
	if l.PidsMax > 0 {
		lines = append(lines, line{"pids.max", strconv.Itoa(l.PidsMax)})
	}
	if l.IOMax > 0 {
		lines = append(lines, line{"io.max", fmt.Sprintf("%s rbps=%d wbps=%d", l.IODevice, l.IOMax, l.IOMax)})
	}
	for _, x := range lines {
		// Not os.WriteFile, which would make the file where there is none.
		f, err := os.OpenFile(filepath.Join(dir, x.file), os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		_, err = f.WriteString(x.value)
		f.Close()
		if err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
	}
	return nil
}

// makeCgroup makes the folder and writes its limits.
func makeCgroup(dir string, l Limits) (*os.File, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	if err := Limit(dir, l); err != nil {
		return nil, err
	}
	return os.Open(dir)
}
