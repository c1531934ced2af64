/*
 * Every way into the kernel and out of it: system calls, interrupts, traps.
 * Each entry from user mode swaps GS so that it points at this CPU's data,
 * and each way back swaps it again with interrupts off. The frame is struct
 * pt_regs (kernel/x86/ptrace.h), of which each path stores only what it must.
 */
#include "kernel/x86/entry.h"
#include "kernel/x86/gdt.h"

	.cfi_sections .debug_frame
	.text

.macro FUNC name
	.globl	\name
	.type	\name, @function
	.p2align 4
\name:
.endm

/* Known flags for C: direction up, and user access (AC) closed. */
.macro CLEAN_FLAGS
	pushq	$2
	popfq
.endm

/*
 * An interrupt out of user mode left SS empty. It does no harm, but an emulator
 * that keeps translated code by the state of the CPU would translate all that
 * runs now a second time, since `syscall` fills SS.
 */
.macro LOAD_SS reg
	movl	$KERNEL_DS, \reg
	movl	\reg, %ss
.endm

/* The same as push, and the debug information knows. */
.macro PUSH reg
	pushq	\reg
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \reg, 0
.endm

/* What C may change, on top of `orig_rax`; rdi is there already. */
.macro PUSH_CALLER_SAVED
	PUSH	%rsi
	PUSH	%rdx
	PUSH	%r10
	PUSH	%r8
	PUSH	%r9
	PUSH	%rax
	PUSH	%rcx
	PUSH	%r11
	PUSH	%rbp
.endm

.macro POP_CALLER_SAVED
	popq	%rbp
	popq	%r11
	popq	%rcx
	popq	%rax
	popq	%r9
	popq	%r8
	popq	%r10
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
.endm

.macro PUSH_CALLEE_SAVED
	PUSH	%rbx
	PUSH	%r12
	PUSH	%r13
	PUSH	%r14
	PUSH	%r15
.endm

.macro POP_CALLEE_SAVED
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
.endm

/*
 * For gdb and backtraces (tools/unwind): what the processor and the stub have
 * pushed, five words that begin with rip, and one more. Until the frame goes.
 */
.macro BEGIN_INTERRUPT_FRAME
	.cfi_startproc
	.cfi_def_cfa_offset 16
	.cfi_offset %rsp, 16
.endm

/* The last frame: nobody called this. */
.macro BEGIN_OUTERMOST_FRAME
	.cfi_startproc
	.cfi_undefined %rip
.endm

/* Jumps to \label if user mode must wait for exit_to_user_work(). */
.macro JUMP_IF_WORK label
	movq	%gs:current_task, %rcx
	cmpl	$0, TASK_WORK(%rcx)
	jne	\label
.endm

/*
 * `syscall`: rcx is the user's rip, r11 its flags; interrupts are off, the
 * stack is still the user's. rip needs no check on the way back: no user
 * mapping reaches the end of the canonical range.
 */
FUNC entry_syscall
	BEGIN_OUTERMOST_FRAME
	swapgs
	movq	%rsp, %gs:syscall_user_sp
	movq	%gs:cpu_tss + TSS_SP0, %rsp
	pushq	$USER_DS
	pushq	%gs:syscall_user_sp
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rax
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%r10
	pushq	%r8
	pushq	%r9
	movq	%r10, %rcx
	sti
	cmpq	$NR_SYSCALLS, %rax
	jae	.Lno_such_call
	call	*syscall_table(, %rax, 8)
.Lsyscall_done:
	cli
	JUMP_IF_WORK .Lsyscall_work
	popq	%r9
	popq	%r8
	popq	%r10
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	popq	%rcx
	addq	$8, %rsp
	popq	%r11
	popq	%rsp
	swapgs
	sysretq

.Lno_such_call:
	call	sys_ni_syscall
	jmp	.Lsyscall_done

/* Completes the frame: user mode sees rip in rcx and the flags in r11. */
.Lsyscall_work:
	movq	PT_RIP - PT_R9(%rsp), %rcx
	movq	PT_RFLAGS - PT_R9(%rsp), %r11
	pushq	%rax
	pushq	%rcx
	pushq	%r11
	pushq	%rbp
	PUSH_CALLEE_SAVED
	movl	$1, %esi
	jmp	.Lwork
.Lcomplete_frame_work:
	PUSH_CALLEE_SAVED
.Lfull_frame_work:
	xorl	%esi, %esi
.Lwork:
	movq	%rsp, %rdi
	subq	$8, %rsp
	call	exit_to_user_work
	addq	$8, %rsp
	.cfi_endproc

/* The whole frame is on the stack, interrupts are off. */
.Lreturn_to_user:
	POP_CALLEE_SAVED
.Lreturn_to_user_partial:
	POP_CALLER_SAVED
	swapgs
	.globl	user_iretq
user_iretq:
	iretq

/* void enter_user_mode(u64 ip, u64 sp): a clean frame, then out. */
FUNC enter_user_mode
	cli
	movq	%gs:cpu_tss + TSS_SP0, %rsp
	pushq	$USER_DS
	pushq	%rsi
	pushq	$USER_RFLAGS
	pushq	$USER_CS
	pushq	%rdi
	.rept	16
	pushq	$0
	.endr
	jmp	.Lreturn_to_user

