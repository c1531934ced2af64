/*
 * The trace ring. Memory is taken only when a point is turned on; a writer
 * claims its record with interrupts off, so that an interrupt in the middle
 * writes the next one.
 */
#include "kernel/trace.h"

#include "kernel/errno.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/param.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/x86/irqflags.h"

#define TRACE_RECORDS	4096	/* a power of two */

const char *const trace_names[NR_TRACE_POINTS] = {
	[TRACE_VIRTNET_INTERRUPT] = "virtnet_interrupt",
	[TRACE_DO_SOFTIRQ] = "do_softirq",
	[TRACE_NET_RX_ACTION] = "net_rx_action",
	[TRACE_VIRTNET_POLL] = "virtnet_poll",
	[TRACE_IP_RCV] = "ip_rcv",
	[TRACE_TCP_V4_RCV] = "tcp_v4_rcv",
	[TRACE_SK_DATA_READY] = "sk_data_ready",
	[TRACE_EP_POLL_CALLBACK] = "ep_poll_callback",
	[TRACE_SCHED_SWITCH] = "sched_switch",
	[TRACE_EPOLL_WAIT] = "epoll_wait",
	[TRACE_TCP_RECVMSG] = "tcp_recvmsg",
	[TRACE_TCP_SENDMSG] = "tcp_sendmsg",
	[TRACE_TCP_TRANSMIT] = "tcp_transmit",
	[TRACE_VIRTNET_XMIT] = "virtnet_xmit",
	[TRACE_TCP_SET_STATE] = "tcp_set_state",
	[TRACE_TCP_RETRANSMIT] = "tcp_retransmit",
	[TRACE_NET_DROP] = "net_drop",
};

u32 trace_mask __used;

/* Locks: i interrupts off on the own CPU. */
struct trace_ring {
	struct trace_record *record;	/* c  NULL until a point is on */
	u64 next;			/* i  records written so far */
};

static DEFINE_PER_CPU(struct trace_ring, trace_ring);

__cold void trace_emit(enum trace_point point, u64 a, u64 b)
{
	unsigned long irq = local_irq_save();
	struct trace_ring *ring = this_cpu_ptr(&trace_ring);

	if (ring->record) {
		ring->record[ring->next++ % TRACE_RECORDS] =
			(struct trace_record){
				.time = ktime_get_ns(),
				.point = point,
				.pid = current->pid,
				.arg = { a, b },
			};
	}
	local_irq_restore(irq);
}

void trace_dump(unsigned int n)
{
	struct trace_ring *ring = this_cpu_ptr(&trace_ring);
	u64 end = ring->next;

	if (!ring->record)
		return;
	n = min(n, TRACE_RECORDS);
	for (u64 i = end > n ? end - n : 0; i < end; i++) {
		const struct trace_record *r =
			&ring->record[i % TRACE_RECORDS];

		printk(LOG_ERR, "trace %llu.%06llu pid %d %s %llx %llx\n",
		       (unsigned long long)(r->time / NSEC_PER_SEC),
		       (unsigned long long)(r->time % NSEC_PER_SEC /
					    NSEC_PER_USEC),
		       r->pid, trace_names[r->point],
		       (unsigned long long)r->arg[0],
		       (unsigned long long)r->arg[1]);
	}
}

/* The bits that a word of @len bytes at @word stands for, 0 if unknown. */
static u32 point_bits(const char *word, size_t len)
{
	if (len == 3 && !memcmp(word, "all", 3))
		return (1u << NR_TRACE_POINTS) - 1;
	for (int i = 0; i < NR_TRACE_POINTS; i++) {
		if (strlen(trace_names[i]) == len &&
		    !memcmp(trace_names[i], word, len))
			return 1u << i;
	}
	return 0;
}

/* What the command line asks for, before there is memory for it. */
static u32 wanted;

static int trace_param(const char *val)
{
	u32 mask = 0;

	while (val && *val) {
		const char *comma = strchr(val, ',');
		size_t len = comma ? (size_t)(comma - val) : strlen(val);
		u32 bits = point_bits(val, len);

		if (!bits)
			return -EINVAL;
		mask |= bits;
		val += len + !!comma;
	}
	if (!mask)
		return -EINVAL;
	/* The text is writable still; what has no ring yet is not recorded. */
	wanted |= mask;
	trace_sites_on(mask);
	return 0;
}
KERNEL_PARAM("trace", trace_param,
	     "all, or tracepoint names joined by commas");

void trace_init(void)
{
	struct trace_ring *ring = this_cpu_ptr(&trace_ring);

	if (!wanted)
		return;
	if (!TRACE_BUILT_IN) {
		pr_err("this kernel has no tracepoints: make without TRACE=0");
		return;
	}
	ring->record = vmalloc(TRACE_RECORDS * sizeof(struct trace_record));
	if (ring->record)
		trace_mask = wanted;
	else
		pr_err("no memory for the trace ring: give the machine more");
}
