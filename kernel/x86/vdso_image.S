/* The vDSO as the Makefile built it from kernel/x86/vdso/. */
	.section .rodata.vdso, "a"
	.globl vdso_image, vdso_image_end
	.balign 8
vdso_image:
	.incbin VDSO
vdso_image_end:

	.section .note.GNU-stack, "", @progbits
