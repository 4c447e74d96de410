package depot_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/scheduler/depot"
	"github.com/perilune/perilune/scheduler/safe"
)

// code is why the depot refused, 0 if it did not.
func code(err error) pus.Failure {
	var r *pus.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	if err != nil {
		return pus.FailureInternal
	}
	return 0
}

func open(t testing.TB, dir string, records depot.Records, octets uint64, files int) *depot.Depot {
	t.Helper()
	d, err := depot.Open(dir, records, octets, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func file(name string) pus.FileName {
	return pus.FileName{Repository: filepath.Dir(name), Name: filepath.Base(name)}
}

func top(name string) pus.FileName { return pus.FileName{Name: name} }

// Nothing leads out of the root: no name, and no link that somebody put there.
func TestStaysInside(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := errors.Join(os.Symlink(outside, filepath.Join(dir, "door")), os.Symlink(secret, filepath.Join(dir, "window"))); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir, safe.NewRecords(), 1<<20, 100)
	for _, repository := range []string{"", "door", "..", "../..", "/", "a/../..", ".cfdp-part", outside} {
		for _, name := range []string{"secret", "window", "../secret", "..", ".", "/etc/passwd", "", "x\x00y", "door/secret", ".cfdp-part/0.part"} {
			f := pus.FileName{Repository: repository, Name: name}
			if _, err := d.Attributes(f); err == nil {
				t.Errorf("%q in %q is seen", name, repository)
			}
			if _, err := d.ReadAt(f, 0, 1); err == nil {
				t.Errorf("%q in %q is read", name, repository)
			}
			if d.Delete(f) == nil || d.WriteAt(f, 0, []byte("x")) == nil {
				t.Errorf("%q in %q is changed", name, repository)
			}
			_ = d.Copy(pus.FileCopy{From: f, To: top("copy")})
			_ = d.Move(pus.FileCopy{From: f, To: top("moved")})
			if repository != "" || strings.Contains(name, "/") {
				_ = d.MakeDirectory(f)
				_ = d.Create(pus.FileCreate{Repository: repository, Name: name})
			}
		}
	}
	entries, err := os.ReadDir(outside)
	if b, _ := os.ReadFile(secret); err != nil || len(entries) != 1 || string(b) != "key" {
		t.Errorf("outside: %v, %q (%v)", entries, b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "copy")); err == nil {
		t.Error("what is outside was copied in")
	}
}

// A lock holds, over a restart too, against deleting, moving, writing and CFDP.
func TestLock(t *testing.T) {
	dir, records := t.TempDir(), safe.NewRecords()
	d := open(t, dir, records, 1<<20, 100)
	for _, err := range []error{
		d.MakeDirectory(top("tables")), d.Create(pus.FileCreate{Repository: "tables", Name: "a", Size: 8, Locked: true}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d.Close()
	d = open(t, dir, records, 1<<20, 100)
	a := file("tables/a")
	for what, err := range map[string]error{
		"delete": d.Delete(a), "move": d.Move(pus.FileCopy{From: a, To: top("b")}), "write": d.WriteAt(a, 0, []byte("x")),
		"rename its directory": d.RenameDirectory(pus.DirectoryRename{Old: "tables", New: "others"}), "cfdp": d.Admit("tables/a", 1, true),
	} {
		if code(err) != pus.FailureRefused {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := d.Attributes(a); err != nil || !got.Locked || got.Size != 0 {
		t.Errorf("attributes %+v (%v)", got, err)
	}
	if err := d.Lock(a, false); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		err  error
		want pus.Failure
	}{
		"rename the directory": {d.RenameDirectory(pus.DirectoryRename{Old: "tables", New: "others"}), 0},
		"gone":                 {d.Delete(a), pus.FailureUnknownName},
		"in bounds":            {d.WriteAt(file("others/a"), 0, []byte("12345678")), 0},
	} {
		if code(c.err) != c.want {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	if err := d.WriteAt(file("others/a"), 8, []byte("9")); code(err) != pus.FailureFull {
		t.Errorf("beyond the bound that went along: %v", err)
	}
	if err := d.Admit("others/a", 9, true); code(err) != pus.FailureFull {
		t.Errorf("cfdp beyond the bound: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "others", "a")); err != nil { // as CFDP does
		t.Fatal(err)
	}
	if err := d.Admit("others/a", 9, true); err != nil {
		t.Errorf("another file of its name: %v", err)
	}
}

// What is beyond the quota is refused, whatever asks.
func TestQuota(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, safe.NewRecords(), 100, 3)
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, 60), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"create": d.Create(pus.FileCreate{Name: "x", Size: 41}), "copy": d.Copy(pus.FileCopy{From: top("big"), To: top("x")}),
		"cfdp": d.Admit("x", 41, true), "append": d.WriteAt(top("big"), 60, make([]byte, 41)), "all there is": d.Admit("x", 1<<64-1, true),
	} {
		if code(err) != pus.FailureFull {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := d.Admit("big", 0, false); err != nil {
		t.Errorf("a full file store cannot be emptied: %v", err)
	}
	for i, name := range []string{"x", "y", "z"} {
		if err := d.Create(pus.FileCreate{Name: name}); (code(err) == pus.FailureFull) != (i == 2) {
			t.Errorf("file %d: %v", i+2, err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a.tar", "sub/b.tar", "sub/deep/c.tar", "sub/d.jwt"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(n)), 0o755), os.WriteFile(filepath.Join(dir, n), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	d := open(t, dir, safe.NewRecords(), 100, 10)
	for pattern, want := range map[string]int{"*": 4, "*.tar": 3, "sub/*.tar": 2, "a.tar": 1, "a": 0, "*b*t*r": 2, "": 0, "*.tar*jwt": 0} {
		got, err := d.Find(pus.FileFind{Pattern: pattern})
		if err != nil || len(got.Files) != want {
			t.Errorf("%q: %v, want %d (%v)", pattern, got.Files, want, err)
		}
	}
	got, err := d.Find(pus.FileFind{Repository: "sub", Pattern: "*.tar"})
	if err != nil || !slices.Contains(got.Files, pus.FileName{Repository: "sub/deep", Name: "c.tar"}) || len(got.Files) != 2 {
		t.Errorf("below a repository: %v (%v)", got.Files, err)
	}
	list, err := d.List(pus.DirectoryName{Repository: "sub"})
	want := []pus.DirectoryObject{{Name: "b.tar"}, {Name: "d.jwt"}, {Directory: true, Name: "deep"}}
	slices.SortFunc(want, func(a, b pus.DirectoryObject) int { return strings.Compare(a.Name, b.Name) })
	if err != nil || !slices.Equal(list.Objects, want) {
		t.Errorf("list %v (%v)", list.Objects, err)
	}
	if err := d.RemoveDirectory(top("sub")); err == nil {
		t.Error("a directory that holds files is gone")
	}
}

// A copy that was suspended goes on, and one that was aborted leaves nothing behind.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	octets := make([]byte, 3<<20)
	for i := range octets {
		octets[i] = byte(i * 7)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), octets, 0o644); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir, safe.NewRecords(), 1<<30, 10)
	if err := d.Copy(pus.FileCopy{Operation: 1, From: top("a"), To: top("b")}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || !slices.Equal(got, octets) {
		t.Errorf("the copy differs (%v)", err)
	}
	if err := d.Copy(pus.FileCopy{Operation: 1, From: top("a"), To: top("b")}); code(err) != pus.FailureRefused {
		t.Errorf("onto a file: %v", err)
	}
	done := make(chan error)
	go func() { done <- d.Copy(pus.FileCopy{Operation: 2, From: top("a"), To: top("c")}) }()
	var err error
	for err == nil { // until it has ended, or was aborted
		if d.Steer([]uint16{2}, depot.Suspend) == nil {
			if p := d.Progress(); len(p) > 0 && p[0].Operation != 2 {
				t.Errorf("progress %v", p)
			}
			if err := d.Steer(nil, depot.Abort); err != nil {
				t.Error(err)
			}
		}
		select {
		case err = <-done:
			if err == nil {
				err = errDone
			}
		default:
		}
	}
	if _, there := os.Stat(filepath.Join(dir, "c")); (there == nil) != errors.Is(err, errDone) {
		t.Errorf("%v, and the copy: %v", err, there)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, ".cfdp-part")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := d.Steer([]uint16{9}, depot.Resume); code(err) != pus.FailureUnknownName {
		t.Errorf("no such operation: %v", err)
	}
}

var errDone = errors.New("complete")

// What a copy will bring counts before it is there, and half of a file is no copy of it.
func TestCopyUnderWay(t *testing.T) {
	dir := t.TempDir()
	const much = 1 << 40 // none of it on disk, and more than is copied before anybody looks
	d := open(t, dir, safe.NewRecords(), much*9/4, 10)
	from := filepath.Join(dir, "a")
	if err := errors.Join(os.WriteFile(from, nil, 0o600), os.Truncate(from, much)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.Copy(pus.FileCopy{Operation: 1, From: top("a"), To: top("b")}) }()
	for d.Steer([]uint16{1}, depot.Suspend) != nil {
		select {
		case err := <-done:
			t.Fatalf("it is over: %v", err)
		default:
			runtime.Gosched()
		}
	}
	if err := d.Copy(pus.FileCopy{Operation: 2, From: top("a"), To: top("c")}); code(err) != pus.FailureFull {
		t.Errorf("a second copy: %v", err)
	}
	if err := errors.Join(os.Truncate(from, 0), d.Steer([]uint16{1}, depot.Resume)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; code(err) != pus.FailureRefused {
		t.Errorf("a copy of what is gone: %v", err)
	}
}

// FuzzNames: no name from the ground makes anything outside of the root, or panics.
func FuzzNames(f *testing.F) {
	f.Add("", "a", "*")
	f.Add("..", "../x", "**")
	f.Add("a/b", ".cfdp-part", "*a*b")
	f.Fuzz(func(t *testing.T, repository, name, pattern string) {
		parent := t.TempDir()
		root := filepath.Join(parent, "root")
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		d := open(t, root, safe.NewRecords(), 1000, 10)
		file := pus.FileName{Repository: repository, Name: name}
		_ = d.MakeDirectory(pus.FileName{Name: repository})
		made := d.Create(pus.FileCreate{Repository: repository, Name: name}) == nil
		_, err := d.Attributes(file)
		if made != (err == nil) {
			t.Fatalf("made %v, seen %v", made, err)
		}
		if found, err := d.Find(pus.FileFind{Pattern: "*"}); err != nil || made && !slices.ContainsFunc(found.Files, func(g pus.FileName) bool { return g.Name == filepath.Base(name) }) {
			t.Fatalf("found %v (%v)", found, err)
		}
		_, _ = d.Find(pus.FileFind{Repository: repository, Pattern: pattern})
		_ = d.Move(pus.FileCopy{From: file, To: pus.FileName{Name: pattern}})
		if all, err := os.ReadDir(parent); err != nil || len(all) != 1 {
			t.Fatalf("outside of the root: %v (%v)", all, err)
		}
	})
}
