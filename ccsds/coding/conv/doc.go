// Package conv is the convolutional code of CCSDS 131.0-B-5 §3: constraint length 7, rate
// 1/2, and its punctured rates 2/3, 3/4, 5/6 and 7/8, with a soft-decision Viterbi
// decoder that takes a stream without end.
//
// Bits travel in octets, most significant first. Soft bits are as in package coding:
// positive for 0, negative for 1.
package conv
