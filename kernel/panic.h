/* The end of the kernel: broken invariants stop here, loudly. */
#pragma once

#include "kernel/compiler.h"

/*
 * Prints the message, registers, a symbolised backtrace and the last trace
 * records, then leaves the machine with exit code 127. Any context.
 */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;

/* For our own invariants only, never for anything a peer or program sent. */
#define BUG_ON(cond)							\
	do {								\
		if (unlikely(cond))					\
			panic("BUG at %s:%d: %s", __FILE__, __LINE__,	\
			      #cond);					\
	} while (0)

/*
 * How the machine is left, set once by the driver that can (isa-debug-exit);
 * without one, machine_exit() resets the machine.
 */
extern void (*machine_exit_hook)(int code);

/* Ends the machine with program exit code @code (0 to 127). */
void machine_exit(int code) __noreturn;
