// Package ccsds holds the words that all books of the space link share: identifiers,
// decoding errors, the number of each gopacket layer, the frame checksum and the length
// rule of a packet. The packages below it are one CCSDS book each and are pure: no
// goroutines, no clock, no logging.
package ccsds
