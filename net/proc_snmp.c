/*
 * /proc/net/snmp, snmp6 and netstat: the protocols' counters in Linux's
 * formats (RFC 4293, 4022, 4113, 5097). Task context.
 */
#include "net/proc_snmp.h"

#include "kernel/string.h"
#include "net/snmp.h"
#include "net/tcp/tcp_proc.h"

/* The types that both lines of Icmp name, in their order; not by number. */
static const struct {
	const char *name, *name6;
	u8 type, type6;
} icmp_types[] = {
	{ "DestUnreachs", "DestUnreachs", 3, 1 },
	{ "TimeExcds", "PktTooBigs", 11, 2 },
	{ "ParmProbs", "TimeExcds", 12, 3 },
	{ "SrcQuenchs", "ParmProblems", 4, 4 },
	{ "Redirects", "Echos", 5, 128 },
	{ "Echos", "EchoReplies", 8, 129 },
	{ "EchoReps", "GroupMembQueries", 0, 130 },
	{ "Timestamps", "GroupMembResponses", 13, 131 },
	{ "TimestampReps", "GroupMembReductions", 14, 132 },
	{ "AddrMasks", "RouterSolicits", 17, 133 },
	{ "AddrMaskReps", "RouterAdvertisements", 18, 134 },
	{ NULL, "NeighborSolicits", 0, 135 },
	{ NULL, "NeighborAdvertisements", 0, 136 },
	{ NULL, "Redirects", 0, 137 },
	{ NULL, "MLDv2Reports", 0, 143 },
};

u64 snmp_value(u32 which)
{
	switch (which) {
	case SNMP_Ip_Forwarding:
		return 2;		/* no */
	case SNMP_Ip_DefaultTTL:
		return 64;
	case SNMP_Tcp_RtoAlgorithm:
		return 1;		/* RFC 4022: other */
	case SNMP_Tcp_RtoMin:
		return 200;
	case SNMP_Tcp_RtoMax:
		return 120000;
	case SNMP_Tcp_MaxConn:
		return (u64)-1;
	case SNMP_Tcp_CurrEstab:
		return tcp_curr_estab();
	case SNMP_IpExt_InNoECTPkts:
		return snmp_value(SNMP_Ip_InReceives) -
		       snmp_value(SNMP_Ip_InHdrErrors) -
		       snmp_value(SNMP_IpExt_InECT1Pkts) -
		       snmp_value(SNMP_IpExt_InECT0Pkts) -
		       snmp_value(SNMP_IpExt_InCEPkts);
	default:
		return this_cpu_read(snmp_counts[which]);
	}
}

static u64 icmp_count(bool out, u32 slot)
{
	return out ? this_cpu_read(icmp_out[slot])
		   : this_cpu_read(icmp_in[slot]);
}

/* All messages of one version. The slot of the unknown is IPv6's. */
static u64 icmp_sum(bool out, bool v4)
{
	u64 sum = 0;

	for (u32 i = v4 ? 0 : ICMP_TYPES; i < (v4 ? ICMP_TYPES : ICMP_SLOTS);
	     i++)
		sum += icmp_count(out, i);
	return sum;
}

static void put_count(struct seq_file *m, u64 n)
{
	seq_printf(m, " %llu", (unsigned long long)n);
}

static void put_group(struct seq_file *m, const char *group)
{
	for (int values = 0; values < 2; values++) {
		struct snmp_walk w = { 0 };

		seq_printf(m, "%s:", group);
		while (snmp_next(&w)) {
			if (strcmp(w.group, group))
				continue;
			if (!values)
				seq_printf(m, " %s", w.name);
			else if (w.which == SNMP_Tcp_MaxConn)
				seq_puts(m, " -1");
			else
				put_count(m, snmp_value(w.which));
		}
		seq_puts(m, "\n");
	}
}

static void put_icmp_half(struct seq_file *m, bool out, bool names)
{
	for (u32 i = 0; i < ARRAY_SIZE(icmp_types) && icmp_types[i].name;
	     i++) {
		if (names)
			seq_printf(m, " %s%s", out ? "Out" : "In",
				   icmp_types[i].name);
		else
			put_count(m, icmp_count(out, icmp_types[i].type));
	}
}

static void put_icmp(struct seq_file *m)
{
	seq_puts(m, "Icmp: InMsgs InErrors InCsumErrors");
	put_icmp_half(m, false, true);
	seq_puts(m, " OutMsgs OutErrors");
	put_icmp_half(m, true, true);
	seq_puts(m, "\nIcmp:");
	put_count(m, icmp_sum(false, true));
	put_count(m, snmp_value(SNMP_Icmp_InErrors));
	put_count(m, snmp_value(SNMP_Icmp_InCsumErrors));
	put_icmp_half(m, false, false);
	put_count(m, icmp_sum(true, true));
	put_count(m, 0);
	put_icmp_half(m, true, false);
	seq_puts(m, "\n");
}

bool snmp_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	put_group(m, "Ip");
	put_icmp(m);
	put_group(m, "Tcp");
	put_group(m, "Udp");
	return false;
}

static void put6(struct seq_file *m, const char *a, const char *b,
		 const char *c, u64 n)
{
	size_t start = m->len;

	seq_printf(m, "%s%s%s", a, b, c);
	seq_pad(m, start, 32);
	seq_printf(m, "\t%llu\n", (unsigned long long)n);
}

/* The counters of @group as they are. */
static void put_group6(struct seq_file *m, const char *group)
{
	struct snmp_walk w = { 0 };

	while (snmp_next(&w)) {
		if (!strcmp(w.group, group))
			put6(m, group, w.name, "", snmp_value(w.which));
	}
}

static void put_icmp6_half(struct seq_file *m, bool out)
{
	const char *way = out ? "Out" : "In";

	put6(m, "Icmp6", way, "Msgs", icmp_sum(out, false));
	if (!out)
		put_group6(m, "Icmp6");
	for (u32 i = 0; i < ARRAY_SIZE(icmp_types); i++)
		put6(m, "Icmp6", way, icmp_types[i].name6,
		     icmp_count(out, icmp_slot(false, icmp_types[i].type6)));
}

bool snmp6_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	put_group6(m, "Ip6");
	put_icmp6_half(m, false);
	put_icmp6_half(m, true);
	put_group6(m, "Udp6");
	return false;
}

bool netstat_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	put_group(m, "TcpExt");
	put_group(m, "IpExt");
	return false;
}
