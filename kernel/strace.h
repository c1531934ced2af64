/*
 * `strace=1` on the kernel command line: every system call in the log, as
 * strace(1) prints it. The call table is filled with one function that calls
 * the real one and prints; without the word the table is what it is, so a
 * kernel that does not trace does not pay.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

typedef void (*syscall_fn)(void);

/* Takes @table of @n calls over, if the command line says so. Boot. */
void strace_init(syscall_fn *table, u32 n);

/* What one call looked like when it began. */
struct strace_call {
	u64 nr;
	u64 arg[6];
	long ret;
};

/*
 * "name(arguments)" as a string in @buf; what the call has written to user
 * memory is shown by its result. Task context, may fault user pages in.
 */
void strace_format(const struct strace_call *call, char *buf, size_t size);
/* The same for " = result". */
void strace_format_result(const struct strace_call *call, char *buf,
			  size_t size);
