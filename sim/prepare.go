package sim

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/project"
)

// Places in the craft's image, as init and flight know them.
const (
	imageConfig   = "etc/perilune/craft.toml"
	imageTrust    = "etc/perilune/trust/trust.json"
	imageKeys     = "etc/perilune/keys"
	imageMissions = "usr/lib/perilune/missions"
)

// keysDir is where development keys make themselves, below the output folder.
func keysDir(out string) string { return filepath.Join(out, "sim", "keys") }

// imageFiles makes what is particular to this craft in its image: its description, what
// it trusts, its link keys, and the missions that are part of it. It returns path in the
// image → file here.
func imageFiles(ctx context.Context, c *craft.Craft, craftFile, out string) (map[string]string, error) {
	dev, err := grant.DevKeys(keysDir(out))
	if err != nil {
		return nil, err
	}
	trustFile, err := writeTrust(dev, c, out)
	if err != nil {
		return nil, err
	}
	files := map[string]string{imageConfig: craftFile, imageTrust: trustFile}
	if c.Database != "" {
		files[path.Join(path.Dir(imageConfig), filepath.ToSlash(c.Database))] = filepath.Join(filepath.Dir(craftFile), c.Database)
	}
	if len(c.SPIs()) > 0 {
		name := strings.TrimSuffix(craft.MasterFile, ".key")
		if _, err := dev.Secret(name, craft.KeySize); err != nil {
			return nil, err
		}
		files[path.Join(imageKeys, craft.MasterFile)] = filepath.Join(keysDir(out), craft.MasterFile)
	}
	for _, spi := range c.SPIs() {
		name := fmt.Sprintf("sdls-%d", spi)
		if _, err := dev.Secret(name, craft.KeySize); err != nil {
			return nil, err
		}
		files[path.Join(imageKeys, craft.KeyFile(spi))] = filepath.Join(keysDir(out), name+".key")
	}
	for _, t := range c.Tenants {
		if err := imageMissionsOf(ctx, t, dev, craftFile, out, files); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// writeTrust writes the trust file if it would differ: a signature has a date in it, and
// an image that changes with every run would be built with every run.
func writeTrust(dev *grant.Dev, c *craft.Craft, out string) (string, error) {
	file := filepath.Join(out, "build", "trust.json")
	wanted := grants(c)
	if have, err := grant.LoadTrust(file); err == nil && dev.Matches(have, c.Name, wanted) {
		return file, nil
	}
	trust, err := dev.Trust(c.Name, wanted)
	if err != nil {
		return "", err
	}
	data, err := trust.Encode()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	return file, os.WriteFile(file, data, 0o644)
}

// grants is what the craft's description gives to each tenant.
func grants(c *craft.Craft) []grant.Grant {
	var out []grant.Grant
	for _, t := range c.Tenants {
		out = append(out, grant.Grant{Tenant: t.Name, APID: t.APID, Quota: grant.Quota{
			MemoryMiB: t.Memory, Guests: t.Guests, StorageMiB: t.Storage, TelemetryBps: t.TelemetryBps, VCPUs: t.VCPUs, Channels: t.Channels,
		}})
	}
	return out
}

// imageMissionsOf builds and signs the missions of t that are part of the image.
func imageMissionsOf(ctx context.Context, t craft.Tenant, dev *grant.Dev, craftFile, out string, files map[string]string) error {
	key, err := dev.Tenant(t.Name)
	if err != nil {
		return err
	}
	for _, dir := range t.Missions {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(craftFile), dir)
		}
		p, err := project.Open(dir)
		if err != nil {
			return fmt.Errorf("tenant %s: %w", t.Name, err)
		}
		g := ids.Guest{Tenant: t.Name, Mission: p.Mission.Name}
		if p.Mission.Tenant != t.Name {
			return fmt.Errorf("%s is a mission of %q, not of tenant %q", dir, p.Mission.Tenant, t.Name)
		}
		tar := filepath.Join(out, "build", "missions", t.Name+"-"+p.Mission.Name+".tar")
		if _, err := p.Build(ctx, tar, []string{"amd64"}, key); err != nil {
			return fmt.Errorf("build %s: %w", g, err)
		}
		files[path.Join(imageMissions, filepath.Base(tar))] = tar
	}
	return nil
}
