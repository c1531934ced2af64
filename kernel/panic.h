/* The end of the kernel: broken invariants stop here, loudly. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct pt_regs;

/* Set for good by the first panic: from then on locks are not waited for. */
extern bool panic_in_progress;

/*
 * Prints the message, registers, a symbolised backtrace and the last trace
 * records, then leaves the machine with exit code 127. Any context.
 */
asmlinkage void panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;

/* The same for a fault: the registers and the trace are those of @regs. */
void panic_regs(const struct pt_regs *regs, const char *fmt, ...)
	__printf(2, 3) __noreturn __cold;

/* Prints registers to the log (kernel/x86/traps.c). Any context. */
void show_regs(const struct pt_regs *regs);

/* Prints the calls that led here, by frame pointers. Any context. */
void dump_stack(void);

/* And those of a task that does not run, by its saved stack pointer. */
void dump_task_stack(const u64 *sp);

/* The trace of calls says in which function, and so in which file, it is. */
void bug(const char *what, u32 line) __noreturn __cold;

/* For our own invariants only, never for anything a peer or program sent. */
#define BUG_ON(cond)							\
	do {								\
		if (unlikely(cond))					\
			bug(#cond, __LINE__);				\
	} while (0)

/*
 * How the machine is left, set once by the driver that can (isa-debug-exit);
 * without one, machine_exit() resets the machine.
 */
extern void (*machine_exit_hook)(int code);

/*
 * Ends the machine with program exit code @code (0 to 255, of which QEMU's
 * status takes seven bits). The last line on the consoles says it.
 */
void machine_exit(int code) __noreturn;
