/* /proc/net/tcp and tcp6. */
#pragma once

#include "kernel/seq_file.h"

bool tcp4_seq_show(struct seq_file *m, u64 *cursor);
bool tcp6_seq_show(struct seq_file *m, u64 *cursor);

/*
 * Connections in ESTABLISHED and CLOSE-WAIT, for /proc/net/snmp. Walks them
 * all. Task context.
 */
u64 tcp_curr_estab(void);
