/* The console as a file: /dev/console, /dev/tty, and descriptors 0 to 2. */
#pragma once

#include "fs/file.h"

extern const struct file_operations console_fops;

/* A new open file on the console, or NULL if out of memory. Task. */
struct file *console_file(void) __must_check;
