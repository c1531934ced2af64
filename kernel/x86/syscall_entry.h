/*
 * The entry of a call in the table from which syscall_init() makes its own:
 * by the assembler, since C has no constant that is half a pointer.
 */
#pragma once

#include "kernel/types.h"

struct syscall_entry {
	s32 fn;			/* the handler, as seen from here */
	u32 nr;
};

#define SYSCALL_ENTRY(section, fn, nr)					\
	__asm__(".pushsection " section ", \"a\"\n\t"			\
		".balign 4\n\t"						\
		".long " #fn " - ., " #nr "\n\t"			\
		".popsection")
