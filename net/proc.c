/*
 * The files of /proc/net that are counters and devices, in Linux's formats;
 * connections are net/tcp/tcp_seq_show.c's. Boot gives the table to fs/.
 * Task context.
 */
#include "net/proc.h"

#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "net/dev.h"
#include "net/drop.h"
#include "net/lwip/resolv.h"
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

static u64 counter(enum snmp_counter which)
{
	return this_cpu_read(snmp_counts[which]);
}

static void put_count(struct seq_file *m, u64 n)
{
	seq_printf(m, " %llu", (unsigned long long)n);
}

static void put_item(struct seq_file *m, const struct snmp_item *item)
{
	if (item->counter >= 0)
		put_count(m, counter((enum snmp_counter)item->counter));
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

static bool snmp_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	put_group(m, "Ip", ip_items, ARRAY_SIZE(ip_items));
	put_group(m, "Tcp", tcp_items, ARRAY_SIZE(tcp_items));
	put_group(m, "Udp", udp_items, ARRAY_SIZE(udp_items));
	return false;
}

static bool is_tcp_ext(u32 which)
{
	return !strcmp(snmp_groups[which], "TcpExt");
}

static bool netstat_show(struct seq_file *m, u64 *cursor)
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

static void dev_line(struct net_device *dev, void *arg)
{
	seq_printf(arg, "%6s: %7llu %7llu %4d %4d %4d %5d %10d %9d ",
		   dev->name, (unsigned long long)dev->rx_bytes,
		   (unsigned long long)dev->rx_packets, 0, 0, 0, 0, 0, 0);
	seq_printf(arg, "%8llu %7llu %4d %4d %4d %5d %7d %10d\n",
		   (unsigned long long)dev->tx_bytes,
		   (unsigned long long)dev->tx_packets, 0, 0, 0, 0, 0, 0);
}

static bool dev_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_puts(m, "Inter-|   Receive                            "
		    "                    |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame "
		    "compressed multicast|bytes    packets errs "
		    "drop fifo colls carrier compressed\n");
	dev_for_each(dev_line, m);
	return false;
}

/* How many objects of a cache are in use. */
struct cache_count {
	const char *name;
	u64 active;
};

static void count_cache(const struct slab_info *info, void *arg)
{
	struct cache_count *c = arg;

	if (!strcmp(info->name, c->name))
		c->active = info->active;
}

static unsigned long long in_use(const char *cache)
{
	struct cache_count c = { cache, 0 };

	slab_for_each(count_cache, &c);
	return c.active;
}

/* Records in TIME-WAIT and requests are counted as one. */
static bool sockstat_show(struct seq_file *m, u64 *cursor)
{
	unsigned long long tcp = in_use("tcp_sock");

	(void)cursor;
	seq_printf(m, "sockets: used %llu\n", in_use("socket"));
	seq_printf(m, "TCP: inuse %llu orphan 0 tw %llu alloc %llu mem 0\n",
		   tcp, in_use("tcp_mini"), tcp);
	seq_printf(m, "UDP: inuse %llu mem 0\nUDPLITE: inuse 0\n",
		   in_use("UDP"));
	seq_puts(m, "RAW: inuse 0\nFRAG: inuse 0 memory 0\n");
	return false;
}

/* Our own: why packets were thrown away. */
static bool drops_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	for (u32 i = 0; i < NR_DROP_REASONS; i++) {
		u64 n = this_cpu_read(drop_counts[i]);

		if (n)
			seq_printf(m, "%s %llu\n", drop_names[i],
				   (unsigned long long)n);
	}
	return false;
}

static bool udp_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_puts(m, "   sl  local_address rem_address   st tx_queue "
		    "rx_queue tr tm->when retrnsmt   uid  timeout "
		    "inode ref pointer drops            \n");
	return false;
}

const struct seq_entry net_proc_entries[] = {
	{ "snmp", snmp_show },
	{ "netstat", netstat_show },
	{ "dev", dev_show },
	{ "sockstat", sockstat_show },
	{ "drops", drops_show },
	{ "tcp", tcp4_seq_show },
	{ "tcp6", tcp6_seq_show },
	{ "udp", udp_show },
	{ "pnp", resolv_show },
	{ NULL, NULL },
};
