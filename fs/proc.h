/* How others than fs/ put files into /proc. */
#pragma once

#include "kernel/seq_file.h"
#include "kernel/sysctl.h"

/*
 * What stands in /proc/net: @entries is borrowed for good, a NULL name ends
 * it. Boot, once.
 */
void proc_net_register(const struct seq_entry *entries);

/* The same for what can be set in /proc/sys/net/ipv4. */
void proc_sysctl_register(const struct sysctl_entry *table);
