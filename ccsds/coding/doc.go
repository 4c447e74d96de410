// Package coding is synchronisation and channel coding: for telemetry CCSDS 131.0-B-5
// (Reed–Solomon with errors and erasures, pseudo-randomisers, sync markers), for
// telecommands CCSDS 231.0-B-4 (BCH and LDPC codes in communications link transmission
// units). The packages below it hold the codes that decode soft bits: conv, ldpc, turbo.
//
// Bits travel in octets, most significant first; soft bits are an int8 each (see
// SoftScale). Receivers take any number of either at any alignment of what is in them, and
// report where in the stream, in bits since its first, they found each unit.
//
// A receiver for each way that the book allows:
//
//	uncoded, Reed–Solomon     bits  → Sync → Randomise → RS
//	convolutional             soft  → conv.Decoder → Sync → …
//	concatenated              soft  → conv.Decoder → Sync → Randomise → RS
//	turbo                     soft  → SoftSync → RandomiseSoft → turbo.Decoder
//	LDPC                      soft  → SoftSync → RandomiseSoft → ldpc.Decoder
//	LDPC, sliced frames       soft  → SoftSync → RandomiseSoft → ldpc.Decoder → SliceSync
//	telecommands, BCH         bits  → CLTUDecoder
//	telecommands, LDPC        soft  → SoftCLTUDecoder
package coding
