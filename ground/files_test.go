package ground_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
)

func TestFilesBothWaysThroughNoise(t *testing.T) {
	w, ctx := world(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 200_000)
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	local := filepath.Join(w.Dir, "data.bin")
	if err := os.WriteFile(local, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := w.Craft.Offer("borealis/earth/earth.bin", data[:100_000]); err != nil {
		t.Fatal(err)
	}
	up, err := w.Client.Upload(ctx, local, client.Put{Dest: "data/new.bin"})
	if err != nil {
		t.Fatal(err)
	}
	for up.Done < up.Size/4 {
		all, err := w.Client.Transfers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			if x.ID == up.ID {
				up = x
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	// Nothing but errors for a while, then silence, in the middle of it.
	w.Craft.With(func(up, down *channel.Channel) { up.Burst(20_000); down.Burst(400_000) })
	time.Sleep(300 * time.Millisecond)
	w.Craft.With(func(up, down *channel.Channel) { up.SetSignal(false); down.SetSignal(false) })
	time.Sleep(300 * time.Millisecond)
	w.Craft.With(func(up, down *channel.Channel) { up.SetSignal(true); down.SetSignal(true) })
	if _, err := w.Client.WaitTransfer(ctx, up.ID, nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(w.Dir, "craft", "in", "data", "new.bin"))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file that went up differs: %d octets, %v", len(got), err)
	}
	e, err := w.Client.Wait(ctx, 0, func(e client.Event) bool { return e.Field("direction") == "down" }, client.KindFileFinished)
	if err != nil {
		t.Fatal(err)
	}
	if e.Bit == 0 || e.Stream != client.StreamDown {
		t.Errorf("finished at %s %d", e.Stream, e.Bit)
	}
	files, err := w.Client.Files(ctx)
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if f := files[0]; f.Tenant != "borealis" || f.Mission != "earth" || f.Size != 100_000 || f.SHA256 != e.Field("sha256") || len(f.SHA256) != 64 {
		t.Errorf("provenance %+v", f)
	}
	var down bytes.Buffer
	if err := w.Client.Fetch(ctx, files[0].Name, &down); err != nil || !bytes.Equal(down.Bytes(), data[:100_000]) {
		t.Errorf("the file that came down differs: %d octets, %v", down.Len(), err)
	}
	s, err := w.Client.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.Link.Retransmissions == 0 || s.Link.Corrected == 0 || s.Link.Lost == 0 {
		t.Errorf("the noise did not hurt: %+v", s.Link)
	}
}

// pack makes a bundle whose kernel is not one, signed by key.
func pack(t *testing.T, dir, tenant, mission string, key grant.Key) string {
	t.Helper()
	kernel := filepath.Join(dir, "kernel")
	if err := os.WriteFile(kernel, []byte("no ELF at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, mission+".tar")
	toml := fmt.Sprintf("name = %q\ntenant = %q\n", mission, tenant)
	if _, err := bundle.Write(path, bundle.Contents{Mission: []byte(toml), Kernels: map[string]string{"amd64": kernel}}, key); err != nil {
		t.Fatal(err)
	}
	return path
}
