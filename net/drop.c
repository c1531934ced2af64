/* Counters of thrown-away packets, one per reason, and their names. */
#include "net/drop.h"

#include "kernel/trace.h"

const char *const drop_names[NR_DROP_REASONS] = {
#define X(name) #name,
	DROP_REASONS(X)
#undef X
};

PERCPU_SECTION u64 drop_counts[NR_DROP_REASONS];

void count_drop(enum drop_reason why, u32 len)
{
	this_cpu_add(drop_counts[why], 1);
	trace(TRACE_NET_DROP, why, len);
}
