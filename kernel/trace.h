/*
 * The binary trace ring: fixed-size records, newest overwrite oldest, one
 * ring per CPU. Each tracepoint costs one instruction when it is off, which
 * does nothing, and none in a kernel made with TRACE=0.
 * `trace=all` or `trace=name,name` on the command line turns them on.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "kernel/x86/tracesite.h"

/* One for each row of the packet's road (README), then the rest. */
enum trace_point {
	TRACE_VIRTNET_INTERRUPT,	/* queue */
	TRACE_DO_SOFTIRQ,		/* pending mask */
	TRACE_NET_RX_ACTION,		/* budget left */
	TRACE_VIRTNET_POLL,		/* queue, budget left */
	TRACE_IP_RCV,			/* length, protocol */
	TRACE_TCP_V4_RCV,		/* sock, seq, length */
	TRACE_SK_DATA_READY,		/* sock */
	TRACE_EP_POLL_CALLBACK,		/* epitem, mask */
	TRACE_SCHED_SWITCH,		/* from pid, to pid; 0 is idle */
	TRACE_EPOLL_WAIT,		/* events returned */
	TRACE_TCP_RECVMSG,		/* sock, bytes */
	TRACE_TCP_SENDMSG,		/* sock, bytes asked for */
	TRACE_TCP_TRANSMIT,		/* sock or NULL, seq, length */
	TRACE_VIRTNET_XMIT,		/* length */
	TRACE_TCP_SET_STATE,		/* sock or record, from, to */
	TRACE_TCP_RETRANSMIT,		/* sock or record, seq, length */
	TRACE_NET_DROP,			/* reason, length */
	NR_TRACE_POINTS,
};

extern const char *const trace_names[NR_TRACE_POINTS];

struct trace_record {
	u64 time;		/* ktime ns */
	u16 point;
	u16 cpu;
	s32 pid;
	u64 arg[2];
};

extern u32 trace_mask;		/* bit n: point n is on; for gdb */

/* The slow half; callers use trace(). Any context. */
asmlinkage __cold void trace_emit(enum trace_point point, u64 a, u64 b);

#ifdef NO_TRACE
#define TRACE_BUILT_IN	0
#else
#define TRACE_BUILT_IN	1
#endif

#define trace(point, a, b)						\
	do {								\
		if (TRACE_BUILT_IN && unlikely(trace_site(point)))	\
			trace_jump(point, (u64)(a), (u64)(b));		\
	} while (0)

/* Turns on what the command line asked for. Boot, after vmalloc_init(). */
void trace_init(void);

/* Prints the last @n records of this CPU. For panic; any context. */
void trace_dump(unsigned int n);
