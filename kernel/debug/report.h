/* What the checkers of a kernel made with DEBUG=1 do when they find a fault. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* Reports since boot; only debug=continue lets there be more than one. */
extern u32 debug_reports;

/*
 * Prints the message and the calls that led here, then panics unless the
 * command line has debug=continue. Any context.
 */
void debug_report(const char *fmt, ...) __printf(1, 2) __cold;
