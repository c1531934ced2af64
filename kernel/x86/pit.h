/*
 * Channel 0 of the legacy timer (Intel 8254), as a free-running reference
 * counter. It raises no interrupt that anybody listens to.
 */
#pragma once

#include "kernel/types.h"

#define PIT_HZ		1193182ull
#define PIT_MASK	0xffffull

/* Starts it; false if there is none (it does not move). Ports only. */
bool pit_start(void);
/* Counts up from start, modulo PIT_MASK + 1. */
u64 pit_read(void);
