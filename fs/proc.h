/* How others than fs/ put files into /proc. */
#pragma once

#include "kernel/seq_file.h"

/*
 * What stands in /proc/net: @entries is borrowed for good, a NULL name ends
 * it. Boot, once.
 */
void proc_net_register(const struct seq_entry *entries);
