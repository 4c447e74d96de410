//go:build arm64

#include "textflag.h"

// Two symbols' costs for one phase, the same table layout as the Go step:
//	V4 to V7   of the path that keeps its place, sixteen places each
//	V8 to V11  of the path from the other place of the butterfly
#define COSTS(phase) \
	MOVBU (2*phase)(R3), R6     \
	MOVBU (2*phase+1)(R3), R7   \
	MOVD  (R2)(R6<<3), R8       \
	MOVD  (R2)(R7<<3), R9       \
	ADD   R9, R8                \
	VDUP  R8, V16.D2            \
	ADD   R6<<6, R1, R6         \
	ADD   R7<<6, R5, R7         \
	ADD   $(1600*phase), R6     \
	ADD   $(1600*phase), R7     \
	VLD1  (R6), [V4.B16, V5.B16, V6.B16, V7.B16]   \
	VLD1  (R7), [V8.B16, V9.B16, V10.B16, V11.B16] \
	VADD  V8.B16, V4.B16, V4.B16   \
	VADD  V9.B16, V5.B16, V5.B16   \
	VADD  V10.B16, V6.B16, V6.B16  \
	VADD  V11.B16, V7.B16, V7.B16  \
	VSUB  V4.B16, V16.B16, V8.B16  \
	VSUB  V5.B16, V16.B16, V9.B16  \
	VSUB  V6.B16, V16.B16, V10.B16 \
	VSUB  V7.B16, V16.B16, V11.B16

// Metrics in V0 to V3, and those of the other places in a to d: the smaller sums, modulo
// 256, and one bit a place that is set where the other place won.
#define CHOOSE(phase, a, b, c, d) \
	VADD   a.B16, V8.B16, V8.B16     \
	VADD   b.B16, V9.B16, V9.B16     \
	VADD   c.B16, V10.B16, V10.B16   \
	VADD   d.B16, V11.B16, V11.B16   \
	VADD   V0.B16, V4.B16, V4.B16    \
	VADD   V1.B16, V5.B16, V5.B16    \
	VADD   V2.B16, V6.B16, V6.B16    \
	VADD   V3.B16, V7.B16, V7.B16    \
	VSUB   V8.B16, V4.B16, V0.B16    \
	VSUB   V9.B16, V5.B16, V1.B16    \
	VSUB   V10.B16, V6.B16, V2.B16   \
	VSUB   V11.B16, V7.B16, V3.B16   \
	VCMTST V17.B16, V0.B16, V0.B16   \
	VCMTST V17.B16, V1.B16, V1.B16   \
	VCMTST V17.B16, V2.B16, V2.B16   \
	VCMTST V17.B16, V3.B16, V3.B16   \
	VAND   V18.B16, V0.B16, V24.B16  \
	VAND   V18.B16, V1.B16, V25.B16  \
	VAND   V18.B16, V2.B16, V26.B16  \
	VAND   V18.B16, V3.B16, V27.B16  \
	VBSL   V8.B16, V4.B16, V0.B16    \
	VBSL   V9.B16, V5.B16, V1.B16    \
	VBSL   V10.B16, V6.B16, V2.B16   \
	VBSL   V11.B16, V7.B16, V3.B16   \
	VADDP  V25.B16, V24.B16, V24.B16 \
	VADDP  V27.B16, V26.B16, V26.B16 \
	VADDP  V26.B16, V24.B16, V24.B16 \
	VADDP  V24.B16, V24.B16, V24.B16 \
	VMOV   V24.D[0], R8              \
	MVN    R8, R8                    \
	MOVD   R8, (8*phase)(R4)

// func sixSteps(m *[8]uint64, t *[2]branch, s *[25]uint64, pairs *uint8, decisions *uint64, groups int)
TEXT ·sixSteps(SB), NOSPLIT, $0-48
	MOVD m+0(FP), R0
	MOVD t+8(FP), R1
	MOVD s+16(FP), R2
	MOVD pairs+24(FP), R3
	MOVD decisions+32(FP), R4
	MOVD groups+40(FP), R10
	MOVD $9600, R5
	ADD  R1, R5
	VLD1 (R0), [V0.B16, V1.B16, V2.B16, V3.B16]
	MOVD $0x8080808080808080, R6
	VDUP R6, V17.D2
	MOVD $0x8040201008040201, R6
	VDUP R6, V18.D2

loop:
	COSTS(0)
	VMOV V0.B16, V20.B16
	VMOV V1.B16, V21.B16
	CHOOSE(0, V2, V3, V20, V21)

	COSTS(1)
	VMOV V0.B16, V20.B16
	VMOV V2.B16, V22.B16
	CHOOSE(1, V1, V20, V3, V22)

	COSTS(2)
	VEXT $8, V0.B16, V0.B16, V20.B16
	VEXT $8, V1.B16, V1.B16, V21.B16
	VEXT $8, V2.B16, V2.B16, V22.B16
	VEXT $8, V3.B16, V3.B16, V23.B16
	CHOOSE(2, V20, V21, V22, V23)

	COSTS(3)
	VREV64 V0.S4, V20.S4
	VREV64 V1.S4, V21.S4
	VREV64 V2.S4, V22.S4
	VREV64 V3.S4, V23.S4
	CHOOSE(3, V20, V21, V22, V23)

	COSTS(4)
	VREV32 V0.H8, V20.H8
	VREV32 V1.H8, V21.H8
	VREV32 V2.H8, V22.H8
	VREV32 V3.H8, V23.H8
	CHOOSE(4, V20, V21, V22, V23)

	COSTS(5)
	VREV16 V0.B16, V20.B16
	VREV16 V1.B16, V21.B16
	VREV16 V2.B16, V22.B16
	VREV16 V3.B16, V23.B16
	CHOOSE(5, V20, V21, V22, V23)

	ADD  $12, R3
	ADD  $48, R4
	SUBS $1, R10
	BNE  loop

	VST1 [V0.B16, V1.B16, V2.B16, V3.B16], (R0)
	RET
