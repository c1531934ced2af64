/*
 * SYN cookies (RFC 4987 section 3.6): a listener whose queue of requests is
 * full keeps nothing of a SYN, but puts what it must know again into the
 * sequence number and the timestamp of its answer.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* Draws the key. Boot. */
void tcp_cookie_init(void);

/*
 * Makes @req, filled from the SYN and kept by nobody, one whose SYN-ACK can be
 * recognised later: sets snd_nxt, ts_off, mss, opts. Softirq.
 */
void tcp_cookie_fill(struct tcp_mini *req, u64 now);

/*
 * Fills the zeroed @req from the ACK @seg of a connection @tuple if it answers
 * a cookie that is at most two minutes old; else false. The caller knows the
 * listener and its rcv_wscale. Softirq.
 */
bool tcp_cookie_check(struct tcp_mini *req, const struct tcp_tuple *tuple,
		      const struct tcp_segment *seg, u64 now) __must_check;

/* How long after the last cookie its ACK may come, ns. */
#define TCP_COOKIE_LIFE	(128 * NSEC_PER_SEC)
