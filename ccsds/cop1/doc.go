// Package cop1 is the Communications Operation Procedure-1 of CCSDS 232.1-B-2:
// FOP-1 on the ground, FARM-1 on board and the Communications Link Control Word
// (CCSDS 232.0-B-4 §4.2) that closes the loop between them.
//
// Both engines are pure state machines for one virtual channel: no goroutine, no
// clock (the time is an argument), no frame format. FARM-1 is told sequence
// numbers and answers with a Verdict. FOP-1 is asked by its lower layer for the
// next thing to radiate (Next), so the book's flow-control flags AD_Out, BC_Out
// and BD_Out hold by construction: a flag is ready exactly when Next is called,
// and that call is the lower layer's accept response (E41, E43).
//
// Three things are ours and not the book's, each where the book leaves the
// implementation room: T1 follows the measured round trip, the timer restarts
// when a frame is handed over again, and Hold and Release stop the machine while
// the return link has no lock, so that silence counts neither as T1 nor as a
// transmission.
package cop1
