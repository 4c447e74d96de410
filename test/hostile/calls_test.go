package hostile_test

// kind is a way of attack: a column of the table.
type kind string

const (
	record  kind = "record"  // where the call's record lies
	pointer kind = "pointer" // addresses in it
	value   kind = "value"   // lengths, offsets, handles, numbers, times
	overlap kind = "overlap" // a buffer that is its own record or ring
	indices kind = "index"   // indices that jump
	others  kind = "vCPU"    // from a vCPU that is not the first
	races   kind = "race"    // another vCPU changes it meanwhile
	floods  kind = "flood"   // as often as it can be
	halts   kind = "HALT"    // another vCPU ends the guest meanwhile
)

var kinds = []kind{record, pointer, value, overlap, indices, others, races, floods, halts}

// row is one run of a guest: how it must end, and the defence (controls_test.go)
// without which it ends otherwise. A row without one is what must go on working.
type row struct {
	kind                       kind
	guest, call, want, defence string
}

// callRows are hypercalls of a guest with one vCPU.
var callRows = map[kind][]row{
	record: { // at every edge of memory, across it, above it, in low memory; where the tender must not write
		{call: "puts@T-10 0 0", want: ok},
		{call: "puts@T-f", want: access, defence: "bounds"},
		{call: "puts@T", want: access, defence: "bounds"},
		{call: "puts@ffffffff", want: access, defence: "bounds"},
		{call: "puts@0", want: access, defence: "zones"},
		{call: "puts@2000", want: access, defence: "zones"},
		{call: "puts@ffff", want: access},
		{call: "halt@T-8", want: access, defence: "bounds"},
		{call: "poll@T-10", want: access, defence: "bounds"},
		{call: "read@T-20", want: access, defence: "bounds"},
		{call: "write@T-20", want: access, defence: "bounds"},
		{call: "send@T-10", want: access, defence: "bounds"},
		{call: "receive@T-10", want: access, defence: "bounds"},
		{call: "walltime@X", want: access, defence: "zones"},
		{call: "walltime@10000", want: access, defence: "zones"},
		{call: "walltime@R", want: ok},
	},
	pointer: { // buffers at the edges, wrapping, where the guest may not read or write
		{call: "puts T-10 10", want: ok},
		{call: "puts T-10 11", want: access, defence: "bounds"},
		{call: "puts T 1", want: access, defence: "bounds"},
		{call: "puts ffffffffffffffff 2", want: access, defence: "bounds"},
		{call: "puts 8000000000000000 1", want: access, defence: "bounds"},
		{call: "puts 2000 8", want: access, defence: "zones"},
		{call: "puts f000 2000", want: access, defence: "zones"},
		{call: "halt T-80 0", want: access, defence: "bounds"},
		{call: "halt 2000 0", want: access, defence: "zones"},
		{call: "write 1 e00 T-200 200", want: ok},
		{call: "read 1 e00 T-1ff 200", want: access, defence: "bounds"},
		{call: "read 1 0 X 200", want: access, defence: "zones"},
		{call: "read 1 0 10000 200", want: access, defence: "zones"},
		{call: "write 1 0 2000 200", want: access, defence: "zones"},
		{call: "send 2 2000 10", want: access, defence: "zones"},
		{call: "send 2 T-f 10", want: access, defence: "bounds"},
		{call: "receive 2 X 200", want: access, defence: "zones"},
		{call: "receive 2 T-1ff 200", want: access, defence: "bounds"},
	},
	value: { // the disk has 4 KiB; handles of none, of another device, beyond the table
		{call: "puts B 0", want: ok},
		{call: "puts B ffffffffffffffff", want: access, defence: "bounds"},
		{call: "read 1 0 B 200", want: ok},
		{call: "read 1 1000 B 200", want: einval, defence: "disk"},
		{call: "read 1 e00 B 400", want: einval, defence: "disk"},
		{call: "read 1 fffffffffffffe00 B 400", want: einval, defence: "disk"},
		{call: "read 1 7ffffffffffffe00 B 200", want: einval, defence: "disk"},
		{call: "read 1 1 B 200", want: einval, defence: "disk"},
		{call: "write 1 200 B 1", want: einval, defence: "disk"},
		{call: "write 1 1000 B 200", want: einval, defence: "disk"},
		{call: "write 1 e00 B 400", want: einval, defence: "disk"},
		{call: "write 1 0 B fffffffffffffe00", want: einval, defence: "disk"},
		{call: "read 0 0 B 200", want: einval, defence: "handle"},
		{call: "read 2 0 B 200", want: einval, defence: "handle"},
		{call: "read 40 0 B 200", want: einval, defence: "handle"},
		{call: "write ffffffffffffffff 0 B 200", want: einval, defence: "handle"},
		{call: "send 1 B 10", want: einval, defence: "handle"},
		{call: "send 8000000000000000 B 10", want: einval, defence: "handle"},
		{call: "receive 3f B 10", want: einval, defence: "handle"},
		{call: "receive 100000002 B 10", want: einval, defence: "handle"},
		{call: "send 2 B 100", want: ok},
		{call: "send 2 B ffffffffffff0000", want: access, defence: "bounds"},
		{call: "receive 2 B 2000", want: ok},
		{call: "receive 2 B ffffffffffffffff", want: access, defence: "bounds"},
		{call: "receive 2 B 0", want: again},
		{call: "poll 0", want: "1"},
		{call: "poll ffffffffffffffff", want: "1"},
		// Of a guest that declares no vCPUs.
		{call: "start 0 X T 0", want: noCall, defence: "extended"},
		{call: "park 0", want: noCall, defence: "extended"},
		{call: "wake 0", want: noCall, defence: "extended"},
	},
	overlap: { // the answer is written last
		{call: "read 1 0 R 200", want: ok},
		{call: "read 1 0 R+8 200", want: ok},
		{call: "write 1 0 R 200", want: ok},
		{call: "send 2 R 20", want: ok},
		{call: "receive 2 R 200", want: ok},
		{call: "puts R 20", want: ok},
		{call: "halt R 7", want: halted},
	},
}
