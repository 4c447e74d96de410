package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/project"
	"github.com/perilune/perilune/sim/story"
)

// world is the story's view of a session.
type world struct{ s *session }

func (w *world) Client() *client.Client { return w.s.api }
func (w *world) Space() story.Space     { return w.s.space }
func (w *world) Dir() string            { return w.s.dir }

func (w *world) Reset(ctx context.Context) error { return w.s.machine.Reset(ctx) }

// Booted waits for the first word of init on the console.
func (w *world) Booted(ctx context.Context) (string, error) {
	for wait(ctx, consolePoll) {
		data, err := os.ReadFile(w.s.path("console.log"))
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(data)) {
			if at := strings.Index(line, "init: "); at >= 0 && strings.HasSuffix(line, "\n") {
				return strings.TrimSpace(line[at:]), nil
			}
		}
	}
	return "", fmt.Errorf("no word of init on the console: %w", context.Cause(ctx))
}

func (w *world) Example(mission, file string) string {
	return filepath.Join(w.s.opt.Example, mission, file)
}

// Bundle builds an example mission's bundle below the output folder.
func (w *world) Bundle(ctx context.Context, mission string, how story.Make) (string, error) {
	p, err := project.Open(filepath.Join(w.s.opt.Example, mission))
	if err != nil {
		return "", err
	}
	dev, err := grant.DevKeys(keysDir(w.s.opt.Out))
	if err != nil {
		return "", err
	}
	key, err := dev.Tenant(p.Mission.Tenant)
	if how == story.Stranger {
		key, err = grant.NewKey(grant.Tenant)
	}
	if err != nil {
		return "", err
	}
	dir := filepath.Join(w.s.opt.Out, "build", "missions")
	kernel := filepath.Join(dir, fmt.Sprintf("story-%s-%d.hvt", mission, how))
	if err := p.Compile(ctx, "amd64", kernel); err != nil {
		return "", err
	}
	if how == story.Damaged {
		if err := damage(kernel); err != nil {
			return "", err
		}
	}
	out := filepath.Join(dir, fmt.Sprintf("story-%s-%d.tar", mission, how))
	_, err = p.Pack(out, map[string]string{"amd64": kernel}, key)
	return out, err
}

// invalid is x86's ud2: a guest that meets it ends at once.
var invalid = []byte{0x0f, 0x0b}

// damage overwrites a program's first instruction.
func damage(kernel string) error {
	f, err := os.OpenFile(kernel, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	img, err := hvt.ReadImage(f, st.Size())
	if err != nil {
		return err
	}
	for _, seg := range img.Segments {
		if img.Entry >= seg.Vaddr && img.Entry+2 <= seg.Vaddr+seg.Filesz {
			_, err := f.WriteAt(invalid, int64(seg.Offset+img.Entry-seg.Vaddr))
			return err
		}
	}
	return fmt.Errorf("%s: entry point %#x is in no segment", kernel, img.Entry)
}
