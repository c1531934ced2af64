/*
 * Receiving: the steps of RFC 9293 section 3.10.7. All in softirq or task
 * context with the sk lock; each step takes @skb when it answers DONE.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

enum tcp_step {
	TCP_CONTINUE,		/* the next step goes on with @skb */
	TCP_DONE,		/* @skb is gone */
};

/* Bytes of payload in a received segment. */
static inline u32 tcp_seg_len(const struct tcp_segment *seg)
{
	return seg->end_seq - seg->seq - !!(seg->flags & TCP_SYN) -
	       !!(seg->flags & TCP_FIN);
}

/* Drops payload below @seq; the header is off already. */
void tcp_trim_head(struct sk_buff *skb, u32 seq);
/* Drops payload and FIN from @seq on. */
void tcp_trim_tail(struct sk_buff *skb, u32 seq);

/* tcp_input.c: any state but LISTEN and CLOSED. Takes @skb. */
void tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb, u64 now);

/* tcp_established.c: the fast path, falls back on the one above. */
void tcp_rcv_established(struct sock *sk, struct sk_buff *skb, u64 now);
/*
 * In-order payload goes to the user: takes @skb, whose header is off and
 * whose seq is rcv_nxt. Does not wake anybody.
 */
void tcp_queue_rcv(struct sock *sk, struct sk_buff *skb);
/* Wakes readers if there is enough for them. */
void tcp_data_ready(struct sock *sk);
/* After new data: ACK at once or later (RFC 9293 section 3.8.6.3). */
void tcp_ack_snd_check(struct tcp_sock *tp, u64 now);
/* The rest of tcp_data_snd_check(), where there is something to do. */
void tcp_data_snd_now(struct tcp_sock *tp, u64 now);
/* After an ACK: send what it allows, tell writers of new room. */
static inline void tcp_data_snd_check(struct tcp_sock *tp, u64 now)
{
	if (tp->send_head || READ_ONCE(tp->nospace))
		tcp_data_snd_now(tp, now);
}

/* A segment of @len bytes came: sizes and ACK bookkeeping. */
void tcp_event_data_recv(struct tcp_sock *tp, const struct tcp_segment *seg,
			 u32 len, u64 now);

/* tcp_data.c: steps seven and eight, payload and FIN. Takes @skb. */
void tcp_data_queue(struct sock *sk, struct sk_buff *skb, u64 now);

/*
 * tcp_ack.c: step five for synchronised states. DONE when the segment is to
 * be ignored.
 */
enum tcp_step tcp_ack(struct tcp_sock *tp, struct sk_buff *skb, u64 now);

/*
 * May @seg, which is not acceptable, be answered by an ACK? The other side may
 * take that for the same and answer, so only twice a second (RFC 9293 section
 * 3.10.7.4 asks for the ACK, and knows of the loops).
 */
bool tcp_may_answer(struct tcp_sock *tp, const struct tcp_segment *seg,
		    u64 now);
/* RFC 5961 section 5: an ACK, limited per second for the whole host, too. */
void tcp_send_challenge_ack(struct tcp_sock *tp,
			    const struct tcp_segment *seg, u64 now);

/* tcp_synsent.c: RFC 9293 section 3.10.7.3. Takes @skb. */
void tcp_rcv_synsent(struct sock *sk, struct sk_buff *skb, u64 now);
/* Sets windows and options from the peer's SYN; also for children. */
void tcp_init_transfer(struct tcp_sock *tp, u64 now);

/* The peer reset the connection: error to the user, and gone. */
void tcp_reset(struct sock *sk);

/* tcp_close.c: the connection is over: state CLOSE, timers, queue, tables. */
void tcp_done(struct sock *sk);
/* Ends it with @err for the user (ETIMEDOUT, ...). */
void tcp_fail(struct sock *sk, int err);
