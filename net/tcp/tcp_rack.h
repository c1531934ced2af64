/*
 * Losses found by time (RACK) and by a probe of the tail (TLP), RFC 8985. Both
 * only with SACK. sk lock.
 */
#pragma once

#include "net/tcp/tcp_recovery.h"

/* @skb has been delivered, by SACK or below snd_una; its tags are as before. */
void tcp_rack_delivered(struct tcp_sock *tp, const struct sk_buff *skb,
			struct tcp_ack_news *news, u64 now);

/*
 * Takes for lost what was sent well before something that has arrived, also
 * what was sent again. @all: without leave for reordering. What is not due
 * yet makes the timer call tcp_recovery_timeout().
 */
void tcp_rack_detect(struct tcp_sock *tp, bool all, u64 now);

/* Data is under way: probe if no ACK comes in two round trips. */
void tcp_tlp_schedule(struct tcp_sock *tp, u64 now);
/* None came. */
void tcp_tlp_send(struct tcp_sock *tp, u64 now);
/* TCP_F_TLP_OUT: has the probe repaired a loss? Then the window is cut. */
void tcp_tlp_ack(struct tcp_sock *tp, const struct tcp_ack_news *news);
