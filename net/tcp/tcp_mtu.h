/*
 * The path's MTU: what makes segments smaller (ICMP, RFC 1191 and 8201; large
 * ones that vanish, RFC 4821 section 7.7), and the probes that find out how
 * large they may be again. All with the sk lock.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* An ICMP error says that the next hop takes @mtu bytes. */
void tcp_mtu_too_big(struct tcp_sock *tp, u32 mtu, u64 now);

/* @skb has been sent in vain several times. */
void tcp_mtu_suspect(struct tcp_sock *tp, const struct sk_buff *skb, u64 now);

#define TCP_MTU_WAIT	UINT32_MAX

/*
 * TCP_F_MTU_LOW: if it is time for a probe, makes one the first unsent segment
 * and returns its length, which is more than a full segment's; or says to wait
 * until the window has room for it. Else 0.
 */
u32 tcp_mtu_probe(struct tcp_sock *tp, u64 now);

/* TCP_F_MTU_PROBE: snd_una has moved. */
void tcp_mtu_acked(struct tcp_sock *tp, u64 now);
/* TCP_F_MTU_PROBE: a loss was found. True if the probe is what is lost. */
bool tcp_mtu_lost(struct tcp_sock *tp, u64 now);

/* What the path takes, as far as is known; the device's MTU at most. */
u16 tcp_mtu_path(const struct tcp_sock *tp);
