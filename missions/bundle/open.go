package bundle

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/perilune/perilune/missions"
)

// Bundle is an open bundle whose structure, sizes and digests hold. Who signed it is
// for the caller to judge, by Signature.
type Bundle struct {
	Digest    digest.Digest // of the manifest; it names the bundle
	Signature string        // the tenant's statement, unverified
	Mission   *missions.Mission
	TOML      []byte // mission.toml as it is
	Layers    []Layer

	f *os.File
}

// Layer is a kernel or a blob.
type Layer struct {
	Arch string // of a kernel, else ""
	Name string // of a blob, else ""
	Size int64  // octets when unpacked
	zstd bool
	at   span
}

type span struct{ off, size int64 }

// Open checks the bundle in the file at path. What does not hold is a
// *missions.RuleError; nothing is unpacked or believed before it is checked.
func Open(path string, lim Limits) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := read(f, lim)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	return b, nil
}

// Close ends the use of the file.
func (b *Bundle) Close() error { return b.f.Close() }

func read(f *os.File, lim Limits) (*Bundle, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > lim.Bundle {
		return nil, missions.Rulef(missions.RuleSize, "%d octets, at most %d", st.Size(), lim.Bundle)
	}
	a := archive{f: f, lim: lim, blobs: map[digest.Digest]span{}, used: map[digest.Digest]bool{}}
	if err := a.scan(); err != nil {
		return nil, err
	}
	b := &Bundle{f: f}
	return b, a.resolve(b)
}

// archive is the tar as found: where each blob lies.
type archive struct {
	f     *os.File
	lim   Limits
	index []byte
	blobs map[digest.Digest]span
	used  map[digest.Digest]bool
}

// scan walks the members once, refuses what does not belong and hashes each blob.
func (a *archive) scan() error {
	t := tar.NewReader(a.f)
	layout := false
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return missions.Rulef(missions.RuleLayout, "member %d: %v", n, err)
		}
		if n >= a.lim.Members {
			return missions.Rulef(missions.RuleSize, "more than %d members", a.lim.Members)
		}
		if h.Typeflag != tar.TypeReg {
			return missions.Rulef(missions.RuleType, "member %q is of type %q, want regular files only", h.Name, h.Typeflag)
		}
		if h.Size > a.lim.Bundle {
			return missions.Rulef(missions.RuleSize, "member %q says %d octets, at most %d", h.Name, h.Size, a.lim.Bundle)
		}
		switch {
		case h.Name == v1.ImageLayoutFile:
			layout = true
		case h.Name == v1.ImageIndexFile:
			if a.index, err = a.small(t, h); err != nil {
				return err
			}
		default:
			if err := a.blob(h); err != nil {
				return err
			}
		}
	}
	if !layout || a.index == nil {
		return missions.Rulef(missions.RuleLayout, "no OCI image layout: oci-layout or index.json is missing")
	}
	return nil
}

func (a *archive) small(r io.Reader, h *tar.Header) ([]byte, error) {
	if h.Size > a.lim.JSON {
		return nil, missions.Rulef(missions.RuleSize, "%s says %d octets, at most %d", h.Name, h.Size, a.lim.JSON)
	}
	data, err := io.ReadAll(io.LimitReader(r, a.lim.JSON))
	if err != nil {
		return nil, missions.Rulef(missions.RuleLayout, "%s: %v", h.Name, err)
	}
	return data, nil
}

// blob hashes one blob and keeps where it lies. What is hashed is what lies there and will be
// unpacked: the tar reader would put back the holes of a sparse member.
func (a *archive) blob(h *tar.Header) error {
	hex, ok := strings.CutPrefix(h.Name, "blobs/sha256/")
	d := digest.NewDigestFromEncoded(digest.SHA256, hex)
	if !ok || d.Validate() != nil {
		return missions.Rulef(missions.RulePath, "member %q is no part of a mission bundle", h.Name)
	}
	if _, twice := a.blobs[d]; twice {
		return missions.Rulef(missions.RuleLayout, "blob %s is there twice", d)
	}
	// The tar reader takes whole 512-octet records and never reads ahead, so here is where the content begins.
	off, err := a.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	v := d.Verifier()
	n, err := io.Copy(v, io.NewSectionReader(a.f, off, h.Size))
	if err != nil {
		return err
	}
	if n != h.Size {
		return missions.Rulef(missions.RuleSize, "blob %s says %d octets, the file ends after %d", d, h.Size, n)
	}
	if !v.Verified() {
		return missions.Rulef(missions.RuleDigest, "the content of blob %s has another digest", d)
	}
	a.blobs[d] = span{off, h.Size}
	return nil
}

