/*
 * size_t copy_user(void *to, const void *from, size_t n): either side may be
 * user memory. Returns how many bytes could not be copied. By words and not
 * `rep movsb`, which emulators do byte by byte. A fault in the word loops
 * goes on byte by byte, so that the count is exact.
 */
	.text

.macro MOVE from, to
9:	movq	\from, \to
	.pushsection __ex_table, "a"
	.balign	4
	.long	9b - ., .Lbytes - .
	.popsection
.endm

	.globl	copy_user
	.type	copy_user, @function
	.p2align 4
copy_user:
	cmpq	$8, %rdx
	jb	.Lbytes
	cmpq	$64, %rdx
	jb	2f
1:	MOVE	(%rsi), %rax
	MOVE	8(%rsi), %rcx
	MOVE	16(%rsi), %r8
	MOVE	24(%rsi), %r9
	MOVE	%rax, (%rdi)
	MOVE	%rcx, 8(%rdi)
	MOVE	%r8, 16(%rdi)
	MOVE	%r9, 24(%rdi)
	MOVE	32(%rsi), %rax
	MOVE	40(%rsi), %rcx
	MOVE	48(%rsi), %r8
	MOVE	56(%rsi), %r9
	MOVE	%rax, 32(%rdi)
	MOVE	%rcx, 40(%rdi)
	MOVE	%r8, 48(%rdi)
	MOVE	%r9, 56(%rdi)
	addq	$64, %rsi
	addq	$64, %rdi
	subq	$64, %rdx
	cmpq	$64, %rdx
	jae	1b
	testq	%rdx, %rdx
	jz	4f

	/* Less than 64 left; 8 bytes or more stand behind us or ahead. */
2:	cmpq	$8, %rdx
	jbe	3f
	MOVE	(%rsi), %rax
	MOVE	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rdx
	jmp	2b
	/* The last word may overlap what is done. */
3:	MOVE	"-8(%rsi, %rdx)", %rax
	MOVE	%rax, "-8(%rdi, %rdx)"
4:	xorl	%eax, %eax
	ret

.Lbytes:
	testq	%rdx, %rdx
	jz	4b
5:	movb	(%rsi), %al
6:	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rdx
	jnz	5b
	xorl	%eax, %eax
	ret
7:	movq	%rdx, %rax
	ret
	.size	copy_user, . - copy_user

	.pushsection __ex_table, "a"
	.balign	4
	.long	5b - ., 7b - .
	.long	6b - ., 7b - .
	.popsection

	.section .note.GNU-stack, "", @progbits
