//go:build amd64

#include "textflag.h"

DATA limit<>+0(SB)/4, $0x07FF07FF
GLOBL limit<>(SB), RODATA|NOPTR, $4

// What the bits a and b of a check amount to, in to; Y15 holds the knee. to may be a or b.
#define ADD(a, b, to, t1, t2) \
	VPADDW   b, a, t1    \
	VPSUBW   b, a, t2    \
	VPABSW   t1, t1      \
	VPABSW   t2, t2      \
	VPSUBW   t2, t1, to  \
	VPSRAW   $1, to, to  \
	VPSUBUSW t1, Y15, t1 \
	VPSUBUSW t2, Y15, t2 \
	VPSRLW   $2, t1, t1  \
	VPSRLW   $2, t2, t2  \
	VPADDW   t1, to, to  \
	VPSUBW   t2, to, to

// func tell(belief, told, change, ahead *int16, at, column *int32, terms, size, checks int, knee, scale int16)
//
// All lengths in bytes: R12 of a column, R13 of the rows, R14 of a term's changes.
TEXT ·tell(SB), NOSPLIT, $0-76
	MOVQ belief+0(FP), DI
	MOVQ told+8(FP), SI
	MOVQ change+16(FP), DX
	MOVQ at+32(FP), R8
	MOVQ terms+48(FP), R10
	MOVQ size+56(FP), R12
	MOVQ checks+64(FP), R13
	SHLQ $1, R12
	SHLQ $1, R13
	LEAQ (R12)(R13*1), R15
	VPBROADCASTW knee+72(FP), Y15
	VPBROADCASTW scale+74(FP), Y14
	VPBROADCASTD limit<>(SB), Y13
	VPXOR  Y12, Y12, Y12
	VPSUBW Y13, Y12, Y12
	XORQ   R11, R11 // the row, in bytes

rows:
	// Forwards: what each bit says, and the sum of those before it.
	VMOVDQA Y13, Y0
	MOVQ    ahead+24(FP), BX
	LEAQ    (SI)(R11*1), R9
	LEAQ    (DI)(R11*1), R14
	XORQ    CX, CX

forward:
	MOVLQSX (R8)(CX*4), AX
	VMOVDQU (R14)(AX*2), Y1
	VPSUBW  (R9), Y1, Y1
	VPMINSW Y13, Y1, Y1
	VPMAXSW Y12, Y1, Y1
	VMOVDQU Y1, (BX)
	VMOVDQU Y0, 32(BX)
	ADD(Y0, Y1, Y0, Y2, Y3)
	ADDQ    $64, BX
	ADDQ    R13, R9
	INCQ    CX
	CMPQ    CX, R10
	JB      forward

	// Backwards: with the sum of those behind it, what it is told.
	VMOVDQA Y13, Y0
	MOVQ    R10, AX
	IMULQ   R15, AX
	LEAQ    (DX)(R11*1), R14
	ADDQ    AX, R14

backward:
	SUBQ      $64, BX
	SUBQ      R13, R9
	SUBQ      R15, R14
	VMOVDQU   32(BX), Y1
	VMOVDQU   (BX), Y4
	ADD(Y1, Y0, Y1, Y2, Y3)
	ADD(Y0, Y4, Y0, Y5, Y6)
	VPMULHRSW Y14, Y1, Y1
	VPSUBW    (R9), Y1, Y2
	VMOVDQU   Y1, (R9)
	VMOVDQU   Y2, (R14)
	VMOVDQU   Y2, (R14)(R12*1)
	DECQ      CX
	JNZ       backward

	ADDQ $32, R11
	CMPQ R11, R13
	JB   rows

	// Changes into the beliefs, each column from its end: where its length is no multiple
	// of sixteen the first of its second copy is written last.
	MOVQ column+40(FP), R9
	XORQ CX, CX

terms:
	MOVLQSX (R9)(CX*4), AX
	MOVLQSX (R8)(CX*4), BX
	LEAQ    (DI)(AX*2), R14 // the column
	SUBQ    BX, AX
	LEAQ    (DX)(AX*2), BX
	ADDQ    R12, BX         // its changes: turned back by the shift
	ADDQ    R15, DX
	LEAQ    (R14)(R12*1), SI
	MOVQ    R13, AX

values:
	SUBQ    $32, AX
	VMOVDQU (R14)(AX*1), Y0
	VPADDW  (BX)(AX*1), Y0, Y0
	VMOVDQU Y0, (R14)(AX*1)
	VMOVDQU Y0, (SI)(AX*1)
	JNZ     values
	INCQ    CX
	CMPQ    CX, R10
	JB      terms
	VZEROUPPER
	RET


// func agree(belief *int16, at *int32, terms, checks int) bool
TEXT ·agree(SB), NOSPLIT, $0-33
	MOVQ     belief+0(FP), DI
	MOVQ     at+8(FP), R8
	MOVQ     terms+16(FP), R10
	MOVQ     checks+24(FP), R13
	VPXOR    Y4, Y4, Y4
	VPCMPEQW Y5, Y5, Y5
	VPSLLW   $15, Y5, Y5 // the signs

next:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	XORQ  CX, CX

bit:
	MOVLQSX  (R8)(CX*4), AX
	VMOVDQU  (DI)(AX*2), Y2
	VPXOR    Y2, Y0, Y0
	VPCMPEQW Y4, Y2, Y2
	VPOR     Y2, Y1, Y1
	INCQ     CX
	CMPQ     CX, R10
	JB       bit
	VPOR     Y1, Y0, Y0
	VPTEST   Y5, Y0
	JNZ      not
	ADDQ     $32, DI
	SUBQ     $16, R13
	JNZ      next
	VZEROUPPER
	MOVB     $1, ret+32(FP)
	RET

not:
	VZEROUPPER
	MOVB $0, ret+32(FP)
	RET
