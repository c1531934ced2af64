/*
 * /proc/net/snmp, snmp6 and netstat: the protocols' counters in Linux's
 * formats (RFC 4293, 4022, 4113, 5097). Task context.
 */
#include "net/proc_snmp.h"

#include "kernel/string.h"
#include "net/snmp.h"
#include "net/tcp/tcp_proc.h"

/* One name of a line, and its counter or what is shown instead of one. */
struct snmp_item {
	const char *name;
	int counter;			/* -1: @fixed */
	const char *fixed;
};

#define C(group, name)	{ #name, SNMP_##group##_##name, NULL }
#define F(name, value)	{ name, -1, value }

/* The names in Linux's order, so that readers by position are right, too. */
static const struct snmp_item ip_items[] = {
	F("Forwarding", "2"), F("DefaultTTL", "64"), C(Ip, InReceives),
	C(Ip, InHdrErrors), C(Ip, InAddrErrors), F("ForwDatagrams", "0"),
	C(Ip, InUnknownProtos), C(Ip, InDiscards), C(Ip, InDelivers),
	C(Ip, OutRequests), C(Ip, OutDiscards), C(Ip, OutNoRoutes),
	F("ReasmTimeout", "0"), F("ReasmReqds", "0"), F("ReasmOKs", "0"),
	F("ReasmFails", "0"), F("FragOKs", "0"), F("FragFails", "0"),
	F("FragCreates", "0"),
};

static const struct snmp_item tcp_items[] = {
	F("RtoAlgorithm", "1"), F("RtoMin", "200"), F("RtoMax", "120000"),
	F("MaxConn", "-1"), C(Tcp, ActiveOpens), C(Tcp, PassiveOpens),
	C(Tcp, AttemptFails), C(Tcp, EstabResets), F("CurrEstab", NULL),
	C(Tcp, InSegs), C(Tcp, OutSegs), C(Tcp, RetransSegs),
	C(Tcp, InErrs), C(Tcp, OutRsts), C(Tcp, InCsumErrors),
};

static const struct snmp_item udp_items[] = {
	C(Udp, InDatagrams), C(Udp, NoPorts), C(Udp, InErrors),
	C(Udp, OutDatagrams), C(Udp, RcvbufErrors), F("SndbufErrors", "0"),
	C(Udp, InCsumErrors), F("IgnoredMulti", "0"), F("MemErrors", "0"),
};

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

static u64 counter(u32 which)
{
	return this_cpu_read(snmp_counts[which]);
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

static void put_item(struct seq_file *m, const struct snmp_item *item)
{
	if (item->counter >= 0)
		put_count(m, counter((u32)item->counter));
	else if (item->fixed)
		seq_printf(m, " %s", item->fixed);
	else
		put_count(m, tcp_curr_estab());
}

static void put_group(struct seq_file *m, const char *group,
		      const struct snmp_item *items, size_t n)
{
	seq_printf(m, "%s:", group);
	for (size_t i = 0; i < n; i++)
		seq_printf(m, " %s", items[i].name);
	seq_printf(m, "\n%s:", group);
	for (size_t i = 0; i < n; i++)
		put_item(m, &items[i]);
	seq_puts(m, "\n");
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
	put_count(m, counter(SNMP_Icmp_InErrors));
	put_count(m, counter(SNMP_Icmp_InCsumErrors));
	put_icmp_half(m, false, false);
	put_count(m, icmp_sum(true, true));
	put_count(m, 0);
	put_icmp_half(m, true, false);
	seq_puts(m, "\n");
}

bool snmp_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	put_group(m, "Ip", ip_items, ARRAY_SIZE(ip_items));
	put_icmp(m);
	put_group(m, "Tcp", tcp_items, ARRAY_SIZE(tcp_items));
	put_group(m, "Udp", udp_items, ARRAY_SIZE(udp_items));
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
	for (u32 i = 0; i < NR_SNMP_COUNTERS; i++) {
		if (!strcmp(snmp_groups[i], group))
			put6(m, group, snmp_names[i], "", counter(i));
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

static bool is_tcp_ext(u32 which)
{
	return !strcmp(snmp_groups[which], "TcpExt");
}

bool netstat_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_puts(m, "TcpExt:");
	for (u32 i = 0; i < NR_SNMP_COUNTERS; i++) {
		if (is_tcp_ext(i))
			seq_printf(m, " %s", snmp_names[i]);
	}
	seq_puts(m, "\nTcpExt:");
	for (u32 i = 0; i < NR_SNMP_COUNTERS; i++) {
		if (is_tcp_ext(i))
			put_count(m, counter(i));
	}
	seq_puts(m, "\n");
	return false;
}
