/*
 * Losses: the scoreboard on the write queue (RFC 2018, 6675), fast recovery
 * (RFC 6582, 6937) and recovery after a timeout (RFC 6298, 5681). sk lock.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* What one ACK has brought. */
struct tcp_ack_news {
	u32 acked;		/* segments newly below snd_una */
	u32 sacked;		/* segments newly reported by SACK */
	u32 rtt_us;		/* measured, 0: nothing to measure by */
	u32 dsack;		/* segments reported to have come twice */
	u32 fack;		/* rack_end before, if ... */
	u64 reo_at;		/* TCP_F_REO's deadline before, or 0 */
	const struct tcp_segment *seg;
	bool rack_newer;	/* of later sending than any before */
	bool rack;		/* ... that has changed */
	bool orig;		/* came at the first try, sent before recover */
	bool again;		/* came, and had been sent again */
	bool advanced;		/* snd_una has moved */
	bool dup;		/* RFC 5681 section 2: a duplicate ACK */
};

static inline bool tcp_sack_on(const struct tcp_sock *tp)
{
	return tp->opts & TCP_OPT_SACK_OK;
}

/* Tags what the SACK blocks of @skb (header at data) report. */
void tcp_sack_in_blocks(struct tcp_sock *tp, const struct sk_buff *skb,
			struct tcp_ack_news *news, u64 now);

/* All that was sent has arrived, in order: an ACK can only let cwnd grow. */
static inline bool tcp_nothing_amiss(const struct tcp_sock *tp)
{
	return tp->ca_state == TCP_CA_OPEN && !tp->packets_out &&
	       !tp->sacked_out && !tp->dupacks &&
	       !(tp->flags & (TCP_F_UNDO | TCP_F_TLP_OUT));
}

/* Congestion state after an ACK: enter, go on, leave; sets cwnd. */
void tcp_recovery_ack(struct tcp_sock *tp, const struct tcp_ack_news *news,
		      u64 now);

/* The retransmission timer fired: all that is out is taken for lost. */
void tcp_enter_loss(struct tcp_sock *tp, u64 now);

/* Sends again what is lost, as far as cwnd allows. */
void tcp_xmit_retransmit_queue(struct tcp_sock *tp, u64 now);

/* Sends @skb again, at most one segment if @one. 0, -errno. */
int tcp_retransmit_skb(struct tcp_sock *tp, struct sk_buff *skb, bool one,
		       u64 now);

/* Takes off the front of @skb what snd_una has passed; counts are kept. */
void tcp_trim_acked(struct tcp_sock *tp, struct sk_buff *skb);

/* First segment of the queue that was sent, or NULL. */
struct sk_buff *tcp_rtx_head(const struct tcp_sock *tp);
/* The one that was sent after @skb in the sequence, or NULL. */
struct sk_buff *tcp_rtx_next(const struct tcp_sock *tp, struct sk_buff *skb);
/* The same, of those alone that are not known to have arrived. */
struct sk_buff *tcp_rtx_first_open(const struct tcp_sock *tp);
struct sk_buff *tcp_rtx_next_open(const struct tcp_sock *tp,
				  struct sk_buff *skb);

/* Takes @tx for lost, and counts it. */
void tcp_tag_lost(struct tcp_sock *tp, struct tcp_tx *tx);
/* tcp_fragment() for what was sent: both parts stay counted. 0, -ENOMEM. */
int tcp_fragment_sent(struct tcp_sock *tp, struct sk_buff *skb, u32 len)
	__must_check;

/* TCP_F_REO: what was waited for is lost now. */
void tcp_recovery_timeout(struct tcp_sock *tp, u64 now);
