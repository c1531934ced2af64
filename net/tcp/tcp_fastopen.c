/*
 * Fast Open. A server's cookie is a keyed hash of both addresses; a child
 * made by one is in SYN-RECEIVED with its SYN-ACK in the write queue, so the
 * usual timer repeats it. A client keeps the cookies of a few peers.
 */
#include "net/tcp/tcp_fastopen.h"

#include "kernel/errno.h"
#include "kernel/random.h"
#include "kernel/siphash.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "net/snmp.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"

/* Peers whose cookies are kept; a newer one takes its neighbour's place. */
#define KEPT		16u
#define MSS_UNKNOWN	536u

/* Locks: l known_lock. */
struct known_peer {
	struct ip_addr addr;	/* l */
	u16 mss;		/* l  its MSS option */
	u8 len;			/* l  0: nothing kept */
	u8 cookie[TCP_FASTOPEN_MOST];	/* l */
};

static struct siphash_key key;
static struct spinlock known_lock;
static struct known_peer known[KEPT];	/* l */

void tcp_fastopen_init(void)
{
	get_random_bytes(&key, sizeof(key));
}

/* ---- server ---- */

void tcp_fastopen_cookie(const struct ip_addr *local,
			 const struct ip_addr *remote, u8 *cookie)
{
	struct ip_addr both[2] = { *local, *remote };
	u64 hash = siphash(both, sizeof(both), &key);

	memcpy(cookie, &hash, TCP_FASTOPEN_COOKIE);
}

enum tcp_fastopen_verdict tcp_fastopen_check(const struct sock *listener,
					     const struct tcp_tuple *tuple,
					     const struct sk_buff *syn)
{
	const struct tcp_sock *tp = tcp_sk(listener);
	const struct tcp_segment *seg = tcp_seg(syn);
	u8 cookie[TCP_FASTOPEN_COOKIE];

	if (!(READ_ONCE(tcp_fastopen) & TCP_FASTOPEN_SERVER) || !tp->ext ||
	    !tp->ext->fo_most)
		return TCP_FASTOPEN_NO;
	tcp_fastopen_cookie(&tuple->local, &tuple->remote, cookie);
	if (seg->fo_len != sizeof(cookie) ||
	    memcmp(syn->data + seg->fo_off, cookie, sizeof(cookie))) {
		if (seg->fo_len)
			SNMP_INC(TcpExt_TCPFastOpenPassiveFail);
		else
			SNMP_INC(TcpExt_TCPFastOpenCookieReqd);
		return TCP_FASTOPEN_GIVE;
	}
	/* Section 5.1: whoever reflects our answers must find an end. */
	if (atomic_read(&tp->listen->fo_pending) >= (s32)tp->ext->fo_most) {
		SNMP_INC(TcpExt_TCPFastOpenListenOverflow);
		return TCP_FASTOPEN_NO;
	}
	return TCP_FASTOPEN_TAKE;
}

int tcp_fastopen_child(struct sock *listener, struct sock *child,
		       struct sk_buff *skb, u64 now)
{
	struct tcp_sock *tp = tcp_sk(child);
	struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_ext *e = tcp_ext_get(tp);
	struct sk_buff *syn;

	tp->write_seq = tp->iss;
	syn = e ? tcp_alloc_tx(tp, 0, TCP_SYN) : NULL;
	if (!syn)
		return -ENOMEM;
	e->fo_listener = listener;
	sock_hold(listener);
	atomic_inc(&tcp_sk(listener)->listen->fo_pending);
	tp->flags |= TCP_F_FO_CHILD;
	tp->snd_wnd = seg->wnd;
	tp->max_window = seg->wnd;
	tp->snd_wl1 = seg->seq;
	tp->snd_sml = tp->iss;
	tcp_init_transfer(tp, now);
	tcp_queue_syn(tp, syn);
	skb_pull(skb, seg->hdr_len);
	seg->seq++;
	seg->flags &= (u8)~TCP_SYN;
	if (skb->len) {
		skb_get(skb);
		tcp_queue_rcv(child, skb);
	}
	SNMP_INC(TcpExt_TCPFastOpenPassive);
	tcp_transmit_skb(tp, syn, now);
	tcp_rearm_rto(child, now);
	return 0;
}

