/* What stands at "/" when the program starts. */
#pragma once

#include "kernel/compiler.h"

/*
 * Makes the root from the archive that initramfs_init() has indexed, and what
 * servers expect beside it: /dev, /proc, /sys, /tmp and a few files in /etc.
 * 0 or -ENOMEM, after saying so. Boot, task context.
 */
int rootfs_init(void) __must_check;

/* Frees all of it again: for tests. Nothing is open any more. */
void rootfs_forget(void);
