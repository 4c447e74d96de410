// Package coding is synchronisation and channel coding: for telemetry CCSDS 131.0-B-5
// (Reed–Solomon, pseudo-randomiser, attached sync marker), for telecommands CCSDS 231.0-B-4
// (BCH code, communications link transmission unit).
//
// Bits travel in octets, most significant first. Receivers take any number of octets at
// any alignment of what is in them, and report where in the stream, in bits since its
// first, they found each unit.
package coding
