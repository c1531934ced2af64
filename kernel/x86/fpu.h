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

/* True if the state has more than FXSAVE's 512 bytes (UC_FP_XSTATE). */
bool fpu_has_xsave(void);
/* Bytes that fpu_to_user() writes. */
size_t fpu_frame_size(void);
/*
 * Writes the own task's registers to a signal frame at @to, a multiple of 64,
 * as Linux lays them out. 0, -EFAULT or -ENOMEM. Task context.
 */
int fpu_to_user(void __user *to) __must_check;
/* Loads what the frame at @from has; NULL: as at the start. 0 or -errno. */
int fpu_from_user(const void __user *from) __must_check;

/* SIGFPE's si_code for x87's (@simd: SSE's) pending exception. */
int fpu_exception_code(bool simd);

/* @child, which has a save area, gets a copy of the own task's registers. */
void fpu_copy_to(struct task *child);
