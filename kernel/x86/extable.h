/*
 * The exception table: instructions that may fault on a user address, each
 * with the place to go on from when they do.
 */
#pragma once

#include "kernel/types.h"

/* One entry, as seen from where it lies; @insn and @fixup are asm labels. */
#define EXTABLE(insn, fixup)						\
	".pushsection __ex_table, \"a\"\n\t"				\
	".balign 4\n\t"							\
	".long " insn " - ., " fixup " - .\n\t"				\
	".popsection\n\t"

/* Where to go on after a fault at @ip; NULL if that must not fault. Any. */
const void *search_extable(u64 ip);
