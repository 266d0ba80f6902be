#include "textflag.h"

// func clone(number, a1, a2, a3, a4, a5 uintptr, first *call, c *Child) (pid uintptr)
//
// The child comes back from the system call with the parent's registers and stack
// pointer. It reads and writes registers, the calls and its Child alone, and never
// returns. R19 is the call, R20 the Child; the kernel preserves both.
TEXT ·clone(SB), NOSPLIT, $0-72
	MOVD number+0(FP), R8
	MOVD a1+8(FP), R0
	MOVD a2+16(FP), R1
	MOVD a3+24(FP), R2
	MOVD a4+32(FP), R3
	MOVD a5+40(FP), R4
	MOVD first+48(FP), R19
	MOVD c+56(FP), R20
	SVC
	CBZ  R0, child
	MOVD R0, pid+64(FP)
	RET

child:
	MOVD 0(R19), R8
	MOVD 8(R19), R0
	MOVD 16(R19), R1
	MOVD 24(R19), R2
	MOVD 32(R19), R3
	MOVD 40(R19), R4
	SVC
	MOVD 48(R19), R9
	MOVD $-2, R10            // anyResult
	CMP  R10, R9
	BEQ  next
	MOVD $-4095, R10
	CMP  R10, R0
	BHS  fail
	MOVD $-1, R10            // success
	CMP  R10, R9
	BEQ  next
	CMP  R9, R0
	BEQ  next
	MOVD $-3, R0             // ESRCH

fail:
	NEG  R0, R0
	MOVD R19, 8(R20)
	MOVW R0, 4(R20)

exit:
	MOVD $127, R0
	MOVD $94, R8             // exit_group
	SVC
	B    exit

next:
	ADD  $56, R19
	B    child
