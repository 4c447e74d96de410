#include "textflag.h"

// onSignal is a signal handler: it writes the signal's last words and ends the
// program with status 1, from whatever the thread was doing.
TEXT onSignal<>(SB), NOSPLIT|NOFRAME, $0
	MOVD	$·lastWords(SB), R3
	ADD	R0<<4, R3	// by signal
	MOVD	0(R3), R1
	MOVD	8(R3), R2
	MOVD	$2, R0
	MOVD	$64, R8	// write
	SVC
	MOVD	$1, R0
	MOVD	$94, R8	// exit_group
	SVC
	BRK

// func onSignalAddress() uintptr
TEXT ·onSignalAddress(SB), NOSPLIT, $0-8
	MOVD	$onSignal<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET
