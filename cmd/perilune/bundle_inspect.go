package main

import (
	"fmt"
	"io"

	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
)

// inspection is what `bundle inspect` says.
type inspection struct {
	Digest    string            `json:"digest"`
	Tenant    string            `json:"tenant"`
	Mission   string            `json:"mission"`
	Version   string            `json:"version"`
	MemoryMiB int               `json:"memory_mib"`
	Signer    string            `json:"signer,omitempty"`
	Signature string            `json:"signature"` // holds, or why not
	Layers    []inspectionLayer `json:"layers"`
}

type inspectionLayer struct {
	Kind string `json:"kind"` // kernel, blob
	Name string `json:"name"`
	Size int64  `json:"size"`
}

func (a *app) inspect(path string) error {
	b, err := bundle.Open(path, bundle.DefaultLimits())
	if err != nil {
		return err
	}
	defer b.Close()
	m := b.Mission
	i := inspection{Digest: b.Digest.String(), Tenant: m.Tenant, Mission: m.Name, Version: m.Version, MemoryMiB: m.Guest.Memory}
	i.Signer, i.Signature = judge(b)
	for _, l := range b.Layers {
		if l.Arch != "" {
			i.Layers = append(i.Layers, inspectionLayer{"kernel", l.Arch, l.Size})
		} else {
			i.Layers = append(i.Layers, inspectionLayer{"blob", l.Name, l.Size})
		}
	}
	return a.print(i, func(w io.Writer) {
		rows := [][]string{
			{"mission", i.Tenant + "/" + i.Mission + " " + i.Version},
			{"digest", i.Digest},
			{"signature", i.Signature},
			{"signer", i.Signer},
			{"memory", fmt.Sprintf("%d MiB", i.MemoryMiB)},
		}
		for _, l := range i.Layers {
			rows = append(rows, []string{l.Kind, fmt.Sprintf("%s, %d octets", printable(l.Name), l.Size)})
		}
		table(w, rows)
	})
}

// judge says whether the signature is one over this bundle. Whether its key may sign
// for the tenant, only the craft's grants say.
func judge(b *bundle.Bundle) (signer, verdict string) {
	if b.Signature == "" {
		return "", "missing"
	}
	s, signer, err := grant.ReadBundle(b.Signature)
	switch {
	case err != nil:
		return "", err.Error()
	case s.Digest != b.Digest.String():
		return signer, "for another bundle, " + s.Digest
	case s.Tenant != b.Mission.Tenant:
		return signer, "for another tenant, " + s.Tenant
	}
	return signer, "holds"
}