void tcp_fastopen_done(struct tcp_sock *tp)
{
	struct sock *listener = tp->ext->fo_listener;

	tp->flags &= ~TCP_F_FO_CHILD;
	atomic_dec(&tcp_sk(listener)->listen->fo_pending);
	sock_put(listener);
}

/* ---- client ---- */

static struct known_peer *slot_of(const struct ip_addr *addr)
{
	u32 hash = addr->a[0] ^ addr->a[1] ^ addr->a[2] ^ addr->a[3];

	return &known[hash % 251 % KEPT];
}

/* What is known of @sk's peer; len 0: nothing. */
static struct known_peer look_up(const struct sock *sk)
{
	struct known_peer found = { .len = 0 };

	spin_lock_bh(&known_lock);
	if (ip_addr_eq(&slot_of(&sk->sk_daddr)->addr, &sk->sk_daddr))
		found = *slot_of(&sk->sk_daddr);
	spin_unlock_bh(&known_lock);
	return found;
}

bool tcp_fastopen_known(const struct sock *sk)
{
	return look_up(sk).len;
}

void tcp_fastopen_option(const struct tcp_sock *tp, struct tcp_hdr_out *out)
{
	struct known_peer peer = look_up(&tp->sk);

	out->opts |= TCP_OPT_FASTOPEN;
	out->fo_len = peer.len;
	memcpy(out->fo, peer.cookie, sizeof(out->fo));
}

void tcp_fastopen_answer(struct tcp_sock *tp, const struct sk_buff *skb)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct known_peer *peer;

	tp->flags &= ~TCP_F_FO_ASK;
	if (!(seg->opts & TCP_OPT_FASTOPEN) || !seg->fo_len)
		return;
	spin_lock_bh(&known_lock);
	peer = slot_of(&tp->sk.sk_daddr);
	peer->addr = tp->sk.sk_daddr;
	peer->mss = tp->mss_clamp;
	peer->len = seg->fo_len;
	memcpy(peer->cookie, skb->data + seg->fo_off, seg->fo_len);
	spin_unlock_bh(&known_lock);
}

/* RFC 7413 section 4.2.1: no more than the peer's MSS, options included. */
static u32 syn_room(const struct sock *sk, const struct known_peer *peer)
{
	u32 mss = min((u32)peer->mss, (u32)tcp_advmss(sk));

	return peer->len ? max(mss, MSS_UNKNOWN) - (TCP_MAX_HDR - TCP_HDR_LEN)
			 : 0;
}

ssize_t tcp_fastopen_send(struct sock *sk, struct msghdr *msg, u64 now)
{
	struct known_peer peer = look_up(sk);
	u32 n = (u32)min(msg->msg_iter.count, (size_t)syn_room(sk, &peer));
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *syn = tcp_alloc_tx(tp, n, TCP_SYN);

	if (!syn)
		return -ENOBUFS;
	if (n && copy_from_iter(skb_put(syn, n), n, &msg->msg_iter) != n) {
		kfree_skb(syn);
		return -EFAULT;
	}
	tcp_tx(syn)->end_seq += n;
	tp->flags &= ~TCP_F_FO_DEFER;
	tp->flags |= TCP_F_FO_ASK;
	if (n)
		SNMP_INC(TcpExt_TCPFastOpenActive);
	tcp_queue_syn(tp, syn);
	tcp_transmit_skb(tp, syn, now);
	tcp_rearm_rto(sk, now);
	return (ssize_t)n;
}

void tcp_fastopen_fall_back(struct tcp_sock *tp)
{
	struct sk_buff *syn = tcp_rtx_head(tp), *rest;

	tp->flags &= ~TCP_F_FO_ASK;
	if (!tcp_tx_len(tcp_tx(syn)) || tcp_fragment(tp, syn, 0))
		return;
	SNMP_INC(TcpExt_TCPFastOpenActiveFail);
	rest = list_next_entry(syn, tx_link);
	tp->send_head = rest;
	tp->snd_nxt = tcp_tx(rest)->seq;
}
