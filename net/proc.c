/*
 * The files of /proc/net that are devices, sockets and drops, in Linux's
 * formats; connections are net/tcp/tcp_proc.c's, protocol counters those of
 * net/proc_snmp.c. Boot gives the table to fs/. Task context.
 */
#include "net/proc.h"

#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "net/dev.h"
#include "net/drop.h"
#include "net/lwip/lwip_udp.h"
#include "net/lwip/resolv.h"
#include "net/proc_snmp.h"
#include "net/sock.h"
#include "net/socket.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_proc.h"

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

static void count_v6(struct sock *sk, void *arg)
{
	*(u64 *)arg += sk->sk_family == AF_INET6;
}

static u64 udp6_in_use(void)
{
	u64 n = 0;

	lwip_udp_for_each(count_v6, &n);
	return n;
}

/* Records in TIME-WAIT and requests are counted as one. */
static bool sockstat_show(struct seq_file *m, u64 *cursor)
{
	unsigned long long tcp = in_use("tcp_sock");

	(void)cursor;
	seq_printf(m, "sockets: used %llu\n", in_use("socket"));
	seq_printf(m, "TCP: inuse %llu orphan %u tw %llu alloc %llu mem 0\n",
		   tcp - tcp_in_use_v6(), tcp_orphans(), in_use("tcp_mini"),
		   tcp);
	seq_printf(m, "UDP: inuse %llu mem 0\nUDPLITE: inuse 0\n",
		   in_use("UDP") - udp6_in_use());
	seq_puts(m, "RAW: inuse 0\nFRAG: inuse 0 memory 0\n");
	return false;
}

static bool sockstat6_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_printf(m, "TCP6: inuse %llu\nUDP6: inuse %llu\n"
		      "UDPLITE6: inuse 0\nRAW6: inuse 0\n"
		      "FRAG6: inuse 0 memory 0\n",
		   (unsigned long long)tcp_in_use_v6(),
		   (unsigned long long)udp6_in_use());
	return false;
}

/* Our own: why packets were thrown away. */
static bool drops_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	for (u32 i = 0; i < NR_DROP_REASONS; i++) {
		u64 n = this_cpu_read(drop_counts[i]);

		if (n)
			seq_printf(m, "%s %llu\n", drop_name(i),
				   (unsigned long long)n);
	}
	return false;
}

/* Lines of UDP sockets that one call prints. */
#define UDP_LINES	16u

/* The cursor: lines printed before. */
struct udp_lines {
	struct seq_file *m;
	u64 skip, line;
	u16 family;
};

static void udp_line(struct sock *sk, void *arg)
{
	struct udp_lines *l = arg;
	bool v6 = l->family == AF_INET6;
	size_t start = l->m->len;

	if (sk->sk_family != l->family || l->line++ < l->skip ||
	    l->line > l->skip + UDP_LINES)
		return;
	seq_printf(l->m, "%5llu: ", (unsigned long long)l->line - 1);
	tcp_proc_addr(l->m, v6, &sk->sk_rcv_saddr, sk->sk_num);
	tcp_proc_addr(l->m, v6, &sk->sk_daddr, sk->sk_dport);
	seq_printf(l->m, "%02X %08X:%08X 00:00000000 00000000 %5u %8d %llu "
			 "%d %016d 0",
		   sk->sk_state, sk->sk_wmem_queued, sk->sk_rmem_alloc, 0, 0,
		   (unsigned long long)(sk->sk_socket ? sock_i_ino(sk) : 0),
		   atomic_read(&sk->sk_refs), 0);
	if (!v6)
		seq_pad(l->m, start, 127);
	seq_puts(l->m, "\n");
}

static bool udp_lines_show(struct seq_file *m, u64 *cursor, u16 family)
{
	struct udp_lines l = { m, *cursor, 0, family };

	lwip_udp_for_each(udp_line, &l);
	*cursor += UDP_LINES;
	return l.line > *cursor;
}

static bool udp_show(struct seq_file *m, u64 *cursor)
{
	if (!*cursor)
		seq_puts(m, "   sl  local_address rem_address   st tx_queue "
			    "rx_queue tr tm->when retrnsmt   uid  timeout "
			    "inode ref pointer drops            \n");
	return udp_lines_show(m, cursor, AF_INET);
}

static bool udp6_show(struct seq_file *m, u64 *cursor)
{
	if (!*cursor)
		seq_puts(m, "  sl  local_address                         "
			    "remote_address                        st "
			    "tx_queue rx_queue tr tm->when retrnsmt   uid  "
			    "timeout inode ref pointer drops\n");
	return udp_lines_show(m, cursor, AF_INET6);
}

const struct seq_entry net_proc_entries[] = {
	{ "snmp", snmp_show },
	{ "snmp6", snmp6_show },
	{ "netstat", netstat_show },
	{ "dev", dev_show },
	{ "sockstat", sockstat_show },
	{ "sockstat6", sockstat6_show },
	{ "drops", drops_show },
	{ "tcp", tcp4_seq_show },
	{ "tcp6", tcp6_seq_show },
	{ "udp", udp_show },
	{ "udp6", udp6_show },
	{ "hosts", hosts_show },
	{ "pnp", resolv_show },
	{ NULL, NULL },
};
