/*
 * From IP to the connection: checks the segment, finds who it is for, takes
 * the lock or queues it in the backlog. The same for IPv4 and IPv6, since an
 * IPv4 address is a mapped IPv6 address here. Softirq.
 */
#include "net/tcp/tcp_v4.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "net/snmp.h"
#include "net/sock_errqueue.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_listen.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_seq.h"

/* Where the IPv6 header has its addresses. */
#define IP6_SADDR	8
#define IP6_DADDR	24

static void skb_addrs(const struct sk_buff *skb, struct ip_addr *saddr,
		      struct ip_addr *daddr)
{
	const u8 *nh = skb_network_header(skb);
	const struct iphdr *ip = (const struct iphdr *)nh;

	if (nh[0] >> 4 == 4) {
		*saddr = ip_addr_v4(ip->saddr);
		*daddr = ip_addr_v4(ip->daddr);
	} else {
		__builtin_memcpy(saddr, nh + IP6_SADDR, sizeof(*saddr));
		__builtin_memcpy(daddr, nh + IP6_DADDR, sizeof(*daddr));
	}
}

void tcp_skb_tuple(const struct sk_buff *skb, struct tcp_tuple *tuple)
{
	const struct tcphdr *th = (const struct tcphdr *)skb->data;

	skb_addrs(skb, &tuple->remote, &tuple->local);
	tuple->rport = be16_to_cpu(th->source);
	tuple->lport = be16_to_cpu(th->dest);
	tuple->hash = tcp_seg(skb)->hash;
}

noinline void tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	u64 now = skb->tstamp;

	tcp_count_in(tcp_sk(sk), skb);
	if (likely(sk->sk_state == TCP_ESTABLISHED))
		tcp_rcv_established(sk, skb, now);
	else if (sk->sk_state == TCP_LISTEN)
		tcp_listen_rcv(sk, skb, now);
	else
		tcp_rcv_state_process(sk, skb, now);
}

static noinline void add_backlog(struct sock *sk, struct sk_buff *skb)
{
	if (sk_add_backlog(sk, skb))
		return;
	SNMP_INC(TcpExt_TCPBacklogDrop);
	kfree_skb_reason(skb, DROP_TCP_BACKLOG);
}

__inline_hot void tcp_sock_rcv(struct sock *sk, struct sk_buff *skb)
{
	bh_lock_sock(sk);
	if (likely(!sock_owned_by_user(sk)))
		tcp_v4_do_rcv(sk, skb);
	else
		add_backlog(sk, skb);
	bh_unlock_sock(sk);
}

/* For what no device has looked at. */
static noinline bool checksum_ok(const struct sk_buff *skb)
{
	struct ip_addr saddr, daddr;
	u32 sum;

	skb_addrs(skb, &saddr, &daddr);
	sum = csum_pseudo(&saddr, &daddr, IPPROTO_TCP, skb->len);
	return csum_fold(skb_checksum(skb, 0, skb->len, sum)) == 0;
}

/*
 * Flags that no TCP sends together. A segment with none at all is well formed:
 * each state has its word on it (RFC 9293 section 3.10.7).
 */
static bool flags_ok(u8 flags)
{
	return !(flags & TCP_SYN && flags & (TCP_RST | TCP_FIN));
}

/* 0, or why the segment is thrown away. */
static int check_segment(struct sk_buff *skb)
{
	int why = tcp_decode(skb);

	if (why)
		return why;
	if (skb->ip_summed == CHECKSUM_NONE && !checksum_ok(skb)) {
		SNMP_INC(Tcp_InCsumErrors);
		return DROP_TCP_CSUM;
	}
	return flags_ok(tcp_seg(skb)->flags) ? 0 : DROP_TCP_FLAGS;
}

/*
 * A segment for a listener, for @m of its requests if that is not NULL. If
 * either has changed since it was found, or the segment has to wait, it is
 * looked up again.
 */
static void listener_rcv(struct sock *sk, struct tcp_mini *m,
			 const struct tcp_tuple *tuple, struct sk_buff *skb)
{
	bh_lock_sock(sk);
	if (unlikely(sock_owned_by_user(sk)))
		add_backlog(sk, skb);
	else if (unlikely(sk->sk_state != TCP_LISTEN ||
			  (m && hlist_unhashed(&m->node))))
		tcp_v4_do_rcv(sk, skb);
	else if (m)
		tcp_request_rcv(sk, m, skb, skb->tstamp);
	else
		tcp_listen_new(sk, tuple, skb, skb->tstamp);
	bh_unlock_sock(sk);
}

/* A segment for a small record. True if @skb is gone. */
static bool mini_rcv(struct tcp_mini *m, const struct tcp_tuple *tuple,
		     struct sk_buff *skb)
{
	if (m->kind != TCP_MINI_REQUEST) {
		u32 *iss = &tcp_seg(skb)->iss;

		return tcp_timewait_rcv(m, skb, iss, skb->tstamp) ==
		       TCP_TW_DONE;
	}
	if (m->listener->sk_state != TCP_LISTEN) {
		tcp_request_error(m);
		return false;
	}
	listener_rcv(m->listener, m, tuple, skb);
	return true;
}

