package scheduler_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/project"
	"github.com/perilune/perilune/missions/sdk"
)

// exampleAs is example under another tenant's, or another, name.
func (c *craftT) exampleAs(example, tenant, name string) {
	c.t.Helper()
	c.exampleWith(example, tenant, tenant+"-"+name+".tar", `tenant = "acme"`, `tenant = "`+tenant+`"`, `name = "`+example+`"`, `name = "`+name+`"`)
}

// exampleWith is example as a file of the image, signed by tenant, with changes, old and
// new, to its mission.toml.
func (c *craftT) exampleWith(example, tenant, file string, changes ...string) {
	c.t.Helper()
	dir := filepath.Join(c.t.TempDir(), example)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "missions", "examples", example))); err != nil {
		c.t.Fatal(err)
	}
	toml, err := os.ReadFile(filepath.Join(dir, "mission.toml"))
	if err != nil {
		c.t.Fatal(err)
	}
	text := strings.NewReplacer(changes...).Replace(string(toml))
	if err := os.WriteFile(filepath.Join(dir, "mission.toml"), []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	p, err := project.Open(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	key, err := c.dev.Tenant(tenant)
	if err != nil {
		c.t.Fatal(err)
	}
	_, err = p.Build(c.t.Context(), filepath.Join(c.dir, "image", file), []string{runtime.GOARCH}, key)
	if errors.Is(err, sdk.ErrTools) {
		c.t.Skip(err)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// Two guests of a tenant talk by a channel of one name; a third may not join, and
// another tenant's channel of that name is another one. What is said waits for a guest
// that does not run, and a restart of flight changes nothing.
func TestChannelOnKVM(t *testing.T) {
	c := newCraft(t, 0)
	c.realSlots()
	c.example("beacon") // one that runs until it is stopped
	c.exampleAs("relay", "acme", "relay")
	c.exampleAs("logger", "acme", "logger")
	c.exampleAs("logger", "acme", "third")
	c.exampleAs("relay", "borealis", "relay")
	c.exampleAs("logger", "borealis", "logger")
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon")
	order := func(function, tenant, mission string) {
		t.Helper()
		c.ground.verified(c.ground.function(function, tenant, mission), pus.CompletionSuccess)
	}
	note := func(apid uint16, text string) {
		t.Helper()
		data, err := pus.TenantData{Mission: "relay", Data: []byte(text)}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		c.ground.verified(c.ground.command(ccsds.APID(apid), pus.ServiceTenant, pus.TenantCommand, data), pus.CompletionSuccess)
	}
	answer := func(apid uint16, want string) {
		t.Helper()
		c.ground.wait(want, func(tm pus.Telemetry) bool {
			d, err := pus.DecodeTenantData(tm.Payload)
			return uint16(tm.APID) == apid && tm.Service == pus.ServiceTenant && tm.Subtype == pus.TenantTelemetry && err == nil &&
				d.Mission == "relay" && string(d.Data) == want
		})
	}
	order(pus.FunctionMissionStop, "acme", "beacon")
	order(pus.FunctionMissionStart, "acme", "relay")
	note(100, "early") // nobody is there yet
	order(pus.FunctionMissionStart, "acme", "logger")
	answer(100, "1 early")

	id := c.ground.function(pus.FunctionMissionStart, "acme", "third")
	c.ground.wait("refusal of the third", func(tm pus.Telemetry) bool {
		v, err := pus.DecodeVerification(tm.Subtype, tm.Payload)
		return tm.Service == pus.ServiceVerification && err == nil && v.Request == id && v.Failed() && strings.Contains(v.Text, "channel.busy")
	})

	order(pus.FunctionMissionStart, "borealis", "relay")
	note(101, "secret")
	note(100, "second")
	answer(100, "2 second") // and not the third: the secret was not heard
	order(pus.FunctionMissionStart, "borealis", "logger")
	answer(101, "1 secret") // but it was there to be heard

	c.halt()
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	c.ground.event(pus.EventFlightRestarted, "restart 1")
	note(100, "after")
	answer(100, "3 after")

	order(pus.FunctionMissionStop, "acme", "logger")
	note(100, "waits")
	order(pus.FunctionMissionStart, "acme", "logger")
	answer(100, "1 waits")
	for _, g := range [][2]string{{"acme", "logger"}, {"acme", "relay"}} {
		order(pus.FunctionMissionStop, g[0], g[1])
	}
	c.init.mu.Lock()
	defer c.init.mu.Unlock()
	if len(c.init.kept) != 1 || c.init.kept["borealis/notes"] == nil {
		t.Errorf("init still holds %v", c.init.kept)
	}
}
