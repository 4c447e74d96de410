// Package project turns a tenant's folder, mission.toml beside sources and data, into a
// signed bundle.
package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/sdk"
)

// Project is a mission's folder.
type Project struct {
	Dir     string
	Mission *missions.Mission
	TOML    []byte
	Debug   bool // keep symbols and lines for the debugger
}

// Open reads mission.toml in dir.
func Open(dir string) (*Project, error) {
	file := filepath.Join(dir, "mission.toml")
	data, err := os.ReadFile(file)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("open mission: %w: %q is no mission's folder; 'perilune mission new NAME' makes one", err, dir)
		}
		return nil, fmt.Errorf("open mission: %w", err)
	}
	m, err := missions.Parse(data, file)
	if err != nil {
		return nil, err
	}
	return &Project{Dir: dir, Mission: m, TOML: data}, nil
}

// Compile builds the program for arch as the file out, and checks what came out against
// mission.toml as the craft will.
func (p *Project) Compile(ctx context.Context, arch, out string) error {
	_, err := sdk.Build(ctx, sdk.Project{
		Dir:      p.Dir,
		Name:     p.Mission.Name,
		Sources:  p.Mission.Build.Sources,
		Manifest: p.Mission.Manifest(),
		Arch:     arch,
		Out:      out,
		Debug:    p.Debug,
		Vectors:  p.Mission.Build.Vectors,
	})
	if err != nil {
		return err
	}
	return p.CheckKernel(out)
}

// CheckKernel refuses on the ground what the craft would refuse: a program that is no
// unikernel of ours, or that disagrees with mission.toml about its devices.
func (p *Project) CheckKernel(kernel string) error {
	f, err := os.Open(kernel)
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
		return fmt.Errorf("%s: %w", kernel, missions.Rulef(missions.RuleELF, "%v", err))
	}
	if err := p.Mission.CheckManifest(img.Manifest); err != nil {
		return fmt.Errorf("%s: %w", kernel, missions.Rulef(missions.RuleManifest, "%v", err))
	}
	return nil
}

// Pack signs kernels (architecture → path) and the blobs of mission.toml as the bundle
// at out. A bundle of the same contents and signer that lies there stays as it is: a
// signature has a date in it, and what did not change should not look new.
func (p *Project) Pack(out string, kernels map[string]string, key grant.Key) (digest.Digest, error) {
	blobs := map[string]string{}
	for _, b := range p.Mission.Block {
		blobs[path.Base(b.File)] = filepath.Join(p.Dir, filepath.FromSlash(b.File))
	}
	tmp := out + ".new"
	defer os.Remove(tmp)
	d, err := bundle.Write(tmp, bundle.Contents{Mission: p.TOML, Kernels: kernels, Blobs: blobs}, key)
	if err != nil || holds(out, d, key) {
		return d, err
	}
	return d, os.Rename(tmp, out)
}

// holds says whether the file at path is the bundle d signed by key.
func holds(path string, d digest.Digest, key grant.Key) bool {
	b, err := bundle.Open(path, bundle.DefaultLimits())
	if err != nil {
		return false
	}
	defer b.Close()
	signed, signer, err := grant.ReadBundle(b.Signature)
	return err == nil && b.Digest == d && signed.Digest == d.String() && signer == key.Public()
}

// Build compiles for each of archs and packs the bundle at out.
func (p *Project) Build(ctx context.Context, out string, archs []string, key grant.Key) (digest.Digest, error) {
	kernels := map[string]string{}
	for _, arch := range archs {
		kernels[arch] = filepath.Join(filepath.Dir(out), p.Mission.Name+"-"+arch+".hvt")
		if err := p.Compile(ctx, arch, kernels[arch]); err != nil {
			return "", err
		}
	}
	return p.Pack(out, kernels, key)
}
