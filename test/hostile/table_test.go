package hostile_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/tendertest"
)

// Lines of the table that are no hypercall and no entry of a manifest.
const (
	netRing = "ring of Solo5 0.11"
	items   = "extension record"
)

// handbook is the page that has the table.
const handbook = "../../docs/handbook/solo5.md"

// rows are all of the suite, each with its kind and its guest.
func rows() (out []row) {
	for _, group := range []struct {
		guest string
		rows  map[kind][]row
	}{{"calls", callRows}, {"ring", ringRows}, {"smp", smpRows}} {
		for _, k := range kinds {
			for _, r := range group.rows[k] {
				r.kind = k
				if r.guest == "" {
					r.guest = group.guest
				}
				if tendertest.Prepared() && r.want == "raced" { // emulated: milliseconds a round
					r.call = strings.Replace(r.call, "race 2710 ", "race 3e8 ", 1)
				}
				out = append(out, r)
			}
		}
	}
	return out
}

// names are the words of the guests' command lines that say what is attacked.
var names = map[string][]string{
	"walltime": {"WALLTIME"}, "puts": {"PUTS"}, "poll": {"POLL"}, "write": {"BLOCK_WRITE"}, "read": {"BLOCK_READ"},
	"send": {"NET_WRITE"}, "receive": {"NET_READ"}, "halt": {"HALT"}, "halts": {"HALT"},
	"start": {"VCPU_START"}, "park": {"VCPU_PARK"}, "wake": {"VCPU_WAKE"}, "wakes": {"VCPU_WAKE"},
	"s": {netRing}, "b": {"BLOCK_RING"}, "n": {"NET_RING"}, "kicks": {netRing, "BLOCK_RING", "NET_RING"},
	"tell": {"CHANNEL"}, "hear": {"CHANNEL"}, "seed": {"SEED"}, "record": {items},
}

// attacked are the lines that a row is about: the last word of its command line
// that has a meaning, for a verb can stand before it.
func (r row) attacked() (lines []string) {
	for _, word := range strings.Fields(r.call) {
		word, _, _ = strings.Cut(word, "@")
		if l := names[word]; l != nil {
			lines = l
		}
	}
	if lines == nil && r.guest == "ring" {
		return []string{"BLOCK_RING"}
	}
	return lines
}

// lines are everything that a guest can reach by this contract. What package
// hvt gets a name for is here of itself.
func lines() (out []string) {
	for n := range hvt.Number(1 << 10) {
		if n.Valid() {
			out = append(out, n.String())
		}
	}
	out = append(out, netRing, items)
	for t := hvt.PCI; t.Extended(); t++ {
		out = append(out, t.String())
	}
	return out
}

// none says where there is nothing to attack, and why.
var none = []struct {
	lines string // separated by commas; empty: all
	kinds []kind
	why   string
}{
	{"PCI", kinds, "no tender gives it: who declares it is refused"},
	{"VCPUS", kinds, "its calls have lines of their own"},
	{"SEED," + items, []kind{pointer, value, overlap, indices, others, races, floods, halts}, "nothing of it is read after the start, and the guest cannot write it"},
	{"WALLTIME,POLL,VCPU_PARK,VCPU_WAKE", []kind{pointer, overlap}, "its record has no address"},
	{"WALLTIME", []kind{value}, "its record is an answer only"},
	{"VCPU_START", []kind{overlap}, "what its addresses lead to is not touched"},
	{"HALT", []kind{value}, "any status is one"},
	{"HALT", []kind{races, floods}, "it happens once; its record is copied as all others are"},
	{"CHANNEL", []kind{record}, "its calls are NET_READ and NET_WRITE"},
	{"BLOCK_RING,NET_RING," + netRing, []kind{record}, "the tender says where it lies"},
	{"WALLTIME,PUTS,POLL,BLOCK_READ,BLOCK_WRITE,NET_READ,NET_WRITE,HALT,VCPU_START,VCPU_PARK,VCPU_WAKE,CHANNEL", []kind{indices}, "it has none"},
}

func excused(line string, k kind) string {
	for _, n := range none {
		if slices.Contains(strings.Split(n.lines, ","), line) && slices.Contains(n.kinds, k) {
			return n.why
		}
	}
	return ""
}

// TestTable: each hypercall, ring and device has a row for each way of attack,
// or a reason why it cannot be attacked so; and the handbook shows the table.
func TestTable(t *testing.T) {
	count := map[string]map[kind]int{}
	for _, r := range rows() {
		at := r.attacked()
		if at == nil && r.kind != halts {
			t.Errorf("%s: %s: on what?", r.guest, r.call)
		}
		if r.defence != "" && defences[r.defence] == nil {
			t.Errorf("%s: no such defence: %s", r.call, r.defence)
		}
		if strings.HasPrefix(r.want, "perilune-tender: ") && r.defence == "" && r.call != "puts@ffff" {
			t.Errorf("%s: ends the guest, and has no control", r.call)
		}
		for _, line := range at {
			if count[line] == nil {
				count[line] = map[kind]int{}
			}
			count[line][r.kind]++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "|")
	for _, k := range kinds {
		fmt.Fprintf(&b, " | %s", k)
	}
	fmt.Fprintf(&b, " |\n|---%s|\n", strings.Repeat("|---", len(kinds)))
	for _, line := range lines() {
		fmt.Fprintf(&b, "| %s", line)
		for _, k := range kinds {
			n, why := count[line][k], excused(line, k)
			switch {
			case n > 0 && why != "":
				t.Errorf("%s, %s: %d rows, though %q", line, k, n, why)
			case n == 0 && why == "":
				t.Errorf("%s, %s: no row", line, k)
			case n > 0:
				fmt.Fprintf(&b, " | yes")
			default:
				fmt.Fprintf(&b, " | –")
			}
		}
		fmt.Fprintf(&b, " |\n")
	}
	page, err := os.ReadFile(handbook)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), b.String()) {
		t.Errorf("docs/handbook/solo5.md does not have this table:\n%s", b.String())
	}
}
