package imports_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The program that runs a tenant's code must not even contain the bus, the
// link or a network stack.
func TestLeastPrivilege(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"cmd/perilune-tender").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		own, found := strings.CutPrefix(dep, module)
		room, _, _ := strings.Cut(own, "/")
		switch {
		case found && room != "tender" && room != "hvt" && own != "internal/seqpacket" && own != "cmd/perilune-tender":
			t.Errorf("imports room %s", own)
		case dep == "net", dep == "os/exec", dep == "plugin", strings.Contains(dep, "nats"):
			t.Errorf("imports %s", dep)
		}
	}
}
