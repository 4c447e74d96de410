// Package sdls is the Space Data Link Security Protocol of CCSDS 355.0-B-2 for TC, TM,
// AOS and USLP frames, with AES-256-GCM (authenticate, encrypt, or both) and AES-256-CMAC,
// and the extended procedures of CCSDS 355.1-B-1 that manage keys and associations. What
// an association does not say otherwise is AES-GCM authenticated encryption without a
// separate sequence number and without padding:
//
//	          | security header        |                 | trailer  |
//	TC header | SPI 2 | IV 12          | data, encrypted | MAC 16   | FECF
//	          |       | fixed 4 | n 8  |                 |          |
//
// The low 64 bits of the initialisation vector count frames and are the
// anti-replay number. The fixed part repeats the SPI, so that two associations
// under one key by mistake still never share a vector.
//
// Control commands of COP-1 (Type-BC) are never protected: FARM-1 reads them
// before this layer.
package sdls
