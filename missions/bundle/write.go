package bundle

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
)

// Contents is what goes into a bundle.
type Contents struct {
	Mission []byte            // mission.toml
	Kernels map[string]string // architecture ("amd64", "arm64") → path of the program
	Blobs   map[string]string // blob name → path
}

// Write packs c, signs it with the tenant's key and writes it to path. The same contents
// give the same digest, which it returns: that of the OCI manifest.
func Write(path string, c Contents, tenant grant.Key) (digest.Digest, error) {
	m, err := missions.Parse(c.Mission, "mission.toml")
	if err != nil {
		return "", err
	}
	w := &writer{blobs: map[digest.Digest][]byte{}}
	manifest, err := w.manifest(c)
	if err != nil {
		return "", err
	}
	sig, err := grant.SignBundle(tenant, grant.Bundle{
		Tenant: m.Tenant, Mission: m.Name, Version: m.Version, Digest: manifest.Digest.String(),
	})
	if err != nil {
		return "", err
	}
	manifest.Annotations = map[string]string{annotationSignature: sig}
	return manifest.Digest, w.write(path, manifest)
}

type writer struct {
	blobs map[digest.Digest][]byte
	order []digest.Digest
}

// add keeps data as a blob and describes it.
func (w *writer) add(media string, data []byte) v1.Descriptor {
	d := digest.FromBytes(data)
	if _, have := w.blobs[d]; !have {
		w.blobs[d] = data
		w.order = append(w.order, d)
	}
	return v1.Descriptor{MediaType: media, Digest: d, Size: int64(len(data))}
}

func (w *writer) manifest(c Contents) (v1.Descriptor, error) {
	m := v1.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    v1.MediaTypeImageManifest,
		ArtifactType: MediaArtifact,
		Config:       w.add(MediaConfig, c.Mission),
	}
	layers := func(media, annotation string, files map[string]string) error {
		for _, name := range sortedKeys(files) {
			data, err := os.ReadFile(files[name])
			if err != nil {
				return err
			}
			d, err := w.layer(media, data)
			if err != nil {
				return fmt.Errorf("%s: %w", files[name], err)
			}
			d.Annotations[annotation] = name
			m.Layers = append(m.Layers, d)
		}
		return nil
	}
	if err := layers(MediaKernel, annotationArch, c.Kernels); err != nil {
		return v1.Descriptor{}, err
	}
	if err := layers(MediaBlob, v1.AnnotationTitle, c.Blobs); err != nil {
		return v1.Descriptor{}, err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return w.add(v1.MediaTypeImageManifest, data), nil
}

// layer stores data compressed where that saves a tenth or more: uplink is dear.
func (w *writer) layer(media string, data []byte) (v1.Descriptor, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(maxWindow))
	if err != nil {
		return v1.Descriptor{}, err
	}
	defer enc.Close()
	note := map[string]string{annotationSize: strconv.Itoa(len(data))}
	if packed := enc.EncodeAll(data, nil); len(packed) < len(data)-len(data)/10 {
		media, data = media+suffixZstd, packed
	}
	d := w.add(media, data)
	d.Annotations = note
	return d, nil
}

func (w *writer) write(path string, manifest v1.Descriptor) (err error) {
	index, err := json.Marshal(v1.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageIndex,
		Manifests: []v1.Descriptor{manifest},
	})
	if err != nil {
		return err
	}
	layout, err := json.Marshal(v1.ImageLayout{Version: v1.ImageLayoutVersion})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t := tar.NewWriter(f)
	if err := member(t, v1.ImageLayoutFile, layout); err != nil {
		return err
	}
	if err := member(t, v1.ImageIndexFile, index); err != nil {
		return err
	}
	for _, d := range w.order {
		if err := member(t, "blobs/sha256/"+d.Encoded(), w.blobs[d]); err != nil {
			return err
		}
	}
	return t.Close()
}

func member(t *tar.Writer, name string, data []byte) error {
	h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err := t.Write(data)
	return err
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
