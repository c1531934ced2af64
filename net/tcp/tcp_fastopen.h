/*
 * TCP Fast Open (RFC 7413): data in the SYN, for who has been here before.
 * Both sides are off until /proc/sys/net/ipv4/tcp_fastopen switches them on.
 */
#pragma once

#include "net/tcp/tcp_header.h"
#include "net/tcp/tcp_sock.h"

struct msghdr;

/* Bits of tcp_fastopen. */
#define TCP_FASTOPEN_CLIENT	1u
#define TCP_FASTOPEN_SERVER	2u

#define TCP_FASTOPEN_COOKIE	8u	/* bytes of those we give */

/* What a listener makes of a SYN. */
enum tcp_fastopen_verdict {
	TCP_FASTOPEN_NO,	/* an ordinary one */
	TCP_FASTOPEN_GIVE,	/* the SYN-ACK brings a cookie */
	TCP_FASTOPEN_TAKE,	/* the connection is open already */
};

/* Makes the key. Boot. */
void tcp_fastopen_init(void);

/* Listener's sk lock. */
enum tcp_fastopen_verdict tcp_fastopen_check(const struct sock *listener,
					     const struct tcp_tuple *tuple,
					     const struct sk_buff *syn);
/* The cookie for the peer of a connection. */
void tcp_fastopen_cookie(const struct ip_addr *local,
			 const struct ip_addr *remote, u8 *cookie);
/*
 * Makes a fresh child of @listener one that may talk: queues the data of
 * @syn (takes a reference of its own), answers. 0, or -ENOMEM with the child
 * as it was. Both sk locks.
 */
int tcp_fastopen_child(struct sock *listener, struct sock *child,
		       struct sk_buff *syn, u64 now) __must_check;
/* TCP_F_FO_CHILD: the handshake is over, one way or another. sk lock. */
void tcp_fastopen_done(struct tcp_sock *tp);

/*
 * sendmsg(2) on a sock without SYN, in SYN-SENT: sends one with as much of
 * @msg as the cookie allows, without cookie only the question for one. Bytes
 * or -errno. lock_sock.
 */
ssize_t tcp_fastopen_send(struct sock *sk, struct msghdr *msg, u64 now);
/* Is there a cookie for @sk's peer? lock_sock. */
bool tcp_fastopen_known(const struct sock *sk);
/* The option of our SYN. sk lock. */
void tcp_fastopen_option(const struct tcp_sock *tp, struct tcp_hdr_out *out);
/* The answer to it: keeps the cookie. @skb's header at data. sk lock. */
void tcp_fastopen_answer(struct tcp_sock *tp, const struct sk_buff *skb);
/*
 * The SYN was lost or only its first number acknowledged: its data becomes
 * unsent, it will go without cookie. sk lock.
 */
void tcp_fastopen_fall_back(struct tcp_sock *tp);
