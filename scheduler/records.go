package scheduler

import (
	"errors"
	"os"

	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/safe"
)

// openRecords opens the authority on disk. Without it flight lives in memory, and the
// cause says why it must be in safe mode.
func (f *flight) openRecords() (cause string) {
	f.records = safe.NewRecords()
	if f.cfg.Data == "" {
		return "no data partition"
	}
	var err error
	file := f.cfg.path("records.db")
	if f.db, err = openSound(file, f.cfg.Profile); err != nil {
		f.cfg.Log.Error("records", "err", err)
		if errors.Is(err, durable.ErrCorrupt) {
			f.damaged = file
		}
		return "records: " + err.Error()
	}
	for _, dir := range []string{"incoming", "products", "missions", "scratch", "snapshots"} {
		if err = os.MkdirAll(f.cfg.path(dir), 0o755); err != nil {
			f.cfg.Log.Error("data partition", "err", err)
			f.db = errClose(f.db, f.cfg.Log)
			return "data partition: " + err.Error()
		}
	}
	f.records = f.db
	return ""
}

// openSound opens records by which the link can begin. A single one of the link's that is
// damaged is damage to all: passed over, it would let old telecommands in again.
func openSound(file string, p link.Profile) (*durable.DB, error) {
	db, err := durable.Open(file)
	if err != nil {
		return nil, err
	}
	if err := (linkd.Saver{Records: db}).Check(p); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