/* Nobody listens. A connection may have been made of a record meanwhile. */
static void rcv_nobody(struct sk_buff *skb, const struct tcp_tuple *tuple)
{
	struct sock *sk = tcp_lookup(tuple);

	if (sk) {
		tcp_sock_rcv(sk, skb);
		sock_put(sk);
		return;
	}
	tcp_send_reset(tuple, skb);
	kfree_skb_reason(skb, DROP_TCP_NO_SOCKET);
}

/* No connection has it: records, then listeners. */
static noinline void rcv_slow(struct sk_buff *skb)
{
	struct tcp_tuple tuple;
	struct tcp_mini *m;
	struct sock *sk;
	bool gone;

	tcp_skb_tuple(skb, &tuple);
	m = tcp_mini_lookup(&tuple);
	if (m) {
		gone = mini_rcv(m, &tuple, skb);
		tcp_mini_put(m);
		if (gone)
			return;
	}
	sk = tcp_listener_lookup(&tuple, skb->dev ? skb->dev->ifindex : 0);
	if (!sk) {
		rcv_nobody(skb, &tuple);
		return;
	}
	listener_rcv(sk, NULL, &tuple, skb);
	sock_put(sk);
}

static noinline struct sock *lookup_v6(const struct sk_buff *skb)
{
	struct tcp_tuple tuple;

	tcp_skb_tuple(skb, &tuple);
	tcp_tuple_hash(&tuple);
	tcp_seg(skb)->hash = tuple.hash;
	return tcp_lookup(&tuple);
}

static inline struct sock *lookup(const struct sk_buff *skb)
{
	const struct iphdr *ip = (const void *)skb_network_header(skb);
	u32 ports = get_be32(skb->data);

	if (unlikely(ip->ver_ihl >= 0x60))
		return lookup_v6(skb);
	return tcp_lookup_v4(ip->saddr, ip->daddr, ports << 16 | ports >> 16,
			     &tcp_seg(skb)->hash);
}

noinline void tcp_v4_rcv(struct sk_buff *skb)
{
	struct sock *sk;
	int why;

	SNMP_INC(Tcp_InSegs);
	why = check_segment(skb);
	if (unlikely(why)) {
		SNMP_INC(Tcp_InErrs);
		kfree_skb_reason(skb, (enum drop_reason)why);
		return;
	}
	if (!skb->tstamp)
		skb->tstamp = ktime_get_ns();
	sk = lookup(skb);
	trace(TRACE_TCP_V4_RCV, sk, (u64)tcp_seg(skb)->seq << 32 | skb->len);
	if (likely(sk)) {
		tcp_sock_rcv(sk, skb);
		sock_put(sk);
	} else {
		rcv_slow(skb);
	}
}

void tcp_v6_rcv(struct sk_buff *skb)
{
	tcp_v4_rcv(skb);
}

/* RFC 5927 section 4: only about data that is under way. sk lock. */
static void sock_icmp(struct sock *sk, u32 seq, const struct icmp_error *e,
		      u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!seq_between(seq, tp->snd_una, tp->snd_nxt)) {
		SNMP_INC(TcpExt_OutOfWindowIcmps);
		return;
	}
	if (e->mtu) {
		tcp_mtu_too_big(tp, e->mtu, now);
	} else if (sk->sk_state == TCP_SYN_SENT ||
		   sk->sk_state == TCP_SYN_RECV) {
		(void)sock_queue_icmp(sk, e, 0);
		tcp_fail(sk, e->error);
	} else if (sock_flag(sk, ip_addr_is_v4(&e->saddr) ? SOCK_RECVERR :
							    SOCK_RECVERR6)) {
		WRITE_ONCE(sk->sk_err, e->error);
		sk->sk_error_report(sk);
	} else {
		tp->err_soft = e->error;
	}
}

__cold void tcp_icmp_error(const struct icmp_error *e)
{
	const u8 *quoted = e->quoted;
	struct tcp_tuple tuple = {
		.local = e->saddr,
		.remote = e->daddr,
		.lport = get_be16(quoted),
		.rport = get_be16(quoted + 2),
	};
	u32 seq = get_be32(quoted + 4);
	struct tcp_mini *m;
	struct sock *sk;

	tcp_tuple_hash(&tuple);
	sk = tcp_lookup(&tuple);
	if (sk) {
		bh_lock_sock(sk);
		if (sock_owned_by_user(sk))
			SNMP_INC(TcpExt_LockDroppedIcmps);
		else
			sock_icmp(sk, seq, e, ktime_get_ns());
		bh_unlock_sock(sk);
		sock_put(sk);
		return;
	}
	m = tcp_mini_lookup(&tuple);
	if (!m)
		return;
	if (m->kind == TCP_MINI_REQUEST && !e->mtu && seq == m->snd_nxt - 1)
		tcp_request_error(m);
	tcp_mini_put(m);
}
