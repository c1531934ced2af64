/*
 * /proc/net/tcp: one line for each connection, in Linux's format, a bucket of
 * the hash table at a time, so that a million of them need one page of memory
 * and no long hold of a lock. Task context.
 *
 * The cursor: the place in the tables below, the number of lines above.
 */
#include "net/tcp/tcp_proc.h"

#include "kernel/time.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_sock.h"

#define LINE_SHIFT	32
#define PLACE_MASK	0xffffffffull
#define LINE4_LEN	149
#define LINE6_LEN	180

/* A walk under way. */
struct tcp_lines {
	struct seq_file *m;
	u64 line;		/* number of the next */
	bool v6;
};

/* Socket states of the records. */
static const u8 mini_states[] = {
	[TCP_MINI_REQUEST] = TCP_SYN_RECV,
	[TCP_MINI_FIN_WAIT2] = TCP_FIN_WAIT2,
	[TCP_MINI_TIME_WAIT] = TCP_TIME_WAIT,
};

void tcp_proc_addr(struct seq_file *m, bool v6, const struct ip_addr *ip,
		   u16 port)
{
	/* A wildcard of either family is all zeroes. */
	bool any = ip_addr_any(ip);

	for (int i = v6 ? 0 : 3; i < 4; i++)
		seq_printf(m, "%08X", any ? 0 : ip->a[i]);
	seq_printf(m, ":%04X ", port);
}

static void put_addr(struct tcp_lines *l, const struct ip_addr *ip, u16 port)
{
	tcp_proc_addr(l->m, l->v6, ip, port);
}

static void end_line(struct tcp_lines *l, size_t start)
{
	seq_pad(l->m, start, l->v6 ? LINE6_LEN : LINE4_LEN);
	seq_puts(l->m, "\n");
	l->line++;
}

/* Ticks of Linux's user interface until @at. */
static u64 ticks_until(u64 at)
{
	u64 now = ktime_get_ns();

	return at > now ? (at - now) / (NSEC_PER_SEC / 100) : 0;
}

static void put_queues(struct tcp_lines *l, const struct tcp_sock *tp)
{
	bool listens = tp->sk.sk_state == TCP_LISTEN && tp->listen;

	seq_printf(l->m, "%02X %08X:%08X ", tp->sk.sk_state,
		   listens ? 0 : tp->write_seq - tp->snd_una,
		   listens ? tp->listen->qlen : tp->rcv_nxt - tp->copied_seq);
}

static void put_timer(struct tcp_lines *l, const struct tcp_sock *tp)
{
	u64 at = tp->rto_at ? tp->rto_at : tp->keep_at;
	int kind = tp->rto_at ? 1 : tp->keep_at ? 2 : 0;

	seq_printf(l->m, "%02X:%08llX %08X ", kind,
		   (unsigned long long)(kind ? ticks_until(at) : 0),
		   tp->retransmits);
}

static void sock_line(struct sock *sk, void *arg)
{
	struct tcp_lines *l = arg;
	const struct tcp_sock *tp = tcp_sk(sk);
	size_t start = l->m->len;

	if ((sk->sk_family == AF_INET6) != l->v6)
		return;
	seq_printf(l->m, "%4llu: ", (unsigned long long)l->line);
	put_addr(l, &sk->sk_rcv_saddr, sk->sk_num);
	put_addr(l, &sk->sk_daddr, sk->sk_dport);
	put_queues(l, tp);
	put_timer(l, tp);
	seq_printf(l->m, "%5u %8d %u %d %016d %u %u %u %u %d", 0, 0,
		   sk->sk_socket ? sock_i_ino(sk) : 0,
		   atomic_read(&sk->sk_refs), 0,
		   tp->rto / 10000, 4, 0, tp->cwnd, -1);
	end_line(l, start);
}

static void mini_line(struct tcp_mini *mini, void *arg)
{
	struct tcp_lines *l = arg;
	size_t start = l->m->len;

	if (ip_addr_is_v4(&mini->tuple.local) == l->v6)
		return;
	seq_printf(l->m, "%4llu: ", (unsigned long long)l->line);
	put_addr(l, &mini->tuple.local, mini->tuple.lport);
	put_addr(l, &mini->tuple.remote, mini->tuple.rport);
	seq_printf(l->m, "%02X %08X:%08X %02X:%08X %08X %5d %8d %d %d %016d",
		   mini_states[mini->kind], 0, 0,
		   mini->kind == TCP_MINI_TIME_WAIT ? 3 : 1, 0,
		   mini->retrans, 0, 0, 0, atomic_read(&mini->refs), 0);
	end_line(l, start);
}

static bool seq_show(struct seq_file *m, u64 *cursor, bool v6)
{
	struct tcp_lines l = { m, *cursor >> LINE_SHIFT, v6 };
	u64 place = *cursor & PLACE_MASK;
	bool more = tcp_walk(&place, sock_line, mini_line, &l);

	*cursor = l.line << LINE_SHIFT | place;
	return more;
}

bool tcp4_seq_show(struct seq_file *m, u64 *cursor)
{
	size_t start = m->len;

	if (!*cursor) {
		seq_puts(m, "  sl  local_address rem_address   st tx_queue "
			    "rx_queue tr tm->when retrnsmt   uid  timeout "
			    "inode");
		seq_pad(m, start, LINE4_LEN);
		seq_puts(m, "\n");
	}
	return seq_show(m, cursor, false);
}

bool tcp6_seq_show(struct seq_file *m, u64 *cursor)
{
	if (!*cursor)
		seq_puts(m, "  sl  local_address                         "
			    "remote_address                        st "
			    "tx_queue rx_queue tr tm->when retrnsmt   uid  "
			    "timeout inode\n");
	return seq_show(m, cursor, true);
}

static void count_sock(struct sock *sk, void *arg)
{
	if (sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_CLOSE_WAIT)
		(*(u64 *)arg)++;
}

static void count_mini(struct tcp_mini *mini, void *arg)
{
	(void)mini;
	(void)arg;
}

u64 tcp_curr_estab(void)
{
	u64 n = 0;

	tcp_for_each(count_sock, count_mini, &n);
	return n;
}

static void count_v6(struct sock *sk, void *arg)
{
	*(u64 *)arg += sk->sk_family == AF_INET6;
}

u64 tcp_in_use_v6(void)
{
	u64 n = 0;

	tcp_for_each(count_v6, count_mini, &n);
	return n;
}
