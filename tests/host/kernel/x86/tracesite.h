/* On the host nothing changes its own code: a bit says whether to trace. */
#pragma once

#include "kernel/types.h"

#define trace_jump(point, a, b) trace_emit(point, a, b)

extern u32 trace_mask;

static inline bool trace_site(u32 point)
{
	return trace_mask >> point & 1;
}
