package store

import (
	"os"
	"path"
	"path/filepath"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions"
)

// check holds the unpacked mission in dir against the rules of the tender, so that
// what is active also starts: the program's form, its manifest, its memory, and the
// length of each block device. It returns the octets of all of them.
func check(dir, arch string, m *missions.Mission) (size int64, err error) {
	f, err := os.Open(filepath.Join(dir, "kernel"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size = st.Size()
	img, err := hvt.ReadImage(f, st.Size(), hvt.MachineOf(arch))
	if err == nil {
		err = img.Layout(uint64(m.Guest.Memory) << 20)
	}
	if err != nil {
		return 0, missions.Rulef(missions.RuleELF, "%v", err)
	}
	if err := m.CheckManifest(img.Manifest); err != nil {
		return 0, missions.Rulef(missions.RuleManifest, "%v", err)
	}
	for _, b := range m.Block {
		st, err := os.Stat(filepath.Join(dir, "blobs", path.Base(b.File)))
		if err != nil {
			return 0, err
		}
		size += st.Size()
		if st.Size() == 0 || st.Size()%int64(b.SectorSize) != 0 {
			return 0, missions.Rulef(missions.RuleMission, "block %q: %d octets are no whole number of %d-octet sectors", b.Name, st.Size(), b.SectorSize)
		}
	}
	return size, nil
}
