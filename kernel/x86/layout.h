/*
 * The kernel half of the address space, shared by C and assembly. linker.ld
 * repeats KERNEL_VMA. Random parts are chosen in kernel/x86/paging.c.
 *
 *   0xffff800000000000  direct map of RAM, somewhere in these 64 TiB
 *   0xffffc00000000000  vmalloc, stacks and device memory, in one PML4 slot
 *   0xffffffff80000000  the kernel image, 1 MiB above
 */
#pragma once

#define KERNEL_VMA		0xffffffff80000000

#define DIRECT_MAP_START	0xffff800000000000
#define DIRECT_MAP_SPAN		0x0000400000000000
#define VMALLOC_START		0xffffc00000000000
#define VMALLOC_SPAN		0x0000008000000000

#define BOOT_STACK_SIZE		16384
#define IST_STACK_SIZE		8192
