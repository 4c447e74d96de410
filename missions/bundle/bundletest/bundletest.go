// Package bundletest makes bundles for tests that nobody honest would make: each breaks
// one rule, and all else about it holds as far as it can.
package bundletest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
)

// Hostile is a bundle that breaks a rule. Make writes it to path, signed by key as a
// mission of tenant.
type Hostile struct {
	Name, Rule string
	Make       func(path, tenant string, key grant.Key) error
}

// All are the hostile bundles, one for each kind of attack.
func All() []Hostile {
	var (
		link  = hvt.Entry{Name: "link", Type: hvt.Net}
		zeros = "blobs/sha256/" + strings.Repeat("0", 64)
	)
	return []Hostile{
		{"rubbish", missions.RuleLayout, func(path, _ string, _ grant.Key) error {
			return os.WriteFile(path, bytes.Repeat([]byte("This is no tar. "), 256), 0o644)
		}},
		{"traversal", missions.RulePath, forged(func(m map[string][]byte) {
			m["../../../../etc/passwd"] = []byte("root::0:0::/:/bin/sh\n")
		})},
		{"symlink", missions.RuleType, forged(nothing, tar.Header{Name: zeros, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})},
		{"device", missions.RuleType, forged(nothing, tar.Header{Name: zeros, Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3})},
		{"10gb", missions.RuleSize, forged(nothing, tar.Header{Name: zeros, Typeflag: tar.TypeReg, Size: 10 << 30, Format: tar.FormatPAX})},
		{"missing-blob", missions.RuleBlob, forged(func(m map[string][]byte) {
			maps.DeleteFunc(m, func(_ string, data []byte) bool { return bytes.HasPrefix(data, []byte("name = ")) })
		})},
		{"unknown-key", missions.RuleMission, forged(swap("memory = 8", "memroy = 8"))},
		{"other-content", missions.RuleDigest, func(path, tenant string, key grant.Key) error {
			return write(path, tenant, key, false, program(link), swap("memory = 8", "memory = 9"))
		}},
		{"elf-garbage", missions.RuleELF, with(bytes.Repeat([]byte("no executable "), 300))},
		{"elf-cut", missions.RuleELF, with(program(link)[:200])},
		{"manifest-garbage", missions.RuleELF, with(hvttest.ELF(hvttest.Spec{Manifest: bytes.Repeat([]byte{0xA5}, 300), Segments: code}))},
		{"manifest-mismatch", missions.RuleManifest, with(program(link, hvt.Entry{Name: "eth", Type: hvt.Net}))},
	}
}

var code = []hvttest.Segment{{Vaddr: hvt.MinBase, Data: []byte{0xF4}, Flags: elf.PF_R | elf.PF_X}}

func program(devices ...hvt.Entry) []byte {
	return hvttest.Program(elf.EM_X86_64, []byte{0xF4}, devices...)
}

func nothing(map[string][]byte) {}

func swap(old, fresh string) func(map[string][]byte) {
	return func(m map[string][]byte) {
		for n := range m {
			m[n] = bytes.ReplaceAll(m[n], []byte(old), []byte(fresh))
		}
	}
}

// with packs another program, honestly.
func with(program []byte) func(path, tenant string, key grant.Key) error {
	return func(path, tenant string, key grant.Key) error {
		return write(path, tenant, key, true, program, nothing)
	}
}

// forged packs a good mission and bends the archive.
func forged(change func(map[string][]byte), more ...tar.Header) func(path, tenant string, key grant.Key) error {
	return func(path, tenant string, key grant.Key) error {
		return write(path, tenant, key, true, program(hvt.Entry{Name: "link", Type: hvt.Net}), change, more...)
	}
}

// write packs a mission called "hostile" and forges it.
func write(path, tenant string, key grant.Key, honest bool, program []byte, change func(map[string][]byte), more ...tar.Header) error {
	dir, err := os.MkdirTemp("", "bundletest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	kernel, good := filepath.Join(dir, "kernel"), filepath.Join(dir, "good.tar")
	if err := os.WriteFile(kernel, program, 0o644); err != nil {
		return err
	}
	toml := fmt.Sprintf("name = \"hostile\"\ntenant = %q\n[guest]\nmemory = 8\n[[packet]]\nname = \"link\"\n", tenant)
	c := bundle.Contents{Mission: []byte(toml), Kernels: map[string]string{"amd64": kernel, "arm64": kernel}}
	if _, err := bundle.Write(good, c, key); err != nil {
		return err
	}
	return Forge(good, path, honest, change, key, more...)
}

// Forge writes the bundle good to path, with its members (by name) as change leaves them
// and with more members behind. If honest, blobs get the names that their new content
// wants, so do those who refer to them, and key signs anew.
func Forge(good, path string, honest bool, change func(map[string][]byte), key grant.Key, more ...tar.Header) error {
	names, m, err := Members(good)
	if err != nil {
		return err
	}
	change(m)
	if honest {
		rename(names, m)
		if key.Public() != "" {
			if err := sign(m, key); err != nil {
				return err
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, n := range names {
		data, ok := m[n]
		if !ok {
			continue
		}
		if err := w.WriteHeader(&tar.Header{Name: n, Typeflag: tar.TypeReg, Size: int64(len(data)), Mode: 0o644}); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	for _, h := range more {
		if err := w.WriteHeader(&h); err != nil {
			return err
		}
	}
	// A member that claims more than there is leaves the archive without an end.
	_ = w.Close()
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// Members reads the members of an archive, and their names in their order.
func Members(path string) (names []string, m map[string][]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	m = map[string][]byte{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, m, nil
		}
		if err != nil {
			return nil, nil, err
		}
		names = append(names, h.Name)
		if m[h.Name], err = io.ReadAll(r); err != nil {
			return nil, nil, err
		}
	}
}

// rename gives each blob the name of its content, and again what refers to it.
func rename(names []string, m map[string][]byte) {
	for again := true; again; {
		again = false
		for i, name := range names {
			old, isBlob := strings.CutPrefix(name, "blobs/sha256/")
			sum := sha256.Sum256(m[name])
			fresh := hex.EncodeToString(sum[:])
			if _, there := m[name]; !there || !isBlob || old == fresh {
				continue
			}
			again = true
			names[i] = "blobs/sha256/" + fresh
			m[names[i]] = m[name]
			delete(m, name)
			swap(old, fresh)(m)
		}
	}
}

// sign puts a signature under the manifest that the index names.
func sign(m map[string][]byte, key grant.Key) error {
	var index v1.Index
	if err := json.Unmarshal(m[v1.ImageIndexFile], &index); err != nil || len(index.Manifests) != 1 {
		return nil // an index that cannot be read is the point of the forgery
	}
	d := &index.Manifests[0]
	for name, token := range d.Annotations {
		says, _, err := grant.ReadBundle(token)
		if err != nil {
			return err
		}
		says.Digest = d.Digest.String()
		if d.Annotations[name], err = grant.SignBundle(key, says); err != nil {
			return err
		}
	}
	var err error
	m[v1.ImageIndexFile], err = json.Marshal(index)
	return err
}
