/*
 * The invariants of a connection block between two events: sums recomputed
 * from the queues, sequence numbers in their order, a timer for all that
 * needs one.
 */
#include "tests/sim/ours.h"

#include "kernel/timer.h"
#include "net/tcp/tcp_ofo.h"
#include "net/tcp/tcp_seq.h"

#define must(tp, cond)							\
	do {								\
		if (!(cond))						\
			sim_fail("port %u to %u, %s: not " #cond,	\
				 (tp)->sk.sk_num, (tp)->sk.sk_dport,	\
				 tcp_state_names[(tp)->sk.sk_state]);	\
	} while (0)

struct sums {
	u32 packets, sacked, lost, retrans;
	s32 memory;
};

static void add_sent(struct sums *sum, const struct tcp_tx *tx)
{
	sum->packets += tx->segs;
	if (tx->tags & TCP_TAG_SACKED)
		sum->sacked += tx->segs;
	if (tx->tags & TCP_TAG_LOST)
		sum->lost += tx->segs;
	if (tx->tags & TCP_TAG_RETRANS)
		sum->retrans += tx->segs;
}

static void check_write_queue(const struct tcp_sock *tp)
{
	bool sent = true, first = true;
	struct sums sum = { 0 };
	struct sk_buff *skb;
	u32 next = tp->snd_una;

	list_for_each_entry(skb, &tp->write_queue, tx_link) {
		const struct tcp_tx *tx = tcp_tx(skb);

		if (skb == tp->send_head) {
			must(tp, tx->seq == tp->snd_nxt);
			sent = false;
		}
		if (first) {
			must(tp, !seq_after(tx->seq, tp->snd_una));
			must(tp, seq_after(tx->end_seq, tp->snd_una));
		} else {
			must(tp, tx->seq == next);
		}
		must(tp, seq_after(tx->end_seq, tx->seq));
		first = false;
		next = tx->end_seq;
		sum.memory += (s32)skb->truesize;
		if (sent)
			add_sent(&sum, tx);
	}
	must(tp, next == tp->write_seq);
	must(tp, sent == !tp->send_head);
	must(tp, sum.packets == tp->packets_out);
	must(tp, sum.lost == tp->lost_out);
	must(tp, sum.retrans == tp->retrans_out);
	if (tp->opts & TCP_OPT_SACK_OK)
		must(tp, sum.sacked == tp->sacked_out);
	must(tp, tp->sacked_out + tp->lost_out <= tp->packets_out);
	must(tp, sum.memory == tp->sk.sk_wmem_queued);
	must(tp, !seq_after(tp->snd_una, tp->snd_nxt));
	must(tp, !seq_after(tp->snd_nxt, tp->write_seq));
}

static void check_receive_queue(const struct tcp_sock *tp)
{
	u32 next = tp->copied_seq, memory = 0;
	struct sk_buff *skb;
	bool first = true;

	list_for_each_entry(skb, &tp->sk.sk_receive_queue.list, list) {
		const struct tcp_segment *seg = tcp_seg(skb);

		if (first)
			must(tp, !seq_after(seg->seq, next));
		else
			must(tp, seg->seq == next);
		first = false;
		next = seg->seq + skb->len;
		memory += skb->truesize;
	}
	must(tp, next == tp->rcv_nxt || next + 1 == tp->rcv_nxt);
	next = tp->rcv_nxt;
	if (tp->ofo) {
		list_for_each_entry(skb, &tp->ofo->queue.list, list) {
			const struct tcp_segment *seg = tcp_seg(skb);

			must(tp, seq_after(seg->seq, tp->rcv_nxt));
			must(tp, !seq_before(seg->seq, next));
			next = seg->end_seq;
			memory += skb->truesize;
		}
		must(tp, tp->ofo->nr_sacks <= TCP_MAX_SACKS);
	}
	must(tp, (s32)memory == tp->sk.sk_rmem_alloc);
}

static void check_deadline(const struct tcp_sock *tp, u64 when)
{
	if (!when)
		return;
	must(tp, tp->flags & TCP_F_TIMER);
	must(tp, timer_pending(&tp->timer));
	must(tp, tp->timer.expires < when + 2 * MS ||
		 tp->timer.expires < host_now + 2 * MS);
}

static void check_timers(const struct tcp_sock *tp)
{
	check_deadline(tp, tp->rto_at);
	check_deadline(tp, tp->ack_at);
	check_deadline(tp, tp->keep_at);
	if (tp->packets_out || tp->send_head)
		must(tp, tp->rto_at);
	if (tp->ack_state & (TCP_ACK_SCHED | TCP_ACK_NOW))
		must(tp, tp->ack_at);
}

void check_block(const struct tcp_sock *tp)
{
	u8 state = tp->sk.sk_state;

	must(tp, tp->sk.sk_wmem_queued >= 0 && tp->sk.sk_rmem_alloc >= 0);
	if (state == TCP_LISTEN)
		return;
	if (state == TCP_CLOSE) {
		must(tp, !tp->packets_out && !tp->rto_at && !tp->ofo);
		return;
	}
	check_write_queue(tp);
	must(tp, tp->cwnd);
	must(tp, tp->mss_cache);
	check_timers(tp);
	if (state != TCP_SYN_SENT)
		check_receive_queue(tp);
}
