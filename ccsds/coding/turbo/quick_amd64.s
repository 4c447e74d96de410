//go:build amd64

#include "textflag.h"

// The even words of each half, then the odd ones.
DATA apart<>+0(SB)/8, $0x0D0C090805040100
DATA apart<>+8(SB)/8, $0x0F0E0B0A07060302
DATA apart<>+16(SB)/8, $0x0D0C090805040100
DATA apart<>+24(SB)/8, $0x0F0E0B0A07060302
GLOBL apart<>(SB), RODATA|NOPTR, $32

// The reverse.
DATA merge<>+0(SB)/8, $0x0B0A030209080100
DATA merge<>+8(SB)/8, $0x0F0E07060D0C0504
DATA merge<>+16(SB)/8, $0x0B0A030209080100
DATA merge<>+24(SB)/8, $0x0F0E07060D0C0504
GLOBL merge<>(SB), RODATA|NOPTR, $32

// State 0 for sure.
DATA begin<>+0(SB)/8, $0xDCD8DCD8DCD80000
DATA begin<>+8(SB)/8, $0xDCD8DCD8DCD8DCD8
DATA begin<>+16(SB)/8, $0xDCD8DCD8DCD8DCD8
DATA begin<>+24(SB)/8, $0xDCD8DCD8DCD8DCD8
GLOBL begin<>(SB), RODATA|NOPTR, $32

// What the paths a and b amount to, in to; Y15 holds the knee and Y14 zeros. a is lost.
#define ADD(a, b, to, t) \
	VPSUBW   b, a, a   \
	VPABSW   a, t      \
	VPMAXSW  a, Y14, a \
	VPSUBUSW t, Y15, t \
	VPADDW   a, b, to  \
	VPSRLW   $2, t, t  \
	VPADDW   t, to, to

// func forwards(forward, weights *[16]int16, known *int16, coded *[3]int16, signs *[4][16]int16, steps int, knee int16)
TEXT ·forwards(SB), NOSPLIT, $0-50
	MOVQ    forward+0(FP), DI
	MOVQ    weights+8(FP), SI
	MOVQ    known+16(FP), DX
	MOVQ    coded+24(FP), R8
	MOVQ    signs+32(FP), AX
	MOVQ    steps+40(FP), CX
	VPBROADCASTW knee+48(FP), Y15
	VPXOR   Y14, Y14, Y14
	VMOVDQU apart<>(SB), Y13
	VMOVDQU (AX), Y12
	VMOVDQU 32(AX), Y11
	VMOVDQU 64(AX), Y10
	VMOVDQU 96(AX), Y9
	VMOVDQU begin<>(SB), Y0

ahead:
	VMOVDQU Y0, (DI)

	// The weights.
	VPBROADCASTW (DX), Y1
	VPBROADCASTW (R8), Y2
	VPBROADCASTW 2(R8), Y3
	VPBROADCASTW 4(R8), Y4
	VPSIGNW Y12, Y1, Y1
	VPSIGNW Y11, Y2, Y2
	VPSIGNW Y10, Y3, Y3
	VPSIGNW Y9, Y4, Y4
	VPADDW  Y2, Y1, Y1
	VPADDW  Y4, Y3, Y3
	VPADDW  Y3, Y1, Y1
	VMOVDQU Y1, (SI)

	// Even states twice, odd states twice.
	VPSHUFB Y13, Y0, Y0
	VPERMQ  $0x88, Y0, Y2
	VPERMQ  $0xDD, Y0, Y3
	VPADDW  Y1, Y2, Y2
	VPSUBW  Y1, Y3, Y3
	ADD(Y2, Y3, Y0, Y4)

	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $2, DX
	ADDQ $6, R8
	DECQ CX
	JNZ  ahead
	VZEROUPPER
	RET

// func backwards(paths, forward, weights *[16]int16, signs *[4][16]int16, steps int, knee int16)
TEXT ·backwards(SB), NOSPLIT, $0-42
	MOVQ    paths+0(FP), DI
	MOVQ    forward+8(FP), SI
	MOVQ    weights+16(FP), DX
	MOVQ    signs+24(FP), AX
	MOVQ    steps+32(FP), CX
	VPBROADCASTW knee+40(FP), Y15
	VPXOR   Y14, Y14, Y14
	VMOVDQU apart<>(SB), Y13
	VMOVDQU merge<>(SB), Y12

	// Where the information of a branch to i is 1, in both halves.
	VMOVDQU    (AX), X11
	VINSERTI128 $1, X11, Y11, Y11
	VPSRAW     $15, Y11, Y11

	// The metrics: Y0 as they are, Y1 the first half twice, Y2 the second half twice.
	VMOVDQU begin<>(SB), Y0
	VPERMQ  $0x44, Y0, Y1
	VPERMQ  $0xEE, Y0, Y2
	SHLQ    $5, CX

