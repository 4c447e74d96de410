// Package link puts the books together to a space link: Space on board and Ground
// below, mirrors of each other. Both are engines without input and output: bits go
// in, bits and callbacks come out, the time is an argument, and nothing runs by
// itself. Neither is for concurrent use; all calls and callbacks happen under one lock
// of the caller, and a callback must not call back into the engine.
//
//	Ground.Send                                                    SpaceEvents.Packet
//	 packet → segments → SDLS → TC frame, FOP-1 → CLTU ⇢ CLTU → TC frame, FARM-1 → SDLS → packet
//	 packet ← TM frame ← RS ← randomiser ← ASM  ⇠  ASM ← randomiser ← RS ← TM frame ← packet
//	GroundEvents.Packet               CLCW in each frame                        Space.Send
//
// Uplink virtual channels 0 (commands) and 1 (files) are sequence controlled (AD);
// channel 2 is the way back in: Type-BD frames only, radiated whether or not
// anything is heard from the craft. Each has a security association of its own, so
// that channels do not reorder each other's anti-replay numbers.
//
// A downlink channel whose Service is not packets carries what Space.Send is given as it is,
// to GroundEvents.Data.
//
// What is promised. Packets sent with AD arrive once and in order as long as the
// craft does not restart and nobody orders the AD service anew while frames are on
// their way. A restart of the craft loses V(R), which is saved only now
// and then, and packets that were half reassembled; Ground sees the contradiction,
// sets V(R) anew and sends again whatever was not acknowledged, under new sequence
// and anti-replay numbers. A packet whose acknowledgement died with the craft is then
// delivered twice, and one whose first segments were acknowledged and whose rest was
// not is delivered once. What is above must bear a repeated packet: CFDP does, and a
// repeated telecommand carries the same sequence count.
//
// FARM-1 stands before SDLS, as the books have it: a forged frame may take a sequence
// number or lock the channel, which Ground repairs, but never reaches a packet.
package link
