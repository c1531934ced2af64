/*
 * Walks frame pointers for panic(): the stack may be damaged, so each frame
 * must be aligned, mapped, and above the one before by less than a stack.
 */
#include "kernel/x86/stacktrace.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/paging.h"

unsigned int stack_trace(u64 frame, u64 *pcs, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && frame % 8 == 0 && frame >= DIRECT_MAP_START &&
	       kernel_va_mapped(frame) && kernel_va_mapped(frame + 8)) {
		const u64 *words = (const u64 *)frame;

		/* The first frame of a task returns to nowhere. */
		if (!words[1])
			break;
		pcs[n++] = words[1];
		if (words[0] <= frame || words[0] - frame > KSTACK_SIZE)
			break;
		frame = words[0];
	}
	return n;
}
