/* Starting the program: ELF loading and the initial stack. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/*
 * Turns the calling kernel task into the program at @path (an ELF program
 * from the initramfs, and its interpreter if it has one) with the given
 * NULL-terminated vectors, descriptors 0 to 2 on the console, and enters user
 * mode. Returns only on failure, after logging what is wrong and what to do:
 * -ENOENT, -ENOEXEC, -ENOMEM, -E2BIG.
 */
int exec_init(const char *path, char *const argv[], char *const envp[]);

/* The absolute path of the program that runs; "" before there is one. */
const char *exec_path(void);
