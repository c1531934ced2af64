/*
 * The user's FPU and vector registers. The kernel uses general registers
 * only, so they are saved just when another user task needs the CPU's.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct task;

/* Turns on what the CPU has (x87, SSE, AVX). Each CPU at boot. */
void fpu_init(void);

/*
 * A save area for @task, needed before a second user task exists. 0, or
 * -ENOMEM. Task context.
 */
int fpu_alloc(struct task *task) __must_check;
void fpu_free(struct task *task);

/* Puts @prev's registers (NULL: nobody's) away and loads @next's. */
void fpu_switch(struct task *prev, struct task *next);

/* Registers as a program finds them at its start. */
void fpu_reset(void);
