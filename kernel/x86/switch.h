/* What a task switch changes in the processor. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/percpu.h"
#include "kernel/types.h"

struct task;

/*
 * Saves the callee-saved registers on the stack and the stack pointer in
 * *@save, then goes on with @next's. Interrupts off, run-queue lock held.
 */
void switch_stacks(void **save, void *next);

/*
 * Lays out a fresh stack ending at @top so that switch_stacks() into it calls
 * task_start(entry, arg); returns the stack pointer to save.
 */
void *init_stack(u64 top, void (*entry)(void *arg), void *arg);

/* kernel/sched.c: the first C function of a new task. */
asmlinkage void task_start(void (*entry)(void *arg),
			   void *arg) __attribute__((noreturn));

/*
 * Whose user registers (FPU, FS and GS base, entry stack) are in this CPU. A
 * task may sleep and come back to find them still there.
 */
DECLARE_PER_CPU(struct task *, user_state_owner);

void __switch_user_state(struct task *prev, struct task *next);

/* Interrupts off; @next is about to run in user mode. */
static inline void switch_user_state(struct task *next)
{
	struct task *prev = this_cpu_read(user_state_owner);

	if (prev != next)
		__switch_user_state(prev, next);
}

/*
 * The calling kernel task becomes a user task: its user registers start
 * fresh. Task context.
 */
void start_user_state(struct task *task);

/* @task is gone: its user registers are nobody's. Interrupts any. */
void forget_user_state(struct task *task);

void user_fs_base(u64 base);
/* The GS base that user mode will see; the kernel's own stays. */
void user_gs_base(u64 base);
