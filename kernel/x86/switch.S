/* The switch itself: C sees a function that returns much later. */

	.text

/* void switch_stacks(void **save, void *next) */
	.globl	switch_stacks
	.type	switch_stacks, @function
switch_stacks:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	switch_stacks, . - switch_stacks

/* Where the first switch to a task returns to; see init_stack(). */
	.globl	new_task_entry
	.type	new_task_entry, @function
new_task_entry:
	movq	%rbx, %rdi
	movq	%r12, %rsi
	call	task_start
	ud2
	.size	new_task_entry, . - new_task_entry

	.section .note.GNU-stack, "", @progbits
