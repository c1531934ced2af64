/* Protocol counters and their names; whoever counts uses SNMP_INC(). */
#include "net/snmp.h"

const char *const snmp_groups[NR_SNMP_COUNTERS] = {
#define X(group, name) #group,
	SNMP_COUNTERS(X)
#undef X
};

const char *const snmp_names[NR_SNMP_COUNTERS] = {
#define X(group, name) #name,
	SNMP_COUNTERS(X)
#undef X
};

PERCPU_SECTION u64 snmp_counts[NR_SNMP_COUNTERS];

PERCPU_SECTION u64 icmp_in[ICMP_SLOTS], icmp_out[ICMP_SLOTS];
