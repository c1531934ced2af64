/*
 * Pacing: no more than so many bytes a second, by SO_MAX_PACING_RATE and by a
 * congestion control that wants it. Only with TCP_F_PACED. sk lock.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* A congestion control's rate, bytes a second, 0 or no memory: none. */
void tcp_pace_set(struct tcp_sock *tp, u64 rate);
/* SO_MAX_PACING_RATE, as struct proto.max_pacing. */
int tcp_pace_option(struct sock *sk, u64 *rate, bool set);

/* Must sending wait? Then the timer goes on with it. */
bool tcp_pace_wait(struct tcp_sock *tp, u64 now);
/* @len bytes went. */
void tcp_pace_sent(struct tcp_sock *tp, u32 len, u64 now);
