package files

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/internal/syncfile"
)

// provenance hashes a file that has come down and writes down where it came from.
func (f *Files) provenance(t *client.Transfer) error {
	path := filepath.Join(f.cfg.Dir, "files", filepath.FromSlash(t.Name))
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(h, file)
	if err != nil {
		return err
	}
	t.SHA256 = hex.EncodeToString(h.Sum(nil))
	if t.Path, err = filepath.Abs(path); err != nil {
		return err
	}
	v := client.File{Name: t.Name, Size: n, SHA256: t.SHA256, Received: f.now.UTC(), Transfer: t.ID, Path: t.Path}
	if g, ok := owner(t.Name); ok {
		v.Tenant, v.Mission = g.Tenant, g.Mission
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	to := filepath.Join(f.cfg.Dir, "provenance", filepath.FromSlash(t.Name)+".json")
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return syncfile.Replace(to, append(data, '\n'))
}

// owner reads tenant and mission from the name that flight gives to a product:
// TENANT/MISSION/NAME.
func owner(name string) (ids.Guest, bool) {
	part := strings.SplitN(name, "/", 3)
	if len(part) != 3 {
		return ids.Guest{}, false
	}
	g, err := ids.ParseGuest(part[0] + "/" + part[1])
	return g, err == nil
}

// List tells of the files that have come down, oldest first. One whose record is damaged is
// left out and logged.
func (f *Files) List() ([]client.File, error) {
	var all []client.File
	root := filepath.Join(f.cfg.Dir, "provenance")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		var v client.File
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &v)
		}
		if err != nil {
			f.cfg.Log.Error("where a file came from is not known", "record", path, "err", err)
			return nil
		}
		all = append(all, v)
		return nil
	})
	slices.SortFunc(all, func(a, b client.File) int { return a.Received.Compare(b.Received) })
	return all, err
}

// OpenFile opens a file that has come down. A link does not lead out of the folder.
func (f *Files) OpenFile(name string) (fs.File, error) {
	root, err := os.OpenRoot(filepath.Join(f.cfg.Dir, "files"))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name = filepath.FromSlash(name)
	st, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("it has not come down, see 'perilune file list': %w", fs.ErrNotExist)
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	return root.Open(name)
}
