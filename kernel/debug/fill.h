/*
 * fill=1, in a kernel made with DEBUG=1: memory that is handed out, and before
 * each system call the stack below it, is full of FILL_BYTE, so that a test
 * sees what is copied to the program without having been written.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/strace.h"
#include "kernel/types.h"

#ifdef DEBUG_KERNEL

#define FILL_BYTE	0xfe

/* Fills [@p, @p + @n) if it was asked for. Any context. */
void fill_memory(void *p, size_t n);
/* Wraps the @n entries of @table if it was asked for. Boot. */
void fill_init(syscall_fn *table, u32 n);

#else

static inline void fill_init(syscall_fn *table, u32 n)
{
	(void)table;
	(void)n;
}

#endif
