// Package turbo is the turbo code of CCSDS 131.0-B-5 §6: two recursive convolutional codes
// of 16 states with a permutation between them, information blocks of 1784, 3568, 7136 and
// 8920 bits, rates 1/2, 1/3, 1/4 and 1/6, and a soft-decision decoder.
//
// Bits travel in octets, most significant first. Soft bits are as in package coding:
// eighths of a log-likelihood ratio, positive for 0, negative for 1.
package turbo
