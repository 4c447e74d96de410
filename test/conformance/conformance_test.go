// Package conformance_test runs a guest for every row of the contract that
// Solo5's hvt tender keeps with its guests and with those who call it. A
// folder is a guest: main.c, and expect.toml with what must happen (package
// cases). The same guests can be tried on another tender:
//
//	CONFORMANCE_TENDER=/path/of/solo5-hvt go test ./test/conformance
package conformance_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/perilune/perilune/missions/sdk"
	"github.com/perilune/perilune/test/guests/cases"
)

// quick are the guests of a run with -short: to build one takes a second.
var quick = map[string]bool{"hello": true, "loader": true, "devices": true}

func TestConformance(t *testing.T) {
	files, err := filepath.Glob("*/expect.toml")
	if err != nil || len(files) < 18 {
		t.Fatalf("%d guests, %v", len(files), err)
	}
	if err := cases.Runnable(); err != nil {
		t.Skip(err)
	}
	tender := os.Getenv("CONFORMANCE_TENDER")
	if tender == "" {
		if tender, err = cases.BuildTender(t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range files {
		if testing.Short() && !quick[filepath.Dir(file)] {
			continue
		}
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { guest(t, tender, file) })
	}
}

func guest(t *testing.T, tender, file string) {
	t.Parallel()
	f, err := cases.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	kernel := filepath.Join(t.TempDir(), "guest.hvt")
	err = f.Build.Make(context.Background(), filepath.Dir(file), runtime.GOARCH, kernel)
	if errors.Is(err, sdk.ErrTools) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Case {
		t.Run(c.Name, func(t *testing.T) {
			if c.Beyond && os.Getenv("CONFORMANCE_TENDER") != "" {
				t.Skip("solo5-hvt, which CONFORMANCE_TENDER names, does otherwise")
			}
			err := cases.Run(t.Context(), tender, kernel, c)
			var skip *cases.SkipError
			if errors.As(err, &skip) {
				t.Skip(err)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Every guest builds for both architectures.
func TestBuildsForBoth(t *testing.T) {
	if testing.Short() {
		t.Skip("building every guest twice takes half a minute: left out of -short")
	}
	files, err := filepath.Glob("*/expect.toml")
	if err != nil {
		t.Fatal(err)
	}
	arch := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	for _, file := range files {
		f, err := cases.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Build.Make(context.Background(), filepath.Dir(file), arch, filepath.Join(t.TempDir(), "guest.hvt"))
		if errors.Is(err, sdk.ErrTools) {
			t.Skip(err)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
