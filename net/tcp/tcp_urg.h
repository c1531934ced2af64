/*
 * Urgent data as Linux treats it: the pointer points behind the one urgent
 * byte (RFC 1122 section 4.2.2.4 notwithstanding, RFC 6093 section 2), which
 * is taken out of the stream unless SO_OOBINLINE is on. TCP_F_URG says that
 * there is a mark at or ahead of the reader. sk lock.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

struct msghdr;

/* Values of tcp_ext.urg_state. */
enum tcp_urg_state {
	TCP_URG_NOTYET,		/* announced, the byte has not come */
	TCP_URG_VALID,
	TCP_URG_READ,
};

/* A segment with URG that was taken, its header at data; borrows it. */
void tcp_urg_rcv(struct tcp_sock *tp, const struct sk_buff *skb);
/* recv(2) with MSG_OOB: 1, 0 at the end of the stream, -errno. */
ssize_t tcp_urg_read(struct tcp_sock *tp, struct msghdr *msg, u32 flags);
/* TCP_F_URG: bytes from @seq to the mark; 0: it is at it; < 0: behind. */
s32 tcp_urg_ahead(const struct tcp_sock *tp, u32 seq);
/* What was read moved copied_seq: behind the mark it is forgotten. */
void tcp_urg_passed(struct tcp_sock *tp);

/* What is queued ends in an urgent byte. 0, -ENOMEM. */
int tcp_urg_send(struct tcp_sock *tp);
/* SEG.UP of a segment with TCP_URG that begins at @seq; 0: none. */
u16 tcp_urg_pointer(const struct tcp_sock *tp, u32 seq);
