package station

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
)

// nothing stands for what a test does not need.
type nothing struct{ events []client.Event }

func (*nothing) Receive(ctx context.Context, _ func([]byte)) error              { <-ctx.Done(); return ctx.Err() }
func (*nothing) Write(_ context.Context, bits []byte) (int, error)              { return len(bits), nil }
func (n *nothing) Add(e client.Event) client.Event                              { n.events = append(n.events, e); return e }
func (*nothing) Last() uint64                                                   { return 0 }
func (*nothing) Follow(context.Context, uint64, func(client.Event) error) error { return nil }

type noFiles struct{}

func (noFiles) Upload(time.Time, io.Reader, client.Put) (client.Transfer, error) {
	return client.Transfer{}, fs.ErrInvalid
}

func (noFiles) Ask(time.Time, client.Ask) (client.Transfer, error) {
	return client.Transfer{}, fs.ErrInvalid
}

func (noFiles) Control(time.Time, string, string) (client.Transfer, error) {
	return client.Transfer{}, fs.ErrInvalid
}

func (noFiles) Receive(time.Time, []byte, uint64) error { return nil }
func (noFiles) Next(time.Time) ([]byte, bool)           { return nil, false }
func (noFiles) Tick(time.Time) time.Time                { return time.Time{} }
func (noFiles) Freeze(time.Time, bool)                  {}
func (noFiles) Transfers() []client.Transfer            { return nil }

func (noFiles) Wait(context.Context, string) (client.Transfer, error) {
	return client.Transfer{}, fs.ErrNotExist
}

func (noFiles) List() ([]client.File, error)     { return nil, nil }
func (noFiles) OpenFile(string) (fs.File, error) { return nil, fs.ErrNotExist }

type counting struct{ n uint64 }

func (c *counting) Next(uint16) (uint64, error)   { c.n++; return c.n, nil }
func (c *counting) Floor(uint16) (uint64, error)  { return 0, nil }
func (c *counting) Raise(uint16, uint64) error    { return nil }
func (c *counting) NextOf(string) (uint64, error) { c.n++; return c.n, nil }

// quiet is a station whose radio is silent.
func quiet(t testing.TB, c clock.Clock) (*Station, *nothing) {
	t.Helper()
	return quietWith(t, c, link.Profile{}, noFiles{})
}

func quietWith(t testing.TB, c clock.Clock, p link.Profile, f Files) (*Station, *nothing) {
	t.Helper()
	n := &nothing{}
	s, err := New(Config{
		Craft: "flatsat", Tenants: map[uint16]string{100: "acme"}, Profile: p, Radio: n, Archive: n,
		Files: f, Counters: &counting{}, Clock: c, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}
