/* The table as tools/kallsyms writes it; the first link goes without.  */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct kallsyms_table {
	u32 count;
	u8 pairs[256];		/* two bytes for each name byte from 0x80 on */
	u8 entries[];
};

extern const struct kallsyms_table kallsyms_table __weak;

/* What the entries' addresses start from, and where code ends. */
extern const char __text_start[];
extern const char __init_text_end[];
