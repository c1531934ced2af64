/*
 * What may be sent now (RFC 9293 section 3.8, RFC 5681 section 3): windows,
 * Nagle, silly-window avoidance, and the probe of a closed window. Putting a
 * single segment on the wire is tcp_transmit.c.
 */
#include "net/tcp/tcp_output.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_pace.h"
#include "net/tcp/tcp_pages.h"
#include "net/tcp/tcp_rack.h"
#include "net/tcp/tcp_rtt.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"

/* What every IPv4 path carries (RFC 9293 section 3.7.1), and a floor. */
#define MSS_DEFAULT	536u
#define MSS_MIN		48u

static u32 ip_header_len(const struct sock *sk)
{
	return ip_addr_is_v4(&sk->sk_daddr) ? 20 : 40;
}

u16 tcp_advmss(const struct sock *sk)
{
	u32 mtu = sk->sk_route.mtu;
	u32 mss = mtu ? mtu - ip_header_len(sk) - TCP_HDR_LEN : MSS_DEFAULT;
	u16 user = tcp_sk(sk)->user_mss;

	return user ? (u16)min(mss, (u32)user) : (u16)mss;
}

/*
 * mss_clamp holds what the peer takes, without options as RFC 6691 says. A
 * peer whose whole window is small gets halves of it, so that there is always
 * one under way.
 */
void tcp_sync_mss(struct tcp_sock *tp)
{
	u32 mtu = tp->sk.sk_route.mtu;
	u32 mss = mtu ? mtu - ip_header_len(&tp->sk) - TCP_HDR_LEN
		      : MSS_DEFAULT;

	mss = min(mss, (u32)tp->mss_clamp);
	if (tp->user_mss)
		mss = min(mss, (u32)tp->user_mss);
	if (tp->max_window)
		mss = min(mss, tp->max_window > MSS_DEFAULT
			       ? tp->max_window / 2 : tp->max_window);
	if (tp->opts & TCP_OPT_TS)
		mss -= min(mss, (u32)TCP_TS_LEN);
	tp->mss_cache = (u16)max(mss, MSS_MIN);
}

static bool can_tso(const struct sock *sk)
{
	const struct net_device *dev = sk->sk_route.dev;
	u32 need = ip_addr_is_v4(&sk->sk_daddr) ? NETIF_F_TSO : NETIF_F_TSO6;

	return dev && dev->features & need;
}

/* Half a congestion window at most, so that the packets keep flowing. */
u32 tcp_size_goal(const struct tcp_sock *tp)
{
	u32 segs = TCP_TSO_MAX / tp->mss_cache;

	if (!can_tso(&tp->sk) || !segs)
		return tp->mss_cache;
	return clamp(tp->cwnd / 2, 1u, segs) * tp->mss_cache;
}

struct sk_buff *tcp_alloc_tx(struct tcp_sock *tp, u32 size, u8 flags)
{
	struct sk_buff *skb = alloc_skb(TCP_HEADROOM + size);
	struct tcp_tx *tx;

	if (!skb)
		return NULL;
	skb_reserve(skb, TCP_HEADROOM);
	tx = tcp_tx(skb);
	*tx = (struct tcp_tx){
		.seq = tp->write_seq,
		.end_seq = tp->write_seq + !!(flags & TCP_SYN) +
			   !!(flags & TCP_FIN),
		.data_off = TCP_HEADROOM,
		.flags = flags,
	};
	return skb;
}

void tcp_queue_tx(struct tcp_sock *tp, struct sk_buff *skb)
{
	list_add_tail(&skb->tx_link, &tp->write_queue);
	if (!tp->send_head)
		tp->send_head = skb;
	tp->sk.sk_wmem_queued += (s32)skb->truesize;
}

void tcp_queue_syn(struct tcp_sock *tp, struct sk_buff *syn)
{
	tcp_tx(syn)->segs = 1;
	tcp_queue_tx(tp, syn);
	tp->send_head = NULL;
	tp->write_seq = tcp_tx(syn)->end_seq;
	tp->snd_nxt = tp->write_seq;
	tp->packets_out = 1;
}

