// Package nest runs programs, and hvt guests by them, on a Linux with KVM inside an emulated
// machine: the one way to run guests of the other architecture, and guests whose
// instructions this machine's KVM does not know. One boot runs many jobs.
//
// The machine is QEMU's by TCG: amd64 with AMD's virtualisation and kvm-amd, arm64 from EL2.
// Its kernel is the craft's, its root folder an archive of static programs. Times mean
// nothing in it.
package nest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/perilune/perilune/images/kernel"
	"github.com/perilune/perilune/test/nest/wire"
)

// Config says what is in the nest and what to do there.
type Config struct {
	Arch     string            // amd64 or arm64
	Cache    string            // folder of downloads, out/cache
	Programs map[string]string // path in the nest → executable here
	Files    map[string]string // path in the nest → file here
	Jobs     []wire.Job
	Disk     string        // image of an ext4 file system here, mounted at wire.DiskPath; "": none
	Clock    time.Time     // wall clock at the boot; zero: this machine's
	Output   io.Writer     // gets what jobs print, as they print it; nil: nobody
	Limit    time.Duration // of all, from the boot on; 0: DefaultLimit

	// Counted lets the nest's clocks count its instructions instead of following this
	// machine's: what is timed in there comes out the same however busy this machine is, and
	// sleeping takes no time. One thread then emulates all processors.
	Counted bool
}

// DefaultLimit is for a boot and a few jobs on a loaded machine.
const DefaultLimit = 10 * time.Minute

// Result is how a job ended.
type Result struct {
	Status int    // exit code; -1: see Error
	Error  string // why it did not start, or did not end by itself
	Output string // what it printed
}

// ErrEnded says that the nest ended before its jobs did: its kernel panicked or hung. The
// message has the console's last lines.
var ErrEnded = errors.New("the nest ended before its jobs")

// maxLine bounds a message's line: a pipe's worth of output as base64, with room.
const maxLine = 1 << 20

// Run boots a nest, runs the jobs in their order and gives a result for each. Then its power is
// cut: of the disk there is what was synced. With an error
// the results are those of the jobs that ended before it.
func Run(ctx context.Context, c Config) ([]Result, error) {
	dir, err := os.MkdirTemp("", "nest-")
	if err != nil {
		return nil, fmt.Errorf("nest: %w", err)
	}
	defer os.RemoveAll(dir)
	results, err := run(ctx, dir, c)
	if err != nil {
		return results, fmt.Errorf("nest %s: %w", c.Arch, err)
	}
	return results, nil
}

func run(ctx context.Context, dir string, c Config) ([]Result, error) {
	if machines[c.Arch].program == "" {
		return nil, fmt.Errorf("want amd64 or arm64, not %q", c.Arch)
	}
	k, err := kernel.Fetch(ctx, c.Cache, c.Arch)
	if err != nil {
		return nil, err
	}
	initrd := filepath.Join(dir, "initramfs.cpio")
	if err := c.archive(ctx, dir, initrd, k); err != nil {
		return nil, err
	}
	if c.Limit == 0 {
		c.Limit = DefaultLimit
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, err := c.boot(ctx, dir, k.Image, initrd)
	if err != nil {
		return nil, err
	}
	defer m.kill()
	defer time.AfterFunc(c.Limit, cancel).Stop()
	results, err := c.listen(m.port)
	if len(results) == len(c.Jobs) {
		return results, nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("no end after %v", c.Limit)
	}
	m.kill()
	if err == nil {
		err = m.err
	}
	return results, fmt.Errorf("%w: %d of %d done: %v\n%s", ErrEnded, len(results), len(c.Jobs), err, m.lastWords())
}

// listen takes messages until the port closes, which the machine's end does.
func (c Config) listen(port io.Reader) (results []Result, err error) {
	var output bytes.Buffer
	lines := bufio.NewScanner(port)
	lines.Buffer(nil, maxLine)
	for len(results) < len(c.Jobs) && lines.Scan() {
		var m wire.Message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return results, fmt.Errorf("message: %w", err)
		}
		if m.Job != len(results) {
			return results, fmt.Errorf("message of job %d during job %d", m.Job, len(results))
		}
		output.Write(m.Output)
		if c.Output != nil {
			if _, err := c.Output.Write(m.Output); err != nil {
				return results, err
			}
		}
		if m.Done {
			results = append(results, Result{Status: m.Status, Error: m.Error, Output: output.String()})
			output.Reset()
		}
	}
	return results, lines.Err()
}
