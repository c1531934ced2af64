/* Touching an address to see whether it faults, for self-tests. */
#pragma once

#include "kernel/types.h"

/* True if the access is possible. Task context, interrupts on. */
bool probe_read(u64 va);
/* Writes back what is there. */
bool probe_write(u64 va);

/* The value of CR4. */
u64 read_cr4(void);
