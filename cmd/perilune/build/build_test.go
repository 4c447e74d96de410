package build_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perilune/perilune/cmd/perilune/build"
	"github.com/perilune/perilune/internal/doctor"
)

// A second run makes nothing; a changed file makes what rests on it.
func TestBuildOnlyWhatChanged(t *testing.T) {
	if testing.Short() {
		t.Skip("building an image takes a minute: left out of -short")
	}
	if missing, _ := doctor.Missing(doctor.Check(doctor.Needs)); len(missing) > 0 {
		t.Skipf("%s is missing: run 'perilune doctor --install'", missing[0].Name)
	}
	dir := t.TempDir()
	craft := filepath.Join(dir, "craft.toml")
	o := build.Options{
		Dir: filepath.Join(dir, "out"), Cache: filepath.Join("..", "..", "..", "out", "cache"), Source: filepath.Join("..", "..", ".."),
		Flight: "./test/vm/testdata/flight", Tender: "./test/vm/testdata/tender", Host: []string{},
		Files: map[string]string{"etc/perilune/craft.toml": craft},
	}
	made := func(text string) []string {
		t.Helper()
		if err := os.WriteFile(craft, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := build.Build(context.Background(), o, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{a.Initramfs, a.UKI, a.Disk, a.Kernel.Image, filepath.Join(a.FlightBin, "init")} {
			if _, err := os.Stat(p); err != nil {
				t.Error(err)
			}
		}
		return a.Made
	}
	all := []string{"initramfs", "uki", "disk"}
	for _, c := range []struct {
		text string
		want []string
	}{{"one", all}, {"one", nil}, {"two", all}, {"two", nil}} {
		if got := made(c.text); !slices.Equal(got, c.want) {
			t.Errorf("with %q made %v, want %v", c.text, got, c.want)
		}
	}
	if err := os.Remove(filepath.Join(o.Dir, "image-amd64", "perilune.efi")); err != nil {
		t.Fatal(err)
	}
	if got := made("two"); !slices.Equal(got, []string{"uki"}) {
		t.Errorf("without its UKI made %v", got)
	}
}

func TestBuildSaysWhatDoesNotCompile(t *testing.T) {
	_, err := build.Build(context.Background(), build.Options{
		Dir: t.TempDir(), Source: filepath.Join("..", "..", ".."), Flight: "./no/such/package", Host: []string{},
	}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "go build ./no/such/package") {
		t.Errorf("%v", err)
	}
}
