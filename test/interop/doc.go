// Package interop tests the space link against programs that are not ours, each in
// a process of its own: Reed–Solomon by reed-solomon-ccsds and libfec, LDPC by
// labrador-ldpc, packets by spacepackets, frames, CLTUs and time codes by eu.dariolucia.ccsds,
// CFDP by cfdp-py, COP-1 by ccsds-cop, XTCE by space-packet-parser, captures by tshark, and YAMCS
// as the ground. The tests stand behind the build tag interop:
//
//	make test-interop
//
// What they need of Python, Java and Rust they install under out/cache/interop at the
// versions named here; python3, java, mvn, cargo, tshark and libfec come from Debian's
// packages, by "perilune doctor --install --for interop". What is missing is a failure, and so
// is a test that skips.
package interop
