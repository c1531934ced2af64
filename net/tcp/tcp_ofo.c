/*
 * The out-of-order queue. It shares the receive buffer's limit, so a peer
 * cannot make us hoard more than we offered; segments in it do not overlap.
 * Called from the receive path with the sk lock.
 */
#include "net/tcp/tcp_ofo.h"

#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "net/snmp.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_seq.h"

static struct tcp_ofo *get_ofo(struct tcp_sock *tp)
{
	if (!tp->ofo) {
		tp->ofo = kzalloc(sizeof(*tp->ofo));
		if (tp->ofo)
			skb_queue_head_init(&tp->ofo->queue);
	}
	return tp->ofo;
}

static void put_ofo(struct tcp_sock *tp)
{
	struct tcp_ofo *ofo = tp->ofo;

	if (ofo->queue.qlen || ofo->dsack.start != ofo->dsack.end)
		return;
	tp->ofo = NULL;
	kfree(ofo);
}

void tcp_ofo_purge(struct tcp_sock *tp)
{
	if (!tp->ofo)
		return;
	skb_queue_purge(&tp->ofo->queue);
	kfree(tp->ofo);
	tp->ofo = NULL;
}

void tcp_ofo_dsack(struct tcp_sock *tp, u32 start, u32 end)
{
	struct tcp_ofo *ofo;

	if (!(tp->opts & TCP_OPT_SACK_OK))
		return;
	ofo = get_ofo(tp);
	if (!ofo)
		return;
	ofo->dsack.start = start;
	ofo->dsack.end = end;
	if (seq_before(start, tp->rcv_nxt))
		SNMP_INC(TcpExt_TCPDSACKOldSent);
	else
		SNMP_INC(TcpExt_TCPDSACKOfoSent);
}

/*
 * RFC 2018 section 4: the block with the newest segment goes first, the
 * others follow in the order in which they were reported last.
 */
static void add_sack(struct tcp_ofo *ofo, u32 start, u32 end)
{
	u32 kept = 0;

	for (u32 i = 0; i < ofo->nr_sacks; i++) {
		struct tcp_sack_block b = ofo->sacks[i];

		if (!seq_after(b.start, end) && !seq_before(b.end, start)) {
			start = seq_min(start, b.start);
			end = seq_max(end, b.end);
		} else {
			ofo->sacks[kept++] = b;
		}
	}
	kept = min(kept, (u32)TCP_MAX_SACKS - 1);
	memmove(&ofo->sacks[1], &ofo->sacks[0], kept * sizeof(ofo->sacks[0]));
	ofo->sacks[0] = (struct tcp_sack_block){ start, end };
	ofo->nr_sacks = kept + 1;
}

/* Blocks that rcv_nxt has reached are told by the ACK number itself. */
static void trim_sacks(struct tcp_sock *tp)
{
	struct tcp_ofo *ofo = tp->ofo;
	u32 kept = 0;

	for (u32 i = 0; i < ofo->nr_sacks; i++) {
		if (seq_after(ofo->sacks[i].start, tp->rcv_nxt))
			ofo->sacks[kept++] = ofo->sacks[i];
	}
	ofo->nr_sacks = kept;
}

/* The last segment that starts at or before @seq; NULL: none does. */
static struct sk_buff *find_before(struct tcp_ofo *ofo, u32 seq)
{
	struct sk_buff *skb;

	for (skb = skb_peek_tail(&ofo->queue); skb;
	     skb = list_prev_entry(skb, list)) {
		if (&skb->list == &ofo->queue.list)
			return NULL;
		if (!seq_after(tcp_seg(skb)->seq, seq))
			return skb;
	}
	return NULL;
}

static struct sk_buff *next_of(struct tcp_ofo *ofo, struct sk_buff *skb)
{
	struct list_head *next = skb ? skb->list.next : ofo->queue.list.next;

	return next == &ofo->queue.list
		? NULL : list_entry(next, struct sk_buff, list);
}

/* Makes room for @skb behind @prev: what it covers goes, ends are cut. */
static void clear_after(struct tcp_ofo *ofo, struct sk_buff *prev,
			struct sk_buff *skb)
{
	struct tcp_segment *seg = tcp_seg(skb);
	struct sk_buff *next;

