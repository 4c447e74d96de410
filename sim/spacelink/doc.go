// Package spacelink is the space between a craft and a station: it carries bits from
// socket to socket and does to them what the way does. Noise, bursts and loss of signal
// come from ccsds/channel; delay, recordings and the sockets are here.
//
//	craft's radio ──▶ down.sent.raw ──▶ channel ──▶ delay ──▶ down.received.raw ──▶ station
//	craft's radio ◀── up.received.raw ◀── delay ◀── channel ◀── up.sent.raw ◀── station
//
// With noise by Eb/N0 the receiver of the downlink sees symbols of the size of 1 with Gaussian
// noise on them. What it gives to the station is either their signs or, with Soft, the soft
// symbols themselves: an octet each, as package ccsds/coding has them. The recording holds the
// signs, so that bit n of the stream is in octet n/8 of it in either case.
//
// Nothing here keeps time for the protocols: the two radios pace themselves, and a slow
// reader holds back the writer at the other end.
package spacelink
