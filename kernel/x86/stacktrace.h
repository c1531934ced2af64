/* Return addresses from the chain of saved frame pointers. */
#pragma once

#include "kernel/types.h"

/*
 * Writes the return addresses above frame pointer @frame to @pcs, innermost
 * first, and returns how many. Any context, any @frame: reads nothing that is
 * not mapped, and stops where the chain makes no sense.
 */
unsigned int stack_trace(u64 frame, u64 *pcs, unsigned int max);
