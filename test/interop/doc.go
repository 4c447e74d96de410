// Package interop tests the space link against programs that are not ours, each in
// a process of its own: Reed–Solomon by reed-solomon-ccsds and libfec, packets by
// spacepackets, CFDP by cfdp-py, COP-1 by ccsds-cop, captures by tshark, and YAMCS
// as the ground. The tests stand behind the build tag interop:
//
//	go test -tags interop -count=1 -timeout 15m ./test/interop/...
//
// What they need of Python and Java they install under out/cache/interop at the
// versions named here; python3, java 17, mvn, tshark and libfec come from the
// system. None of them skips: what is missing is a failure.
package interop
