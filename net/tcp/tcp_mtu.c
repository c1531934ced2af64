/*
 * Path MTU discovery. The MSS of the path is looked for between mss_clamp,
 * which is known to get through, and mss_high, which is known not to; both
 * without options, as RFC 6691 counts. A segment in the middle is the probe
 * (RFC 4821 section 7): if it alone is lost, that is no congestion.
 */
#include "net/tcp/tcp_mtu.h"

#include "kernel/string.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_pages.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"

/* Less than this no path need be believed to take (RFC 8201 section 4). */
#define MTU_LEAST_V4	552u
#define MTU_LEAST_V6	1280u
#define MSS_LEAST_V4	512u
#define MSS_LEAST_V6	1208u	/* fits 1280 bytes, options too */
/* What a silent loss is first blamed on. */
#define MSS_SUSPECT	1024u
/* Closer than this the search is over; it begins again later. */
#define CLOSE_ENOUGH	8u
#define AGAIN_MS	600000u
/* A window that loses a probe without losing its flow (RFC 4821 7.6.2). */
#define PROBE_CWND	11u
#define SEGMENTS_BEHIND	4u	/* so that duplicate ACKs tell */

static u32 headers(const struct tcp_sock *tp)
{
	return TCP_HDR_LEN + (ip_addr_is_v4(&tp->sk.sk_daddr) ? 20 : 40);
}

static u32 options(const struct tcp_sock *tp)
{
	return tp->opts & TCP_OPT_TS ? TCP_TS_LEN : 0;
}

u16 tcp_mtu_path(const struct tcp_sock *tp)
{
	if (!(tp->flags & TCP_F_MTU_LOW))
		return tp->sk.sk_route.mtu;
	return (u16)(tp->mss_clamp + headers(tp));
}

/* Segments of @mss from now on; @high is where the search for more ends. */
static bool lower(struct tcp_sock *tp, u32 mss, u32 high, u64 now)
{
	struct tcp_ext *e = tcp_ext_get(tp);

	if (!e)
		return false;
	if (!(tp->flags & TCP_F_MTU_LOW))
		e->mss_before = (u16)min((u32)tp->mss_clamp,
					 tp->sk.sk_route.mtu - headers(tp));
	tp->flags |= TCP_F_MTU_LOW;
	tp->flags &= ~TCP_F_MTU_PROBE;
	e->mss_high = (u16)min(high, e->mss_before + 1u);
	e->mss_at = tcp_ms(now);
	tp->mss_clamp = (u16)mss;
	tcp_sync_mss(tp);
	return true;
}

/* What is under way and too large goes again at once: it is not congestion. */
static void resend_large(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb;

	for (skb = tcp_rtx_head(tp); skb; skb = tcp_rtx_next(tp, skb)) {
		if (tcp_tx_len(tcp_tx(skb)) > tp->mss_cache)
			tcp_tag_lost(tp, tcp_tx(skb));
	}
	if (!tp->lost_out)
		return;
	if (tp->ca_state == TCP_CA_OPEN) {
		tp->ca_state = TCP_CA_LOSS;
		tp->recover = tp->snd_nxt;
	}
	tcp_xmit_retransmit_queue(tp, now);
}

void tcp_mtu_too_big(struct tcp_sock *tp, u32 mtu, u64 now)
{
	bool v4 = ip_addr_is_v4(&tp->sk.sk_daddr);
	u32 mss;

	/* RFC 8201 section 4; of IPv4 smaller ones exist, hardly. */
	if (!v4 && mtu < MTU_LEAST_V6)
		return;
	mss = max(mtu, MTU_LEAST_V4) - headers(tp);
	if (mss < tp->mss_clamp &&
	    mss + headers(tp) < tp->sk.sk_route.mtu) {
		if (lower(tp, mss, mss + 1, now))
			resend_large(tp, now);
	} else if (tp->flags & TCP_F_MTU_PROBE && mss < tp->ext->mss_high) {
		tp->ext->mss_high = (u16)(mss + 1);
	}
}

void tcp_mtu_suspect(struct tcp_sock *tp, const struct sk_buff *skb, u64 now)
{
	u32 least = ip_addr_is_v4(&tp->sk.sk_daddr) ? MSS_LEAST_V4
						    : MSS_LEAST_V6;
	u32 mss = tp->mss_cache;

	if (!READ_ONCE(tcp_mtu_probing) || mss <= least ||
	    tcp_tx_len(tcp_tx(skb)) <= least)
		return;
	mss = max(mss > MSS_SUSPECT ? MSS_SUSPECT : mss / 2, least);
	if (lower(tp, mss, UINT16_MAX, now))
		SNMP_INC(TcpExt_TCPMTUPFail);
}

