/*
 * Putting one segment on the wire: header, window, options, checksum, then
 * down to IP. The queued buffer itself goes, with a second reference; only if
 * the device still holds it from the last time is it copied.
 */
#include "net/tcp/tcp_output.h"

#include "kernel/byteorder.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "kernel/trace.h"
#include "net/snmp.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_ofo.h"
#include "net/tcp/tcp_pages.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_urg.h"

#define PRESSED_SEGMENTS 4u

u32 tcp_receive_space(const struct tcp_sock *tp)
{
	s32 free = tp->sk.sk_rcvbuf - tp->sk.sk_rmem_alloc;

	/* Half, because a buffer is larger than what is in it. */
	return free > 0 ? (u32)free / 2 : 0;
}

/* Scarce memory: the window closes as it is used, to a few segments. */
static noinline u32 pressed_space(const struct tcp_sock *tp, u32 space)
{
	return min(space, PRESSED_SEGMENTS * tp->rcv_mss);
}

/*
 * RFC 9293 section 3.8.6.2.2: the right edge moves only by a segment or half
 * the buffer at a time, and never back (section 3.8.6).
 */
u16 tcp_select_window(struct tcp_sock *tp)
{
	u32 full = (u32)tp->sk.sk_rcvbuf / 2, scale = tp->rcv_wscale;
	u32 space = tcp_receive_space(tp), wnd;
	u32 step = min((u32)tp->rcv_mss, full / 2);
	u32 left = tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt;

	if (unlikely((s32)left < 0))
		left = 0;
	if (unlikely(READ_ONCE(memory_pressed)))
		space = pressed_space(tp, space);
	if (unlikely(space < full / 2 && space < max(step, full / 16)))
		space = 0;
	wnd = min(space >> scale, 65535u);
	if (wnd << scale < left + step)
		wnd = min((left + (1u << scale) - 1) >> scale, 65535u);
	tp->rcv_wnd = wnd << scale;
	tp->rcv_wup = tp->rcv_nxt;
	return (u16)wnd;
}

/* An ACK is on its way: nothing is owed any more. */
static void ack_sent(struct tcp_sock *tp)
{
	tp->ack_state &= (u8)~(TCP_ACK_SCHED | TCP_ACK_NOW);
	tp->ack_at = 0;
	if (tp->quick)
		tp->quick--;
}

/* The members that every segment of a connection has. */
static void fill_header(struct tcp_sock *tp, struct tcp_hdr_out *out, u32 seq,
			u8 flags, u64 now)
{
	out->seq = seq;
	out->sport = tp->sk.sk_num;
	out->dport = tp->sk.sk_dport;
	out->flags = flags;
	out->nr_sacks = 0;
	out->opts = tp->opts & TCP_OPT_TS;
	out->tsval = tcp_ms(now) + tp->ts_off;
	out->tsecr = tp->ts_recent;
	out->ack = 0;
	if (flags & TCP_ACK) {
		out->ack = tp->rcv_nxt;
		out->wnd = tcp_select_window(tp);
		ack_sent(tp);
	}
}

/* What only a SYN says; its window is not scaled (RFC 7323 section 2.2). */
static void fill_syn(struct tcp_sock *tp, struct tcp_hdr_out *out)
{
	out->opts = tp->opts | TCP_OPT_MSS;
	out->mss = tp->advmss;
	out->wscale = tp->rcv_wscale;
	tp->rcv_wnd = min(tcp_receive_space(tp), 65535u);
	tp->rcv_wup = tp->rcv_nxt;
	out->wnd = (u16)tp->rcv_wnd;
	if (tp->flags & TCP_F_FO_ASK)
		tcp_fastopen_option(tp, out);
}

static int send_down(struct tcp_sock *tp, struct sk_buff *skb, u8 ecn)
{
	u32 segs = max(skb->gso_segs, (u16)1);
	struct sock *sk = &tp->sk;

	SNMP_ADD(Tcp_OutSegs, segs);
	tp->n.segs_out += segs;
	return ip_queue_xmit(skb, &sk->sk_route, (struct ip_out){
		.saddr = &sk->sk_rcv_saddr,
		.daddr = &sk->sk_daddr,
		.protocol = IPPROTO_TCP,
		.tos = sk->sk_tos | ecn,
		.ttl = sk->sk_ttl,
	});
}

static int encode_and_send(struct tcp_sock *tp, struct sk_buff *skb,
			   struct tcp_hdr_out *out)
{
	u8 ecn = 0;