back:
	SUBQ    $32, CX
	VMOVDQU (DX)(CX*1), Y3 // the weights
	VMOVDQU (SI)(CX*1), Y4

	// Whole paths.
	VPSHUFB Y13, Y4, Y4
	VPERMQ  $0xDD, Y4, Y5
	VPERMQ  $0x88, Y4, Y4
	VPERMQ  $0x4E, Y0, Y6
	VPADDW  Y0, Y4, Y4
	VPADDW  Y6, Y5, Y5
	ADD(Y4, Y5, Y5, Y6)
	VPADDW  Y3, Y5, Y5
	VPERMQ  $0x4E, Y5, Y6
	VPBLENDVB Y11, Y6, Y5, Y5
	VMOVDQU Y5, (DI)(CX*1)

	// The states before: the even ones in the first half, the odd ones in the second.
	VPADDW  Y3, Y1, Y1
	VPSUBW  Y3, Y2, Y2
	ADD(Y1, Y2, Y0, Y4)
	VPERMQ  $0x88, Y0, Y1
	VPERMQ  $0xDD, Y0, Y2
	VPERMQ  $0xD8, Y0, Y0
	VPSHUFB Y12, Y1, Y1
	VPSHUFB Y12, Y2, Y2
	VPSHUFB Y12, Y0, Y0

	TESTQ CX, CX
	JNZ   back
	VZEROUPPER
	RET

// Two times' paths, four of each left.
#define FOURS(at, to, t1, t2) \
	VMOVDQU     (at)(SI), t1     \
	VMOVDQU     (at+32)(SI), t2  \
	VPUNPCKLQDQ t2, t1, to       \
	VPUNPCKHQDQ t2, t1, t1       \
	ADD(to, t1, to, t2)

// Four times' paths, two of each left, in a.
#define TWOS(a, b, t1, t2) \
	VSHUFPS $0x88, b, a, t1 \
	VSHUFPS $0xDD, b, a, t2 \
	ADD(t1, t2, a, b)

// func compare(extrinsic *int16, paths *[16]int16, known *int16, k int, knee, scale int16)
TEXT ·compare(SB), NOSPLIT, $0-36
	MOVQ  extrinsic+0(FP), DI
	MOVQ  paths+8(FP), SI
	MOVQ  known+16(FP), DX
	MOVQ  k+24(FP), CX
	VPBROADCASTW knee+32(FP), Y15
	VPBROADCASTW scale+34(FP), X13
	VPXOR Y14, Y14, Y14

eight:
	FOURS(0, Y0, Y4, Y5)
	FOURS(64, Y1, Y4, Y5)
	FOURS(128, Y2, Y4, Y5)
	FOURS(192, Y3, Y4, Y5)
	TWOS(Y0, Y1, Y4, Y5)
	TWOS(Y2, Y3, Y4, Y5)
	VPSRAD    $16, Y0, Y4
	VPSRAD    $16, Y2, Y5
	VPSLLD    $16, Y0, Y0
	VPSLLD    $16, Y2, Y2
	VPSRAD    $16, Y0, Y0
	VPSRAD    $16, Y2, Y2
	VPACKSSDW Y2, Y0, Y0
	VPACKSSDW Y5, Y4, Y4
	ADD(Y0, Y4, Y0, Y5)

	// For 0 in the first half, for 1 in the second.
	VEXTRACTI128 $1, Y0, X1
	VPSUBW    X1, X0, X0
	VPSRAW    $1, X0, X0
	VPSUBW    (DX), X0, X0
	VPMULHRSW X13, X0, X0
	VMOVDQU   X0, (DI)
	ADDQ      $256, SI
	ADDQ      $16, DX
	ADDQ      $16, DI
	SUBQ      $8, CX
	JNZ       eight
	VZEROUPPER
	RET
