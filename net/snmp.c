/* Protocol counters and their names; whoever counts uses SNMP_INC(). */
#include "net/snmp.h"

#include "kernel/names.h"
#include "kernel/string.h"

/* One after the other; a group's own name is marked and comes before. */
#define GROUP	'\1'

static const char names[] __packed_names =
#define G(group) "\1" #group "\0"
#define X(group, name) #name "\0"
	SNMP_COUNTERS(G, X);
#undef X
#undef G

PERCPU_SECTION u64 snmp_counts[NR_SNMP_COUNTERS];

PERCPU_SECTION u64 icmp_in[ICMP_SLOTS], icmp_out[ICMP_SLOTS];

bool snmp_next(struct snmp_walk *w)
{
	const char *s = w->next;

	if (s) {
		w->which++;
	} else {
		unpack_names();
		s = names;
	}
	if (*s == GROUP) {
		w->group = s + 1;
		s += strlen(s) + 1;
	}
	w->name = s;
	w->next = s + strlen(s) + 1;
	return *s;
}
