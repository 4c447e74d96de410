package sdk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/perilune/perilune/hvt"
)

// ErrCompile is wrapped when clang or lld refuses the program; the message
// has what they said.
var ErrCompile = errors.New("the program does not compile")

// Project is one program to build.
type Project struct {
	Dir      string       // the mission's folder; sources are relative to it
	Name     string       // of the program, in messages
	Sources  []string     // C (.c) and assembly (.S) files
	Manifest hvt.Manifest // devices, as mission.toml declares them
	Arch     string       // "amd64" or "arm64"
	Out      string       // the program's path; default Dir/build/Name.hvt
	TempDir  string       // for objects; default the system's
	Debug    bool         // keep symbols and lines for gdb
	Vectors  bool         // let the program's sources use floating point and vectors; hosts that emulate ring 0 refuse them
	Warnings io.Writer    // what the tools say of a build that succeeds; nil: nobody
}

// targets are the compiler's flags by architecture.
var targets = map[string][]string{
	"amd64": {"--target=x86_64-unknown-none-elf", "-mcmodel=small", "-mno-red-zone"},
	"arm64": {"--target=aarch64-unknown-none-elf", "-mstrict-align"},
}

// integers keeps a compiler to integer registers, as the library and nearly all guests want
// it: hosts that emulate ring 0 know no vector instructions.
const integers = "-mgeneral-regs-only"

// common flags: C11 without a host, small, and the same octets each time.
var common = []string{
	"-std=c11", "-ffreestanding", "-nostdlibinc", "-O2", "-fno-pic", "-fno-pie", "-ftls-model=local-exec",
	"-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections",
	"-fno-common", "-fomit-frame-pointer", "-fno-ident", "-Wall", "-Wextra", "-fno-color-diagnostics", "-Wno-unused-command-line-argument",
	"-fdebug-compilation-dir=.",
}

// Build compiles p with the SDK's library and links it. The result depends on
// the sources, the manifest, the architecture and the tools alone: two builds
// in two places are the same octets. It returns the program's path. Errors
// are ErrTools, ErrCompile with the tools' words, or those of the files.
func Build(ctx context.Context, p Project) (kernelPath string, err error) {
	if err := p.check(); err != nil {
		return "", fmt.Errorf("build %s: %w", p.Name, err)
	}
	t, err := findTools()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", p.Name, err)
	}
	tmp, err := os.MkdirTemp(p.TempDir, "perilune-build-")
	if err != nil {
		return "", fmt.Errorf("build %s: %w", p.Name, err)
	}
	defer os.RemoveAll(tmp)
	if err := build(ctx, p, t, tmp); err != nil {
		return "", fmt.Errorf("build %s: %w", p.Name, err)
	}
	return p.out(), nil
}

func (p Project) out() string {
	if p.Out != "" {
		return p.Out
	}
	return filepath.Join(p.Dir, "build", p.Name+".hvt")
}

func (p Project) check() error {
	if targets[p.Arch] == nil {
		return fmt.Errorf("architecture %q: want amd64 or arm64", p.Arch)
	}
	if len(p.Sources) == 0 {
		return errors.New("no sources")
	}
	for _, s := range p.Sources {
		if ext := path.Ext(s); ext != ".c" && ext != ".S" {
			return fmt.Errorf("source %q: want a .c or .S file", s)
		}
		if !filepath.IsLocal(s) {
			return fmt.Errorf("source %q is not inside the project", s)
		}
		if _, err := os.Stat(filepath.Join(p.Dir, s)); err != nil {
			return fmt.Errorf("source %q: %w", s, errors.Unwrap(err))
		}
	}
	return nil
}

func build(ctx context.Context, p Project, t tools, tmp string) error {
	for _, name := range []string{"include", "lib", "link"} {
		if err := unpack(tmp, name); err != nil {
			return err
		}
	}
	notes, err := notesSource(p.Manifest)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "lib", "notes.c"), notes, 0o644); err != nil {
		return err
	}
	objects, err := compile(ctx, p, t, tmp)
	if err != nil {
		return err
	}
	return link(ctx, p, t, tmp, objects)
}

