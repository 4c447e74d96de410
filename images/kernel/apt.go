package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// debianKeyring holds the keys of Debian's archive, from the package
// debian-archive-keyring, which Ubuntu has too.
const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// sources is where Debian 12 keeps its 6.12 kernels.
const sources = `deb [signed-by=%[1]s] http://deb.debian.org/debian-security bookworm-security main
deb [signed-by=%[1]s] http://deb.debian.org/debian bookworm-backports main
`

// deb is one downloaded package.
type deb struct{ Name, Version, File string }

// apt runs apt's programs with a set of options.
type apt struct{ options []string }

// download tries the machine's own package sources first, then, with a
// private configuration that touches nothing of the machine, Debian 12's.
func download(ctx context.Context, work, arch string) (*deb, error) {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s is needed to fetch the kernel package: %w", tool, err)
		}
	}
	own := apt{options: []string{"-o", "APT::Architecture=" + arch}}
	d, err := own.get(ctx, work, arch)
	if err == nil || !errors.Is(err, ErrNoPackage) {
		return d, err
	}
	private, err := privateApt(work, arch)
	if err != nil {
		return nil, err
	}
	if _, err := private.run(ctx, work, "apt-get", "update"); err != nil {
		return nil, err
	}
	return private.get(ctx, work, arch)
}

// privateApt makes a configuration of its own below work.
func privateApt(work, arch string) (apt, error) {
	dir := filepath.Join(work, "apt")
	for _, d := range []string{"lists/partial", "cache/archives/partial", "etc"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return apt{}, err
		}
	}
	if _, err := os.Stat(debianKeyring); err != nil {
		return apt{}, fmt.Errorf("install debian-archive-keyring: %w", err)
	}
	list := filepath.Join(dir, "etc", "sources.list")
	if err := os.WriteFile(list, fmt.Appendf(nil, sources, debianKeyring), 0o644); err != nil {
		return apt{}, err
	}
	status := filepath.Join(dir, "status")
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return apt{}, err
	}
	var o []string
	for _, s := range []string{
		"APT::Architecture=" + arch, "APT::Architectures=" + arch,
		"Dir::State=" + dir, "Dir::State::lists=" + filepath.Join(dir, "lists"), "Dir::State::status=" + status,
		"Dir::Cache=" + filepath.Join(dir, "cache"),
		"Dir::Etc::sourcelist=" + list, "Dir::Etc::sourceparts=-",
	} {
		o = append(o, "-o", s)
	}
	return apt{options: o}, nil
}

func (a apt) run(ctx context.Context, dir, tool string, args ...string) (string, error) {
	// As root apt downloads as a user who cannot write to the cache.
	all := append([]string{"-o", "APT::Sandbox::User=root"}, a.options...)
	c := exec.CommandContext(ctx, tool, append(all, args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", tool, args[0], err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// get downloads the newest kernel package that these sources have.
func (a apt) get(ctx context.Context, work, arch string) (*deb, error) {
	out, err := a.run(ctx, work, "apt-cache", "search", "--names-only", `^linux-image-6\.12.*-cloud-`+arch+`$`)
	if err != nil {
		return nil, err
	}
	name := newest(out, arch)
	if name == "" {
		return nil, ErrNoPackage
	}
	if _, err := a.run(ctx, work, "apt-get", "download", name); err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(work, name+"_*.deb"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("apt-get download %s left %d files, not one", name, len(found))
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(found[0]), name+"_"), "_")
	return &deb{Name: name, Version: version, File: found[0]}, nil
}

// newest picks the highest 6.12.N from apt-cache's lines "name - text".
// Backports name their packages 6.12.N+bpo, Debian 12 itself 6.12.N+deb12.
func newest(lines, arch string) string {
	re := regexp.MustCompile(`(?m)^(linux-image-6\.12\.(\d+)\+(?:deb12(?:\.\d+)?|bpo)-cloud-` + arch + `) `)
	best, name := -1, ""
	for _, m := range re.FindAllStringSubmatch(lines, -1) {
		if n, err := strconv.Atoi(m[2]); err == nil && n > best {
			best, name = n, m[1]
		}
	}
	return name
}

func unpack(ctx context.Context, file, dir string) error {
	out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", file, dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
