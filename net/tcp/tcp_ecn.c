/*
 * ECN. As a receiver: a mark on data is echoed (ECE) in every segment until
 * the peer says that it has cut its window (CWR). As a sender: the echo cuts
 * the window, at most once in a round trip. New data carries ECT(0), nothing
 * else does (RFC 3168 sections 6.1.4 to 6.1.6).
 */
#include "net/tcp/tcp_ecn.h"

#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_sysctl.h"

#define ECN_MASK	3u
#define ECN_ECT0	2u
#define ECN_CE		3u

/* The two bits of the IP header in front of @skb. */
static u32 ip_ecn(const struct sk_buff *skb)
{
	const u8 *nh = skb_network_header(skb);

	return (nh[0] >> 4 == 4 ? nh[1] : nh[1] >> 4) & ECN_MASK;
}

bool tcp_ecn_asks(void)
{
	return READ_ONCE(tcp_ecn) == 1;
}

/* A SYN that is marked itself has met a path that knows no ECN. */
bool tcp_ecn_accepts(const struct sk_buff *syn)
{
	return (tcp_seg(syn)->flags & TCP_ECN_ASK) == TCP_ECN_ASK &&
	       !ip_ecn(syn) && READ_ONCE(tcp_ecn);
}

void tcp_ecn_init(struct tcp_sock *tp)
{
	struct tcp_ext *e = tcp_ext_get(tp);

	if (!e) {
		tp->opts &= (u8)~TCP_OPT_ECN;
		return;
	}
	e->ecn_until = tp->snd_una;
	tp->flags &= ~(TCP_F_ECN_ECHO | TCP_F_ECN_CWR);
}

void tcp_ecn_reduced(struct tcp_sock *tp)
{
	if (!(tp->opts & TCP_OPT_ECN))
		return;
	tp->flags |= TCP_F_ECN_CWR;
	tp->ext->ecn_until = tp->snd_nxt;
}

/* RFC 3168 section 6.1.2; recovery from losses has cut already. */
static void peer_saw_mark(struct tcp_sock *tp, u32 ack)
{
	if (tp->ca_state != TCP_CA_OPEN || ack != tp->snd_una ||
	    !seq_after(ack, tp->ext->ecn_until))
		return;
	tp->ssthresh = tp->ca->ssthresh(tp, tp->packets_out);
	tp->cwnd = min(tp->cwnd, tp->ssthresh);
	tp->cwnd_cnt = 0;
	tcp_ecn_reduced(tp);
}

void tcp_ecn_rcv(struct tcp_sock *tp, const struct sk_buff *skb, bool data)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	if (seg->flags & TCP_ECE)
		peer_saw_mark(tp, seg->ack);
	if (!data)
		return;
	if (seg->flags & TCP_CWR)
		tp->flags &= ~TCP_F_ECN_ECHO;
	if (ip_ecn(skb))
		tp->ext->ecn_seen = true;
	if (ip_ecn(skb) != ECN_CE || tp->flags & TCP_F_ECN_ECHO)
		return;
	tp->flags |= TCP_F_ECN_ECHO;
	tp->ack_state |= TCP_ACK_SCHED | TCP_ACK_NOW;
}

u8 tcp_ecn_send(struct tcp_sock *tp, struct sk_buff *skb,
		struct tcp_hdr_out *out)
{
	bool fresh = skb->len && out->seq == tp->snd_nxt;

	if (out->flags & (TCP_SYN | TCP_RST))
		return 0;
	if (tp->flags & TCP_F_ECN_ECHO)
		out->flags |= TCP_ECE;
	if (!fresh)
		return 0;
	if (tp->flags & TCP_F_ECN_CWR) {
		tp->flags &= ~TCP_F_ECN_CWR;
		out->flags |= TCP_CWR;
		if (skb->gso_size)
			skb->gso_type |= SKB_GSO_ECN;
	}
	return ECN_ECT0;
}
