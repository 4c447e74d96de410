package sdk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/perilune/perilune/internal/ids"
)

// ErrExists is wrapped by New when the folder already holds something.
var ErrExists = errors.New("the folder is not empty")

// New writes a mission that builds and flies as it is: mission.toml, a
// README.md and src/main.c in dir, which is made if needed and must be empty.
// tenant and name follow the rules of package ids.
func New(dir, tenant, name string) error {
	if err := errors.Join(ids.CheckName("tenant", tenant), ids.CheckName("mission", name)); err != nil {
		return fmt.Errorf("new mission: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("new mission: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("new mission: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("new mission: %s: %w", dir, ErrExists)
	}
	values := struct{ Tenant, Name string }{tenant, name}
	err = fs.WalkDir(files, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(path, "template")))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		return writeTemplate(to, path, values)
	})
	if err != nil {
		return fmt.Errorf("new mission: %w", err)
	}
	return nil
}

func writeTemplate(to, from string, values any) error {
	t, err := template.ParseFS(files, from)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, values); err != nil {
		return err
	}
	return os.WriteFile(to, text.Bytes(), 0o644)
}