// find returns where the content that desc describes lies.
func (a *archive) find(what string, desc v1.Descriptor) (span, error) {
	s, ok := a.blobs[desc.Digest]
	if !ok {
		return span{}, missions.Rulef(missions.RuleBlob, "%s: blob %s is missing", what, desc.Digest)
	}
	if s.size != desc.Size {
		return span{}, missions.Rulef(missions.RuleSize, "%s: blob %s has %d octets, its descriptor says %d", what, desc.Digest, s.size, desc.Size)
	}
	a.used[desc.Digest] = true
	return s, nil
}

func (a *archive) load(what string, desc v1.Descriptor) ([]byte, error) {
	s, err := a.find(what, desc)
	if err != nil {
		return nil, err
	}
	if s.size > a.lim.JSON {
		return nil, missions.Rulef(missions.RuleSize, "%s: %d octets, at most %d", what, s.size, a.lim.JSON)
	}
	data := make([]byte, s.size)
	if _, err := a.f.ReadAt(data, s.off); err != nil {
		return nil, err
	}
	return data, nil
}

// resolve follows index → manifest → mission.toml and layers.
func (a *archive) resolve(b *Bundle) error {
	var index v1.Index
	if err := json.Unmarshal(a.index, &index); err != nil {
		return missions.Rulef(missions.RuleLayout, "index.json: %v", err)
	}
	if len(index.Manifests) != 1 {
		return missions.Rulef(missions.RuleLayout, "index.json lists %d manifests, want one", len(index.Manifests))
	}
	desc := index.Manifests[0]
	data, err := a.load("manifest", desc)
	if err != nil {
		return err
	}
	var m v1.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return missions.Rulef(missions.RuleLayout, "manifest: %v", err)
	}
	if m.ArtifactType != MediaArtifact || m.Config.MediaType != MediaConfig {
		return missions.Rulef(missions.RuleLayout, "artifact type %q with config %q: no mission bundle", m.ArtifactType, m.Config.MediaType)
	}
	if b.TOML, err = a.load("mission.toml", m.Config); err != nil {
		return err
	}
	if b.Mission, err = missions.Parse(b.TOML, "mission.toml"); err != nil {
		return missions.Rulef(missions.RuleMission, "%v", err)
	}
	b.Digest, b.Signature = desc.Digest, desc.Annotations[annotationSignature]
	if err := a.layers(b, m.Layers); err != nil {
		return err
	}
	for d := range a.blobs {
		if !a.used[d] {
			return missions.Rulef(missions.RuleBlob, "nothing refers to blob %s", d)
		}
	}
	return b.complete()
}

func (a *archive) layers(b *Bundle, descs []v1.Descriptor) error {
	var total int64
	for i, d := range descs {
		what := fmt.Sprintf("layer %d", i)
		l := Layer{Name: d.Annotations[v1.AnnotationTitle], Arch: d.Annotations[annotationArch]}
		var err error
		if l.at, err = a.find(what, d); err != nil {
			return err
		}
		media, packed := strings.CutSuffix(d.MediaType, suffixZstd)
		if kernel := media == MediaKernel; !kernel && media != MediaBlob || kernel != (l.Arch != "") || kernel != (l.Name == "") {
			return missions.Rulef(missions.RuleLayout, "%s: media type %q with arch %q and title %q", what, d.MediaType, l.Arch, l.Name)
		}
		l.zstd = packed
		if l.Size, err = strconv.ParseInt(d.Annotations[annotationSize], 10, 64); err != nil || l.Size < 0 || !packed && l.Size != l.at.size {
			return missions.Rulef(missions.RuleSize, "%s: size %q does not hold", what, d.Annotations[annotationSize])
		}
		if l.Size > a.lim.Content || total+l.Size > a.lim.Content {
			return missions.Rulef(missions.RuleSize, "%s says %d octets, at most %d in all", what, l.Size, a.lim.Content)
		}
		total += l.Size
		b.Layers = append(b.Layers, l)
	}
	return nil
}
