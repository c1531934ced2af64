/* The switch itself: C sees a function that returns much later. */

	.cfi_sections .debug_frame
	.text

/* void switch_stacks(void **save, void *next) */
	.globl	switch_stacks
	.type	switch_stacks, @function
switch_stacks:
	.cfi_startproc
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.cfi_adjust_cfa_offset 48
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -48
	ret
	.cfi_endproc
	.size	switch_stacks, . - switch_stacks

/* Where the first switch to a task returns to; see init_stack(). */
	.globl	new_task_entry
	.type	new_task_entry, @function
new_task_entry:
	.cfi_startproc
	.cfi_undefined %rip
	movq	%rbx, %rdi
	movq	%r12, %rsi
	call	task_start
	ud2
	.cfi_endproc
	.size	new_task_entry, . - new_task_entry

	.section .note.GNU-stack, "", @progbits
