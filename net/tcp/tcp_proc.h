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
/* Socks of AF_INET6 in the tables, for sockstat6. The same way. */
u64 tcp_in_use_v6(void);

struct ip_addr;

/* "ADDRESS:PORT " as in these files, also for /proc/net/udp. */
void tcp_proc_addr(struct seq_file *m, bool v6, const struct ip_addr *ip,
		   u16 port);
