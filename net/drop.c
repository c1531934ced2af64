/* Counters of thrown-away packets, one per reason, and their names. */
#include "net/drop.h"

#include "kernel/names.h"
#include "kernel/trace.h"

static const char names[] __packed_names =
#define X(name) #name "\0"
	DROP_REASONS(X);
#undef X

PERCPU_SECTION u64 drop_counts[NR_DROP_REASONS];

void count_drop(enum drop_reason why, u32 len)
{
	this_cpu_add(drop_counts[why], 1);
	trace(TRACE_NET_DROP, why, len);
}

const char *drop_name(enum drop_reason why)
{
	return NTH_NAME(names, why);
}
