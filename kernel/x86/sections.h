/* The parts of the kernel image, as linker.ld marks them; page aligned. */
#pragma once

#include "kernel/types.h"
#include "kernel/x86/layout.h"

extern char __image_start[], __image_end[];
extern char __text_start[], __text_end[];
extern char __init_text_start[], __init_text_end[];
extern char __rodata_start[], __rodata_end[];
extern char __ro_after_init_start[], __ro_after_init_end[];
extern char __stacks_start[], __stacks_end[];
extern char __init_bss_start[], __init_bss_end[];
extern char boot_stack[], boot_stack_top[], ist_stacks[];

static inline phys_addr_t image_to_phys(const void *sym)
{
	return (u64)sym - (u64)__image_start + IMAGE_PHYS;
}
