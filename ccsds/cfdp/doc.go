// Package cfdp delivers files by the CCSDS File Delivery Protocol, 727.0-B-5:
// the codecs of its PDUs, and an entity that runs class 1 (unacknowledged) and
// class 2 (acknowledged) transactions in both directions.
//
//	sender                                   receiver
//	Metadata ────────────────────────────▶   file created under a hidden name
//	File Data ───────────────────────────▶   written in place, in any order
//	  ◀──────────────────────────────── NAK  at a gap (immediate)
//	EOF ─────────────────────────────────▶
//	  ◀─────────────────────────── ACK(EOF)
//	  ◀──────────────────────────────── NAK  what is still missing (deferred)
//	File Data ───────────────────────────▶   complete: checksum, then the rename
//	  ◀─────────────────────────── Finished
//	ACK(Finished) ───────────────────────▶
//
// The entity does no input or output but that of its Filestore and Saver. It is
// handed PDUs by Receive, gives PDUs by Next when the link has room for one,
// and learns the time from the calls. It is not safe for use by several
// goroutines at once.
//
// Nothing is lost by waiting: what moves a transfer on is the arrival of PDUs.
// Timers only repair the loss of the last PDU of an exchange; they count
// contact time, since Freeze stops them all while there is no signal.
package cfdp