	if (tp->opts & TCP_OPT_ECN)
		ecn = tcp_ecn_send(tp, skb, out);
	trace(TRACE_TCP_TRANSMIT, tp, (u64)out->seq << 32 | skb->len);
	tcp_encode(skb, out, &tp->sk.sk_rcv_saddr, &tp->sk.sk_daddr);
	if (out->flags & TCP_URG)
		put_be16(tcp_urg_pointer(tp, out->seq),
			 skb->data + offsetof(struct tcphdr, urg));
	return send_down(tp, skb, ecn);
}

/*
 * The header of a segment with no options but timestamps, straight from the
 * block: each word is put together, swapped and stored once.
 */
static inline void push_header(struct tcp_sock *tp, struct sk_buff *skb,
			       u32 seq, u8 flags, u64 now)
{
	bool ts = tp->opts & TCP_OPT_TS;
	u32 len = ts ? TCP_HDR_LEN + TCP_TS_LEN : TCP_HDR_LEN;
	u16 wnd = tcp_select_window(tp);
	u8 *h = skb_push(skb, len);

	ack_sent(tp);
	put_be32((u32)tp->sk.sk_num << 16 | tp->sk.sk_dport, h);
	put_be32(seq, h + 4);
	put_be32(tp->rcv_nxt, h + 8);
	put_be32(len / 4 << 28 | (u32)flags << 16 | wnd, h + 12);
	if (likely(ts)) {
		put_be32(TCP_TS_WORD, h + 20);
		put_be32(tcp_ms(now) + tp->ts_off, h + 24);
		put_be32(tp->ts_recent, h + 28);
	}
	tcp_encode_sum(skb, &tp->sk.sk_rcv_saddr, &tp->sk.sk_daddr);
}

/* A buffer that may be written in front of the payload, with a reference. */
static struct sk_buff *writable(struct sk_buff *skb, u32 len)
{
	const struct tcp_tx *tx = tcp_tx(skb);
	struct sk_buff *copy;

	if (!skb_shared(skb)) {
		skb->data = skb->head + tx->data_off;
		skb->len = len;
		/* Was cut while the device held it. */
		if (skb->data_len > len) {
			skb->len = skb->data_len;
			skb_trim(skb, len);
		}
		skb_get(skb);
		return skb;
	}
	copy = alloc_skb(TCP_HEADROOM + len);
	if (!copy)
		return NULL;
	skb_reserve(copy, TCP_HEADROOM);
	tcp_tx_copy(skb, 0, skb_put(copy, len), len);
	return copy;
}

static void set_gso(const struct tcp_sock *tp, struct sk_buff *skb, u32 len)
{
	if (len <= tp->mss_cache) {
		skb->gso_size = 0;
		skb->gso_segs = 0;
		skb->gso_type = 0;
		return;
	}
	skb->gso_size = tp->mss_cache;
	skb->gso_segs = (u16)DIV_ROUND_UP(len, tp->mss_cache);
	skb->gso_type = ip_addr_is_v4(&tp->sk.sk_daddr) ? SKB_GSO_TCPV4
							: SKB_GSO_TCPV6;
}

/* A SYN, SACK blocks, ECN, pages, or the device has the buffer still. */
static noinline int transmit_general(struct tcp_sock *tp, struct sk_buff *skb,
				     u64 now)
{
	struct tcp_tx *tx = tcp_tx(skb);
	u32 len = tcp_tx_len(tx);
	u8 flags = tx->flags | TCP_ACK;
	struct tcp_hdr_out out;
	struct sk_buff *down;

	/* Cut off from what had the urgent byte. */
	if (flags & TCP_URG && !tcp_urg_pointer(tp, tx->seq))
		flags &= (u8)~TCP_URG;
	down = writable(skb, len);
	if (!down)
		return -ENOBUFS;
	if (tx->flags & TCP_SYN) {
		bool asks = tp->sk.sk_state != TCP_SYN_RECV;

		if (asks)
			flags &= (u8)~TCP_ACK;
		if (tp->opts & TCP_OPT_ECN)
			flags |= asks ? TCP_ECN_ASK : TCP_ECE;
		fill_header(tp, &out, tx->seq, flags, now);
		fill_syn(tp, &out);
	} else {
		fill_header(tp, &out, tx->seq, flags, now);
		if (tp->ofo)
			tcp_ofo_sacks(tp, &out, len);
	}
	set_gso(tp, down, len);
	return encode_and_send(tp, down, &out);
}