/* The MSS to try now; 0: none. */
static u32 next_mss(struct tcp_sock *tp, struct tcp_ext *e, u64 now)
{
	u32 low = tp->mss_clamp;

	if (e->mss_high < low + CLOSE_ENOUGH &&
	    tcp_ms(now) - e->mss_at > AGAIN_MS)
		e->mss_high = (u16)(e->mss_before + 1);
	/* The last step up, to what it was, is taken however small. */
	if (e->mss_high < low + CLOSE_ENOUGH && e->mss_high <= e->mss_before)
		return 0;
	return min((e->mss_high + low + 1) / 2, (u32)e->mss_before);
}

/* Nothing is amiss, and the window takes the probe and more behind it. */
static bool may_probe(const struct tcp_sock *tp, u32 need)
{
	u32 room = tp->snd_una + tp->snd_wnd - tp->snd_nxt;

	return tp->ca_state == TCP_CA_OPEN && tp->cwnd >= PROBE_CWND &&
	       !tp->sacked_out && !tp->dupacks && !tp->retransmits &&
	       !(tp->flags & (TCP_F_MTU_PROBE | TCP_F_TLP_OUT)) &&
	       tp->write_seq - tp->snd_nxt >= need && (s32)room >= (s32)need;
}

/* Moves the first @n unsent bytes into @to, which takes their place. */
static void gather(struct tcp_sock *tp, struct sk_buff *to, u32 n)
{
	struct tcp_tx *to_tx = tcp_tx(to);

	*to_tx = (struct tcp_tx){
		.seq = tp->snd_nxt,
		.end_seq = tp->snd_nxt + n,
		.data_off = TCP_HEADROOM,
	};
	while (n) {
		struct sk_buff *skb = tp->send_head;
		struct tcp_tx *tx = tcp_tx(skb);
		u32 len = tcp_tx_len(tx), part = min(len, n);

		tcp_tx_copy(skb, 0, skb_put(to, part), part);
		to_tx->flags |= tx->flags & TCP_URG;
		n -= part;
		if (part < len) {
			tx->seq += part;
			if (skb->frag_list) {
				tcp_tx_consume(skb, part);
				break;
			}
			tx->data_off = (u16)(tx->data_off + part);
			skb_pull(skb, part);
		} else {
			tp->send_head = list_next_entry(skb, tx_link);
			list_del(&skb->tx_link);
			tcp_free_tx(tp, skb);
		}
	}
	list_add_tail(&to->tx_link, &tp->send_head->tx_link);
	tp->sk.sk_wmem_queued += (s32)to->truesize;
	tp->send_head = to;
}

u32 tcp_mtu_probe(struct tcp_sock *tp, u64 now)
{
	struct tcp_ext *e = tp->ext;
	u32 mss = next_mss(tp, e, now), len = mss - options(tp);
	struct sk_buff *skb;

	/* Something else than the path keeps segments small: no use. */
	if (!mss || tp->mss_cache + options(tp) != tp->mss_clamp ||
	    (tp->user_mss && mss > tp->user_mss) ||
	    (tp->max_window && mss > tp->max_window / 2) ||
	    !may_probe(tp, len + SEGMENTS_BEHIND * tp->mss_cache))
		return 0;
	if (tcp_in_flight(tp) + 2 > tp->cwnd)
		return TCP_MTU_WAIT;
	skb = alloc_skb(TCP_HEADROOM + len);
	if (!skb)
		return 0;
	skb_reserve(skb, TCP_HEADROOM);
	gather(tp, skb, len);
	e->mss_probe = (u16)mss;
	e->probe_end = tcp_tx(skb)->end_seq;
	tp->flags |= TCP_F_MTU_PROBE;
	return len;
}

void tcp_mtu_acked(struct tcp_sock *tp, u64 now)
{
	struct tcp_ext *e = tp->ext;
	u32 before = tp->mss_clamp;

	if (seq_before(tp->snd_una, e->probe_end))
		return;
	SNMP_INC(TcpExt_TCPMTUPSuccess);
	tp->flags &= ~TCP_F_MTU_PROBE;
	tp->mss_clamp = e->mss_probe;
	e->mss_at = tcp_ms(now);
	if (tp->mss_clamp >= e->mss_before)
		tp->flags &= ~TCP_F_MTU_LOW;
	tcp_sync_mss(tp);
	/* As many bytes as before. */
	tp->cwnd = max(tp->cwnd * before / tp->mss_clamp, 2u);
}

bool tcp_mtu_lost(struct tcp_sock *tp, u64 now)
{
	struct tcp_ext *e = tp->ext;
	u32 len = e->mss_probe - options(tp);

	tp->flags &= ~TCP_F_MTU_PROBE;
	/* With others lost before it, that may be congestion. */
	if (tp->snd_una != e->probe_end - len)
		return false;
	SNMP_INC(TcpExt_TCPMTUPFail);
	e->mss_high = min(e->mss_high, e->mss_probe);
	e->mss_at = tcp_ms(now);
	return true;
}