void tcp_free_tx(struct tcp_sock *tp, struct sk_buff *skb)
{
	tp->sk.sk_wmem_queued -= (s32)skb->truesize;
	kfree_skb(skb);
}

void tcp_purge_tx(struct tcp_sock *tp)
{
	struct sk_buff *skb, *next;

	if (list_empty(&tp->write_queue))
		return;
	list_for_each_entry_safe(skb, next, &tp->write_queue, tx_link)
		tcp_free_tx(tp, skb);
	INIT_LIST_HEAD(&tp->write_queue);
	tp->send_head = NULL;
	tp->packets_out = 0;
	tp->sacked_out = 0;
	tp->lost_out = 0;
	tp->retrans_out = 0;
}

/*
 * The first part stays in @skb, so a device that still holds it does not
 * mind; the rest is copied, or, if nobody holds it, its pages are taken over.
 * Tags that both parts keep are counted again.
 */
int tcp_fragment(struct tcp_sock *tp, struct sk_buff *skb, u32 len)
{
	struct tcp_tx *tx = tcp_tx(skb), *rest_tx;
	u32 rest_len = tcp_tx_len(tx) - len;
	bool pieces = skb->frag_list && !skb_shared(skb), done = true;
	struct sk_buff *rest;
	u32 own;

	rest = alloc_skb(TCP_HEADROOM + (pieces ? 0 : rest_len));
	if (!rest)
		return -ENOMEM;
	own = rest->truesize;
	skb_reserve(rest, TCP_HEADROOM);
	if (pieces)
		done = tcp_tx_split(tp, skb, rest, len);
	else
		tcp_tx_copy(skb, len, skb_put(rest, rest_len), rest_len);
	if (!done) {
		kfree_skb(rest);
		return -ENOMEM;
	}
	rest->tstamp = skb->tstamp;
	rest_tx = tcp_tx(rest);
	*rest_tx = *tx;
	rest_tx->data_off = TCP_HEADROOM;
	rest_tx->seq = tx->seq + !!(tx->flags & TCP_SYN) + len;
	rest_tx->flags &= (u8)~TCP_SYN;
	tx->end_seq = rest_tx->seq;
	tx->flags &= (u8)~(TCP_FIN | TCP_PSH);
	if (!pieces && !skb_shared(skb))
		skb_trim(skb, skb->len - rest_len);
	list_add(&rest->tx_link, &skb->tx_link);
	tp->sk.sk_wmem_queued += (s32)own;
	return 0;
}

/* Sent with success or not: from now on it counts as out. */
static __inline_hot void sent_new(struct tcp_sock *tp, struct sk_buff *skb,
				  u64 now)
{
	struct tcp_tx *tx = tcp_tx(skb);
	u32 len = tcp_tx_len(tx);

	tp->send_head = list_entry(skb->tx_link.next, struct sk_buff, tx_link);
	if (&tp->send_head->tx_link == &tp->write_queue)
		tp->send_head = NULL;
	tp->snd_nxt = tx->end_seq;
	tx->segs = 1;
	if (unlikely(len > tp->mss_cache))
		tx->segs = (u16)DIV_ROUND_UP(len, tp->mss_cache);
	if (len) {
		if (len < tp->mss_cache || len % tp->mss_cache)
			tp->snd_sml = tx->end_seq;
		tp->sent_at = tcp_ms(now);
		if (tp->sent_at - tp->rcv_at < TCP_DELACK_NS / NSEC_PER_MSEC)
			tp->ack_state |= TCP_ACK_PINGPONG;
		SNMP_ADD(TcpExt_TCPOrigDataSent, tx->segs);
		tp->n.data_segs_out += tx->segs;
	}
	tp->packets_out += tx->segs;
	if (tp->ca_state == TCP_CA_RECOVERY)
		tp->prr_out += tx->segs;
	if (tp->packets_out == tx->segs || tp->flags & TCP_F_WND_PROBE) {
		tp->flags &= ~TCP_F_WND_PROBE;
		tcp_rearm_rto(&tp->sk, now);
	}
	if (tp->packets_out > 1)
		tcp_tlp_schedule(tp, now);
}