int tcp_transmit_skb(struct tcp_sock *tp, struct sk_buff *skb, u64 now)
{
	struct tcp_tx *tx = tcp_tx(skb);
	u32 len = tx->end_seq - tx->seq - !!(tx->flags & TCP_FIN);

	skb->tstamp = now;
	if (unlikely(tx->flags & (TCP_SYN | TCP_URG) ||
		     tp->opts & TCP_OPT_ECN ||
		     skb_shared(skb) ||
		     (uintptr_t)tp->ofo | (uintptr_t)skb->frag_list))
		return transmit_general(tp, skb, now);
	skb->data = skb->head + tx->data_off;
	skb->len = len;
	skb_get(skb);
	set_gso(tp, skb, len);
	trace(TRACE_TCP_TRANSMIT, tp, (u64)tx->seq << 32 | len);
	push_header(tp, skb, tx->seq, tx->flags | TCP_ACK, now);
	return send_down(tp, skb, 0);
}

static void send_empty(struct tcp_sock *tp, struct sk_buff *skb, u32 seq,
		       u8 flags, u64 now)
{
	struct tcp_hdr_out out;

	skb_reserve(skb, TCP_HEADROOM);
	fill_header(tp, &out, seq, flags, now);
	if (tp->ofo && !(flags & TCP_RST))
		tcp_ofo_sacks(tp, &out, 0);
	encode_and_send(tp, skb, &out);
}

void tcp_send_ack(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = alloc_skb(TCP_HEADROOM);

	if (!skb) {
		tp->ack_state |= TCP_ACK_SCHED;
		tcp_arm(&tp->sk, &tp->ack_at, now + TCP_DELACK_NS);
		return;
	}
	send_empty(tp, skb, tp->snd_nxt, TCP_ACK, now);
}

__cold void tcp_send_probe(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = alloc_skb(TCP_HEADROOM);

	if (skb)
		send_empty(tp, skb, tp->snd_una - 1, TCP_ACK, now);
}

__cold void tcp_send_active_reset(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = alloc_skb(TCP_HEADROOM);

	SNMP_INC(Tcp_OutRsts);
	if (!skb) {
		SNMP_INC(TcpExt_TCPAbortFailed);
		return;
	}
	send_empty(tp, skb, tp->snd_nxt, TCP_RST | TCP_ACK, now);
}

static noinline void send_by_own_route(struct tcp_reply *reply)
{
	struct ip_addr saddr = reply->tuple->local;
	struct ip_route own;

	if (!ip_route_output(&saddr, &reply->tuple->remote, &own))
		tcp_send_reply(reply, &own);
}

void tcp_send_reply(struct tcp_reply *reply, struct ip_route *rt)
{
	const struct tcp_tuple *t = reply->tuple;
	struct tcp_hdr_out *out = &reply->hdr;
	struct sk_buff *skb;

	if (!rt) {
		send_by_own_route(reply);
		return;
	}
	out->sport = t->lport;
	out->dport = t->rport;
	if (unlikely(out->opts & TCP_OPT_FASTOPEN)) {
		out->fo_len = TCP_FASTOPEN_COOKIE;
		tcp_fastopen_cookie(&t->local, &t->remote, out->fo);
	}
	skb = alloc_skb(TCP_HEADROOM);
	if (!skb)
		return;
	skb_reserve(skb, TCP_HEADROOM);
	trace(TRACE_TCP_TRANSMIT, NULL, (u64)out->seq << 32);
	tcp_encode(skb, out, &t->local, &t->remote);
	SNMP_INC(Tcp_OutSegs);
	ip_queue_xmit(skb, rt, (struct ip_out){
		.saddr = &t->local,
		.daddr = &t->remote,
		.protocol = IPPROTO_TCP,
		.tos = reply->tos,
	});
}

__cold void tcp_send_reset(const struct tcp_tuple *tuple,
			   const struct sk_buff *skb)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_reply rst = { .tuple = tuple, .hdr.flags = TCP_RST };

	if (seg->flags & TCP_RST)
		return;
	if (seg->flags & TCP_ACK) {
		rst.hdr.seq = seg->ack;
	} else {
		rst.hdr.ack = seg->end_seq;
		rst.hdr.flags |= TCP_ACK;
	}
	SNMP_INC(Tcp_OutRsts);
	tcp_send_reply(&rst, NULL);
}
