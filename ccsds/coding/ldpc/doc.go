// Package ldpc holds the low-density parity-check codes of CCSDS 131.0-B-5 §7, the AR4JA
// family and the code of rate 7/8, and those of telecommands in CCSDS 231.0-B-4 §4, with
// encoders made from their parity-check matrices and soft-decision decoders.
//
// Bits travel in octets, most significant first. Soft bits are as in package coding:
// eighths of a log-likelihood ratio, positive for 0, negative for 1.
package ldpc
