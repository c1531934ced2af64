/* The table as tools/kallsyms and tools/pack write it. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* The first link goes without. */
extern const u8 kallsyms_table[] __weak;

/* What the entries' addresses start from, and where code ends. */
extern const char __text_start[];
extern const char __init_text_end[];
