// Package debian fetches packages of Debian 12 for either architecture by apt and unpacks
// them, without installing anything: the craft's kernel, and programs for machines that
// tests emulate.
package debian

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Keyring holds the keys of Debian's archive, from the package debian-archive-keyring,
// which Ubuntu has too.
const Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// Source is a part of Debian's archive.
type Source struct{ Archive, Suite string }

// The parts of Debian 12.
var (
	Release   = Source{"debian", "bookworm"}
	Security  = Source{"debian-security", "bookworm-security"}
	Backports = Source{"debian", "bookworm-backports"}
)

// Apt runs apt's programs with a set of options.
type Apt struct{ options []string }

// Own uses the machine's own package sources, for the architecture arch.
func Own(arch string) Apt { return Apt{[]string{"-o", "APT::Architecture=" + arch}} }

// Private makes a configuration of its own in the folder dir, for which no package is
// installed. Update asks the archive what there is.
func Private(dir, arch string, sources ...Source) (Apt, error) {
	for _, d := range []string{"lists/partial", "cache/archives/partial", "etc/preferences.d"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return Apt{}, err
		}
	}
	if _, err := os.Stat(Keyring); err != nil {
		return Apt{}, fmt.Errorf("install debian-archive-keyring: %w", err)
	}
	var list []byte
	for _, s := range sources {
		list = fmt.Appendf(list, "deb [signed-by=%s] http://deb.debian.org/%s %s main\n", Keyring, s.Archive, s.Suite)
	}
	file, status := filepath.Join(dir, "etc", "sources.list"), filepath.Join(dir, "status")
	if err := os.WriteFile(file, list, 0o644); err != nil {
		return Apt{}, err
	}
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return Apt{}, err
	}
	var a Apt
	for _, s := range []string{
		"APT::Architecture=" + arch, "APT::Architectures=" + arch,
		"Dir::State=" + dir, "Dir::State::lists=" + filepath.Join(dir, "lists"), "Dir::State::status=" + status,
		"Dir::Cache=" + filepath.Join(dir, "cache"),
		"Dir::Etc::sourcelist=" + file, "Dir::Etc::sourceparts=-",
		// What the machine prefers is about other packages.
		"Dir::Etc::preferences=/dev/null", "Dir::Etc::preferencesparts=" + filepath.Join(dir, "etc/preferences.d"),
		"APT::Default-Release=",
		"APT::Update::Error-Mode=any", // else a network that is not there is a warning
	} {
		a.options = append(a.options, "-o", s)
	}
	return a, nil
}

// Update fetches the lists of packages. With an error there are those of the sources that did
// answer.
func (a Apt) Update(ctx context.Context, dir string) error {
	_, err := a.Run(ctx, dir, "apt-get", "update")
	return err
}

// Run runs one of apt's programs in the folder dir and gives its standard output.
func (a Apt) Run(ctx context.Context, dir, tool string, args ...string) (string, error) {
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

// Tools says which of the programs is missing that this package runs.
func Tools() error {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed to fetch packages of Debian: %w", tool, err)
		}
	}
	return nil
}

// Unpack puts the files of a package into the folder dir.
func Unpack(ctx context.Context, file, dir string) error {
	out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", file, dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
