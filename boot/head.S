/*
 * The two doors: the Multiboot2 header (GRUB) and the PVH note (QEMU
 * -kernel). Both enter in 32-bit protected mode without paging; this maps
 * the first 4 GiB at 0 (for the loader's data) and the kernel at KERNEL_VMA
 * in large pages, switches to long mode and calls boot_main(). The tables
 * made here live until paging_init().
 */
#include "kernel/x86/layout.h"

#define PHYS(sym)	((sym) - KERNEL_VMA)

#define MB2_HEADER_MAGIC	0xe85250d6
#define PVH_MAGIC		0x336ec578	/* hvm_start_info.magic */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_PE_WP_PG	0x80010001
#define CR4_PAE		0x20
#define MSR_EFER	0xc0000080
#define EFER_LME	0x100
#define PTE_P_W		0x3
#define PTE_P_W_PS	0x83

/*
 * In a DEBUG=1 kernel functions write the shadow of their frames from the
 * start: until paging_init() makes the real one, all of it is one page.
 */
#ifdef DEBUG_KERNEL
#define SHADOW_SLOT	472	/* PML4 entries for 0xffffec0000000000 on */
#define SHADOW_SLOTS	32

.macro FILL_TABLE table, entries, value
	movl	$PHYS(\table), %ecx
	movl	$PHYS(\value) + PTE_P_W, %eax
	movl	$\entries, %edx
1:	movl	%eax, (%ecx)
	addl	$8, %ecx
	decl	%edx
	jnz	1b
.endm

.macro MAP_EARLY_SHADOW
	FILL_TABLE shadow_pt, 512, shadow_page
	FILL_TABLE shadow_pd, 512, shadow_pt
	FILL_TABLE shadow_pdpt, 512, shadow_pd
	FILL_TABLE boot_pml4+SHADOW_SLOT*8, SHADOW_SLOTS, shadow_pdpt
.endm

	.section .init.bss, "aw", @nobits
	.balign 4096
shadow_page:
	.skip	4096
shadow_pt:
	.skip	4096
shadow_pd:
	.skip	4096
shadow_pdpt:
	.skip	4096
#else
.macro MAP_EARLY_SHADOW
.endm
#endif

	/* Multiboot2 specification 1.6, section 3.1. */
	.section .multiboot2, "a"
	.balign 8
mb2_header:
	.long	MB2_HEADER_MAGIC, 0, mb2_header_end - mb2_header
	.long	-(MB2_HEADER_MAGIC + (mb2_header_end - mb2_header))
	.short	3, 0			/* entry address */
	.long	12, PHYS(mb2_start)
	.balign 8
	.short	6, 0			/* modules are page aligned */
	.long	8
	.short	0, 0			/* end */
	.long	8
mb2_header_end:

	.section .note.Xen, "a", @note
	.balign 4
	.long	4, 8, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.quad	PHYS(pvh_start)

	.section .init.text, "ax"
	.code32
	.globl	mb2_start
pvh_start:
	movl	$PVH_MAGIC, %eax
mb2_start:
	cli
	cld
	movl	%eax, %esi
	movl	%ebx, %edi
	movl	$PHYS(boot_stack_top), %esp

	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	btl	$29, %edx
	jnc	no_long_mode

	/* Four page directories of 2 MiB pages: physical 0 to 4 GiB. */
	movl	$PHYS(boot_pd), %ecx
	movl	$PTE_P_W_PS, %eax
1:	movl	%eax, (%ecx)
	addl	$8, %ecx
	addl	$0x200000, %eax
	jnc	1b
	/*
	 * One PDPT serves both halves: entries 0 to 3 are the identity map,
	 * entry 510 the first GiB again, for KERNEL_VMA.
	 */
	movl	$PHYS(boot_pd) + PTE_P_W, %eax
	movl	%eax, PHYS(boot_pdpt) + 510 * 8
	movl	%eax, PHYS(boot_pdpt)
	addl	$0x1000, %eax
	movl	%eax, PHYS(boot_pdpt) + 8
	addl	$0x1000, %eax
	movl	%eax, PHYS(boot_pdpt) + 16
	addl	$0x1000, %eax
	movl	%eax, PHYS(boot_pdpt) + 24
	movl	$PHYS(boot_pdpt) + PTE_P_W, %eax
	movl	%eax, PHYS(boot_pml4)
	movl	%eax, PHYS(boot_pml4) + 511 * 8

	MAP_EARLY_SHADOW

	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	$CR0_PE_WP_PG, %eax
	movl	%eax, %cr0
	lgdtl	PHYS(boot_gdt_ptr)
	ljmpl	$8, $PHYS(start64)

	/* Nothing works here but the serial port: say why, then halt. */
no_long_mode:
	movl	$PHYS(no_long_mode_text), %esi
	movw	$0x3f8, %dx
1:	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	hlt
	jmp	2b

	.code64
start64:
	movq	$1f, %rax
	jmp	*%rax
1:	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	movq	$boot_stack_top, %rsp
	xorl	%ebp, %ebp
	movl	%esi, %r12d
	movl	%edi, %r13d
	/*
	 * The stack guard, before the first frame that checks it. A zero low
	 * byte stops overflows that copy strings.
	 */
	call	early_random
	xorb	%al, %al
	movq	%rax, __stack_chk_guard(%rip)
	movl	%r12d, %edi
	movl	%r13d, %esi
	call	boot_main
	/* The kernel has moved: on in it. The CPU drops what it has decoded. */
	movl	%eax, %esi
	movq	%cr3, %rax
	movq	%rax, %cr3
	movq	$1f, %rax
	jmp	*%rax
1:	movq	$boot_stack_top, %rsp
	movl	%r12d, %edi
	call	boot_moved
	ud2

	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* 64-bit code */
boot_gdt_ptr:
	.short	. - boot_gdt - 1
	.long	PHYS(boot_gdt)
no_long_mode_text:
	.asciz	"pollux: this CPU has no 64-bit mode, use an x86-64 one\r\n"

	.section .init.bss, "aw", @nobits
	.balign 4096
	.globl	boot_pdpt, boot_kaslr_pd, boot_kaslr_pt
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096
boot_kaslr_pd:
	.skip	4096
boot_kaslr_pt:
	.skip	KASLR_TABLES * 4096

	/* Each stack has an unmapped page below it (paging_init). */
	.section .stacks, "aw", @nobits
	.balign 4096
	.globl	boot_stack, boot_stack_top, ist_stacks
	.skip	4096
boot_stack:
	.skip	BOOT_STACK_SIZE
boot_stack_top:
	.skip	4096
ist_stacks:
	.skip	IST_STACK_SIZE
	.skip	4096
	.skip	IST_STACK_SIZE
	.skip	4096
	.skip	IST_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
