/*
 * The small records: requests (a SYN was answered, RFC 9293 SYN-RECEIVED) and
 * connections that nobody has open in FIN-WAIT-2 and TIME-WAIT. Each is at
 * most 128 bytes and stands in the records' table.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* 0, -ENOMEM. Boot. */
int tcp_mini_init(void) __must_check;

/* A record with one reference and without options, or NULL. */
struct tcp_mini *tcp_mini_alloc(enum tcp_mini_kind kind) __must_check;
void tcp_mini_put(struct tcp_mini *mini);

/*
 * May @mini say again where it is, for @seg that it does not like? Once in
 * half a second, so that two of these do not make a loop (tcp_may_answer()).
 */
bool tcp_mini_may_answer(struct tcp_mini *mini, const struct tcp_segment *seg,
			 u64 now);
/* Says so by an ACK with this window, if it may and @seg is no RST. */
void tcp_mini_ack(struct tcp_mini *mini, const struct tcp_segment *seg,
		  u32 wnd, u64 now);

/*
 * Replaces @sk by a record in @kind (TIME-WAIT or FIN-WAIT-2) for @timeout
 * ns; @sk becomes CLOSE and is done with. If memory is out the connection
 * just ends. sk lock.
 */
void tcp_time_wait(struct sock *sk, enum tcp_mini_kind kind, u64 timeout,
		   u64 now);

/*
 * What a record in TIME-WAIT has done with a segment. NEW: a SYN that may
 * begin anew; the record is gone, the segment is for a listener.
 */
enum tcp_tw_verdict {
	TCP_TW_DONE,		/* @skb is gone */
	TCP_TW_NEW,
};

/* A segment for @mini (not a request). On NEW, *@iss is to be used. */
enum tcp_tw_verdict tcp_timewait_rcv(struct tcp_mini *mini,
				     struct sk_buff *skb, u32 *iss, u64 now);

/*
 * Makes way for @sk's active open: a TIME-WAIT record of the same tuple is
 * dropped if timestamps make that safe (RFC 6191), and @sk continues its
 * sequence numbers. Sets sk_hash. 0, -EADDRNOTAVAIL.
 */
int tcp_timewait_clear(struct sock *sk, u64 now) __must_check;