/*
 * May the short tail go (RFC 9293 section 3.7.4, with Minshall's change: only
 * another short one under way holds it back)?
 */
static bool nagle_allows(const struct tcp_sock *tp, const struct tcp_tx *tx,
			 u8 nonagle)
{
	if (tx->flags & TCP_FIN || nonagle & TCP_NAGLE_PUSH)
		return true;
	if (nonagle & TCP_NAGLE_CORK)
		return false;
	if (nonagle & TCP_NAGLE_OFF || !tp->packets_out)
		return true;
	return !seq_after(tp->snd_sml, tp->snd_una);
}

/*
 * How many payload bytes of @skb may go now, -1: nothing, not even a FIN.
 * Whole segments, unless it is the tail of all there is. A window that takes
 * less than a segment is left for the probe timer (silly-window avoidance,
 * RFC 9293 section 3.8.6.2.1).
 */
static s32 may_send(const struct tcp_sock *tp, const struct sk_buff *skb,
		    u8 nonagle)
{
	const struct tcp_tx *tx = tcp_tx(skb);
	u32 len = tcp_tx_len(tx), mss = tp->mss_cache;
	u32 in_flight = tcp_in_flight(tp);
	u32 room = tp->snd_una + tp->snd_wnd - tx->seq;
	u32 limit;

	if (in_flight >= tp->cwnd || (s32)room <= 0)
		return -1;
	limit = min(len, (tp->cwnd - in_flight) * mss);
	if (room < tx->end_seq - tx->seq)
		limit = min(limit, room);
	if (limit < len || room < tx->end_seq - tx->seq) {
		limit -= limit % mss;
		return limit ? (s32)limit : -1;
	}
	if (len % mss && skb->tx_link.next == &tp->write_queue &&
	    !nagle_allows(tp, tx, nonagle)) {
		limit -= limit % mss;
		return limit ? (s32)limit : -1;
	}
	return (s32)limit;
}

/* Something waits, nothing is out: only the probe timer will go on. */
static void check_probe(struct tcp_sock *tp, u64 now)
{
	if (!tp->send_head || tp->packets_out || tp->rto_at)
		return;
	tp->flags |= TCP_F_WND_PROBE;
	tcp_arm(&tp->sk, &tp->rto_at, now + tcp_rto_ns(tp));
}

/*
 * Leaves @len bytes of payload in unsent @skb, and behind them the FIN only
 * if the window takes it, too. 0, -ENOMEM.
 */
static inline int cut_to_fit(struct tcp_sock *tp, struct sk_buff *skb, u32 len)
{
	const struct tcp_tx *tx = tcp_tx(skb);
	u32 room = tp->snd_una + tp->snd_wnd - tx->seq;

	if (tcp_tx_len(tx) > len || (tx->flags & TCP_FIN && room == len))
		return tcp_fragment(tp, skb, len);
	return 0;
}

/*
 * may_send() for what an answer mostly is: one segment, the window takes it,
 * nothing is out that Nagle or congestion control could wait for.
 */
static inline bool may_send_all(const struct tcp_sock *tp,
				const struct sk_buff *skb, u8 nonagle)
{
	const struct tcp_tx *tx = tcp_tx(skb);

	return !tp->packets_out && tx->end_seq - tx->seq <= tp->mss_cache &&
	       tx->end_seq - tp->snd_una <= tp->snd_wnd &&
	       !(nonagle & TCP_NAGLE_CORK);
}

/* Leaves of @skb at its place in the queue what may go; false: nothing. */
static bool cut_to_send(struct tcp_sock *tp, struct sk_buff *skb, u8 nonagle)
{
	s32 len = may_send(tp, skb, nonagle);

	if (len < 0)
		return false;
	return !cut_to_fit(tp, skb, (u32)len);
}

