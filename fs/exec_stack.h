/* The first page or so of a program's stack, as Linux lays it out. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* Most bytes of arguments and environment together. */
#define MAX_ARG_BYTES	(128u << 10)

/* What goes onto the stack besides fixed values; strings are borrowed. */
struct exec_stack_info {
	char *const *argv, *const *envp;	/* NULL-terminated */
	const char *execfn;			/* AT_EXECFN */
	u64 phdr, phent, phnum, base, entry;	/* AT_ values, relocated */
	u64 vdso;				/* AT_SYSINFO_EHDR or 0 */
	u32 hwcap, hwcap2;
	u8 random[16];				/* what AT_RANDOM points to */
};

/*
 * Builds the block in a buffer of *@len bytes, to be copied to address *@sp,
 * which is the first stack pointer; it ends at @top. The caller vfree()s it.
 * NULL with *@err -E2BIG or -ENOMEM. Task context.
 */
void *exec_stack_build(const struct exec_stack_info *info, u64 top, u64 *sp,
		       size_t *len, int *err) __must_check;
