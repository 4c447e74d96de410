// Package pus speaks the packet utilisation standard, ECSS-E-ST-70-41C: the
// secondary headers of telecommand and telemetry packets and the messages of
// the services that the craft offers.
//
//	 space packet primary header (6)   CCSDS 133.0-B-2
//	┌──────────────────────────────┐
//	│ TC: ver|ack, svc, sub, src   │ 5 octets    ECSS §7.4.4.1
//	│ TM: ver|ref, svc, sub, count,│ 14 octets   ECSS §7.4.3.1
//	│     dest, time CUC 4+3       │
//	├──────────────────────────────┤
//	│ message                      │
//	├──────────────────────────────┤
//	│ packet error control, CRC-16 │ 2 octets    ECSS annex B.1
//	└──────────────────────────────┘
//
// Services that the craft offers are those of Catalogue but 22, and 128, ours, for the
// tenants' own data, and 129, ours, for the extended procedures of data link security.
// Catalogue lists all messages that the standard has for services 1, 3 to 6, 8, 9, 11 to 15, 17
// and 19 to 23. Those without a codec of their own go through EncodeMessage and DecodeMessage;
// Kinds lists these.
// Numbers are big-endian; texts are a u16 length and that many octets of UTF-8.
//
// The package is pure: instants come in as arguments, nothing is logged.
package pus
