package flatsat_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
)

// A file of the file store goes down as it is, on a channel that carries bits, beside packets
// and under security; the station keeps what comes.
func TestStream(t *testing.T) {
	outside(t)
	for name, link := range map[string]string{
		"bitstream": "down = \"aos\"\n[[link.down_channel]]\nvc = 5\nservice = \"bitstream\"\nsecurity = \"both\"\n",
		"vca":       "down = \"uslp\"\n[[link.down_channel]]\nvc = 5\nservice = \"vca\"\nmap = 3\n",
	} {
		t.Run(name, func(t *testing.T) {
			desc, err := craft.Parse([]byte(craftTOML+"[link]\n"+link), "craft.toml")
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				flyAs(t, desc, nil, 1, 0, 0, func(ctx context.Context, f *flatsat) { streamFile(t, ctx, f) })
			})
		})
	}
}

func streamFile(t *testing.T, ctx context.Context, f *flatsat) {
	f.ping(ctx)
	want := bytes.Repeat([]byte("raw data, as the instrument has it\n"), 1500)
	local := filepath.Join(t.TempDir(), "raw.bin")
	if err := os.WriteFile(local, want, 0o600); err != nil {
		t.Fatal(err)
	}
	up, err := f.api.Upload(ctx, local, client.Put{Dest: "raw.bin", Class: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.api.WaitTransfer(ctx, up.ID, nil); err != nil {
		t.Fatal(err)
	}
	run := func(name string, arguments ...string) error {
		id, err := f.api.Function(ctx, name, arguments...)
		if err == nil {
			_, err = f.api.WaitCommand(ctx, id, client.StageCompleted)
		}
		return err
	}
	var refused *client.RefusedError
	if err := run("stream.start", "1", "raw.bin"); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "channel 1 carries packets") {
		t.Errorf("on a channel of packets: %v", err)
	}
	if err := run("stream.start", "5", "raw.bin"); err != nil {
		t.Fatal(err)
	}
	e, err := f.api.Wait(ctx, f.seen, func(e client.Event) bool { return strings.HasPrefix(e.Text, "raw.bin on channel 5") }, client.KindEvent)
	if err != nil {
		t.Fatal(err)
	}
	f.seen = e.Seq
	var got []byte
	for range 100 { // the last frame may be behind the event
		if got, err = os.ReadFile(filepath.Join(f.dir, "ground", "streams", "vc-5.bin")); err != nil || len(got) >= len(want) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d octets of %d are kept, %v", len(got), len(want), err)
	}
	if _, err := f.api.Wait(ctx, 0, func(e client.Event) bool { return strings.Contains(e.Text, "at octet 0 of vc-5.bin") }, client.KindData); err != nil {
		t.Error(err)
	}
}
