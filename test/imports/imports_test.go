// Package imports_test keeps the rooms of docs/design.md: who may import whom.
package imports_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/perilune/perilune/"

// floors: a room imports only rooms of lower floors, and itself.
var floors = map[string]int{
	"cmd":       4,
	"scheduler": 3, "ground": 3, "sim": 3, "initramfs": 3,
	"bus": 2, "missions": 2, "tender": 2, "images": 2,
	"ccsds": 1, "hvt": 1, "plan": 1, "devices": 1,
	"internal": 0, // words and tools that every room but ccsds may use
}

// only names the packages that may import a dependency, by prefix inside the module.
var only = map[string][]string{
	"github.com/nats-io/nats.go":        {"bus"},
	"github.com/nats-io/nats-server":    {"bus"},
	"github.com/nats-io/nkeys":          {"missions/grant"},
	"github.com/nats-io/jwt":            {"missions/grant"},
	"go.etcd.io/bbolt":                  {"internal/durable"},
	"github.com/google/gopacket/layers": {},
	"github.com/BurntSushi/toml":        {"internal/config"},
	"github.com/diskfs/go-diskfs":       {"images/disk"},
	"github.com/spf13/cobra":            {"cmd/perilune"},
}

// never lists what must not be in the whole dependency tree of a package.
var never = map[string][]string{
	"cmd/perilune-tender": {"bus", "ccsds", "scheduler", "ground", "missions", "images", "github.com/nats-io/", "net/http"},
	"cmd/perilune-flight": {"ground", "sim", "images/disk", "images/kernel", "net/http/httputil"},
	"initramfs/init":      {"ground", "sim", "bus", "ccsds", "scheduler", "github.com/nats-io/"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,Deps", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func room(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, module)
	name, _, _ := strings.Cut(rest, "/")
	return name, ok
}

func TestFloors(t *testing.T) {
	for _, p := range list(t) {
		from, _ := room(p.ImportPath)
		if from == "test" {
			continue
		}
		if _, ok := floors[from]; !ok {
			t.Errorf("%s is in no room of the design", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := room(imp)
			if !ours || to == from {
				continue
			}
			if floors[to] >= floors[from] {
				t.Errorf("%s (floor %d) imports %s (floor %d): import only downward", p.ImportPath, floors[from], imp, floors[to])
			}
			if from == "ccsds" {
				t.Errorf("%s imports %s: ccsds is pure and stands alone", p.ImportPath, imp)
			}
		}
	}
}

func TestOnlyOneDoor(t *testing.T) {
	for _, p := range list(t) {
		here := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			for dep, allowed := range only {
				if imp != dep && !strings.HasPrefix(imp, dep+"/") {
					continue
				}
				if !slices.ContainsFunc(allowed, func(a string) bool { return here == a || strings.HasPrefix(here, a+"/") }) {
					t.Errorf("%s imports %s, which belongs to %v", here, imp, allowed)
				}
			}
		}
	}
}

func TestNever(t *testing.T) {
	seen := 0
	for _, p := range list(t) {
		here := strings.TrimPrefix(p.ImportPath, module)
		banned, ok := never[here]
		if !ok {
			continue
		}
		seen++
		for _, dep := range p.Deps {
			for _, b := range banned {
				if strings.HasPrefix(dep, b) || strings.HasPrefix(strings.TrimPrefix(dep, module), b+"/") || dep == module+b {
					t.Errorf("%s depends on %s", here, dep)
				}
			}
		}
	}
	if seen != len(never) {
		t.Errorf("%d of %d guarded programs exist", seen, len(never))
	}
}
