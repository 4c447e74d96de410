package cli_test

import (
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/tendertest"
)

// Guests with several vCPUs inside the jail of a command line.
func TestVCPUs(t *testing.T) {
	prog, guest := tendertest.Tender(t), tendertest.Guest(t, "smp")
	for _, c := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{guest, "start"}, 0, ""},
		{[]string{guest, "park"}, 0, ""},
		{[]string{guest, "halt"}, 7, ""},
		{[]string{guest, "abort"}, 255, "perilune-tender: vCPU 1: guest aborted\n"},
		{[]string{guest, "fault"}, 1, "perilune-tender: vCPU 1: "},
		{[]string{"--vcpus-max=2", guest, "start"}, 1, "perilune-tender: too many vCPUs: it declares 3, at most 2 are granted\n"},
		{[]string{"--vcpus-max=0", guest}, 1, "perilune-tender: Malformed argument to --vcpus-max: 1 to 8\n"},
	} {
		stdout, stderr, status := run(t, prog, append([]string{"--mem=2"}, c.args...)...)
		if status != c.status || !strings.HasPrefix(stderr, c.stderr) || c.stderr == "" && stderr != "" {
			t.Errorf("%q: status %d, %q, stderr %q", c.args, status, stdout, stderr)
		}
	}
}