// libSources lists the library's files for arch, relative to the SDK.
func libSources(arch string) ([]string, error) {
	entries, err := files.ReadDir("lib")
	if err != nil {
		return nil, err
	}
	sources := []string{"lib/notes.c"}
	for _, e := range entries {
		base, isC := strings.CutSuffix(e.Name(), ".c")
		_, only, special := strings.Cut(base, "_")
		if isC && (!special || only == arch) {
			sources = append(sources, path.Join("lib", e.Name()))
		}
	}
	return sources, nil
}

// compile makes one object a source, a few at a time. Each compiler runs in
// the folder of its sources and is given relative names, so that no path of
// this machine can reach the object.
func compile(ctx context.Context, p Project, t tools, tmp string) ([]string, error) {
	lib, err := libSources(p.Arch)
	if err != nil {
		return nil, err
	}
	var objects []string
	talk := &talk{to: p.Warnings}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(2, runtime.NumCPU()))
	start := func(dir, source string, extra ...string) {
		object := filepath.Join(tmp, strconv.Itoa(len(objects))+".o")
		objects = append(objects, object)
		g.Go(func() error {
			args := append(p.flags(tmp), extra...)
			return talk.run(ctx, dir, t.clang, append(args, "-c", "-o", object, source)...)
		})
	}
	for _, s := range lib {
		start(tmp, s, integers, "-Ilib", "-Wno-builtin-requires-header")
	}
	own := []string{integers, "-I."}
	if p.Vectors {
		own = own[1:]
	}
	for _, s := range p.Sources {
		start(p.Dir, filepath.FromSlash(s), own...)
	}
	return objects, g.Wait()
}

func (p Project) flags(tmp string) []string {
	args := append([]string(nil), targets[p.Arch]...)
	args = append(args, common...)
	if p.Debug {
		args = append(args, "-g")
	}
	return append(args, "-isystem", filepath.Join(tmp, "include"), "-ffile-prefix-map="+tmp+"=sdk")
}

func link(ctx context.Context, p Project, t tools, tmp string, objects []string) error {
	args := []string{
		"-T", filepath.Join(tmp, "link", "guest.ld"), "-static", "-nostdlib", "--build-id=none", "--gc-sections",
		"--no-rosegment", "-z", "noexecstack", "-z", "max-page-size=4096", "--threads=1",
	}
	if !p.Debug { // with it there are sections that guest.ld does not name
		args = append(args, "--strip-all", "--orphan-handling=error")
	}
	linked := filepath.Join(tmp, "kernel")
	talk := &talk{to: p.Warnings}
	if err := talk.run(ctx, tmp, t.lld, append(append(args, "-o", linked), objects...)...); err != nil {
		return err
	}
	return install(linked, p.out())
}

// install puts the program in its place in one step, so that nobody reads half.
func install(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(to+".tmp", data, 0o755); err != nil {
		return err
	}
	return os.Rename(to+".tmp", to)
}

// talk passes on what tools say, one at a time.
type talk struct {
	lock sync.Mutex
	to   io.Writer
}

// run starts a tool in dir; when it fails, its words are the error.
func (t *talk) run(ctx context.Context, dir, tool string, args ...string) error {
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SOURCE_DATE_EPOCH=0")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	switch {
	case err == nil:
		t.pass(said.Bytes())
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case said.Len() > 0:
		return fmt.Errorf("%w:\n%s", ErrCompile, strings.TrimSpace(said.String()))
	}
	return fmt.Errorf("%w: %s: %w", ErrCompile, filepath.Base(tool), err)
}

// pass is best effort: a build does not fail because nobody listens.
func (t *talk) pass(said []byte) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.to != nil && len(said) > 0 {
		_, _ = t.to.Write(said)
	}
}
