package scheduler_test

import (
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
)

// A mission with a grace is asked to end, also by a flight program that has not started it, and does:
// with its own last words and status. One that does not hear is ended all the same.
func TestStopAskedOnKVM(t *testing.T) {
	c := newCraft(t, 0)
	c.realSlots()
	c.exampleWith("beacon", "acme", "beacon.tar", "memory = 4", "memory = 4\ngrace = 1")
	c.exampleWith("echo", "acme", "echo.tar", "grace = 10", "grace = 30")
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon")
	order := func(function, mission string) {
		t.Helper()
		c.ground.verified(c.ground.function(function, "acme", mission), pus.CompletionSuccess)
	}
	asked := func() {
		t.Helper()
		order(pus.FunctionMissionStop, "echo")
		c.ground.wait("last words", func(tm pus.Telemetry) bool {
			d, err := pus.DecodeTenantData(tm.Payload)
			return isBeacon(tm) && err == nil && d.Mission == "echo" && string(d.Data) == "bye"
		})
		c.ground.event(pus.EventGuestExited, "acme/echo: status 0, halt")
	}
	order(pus.FunctionMissionStart, "echo")
	asked()

	order(pus.FunctionMissionStart, "echo")
	c.halt()
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	asked()
	order(pus.FunctionMissionStop, "beacon")
	c.ground.event(pus.EventGuestExited, "acme/beacon: status 137")
}
