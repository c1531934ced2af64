/* Futexes (futex(2)): what threads sleep on that lock in user memory. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct task;

#define FUTEX_BITSET_ALL 0xffffffffu

/* Wakes up to @nr waiters at @uaddr whose bits meet @bitset; how many. Task. */
int futex_wake(u32 __user *uaddr, int nr, u32 bitset);

/*
 * @task ends: locks that it holds go to others (robust lists), and whoever
 * joins it is told (set_tid_address(2)). Own task, may fault.
 */
void futex_exit(struct task *task);
