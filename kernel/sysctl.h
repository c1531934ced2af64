/*
 * Numbers under /proc/sys that a program may set. Their owner reads them
 * with READ_ONCE() whenever it likes.
 */
#pragma once

#include "kernel/types.h"

#define SYSCTL_MOST	3	/* numbers in one file */

struct sysctl_entry {
	const char *name;
	u32 *value;		/* the first of @nr */
	u32 nr;
	u32 least, most;	/* what each of them may be */
};
