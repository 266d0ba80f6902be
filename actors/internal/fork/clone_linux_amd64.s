#include "textflag.h"

// func clone(number, a1, a2, a3, a4, a5 uintptr, first *call, c *Child) (pid uintptr)
//
// The child comes back from the system call with the parent's registers and stack
// pointer. It reads and writes registers, the calls and its Child alone, and never
// returns. R12 is the call, R13 the Child; the kernel preserves both.
TEXT ·clone(SB), NOSPLIT, $0-72
	MOVQ number+0(FP), AX
	MOVQ a1+8(FP), DI
	MOVQ a2+16(FP), SI
	MOVQ a3+24(FP), DX
	MOVQ a4+32(FP), R10
	MOVQ a5+40(FP), R8
	MOVQ first+48(FP), R12
	MOVQ c+56(FP), R13
	SYSCALL
	TESTQ AX, AX
	JEQ  child
	MOVQ AX, pid+64(FP)
	RET

child:
	MOVQ 0(R12), AX
	MOVQ 8(R12), DI
	MOVQ 16(R12), SI
	MOVQ 24(R12), DX
	MOVQ 32(R12), R10
	MOVQ 40(R12), R8
	SYSCALL
	MOVQ 48(R12), CX
	CMPQ CX, $-2             // anyResult
	JEQ  next
	CMPQ AX, $0xfffffffffffff001
	JCC  fail
	CMPQ CX, $-1             // success
	JEQ  next
	CMPQ AX, CX
	JEQ  next
	MOVQ $-3, AX             // ESRCH

fail:
	NEGQ AX
	MOVQ R12, 8(R13)
	MOVL AX, 4(R13)

exit:
	MOVQ $127, DI
	MOVQ $231, AX            // exit_group
	SYSCALL
	JMP  exit

next:
	ADDQ $56, R12
	JMP  child