/* void return_to_user(struct pt_regs *regs): a new thread's first way out. */
FUNC return_to_user
	cli
	movq	%rdi, %rsp
	JUMP_IF_WORK .Lfull_frame_work
	jmp	.Lreturn_to_user

/*
 * clone(2) needs all the caller's registers: those that C keeps are still the
 * user's here, and go on the stack as struct callee_saved, the sixth argument.
 */
.macro CLONE_ENTRY name
FUNC sys_\name
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %r9
	subq	$8, %rsp
	call	do_\name
	addq	$56, %rsp
	ret
.endm

CLONE_ENTRY clone
CLONE_ENTRY clone3

/* One stub for each vector, 8 bytes apart; the vector goes to orig_rax. */
	.globl	irq_stubs
	.p2align 3
irq_stubs:
	.set	.Lvector, IRQ_FIRST_VECTOR
	.rept	IRQ_NR_VECTORS
	pushq	$.Lvector
	jmp	irq_common
	.p2align 3
	.set	.Lvector, .Lvector + 1
	.endr

FUNC irq_common
	BEGIN_INTERRUPT_FRAME
	PUSH	%rdi
	testb	$3, 24(%rsp)
	jz	1f
	swapgs
	LOAD_SS	%edi
1:	PUSH_CALLER_SAVED
	CLEAN_FLAGS
	movl	PT_ORIG_RAX - PT_RBP(%rsp), %edi
	call	do_irq
	testb	$3, PT_CS - PT_RBP(%rsp)
	jz	2f
	JUMP_IF_WORK .Lcomplete_frame_work
	jmp	.Lreturn_to_user_partial
	.cfi_endproc
2:	POP_CALLER_SAVED
	iretq

/* Interrupts that need no answer: spurious ones of the PIC and the LAPIC. */
FUNC irq_ignore
	iretq

/* Traps: an error code in orig_rax (0 if the CPU has none to give). */
.macro TRAP nr, has_error, common
	.p2align 3
trap_\nr:
	.if	!\has_error
	pushq	$0
	.endif
	pushq	%rdi
	movl	$\nr, %edi
	jmp	\common
.endm

.macro TRAP_ADDRESS nr
	.quad	trap_\nr
.endm

	TRAP	0, 0, trap_common
	TRAP	1, 0, trap_common
	TRAP	2, 0, trap_ist_common
	TRAP	3, 0, trap_common
	TRAP	4, 0, trap_common
	TRAP	5, 0, trap_common
	TRAP	6, 0, trap_common
	TRAP	7, 0, trap_common
	TRAP	8, 1, trap_ist_common
	TRAP	9, 0, trap_common
	TRAP	10, 1, trap_common
	TRAP	11, 1, trap_common
	TRAP	12, 1, trap_common
	TRAP	13, 1, trap_common
	TRAP	14, 1, trap_common
	TRAP	15, 0, trap_common
	TRAP	16, 0, trap_common
	TRAP	17, 1, trap_common
	TRAP	18, 0, trap_ist_common
	TRAP	19, 0, trap_common
	TRAP	20, 0, trap_common
	TRAP	21, 1, trap_common

FUNC trap_common
	BEGIN_INTERRUPT_FRAME
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rdi, 0
	PUSH_CALLER_SAVED
	PUSH_CALLEE_SAVED
	CLEAN_FLAGS
	movl	%edi, %esi
	movq	%rsp, %rdi
	testb	$3, PT_CS(%rsp)
	jz	1f
	swapgs
	LOAD_SS	%eax
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	do_trap_user
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	JUMP_IF_WORK .Lfull_frame_work
	jmp	.Lreturn_to_user
1:	/* The way out failed: it had swapped GS already. */
	cmpq	$user_iretq, PT_RIP(%rsp)
	jne	3f
	swapgs
3:	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	do_trap_kernel
	addq	$8, %rsp
	.cfi_endproc
	POP_CALLEE_SAVED
	POP_CALLER_SAVED
	iretq

/*
 * These may hit between an entry and its swapgs, so GS says nothing. The CPU's
 * own offset stands at the top of its IST stack (kernel/x86/idt.c). They mean
 * the end, so nothing is put back.
 */
FUNC trap_ist_common
	BEGIN_INTERRUPT_FRAME
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rdi, 0
	PUSH_CALLER_SAVED
	PUSH_CALLEE_SAVED
	CLEAN_FLAGS
	movl	%edi, %esi
	movl	$MSR_GS_BASE_NR, %ecx
	movl	PT_SIZE(%rsp), %eax
	movl	PT_SIZE + 4(%rsp), %edx
	wrmsr
	movq	%rsp, %rdi
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	do_trap_ist
	ud2
	.cfi_endproc

	.section .rodata, "a", @progbits
	.globl	trap_stubs
	.p2align 3
trap_stubs:
	.set	.Lnr, 0
	.altmacro
	.rept	NR_TRAPS
	TRAP_ADDRESS %.Lnr
	.set	.Lnr, .Lnr + 1
	.endr

	.section .note.GNU-stack, "", @progbits
