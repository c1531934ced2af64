/*
 * Losses found by time (RACK) and by a probe of the tail (TLP), RFC 8985. Both
 * only with SACK. sk lock.
 */
#pragma once

#include "net/tcp/tcp_recovery.h"

/* @skb has been delivered, by SACK or below snd_una; its tags are as before. */
void tcp_rack_delivered(struct tcp_sock *tp, const struct sk_buff *skb,
			struct tcp_ack_news *news, u64 now);

/* A segment was reported to have come twice: reordering may take longer. */
void tcp_rack_dsack(struct tcp_sock *tp);
/* A recovery is over. */
void tcp_rack_recovered(struct tcp_sock *tp);

/*
 * Takes for lost what was sent well before something that has arrived, also
 * what was sent again. What is not due yet makes the timer call
 * tcp_recovery_timeout(). @news: of the ACK; NULL: the wait is over.
 */
void tcp_rack_detect(struct tcp_sock *tp, const struct tcp_ack_news *news,
		     u64 now);

/* Data is under way: probe if no ACK comes in two round trips. */
void tcp_tlp_schedule(struct tcp_sock *tp, u64 now);
/* None came. */
void tcp_tlp_send(struct tcp_sock *tp, u64 now);
/* TCP_F_TLP_OUT: has the probe repaired a loss? Then the window is cut. */
void tcp_tlp_ack(struct tcp_sock *tp, const struct tcp_ack_news *news);
