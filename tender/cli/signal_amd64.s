#include "textflag.h"

// onSignal is a signal handler: it writes the signal's last words and ends the
// program with status 1, from whatever the thread was doing.
TEXT onSignal<>(SB), NOSPLIT|NOFRAME, $0
	MOVL	DI, DI	// the signal
	SHLQ	$4, DI
	LEAQ	·lastWords(SB), AX
	MOVQ	0(AX)(DI*1), SI
	MOVQ	8(AX)(DI*1), DX
	MOVL	$2, DI
	MOVL	$1, AX	// write
	SYSCALL
	MOVL	$1, DI
	MOVL	$231, AX	// exit_group
	SYSCALL
	INT	$3

// func onSignalAddress() uintptr
TEXT ·onSignalAddress(SB), NOSPLIT, $0-8
	LEAQ	onSignal<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