static __inline_hot void send_what_may(struct tcp_sock *tp, u8 nonagle, u64 now)
{
	struct sk_buff *skb;

	while ((skb = tp->send_head)) {
		if (unlikely(tp->flags & TCP_F_PACED) && tcp_pace_wait(tp, now))
			break;
		if (!may_send_all(tp, skb, nonagle) &&
		    !cut_to_send(tp, skb, nonagle))
			break;
		tcp_transmit_skb(tp, skb, now);
		sent_new(tp, skb, now);
		if (unlikely(tp->flags & TCP_F_PACED))
			tcp_pace_sent(tp, tcp_tx_len(tcp_tx(skb)), now);
	}
}

/* A probe of the path's MTU, if it is time for one. False: it must wait. */
static __cold noinline bool send_mtu_probe(struct tcp_sock *tp, u64 now)
{
	u32 len = tcp_mtu_probe(tp, now);
	u16 mss = tp->mss_cache;

	if (!len || len == TCP_MTU_WAIT)
		return !len;
	tp->mss_cache = (u16)len;
	tcp_transmit_skb(tp, tp->send_head, now);
	sent_new(tp, tp->send_head, now);
	tp->mss_cache = mss;
	return true;
}

static noinline void send_batch(struct tcp_sock *tp, u8 nonagle, u64 now)
{
	dev_xmit_batch_begin();
	send_what_may(tp, nonagle, now);
	dev_xmit_batch_end();
}

void tcp_write_xmit(struct tcp_sock *tp, u8 nonagle, u64 now)
{
	struct sk_buff *skb = tp->send_head;

	if (!skb)
		return;
	if (!tp->packets_out &&
	    tcp_ms(now) - tp->sent_at > tp->rto / 1000 + 1)
		tcp_cong_idle_restart(tp, (tcp_ms(now) - tp->sent_at) *
						  1000ull);
	if (unlikely(tp->flags & TCP_F_MTU_LOW)) {
		if (!send_mtu_probe(tp, now))
			return;
		skb = tp->send_head;
	}
	/* One packet rings its doorbell itself; several share one. */
	if (skb->tx_link.next == &tp->write_queue)
		send_what_may(tp, nonagle, now);
	else
		send_batch(tp, nonagle, now);
	check_probe(tp, now);
}

void tcp_push_pending(struct tcp_sock *tp, u64 now)
{
	if (tp->send_head)
		tcp_write_xmit(tp, tp->nonagle, now);
}

__cold int tcp_write_wakeup(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = tp->send_head;
	u32 room = 0;

	if (skb)
		room = tp->snd_una + tp->snd_wnd - tcp_tx(skb)->seq;
	if (!skb || (s32)room <= 0) {
		SNMP_INC(TcpExt_TCPWinProbe);
		tcp_send_probe(tp, now);
		return 0;
	}
	if (cut_to_fit(tp, skb, min(room, (u32)tp->mss_cache)))
		return -ENOMEM;
	tcp_tx(skb)->flags |= TCP_PSH;
	tcp_transmit_skb(tp, skb, now);
	sent_new(tp, skb, now);
	return 0;
}

void tcp_send_fin(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = NULL;

	if (tp->send_head)
		skb = list_last_entry(&tp->write_queue, struct sk_buff,
				      tx_link);
	if (skb) {
		tcp_tx(skb)->flags |= TCP_FIN;
		tcp_tx(skb)->end_seq++;
	} else {
		skb = tcp_alloc_tx(tp, 0, TCP_FIN);
		if (!skb) {
			/* The timer tries again. */
			tp->flags |= TCP_F_FIN_WANTED;
			if (!tp->rto_at)
				tcp_arm(&tp->sk, &tp->rto_at,
					now + tcp_rto_ns(tp));
			return;
		}
		tcp_queue_tx(tp, skb);
	}
	tp->flags &= ~TCP_F_FIN_WANTED;
	tp->write_seq++;
	tcp_write_xmit(tp, TCP_NAGLE_PUSH, now);
}
