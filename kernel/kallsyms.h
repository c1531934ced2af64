/* Names of the kernel's functions, from a table that the build embeds. */
#pragma once

#include "kernel/types.h"

/*
 * Finds the function that holds code address @addr: its name (cut to fit
 * @size) and the distance from its start. False if the table has none. Any
 * context; walks the whole table, so for reports only.
 */
bool kallsyms_lookup(u64 addr, char *name, size_t size, u64 *offset);