	while ((next = next_of(ofo, prev))) {
		struct tcp_segment *n = tcp_seg(next);

		if (!seq_before(n->seq, seg->end_seq))
			break;
		if (seq_after(n->end_seq, seg->end_seq)) {
			tcp_trim_tail(skb, n->seq);
			break;
		}
		skb_unlink(&ofo->queue, next);
		kfree_skb(next);
	}
}

/* Links @skb where it belongs. False if it brings nothing new. */
static bool insert(struct tcp_sock *tp, struct tcp_ofo *ofo,
		   struct sk_buff *skb)
{
	struct tcp_segment *seg = tcp_seg(skb);
	struct sk_buff *prev = find_before(ofo, seg->seq);

	if (prev && seq_after(tcp_seg(prev)->end_seq, seg->seq)) {
		u32 known = tcp_seg(prev)->end_seq;

		tcp_ofo_dsack(tp, seg->seq, seq_min(known, seg->end_seq));
		if (!seq_after(seg->end_seq, known))
			return false;
		tcp_trim_head(skb, known);
	}
	clear_after(ofo, prev, skb);
	list_add(&skb->list, prev ? &prev->list : &ofo->queue.list);
	ofo->queue.qlen++;
	return true;
}

void tcp_ofo_queue(struct tcp_sock *tp, struct sk_buff *skb)
{
	struct tcp_segment *seg = tcp_seg(skb);
	u32 start = seg->seq, end = seg->end_seq;
	struct tcp_ofo *ofo;
	bool fresh;

	if (tp->sk.sk_rmem_alloc + (s32)skb->truesize > tp->sk.sk_rcvbuf ||
	    sk_under_pressure(1)) {
		SNMP_INC(TcpExt_TCPOFODrop);
		kfree_skb_reason(skb, DROP_TCP_OFO_FULL);
		return;
	}
	ofo = get_ofo(tp);
	if (!ofo) {
		kfree_skb_reason(skb, DROP_NO_MEMORY);
		return;
	}
	SNMP_INC(TcpExt_TCPOFOQueue);
	tp->n.ooo_segs++;
	fresh = insert(tp, ofo, skb);
	/* Of a copy, too: what holds it comes first (RFC 2883 section 4). */
	if (tp->opts & TCP_OPT_SACK_OK)
		add_sack(ofo, start, end);
	if (fresh)
		skb_set_owner_r(skb, &tp->sk);
	else
		kfree_skb_reason(skb, DROP_TCP_DUPLICATE);
}

struct sk_buff *tcp_ofo_next(struct tcp_sock *tp)
{
	struct sk_buff *skb;

	if (!tp->ofo)
		return NULL;
	while ((skb = skb_peek(&tp->ofo->queue))) {
		struct tcp_segment *seg = tcp_seg(skb);

		if (seq_after(seg->seq, tp->rcv_nxt))
			break;
		skb_unlink(&tp->ofo->queue, skb);
		if (seq_after(seg->end_seq, tp->rcv_nxt))
			return skb;
		tcp_ofo_dsack(tp, seg->seq, seg->end_seq);
		kfree_skb_reason(skb, DROP_TCP_DUPLICATE);
	}
	trim_sacks(tp);
	put_ofo(tp);
	return NULL;
}

void tcp_ofo_sacks(struct tcp_sock *tp, struct tcp_hdr_out *out, u32 len)
{
	struct tcp_ofo *ofo = tp->ofo;
	u32 space = 40 - (out->opts & TCP_OPT_TS ? TCP_TS_LEN : 0) - 4;

	if (len)
		space = min(space, tp->mss_cache > len + 4
				   ? tp->mss_cache - len - 4 : 0);
	if (ofo->dsack.start != ofo->dsack.end && space >= 8) {
		out->sacks[out->nr_sacks++] = ofo->dsack;
		ofo->dsack.end = ofo->dsack.start;
	}
	for (u32 i = 0; i < ofo->nr_sacks; i++) {
		if (out->nr_sacks < TCP_MAX_SACKS &&
		    8u * (out->nr_sacks + 1) <= space)
			out->sacks[out->nr_sacks++] = ofo->sacks[i];
	}
	put_ofo(tp);
}
