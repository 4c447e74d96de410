//go:build amd64

#include "textflag.h"

// Two symbols' costs for one phase, the same table layout as the Go step:
//	Y2, Y3  of the path that keeps its place, places 0-31 and 32-63
//	Y4, Y5  of the path from the other place of the butterfly
#define COSTS(bit, phase) \
	MOVBLZX (2*bit)(R8), AX             \
	MOVBLZX (2*bit+1)(R8), BX           \
	VPBROADCASTQ (CX)(AX*8), Y6         \
	VPBROADCASTQ (CX)(BX*8), Y7         \
	VPADDB  Y7, Y6, Y6                  \
	SHLQ    $6, AX                      \
	SHLQ    $6, BX                      \
	VMOVDQU (1600*phase)(SI)(AX*1), Y2  \
	VPADDB  (1600*phase)(DX)(BX*1), Y2, Y2 \
	VMOVDQU (1600*phase+32)(SI)(AX*1), Y3 \
	VPADDB  (1600*phase+32)(DX)(BX*1), Y3, Y3 \
	VPSUBB  Y2, Y6, Y4                  \
	VPSUBB  Y3, Y6, Y5

// Metrics in Y0 and Y1, and those of the other places in x and y: the smaller sums, modulo
// 256, and one bit a place that is set where the other place won.
#define CHOOSE(bit, x, y) \
	VPADDB  Y0, Y2, Y2        \
	VPADDB  Y1, Y3, Y3        \
	VPADDB  x, Y4, Y4         \
	VPADDB  y, Y5, Y5         \
	VPSUBB  Y4, Y2, Y10       \
	VPSUBB  Y5, Y3, Y11       \
	VPBLENDVB Y10, Y2, Y4, Y0 \
	VPBLENDVB Y11, Y3, Y5, Y1 \
	VPMOVMSKB Y10, AX         \
	VPMOVMSKB Y11, BX         \
	SHLQ    $32, BX           \
	ORQ     BX, AX            \
	NOTQ    AX                \
	MOVQ    AX, (8*bit)(R9)

DATA swap16<>+0(SB)/8, $0x0504070601000302
DATA swap16<>+8(SB)/8, $0x0D0C0F0E09080B0A
DATA swap16<>+16(SB)/8, $0x0504070601000302
DATA swap16<>+24(SB)/8, $0x0D0C0F0E09080B0A
GLOBL swap16<>(SB), RODATA|NOPTR, $32

DATA swap8<>+0(SB)/8, $0x0607040502030001
DATA swap8<>+8(SB)/8, $0x0E0F0C0D0A0B0809
DATA swap8<>+16(SB)/8, $0x0607040502030001
DATA swap8<>+24(SB)/8, $0x0E0F0C0D0A0B0809
GLOBL swap8<>(SB), RODATA|NOPTR, $32

// func sixSteps(m *[8]uint64, t *[2]branch, s *[25]uint64, pairs *uint8, decisions *uint64, groups int)
TEXT ·sixSteps(SB), NOSPLIT, $0-48
	MOVQ    m+0(FP), DI
	MOVQ    t+8(FP), SI
	LEAQ    9600(SI), DX
	MOVQ    s+16(FP), CX
	MOVQ    pairs+24(FP), R8
	MOVQ    decisions+32(FP), R9
	MOVQ    groups+40(FP), R10
	VMOVDQU (DI), Y0
	VMOVDQU 32(DI), Y1
	VMOVDQU swap16<>(SB), Y14
	VMOVDQU swap8<>(SB), Y15

loop:
	COSTS(0, 0)
	VMOVDQA Y0, Y8
	CHOOSE(0, Y1, Y8)

	COSTS(1, 1)
	VPERMQ  $0x4E, Y0, Y8
	VPERMQ  $0x4E, Y1, Y9
	CHOOSE(1, Y8, Y9)

	COSTS(2, 2)
	VPSHUFD $0x4E, Y0, Y8
	VPSHUFD $0x4E, Y1, Y9
	CHOOSE(2, Y8, Y9)

	COSTS(3, 3)
	VPSHUFD $0xB1, Y0, Y8
	VPSHUFD $0xB1, Y1, Y9
	CHOOSE(3, Y8, Y9)

	COSTS(4, 4)
	VPSHUFB Y14, Y0, Y8
	VPSHUFB Y14, Y1, Y9
	CHOOSE(4, Y8, Y9)

	COSTS(5, 5)
	VPSHUFB Y15, Y0, Y8
	VPSHUFB Y15, Y1, Y9
	CHOOSE(5, Y8, Y9)

	ADDQ    $12, R8
	ADDQ    $48, R9
	DECQ    R10
	JNZ     loop

	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	VZEROUPPER
	RET
