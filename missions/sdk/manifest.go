package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/perilune/perilune/hvt"
)

// ErrManifestJSON is wrapped by every error of ParseManifestJSON.
var ErrManifestJSON = errors.New("manifest is no solo5.manifest")

// Words of Solo5's manifest files.
const (
	manifestType    = "solo5.manifest"
	manifestVersion = 1
	maxManifestFile = 1 << 20 // octets
)

// manifestFile is Solo5's manifest.json. Count is ours: the first word of an
// extended entry's payload (package hvt), such as the depth of a ring.
type manifestFile struct {
	Type    *string          `json:"type"`
	Version *int             `json:"version"`
	Devices *[]manifestEntry `json:"devices"`
}

type manifestEntry struct {
	Name  *string `json:"name"`
	Type  *string `json:"type"`
	Count uint32  `json:"count,omitempty"`
}

// deviceTypes are those that a manifest file may name.
var deviceTypes = func() map[string]hvt.DeviceType {
	types := map[string]hvt.DeviceType{}
	for _, t := range []hvt.DeviceType{hvt.Block, hvt.Net, hvt.VCPUs, hvt.BlockRing, hvt.NetRing, hvt.Channel, hvt.Seed} {
		types[t.String()] = t
	}
	return types
}()

// ParseManifestJSON reads a manifest as Solo5's elftool takes it: an object with
// type "solo5.manifest", version 1 and devices, each with a name of letters
// and digits and a type; unknown keys are refused. Extended types have a
// count as well.
func ParseManifestJSON(data []byte) (hvt.Manifest, error) {
	var f manifestFile
	if len(data) > maxManifestFile {
		return hvt.Manifest{}, fmt.Errorf("%w: %d octets, at most %d", ErrManifestJSON, len(data), maxManifestFile)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return hvt.Manifest{}, fmt.Errorf("%w: %w", ErrManifestJSON, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return hvt.Manifest{}, fmt.Errorf("%w: something follows it", ErrManifestJSON)
	}
	switch {
	case f.Type == nil || *f.Type != manifestType:
		return hvt.Manifest{}, fmt.Errorf("%w: type is not %q", ErrManifestJSON, manifestType)
	case f.Version == nil || *f.Version != manifestVersion:
		return hvt.Manifest{}, fmt.Errorf("%w: version is not %d", ErrManifestJSON, manifestVersion)
	case f.Devices == nil:
		return hvt.Manifest{}, fmt.Errorf("%w: it has no devices", ErrManifestJSON)
	}
	var m hvt.Manifest
	for i, e := range *f.Devices {
		entry, err := e.entry()
		if err != nil {
			return hvt.Manifest{}, fmt.Errorf("%w: device %d: %w", ErrManifestJSON, i, err)
		}
		m.Entries = append(m.Entries, entry)
	}
	// What no guest could be built with is refused by its own reader.
	desc, err := m.MarshalBinary()
	if err == nil {
		_, err = hvt.ParseManifest(desc)
	}
	if err != nil {
		return hvt.Manifest{}, fmt.Errorf("%w: %w", ErrManifestJSON, err)
	}
	return m, nil
}

func (e manifestEntry) entry() (hvt.Entry, error) {
	if e.Name == nil || !hvt.ValidDeviceName(*e.Name) {
		return hvt.Entry{}, errors.New("want a name of 1 to 67 letters or digits")
	}
	if e.Type == nil {
		return hvt.Entry{}, fmt.Errorf("%s has no type", *e.Name)
	}
	t, known := deviceTypes[*e.Type]
	if !known {
		return hvt.Entry{}, fmt.Errorf("%s has the unknown type %q", *e.Name, *e.Type)
	}
	if !t.Extended() && e.Count != 0 {
		return hvt.Entry{}, fmt.Errorf("%s of type %s has a count", *e.Name, t)
	}
	if t.Extended() {
		return hvt.Extend(*e.Name, t, e.Count), nil
	}
	return hvt.Entry{Name: *e.Name, Type: t}, nil
}

// ManifestJSON writes m as ParseManifestJSON reads it, one device a line, as
// Solo5's elftool prints the manifest of a program.
func ManifestJSON(m hvt.Manifest) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"type\": %q,\n  \"version\": %d,\n  \"devices\": [\n", manifestType, manifestVersion)
	for i, e := range m.Entries {
		fmt.Fprintf(&b, "    { \"name\": %q, \"type\": %q", e.Name, e.Type)
		if n := e.Count(); e.Type.Extended() && n != 0 {
			fmt.Fprintf(&b, ", \"count\": %d", n)
		}
		b.WriteString(" }")
		if i < len(m.Entries)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("  ]\n}\n")
	return b.Bytes()
}

// ManifestC is C source of the two notes that a tender reads: for a program
// that is built without `mission build`.
func ManifestC(m hvt.Manifest) ([]byte, error) { return notesSource(m) }

// ManifestNote is the MFT1 note of a program with m: header, name, descriptor.
func ManifestNote(m hvt.Manifest) ([]byte, error) {
	desc, err := m.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return note(hvt.NoteTypeMFT, desc), nil
}
