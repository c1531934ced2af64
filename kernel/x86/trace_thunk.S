/*
 * Between a trace site and trace_emit(): keeps every register, so that the
 * site's function is compiled as if it called nothing there.
 */

	.cfi_sections .debug_frame
	.text

/* rcx: enum trace_point, rax and rdx: its arguments */
	.globl	trace_thunk
	.type	trace_thunk, @function
trace_thunk:
	.cfi_startproc
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	.cfi_adjust_cfa_offset 72
	movl	%ecx, %edi
	movq	%rax, %rsi
	call	trace_emit
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	.cfi_adjust_cfa_offset -72
	ret
	.cfi_endproc
	.size	trace_thunk, . - trace_thunk

	.section .note.GNU-stack, "", @progbits
