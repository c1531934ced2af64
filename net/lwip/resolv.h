/* The name servers (resolv.c). */
#pragma once

#include "kernel/seq_file.h"
#include "kernel/types.h"

/* Server @n of those for IPv4; 0: none. Task, under the port's lock. */
void resolv_set_v4(unsigned int n, be32 addr);

/* /proc/net/pnp and hosts, where files in /etc lead; each a seq_show_t. */
bool resolv_show(struct seq_file *m, u64 *cursor);
bool hosts_show(struct seq_file *m, u64 *cursor);
