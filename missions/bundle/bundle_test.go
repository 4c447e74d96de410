package bundle_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
)

const mission = `
name = "earth"
tenant = "borealis"
[[block]]
name = "image"
file = "data/earth.pgm"
[[packet]]
name = "link"
`

// project writes a kernel and a blob and returns them as contents.
func project(t testing.TB) bundle.Contents {
	t.Helper()
	dir := t.TempDir()
	kernel, blob := filepath.Join(dir, "k"), filepath.Join(dir, "b")
	if err := os.WriteFile(kernel, bytes.Repeat([]byte("kernel "), 3000), 0o600); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 4096)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	if err := os.WriteFile(blob, noise, 0o600); err != nil {
		t.Fatal(err)
	}
	return bundle.Contents{
		Mission: []byte(mission),
		Kernels: map[string]string{"amd64": kernel},
		Blobs:   map[string]string{"earth.pgm": blob},
	}
}

func write(t testing.TB, c bundle.Contents) string {
	t.Helper()
	key, err := grant.NewKey(grant.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.tar")
	if _, err := bundle.Write(path, c, key); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	c := project(t)
	path := write(t, c)
	b, err := bundle.Open(path, bundle.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	dir := filepath.Join(t.TempDir(), "out")
	if err := b.Extract(dir, "amd64"); err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{"kernel": c.Kernels["amd64"], "blobs/earth.pgm": c.Blobs["earth.pgm"]} {
		a, err1 := os.ReadFile(filepath.Join(dir, got))
		b, err2 := os.ReadFile(want)
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v %v", got, err1, err2)
		}
	}
	var r *missions.RuleError
	if err := b.Extract(filepath.Join(t.TempDir(), "x"), "arm64"); !errors.As(err, &r) || r.Rule != missions.RuleELF {
		t.Errorf("kernel of a missing architecture: %v", err)
	}
}

func TestSameContentsSameDigest(t *testing.T) {
	c := project(t)
	key, _ := grant.NewKey(grant.Tenant)
	one, err1 := bundle.Write(filepath.Join(t.TempDir(), "a"), c, key)
	two, err2 := bundle.Write(filepath.Join(t.TempDir(), "b"), c, key)
	if err1 != nil || err2 != nil || one != two {
		t.Fatalf("%s and %s: %v %v", one, two, err1, err2)
	}
}

// GNU tar leaves holes out of the archive, and readers put them back: what has the right
// digest then is not what lies there. Such a bundle is refused.
func TestHoles(t *testing.T) {
	c := project(t)
	noise, err := os.ReadFile(c.Blobs["earth.pgm"])
	if err != nil {
		t.Fatal(err)
	}
	content := slices.Concat(bytes.Repeat(noise, 20), make([]byte, 4096), noise)
	for i := range content[:len(noise)*20] { // nothing that would be worth compressing
		content[i] ^= byte(i >> 12)
	}
	if err := os.WriteFile(c.Blobs["earth.pgm"], content, 0o600); err != nil {
		t.Fatal(err)
	}
	path, dir := write(t, c), t.TempDir()
	run := func(name string, arg ...string) {
		t.Helper()
		if out, err := exec.Command(name, arg...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("tar", "-C", dir, "-xf", path)
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
	if err != nil {
		t.Fatal(err)
	}
	pack := []string{"--format=posix", "--sparse", "--sparse-version=1.0", "--hole-detection=raw", "-C", dir, "-cf", path, "oci-layout", "index.json"}
	for _, b := range blobs {
		run("cp", "--sparse=always", b, b+".holes")
		run("mv", b+".holes", b)
		pack = append(pack, "blobs/sha256/"+filepath.Base(b))
	}
	run("tar", pack...)
	_, err = bundle.Open(path, bundle.DefaultLimits())
	var r *missions.RuleError
	if !errors.As(err, &r) || r.Rule != missions.RuleDigest {
		t.Errorf("it is taken: %v", err)
	}
}

// TestOutsideTarAgrees unpacks a bundle with the system's tar and hashes each blob.
func TestOutsideTarAgrees(t *testing.T) {
	path := write(t, project(t))
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-C", dir, "-xf", path).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
	if err != nil || len(blobs) != 4 {
		t.Fatalf("%d blobs, want manifest, mission.toml, kernel and image (%v)", len(blobs), err)
	}
	for _, f := range blobs {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != filepath.Base(f) {
			t.Errorf("%s has another sha256", filepath.Base(f))
		}
	}
}

// member is one entry of a tar that a test bends.
type member struct {
	tar.Header
	data []byte
}

// bend rewrites the archive at path member by member; change may return nil to drop one.
func bend(t *testing.T, path string, change func(m member) []member) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(filepath.Join(t.TempDir(), "bent.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r, w := tar.NewReader(in), tar.NewWriter(out)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		data, err2 := io.ReadAll(r)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for _, m := range change(member{*h, data}) {
			if err := w.WriteHeader(&m.Header); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(m.data); err != nil {
				t.Fatal(err)
			}
			if int64(len(m.data)) < m.Size {
				return out.Name() // a claim without the content: the file ends here
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

func TestRefuses(t *testing.T) {
	good := write(t, project(t))
	last := func(m member) bool { return strings.HasPrefix(m.Name, "blobs/") && len(m.data) == 4096 }
	same := func(m member) []member { return []member{m} }
	on := func(f func(member) []member) func(member) []member {
		return func(m member) []member {
			if last(m) {
				return f(m)
			}
			return same(m)
		}
	}
	tests := []struct {
		name, rule string
		change     func(member) []member
	}{
		{"path traversal", missions.RulePath, on(func(m member) []member { m.Name = "../../etc/passwd"; return same(m) })},
		{"absolute path", missions.RulePath, on(func(m member) []member { m.Name = "/etc/passwd"; return same(m) })},
		{"name that is no digest", missions.RulePath, on(func(m member) []member { m.Name = "blobs/sha256/beef"; return same(m) })},
		{"symlink", missions.RuleType, on(func(m member) []member {
			return []member{{Header: tar.Header{Name: m.Name, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}}}
		})},
		{"ten gigabytes claimed", missions.RuleSize, on(func(m member) []member { m.Size, m.Format = 10<<30, tar.FormatPAX; return same(m) })},
		{"more claimed than there", missions.RuleSize, on(func(m member) []member { m.Size = 1 << 20; return same(m) })},
		{"blob missing", missions.RuleBlob, on(func(member) []member { return nil })},
		{"blob changed", missions.RuleDigest, on(func(m member) []member { m.data[7] ^= 1; return same(m) })},
		{"blob twice", missions.RuleLayout, on(func(m member) []member { return []member{m, m} })},
		{"blob that nobody needs", missions.RuleBlob, on(func(m member) []member {
			extra := []byte("stowaway")
			sum := sha256.Sum256(extra)
			return []member{m, {tar.Header{Name: "blobs/sha256/" + hex.EncodeToString(sum[:]), Typeflag: tar.TypeReg, Size: int64(len(extra))}, extra}}
		})},
		{"no index", missions.RuleLayout, func(m member) []member {
			if m.Name == "index.json" {
				return nil
			}
			return same(m)
		}},
		{"index is garbage", missions.RuleLayout, func(m member) []member {
			if m.Name == "index.json" {
				m.data = bytes.Repeat([]byte("{"), len(m.data))
			}
			return same(m)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bundle.Open(bend(t, good, tt.change), bundle.DefaultLimits())
			var r *missions.RuleError
			if !errors.As(err, &r) || r.Rule != tt.rule {
				t.Fatalf("got %v, want rule %s", err, tt.rule)
			}
		})
	}
	if b, err := bundle.Open(bend(t, good, same), bundle.DefaultLimits()); err != nil {
		t.Fatalf("control: the unbent archive is refused: %v", err)
	} else {
		b.Close()
	}
}

func TestLimits(t *testing.T) {
	path := write(t, project(t))
	for name, change := range map[string]func(*bundle.Limits){
		"file":    func(l *bundle.Limits) { l.Bundle = 1000 },
		"content": func(l *bundle.Limits) { l.Content = 5000 },
		"members": func(l *bundle.Limits) { l.Members = 3 },
	} {
		lim := bundle.DefaultLimits()
		change(&lim)
		_, err := bundle.Open(path, lim)
		var r *missions.RuleError
		if !errors.As(err, &r) || r.Rule != missions.RuleSize {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	data, err := os.ReadFile(write(f, project(f)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f.tar")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := bundle.Open(path, bundle.DefaultLimits()); err == nil {
			b.Close()
		}
	})
}
