/*
 * The kernel half of the address space, shared by C and assembly. linker.ld
 * repeats KERNEL_VMA. Random parts are chosen in kernel/x86/paging.c.
 *
 *   0xffff800000000000  direct map of RAM, somewhere in these 64 TiB
 *   0xffffc00000000000  vmalloc, stacks and device memory, in one PML4 slot
 *   0xffffffff80000000  the kernel image as it is linked, 1 MiB above
 *   0xffffffffc0000000  where it runs, on any page of this GiB (boot/kaslr.c)
 */
#pragma once

#define KERNEL_VMA		0xffffffff80000000
#define IMAGE_PHYS		0x100000	/* where it is loaded */
#define KASLR_TABLES		4		/* 2 MiB less of an image */

#define DIRECT_MAP_START	0xffff800000000000
#define DIRECT_MAP_SPAN		0x0000400000000000
#define VMALLOC_START		0xffffc00000000000
#define VMALLOC_SPAN		0x0000008000000000

#define BOOT_STACK_SIZE		16384
#define IST_STACK_SIZE		8192
