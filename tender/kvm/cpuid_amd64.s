#include "textflag.h"

// func hostCPUID(function, index uint32) (l cpuidLeaf)
TEXT ·hostCPUID(SB), NOSPLIT, $0-24
	MOVL function+0(FP), AX
	MOVL index+4(FP), CX
	CPUID
	MOVL AX, l_eax+8(FP)
	MOVL BX, l_ebx+12(FP)
	MOVL CX, l_ecx+16(FP)
	MOVL DX, l_edx+20(FP)
	RET
