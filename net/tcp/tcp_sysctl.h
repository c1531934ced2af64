/* The numbers of TCP that /proc/sys/net/ipv4 lets a program set. */
#pragma once

#include "kernel/sysctl.h"

/* The least, the default and the most of a buffer, bytes of memory. */
extern u32 tcp_rmem[3], tcp_wmem[3];
extern u32 tcp_ecn;	/* 0: no, 1: asks for it, 2: only if asked */
extern u32 tcp_fastopen;	/* TCP_FASTOPEN_ bits */
extern u32 tcp_mtu_probing;	/* smaller segments if none gets through */
/* Ports that are chosen for who names none; the first is not above. */
extern u32 ip_local_port_range[2];
extern u32 tcp_moderate_rcvbuf;		/* the receive buffer may grow */

/* For fs/proc.h's proc_sysctl_register(). */
extern const struct sysctl_entry tcp_sysctls[];
