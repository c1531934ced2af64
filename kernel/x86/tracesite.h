/*
 * A place in the code that does nothing, in one instruction, until it is
 * made a jump at boot. What kernel/trace.h tells callers stands on it.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* As the linker gathers them; each offset counts from its own address. */
struct trace_site {
	s32 nop;		/* five bytes */
	s32 target;		/* what is jumped to when @point is on */
	u8 point;		/* enum trace_point */
} __packed;

/* False, and true once the sites of @point are on. @point is a constant. */
static __always_inline bool trace_site(u32 point)
{
	asm goto("1: .byte 0x0f, 0x1f, 0x44, 0, 0\n\t"
		 ".pushsection trace_site, \"a\"\n\t"
		 ".long 1b - .\n\t"
		 ".long %l[on] - .\n\t"
		 ".byte %c0\n\t"
		 ".popsection"
		 : : "i"(point) : : on);
	return false;
on:
	return true;
}

/* trace_emit(), without being a call to the compiler. */
static __always_inline void trace_jump(u64 point, u64 a, u64 b)
{
	asm volatile("call trace_thunk" : : "a"(a), "d"(b), "c"(point)
		     : "memory", "cc");
}

/*
 * Turns on the sites of the points whose bits are in @mask. Boot, before
 * paging_init() makes the text read-only.
 */
void trace_sites_on(u32 mask);

/* Is there one at @at, on or off? Any context. */
bool trace_site_at(const u8 *at);
