/*
 * The least kernel that QEMU starts by its PVH note: it says one byte on the
 * serial line. What its start takes, no kernel can save (bench/measure.py).
 */
	.section .note, "a", @note
	.long	4, 8, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	start

	.text
	.code32
	.globl	start
start:
	movw	$0x3f8, %dx
	movb	$'x', %al
	outb	%al, %dx
1:	cli
	hlt
	jmp	1b
