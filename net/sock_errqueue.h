/*
 * A socket's error queue (recvmsg(2) with MSG_ERRQUEUE): ICMP errors of who
 * asked by IP_RECVERR, and notes about what was sent (MSG_ZEROCOPY done, time
 * stamps). The queue exists only for socks that asked: an idle connection
 * pays one pointer, sk->sk_errq.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "net/ip_addr.h"
#include "net/sock.h"

struct icmp_error;			/* net/ip/ip.h */
struct msghdr;

#define SO_EE_ORIGIN_LOCAL	1
#define SO_EE_ORIGIN_ICMP	2
#define SO_EE_ORIGIN_ICMP6	3
#define SO_EE_ORIGIN_TIMESTAMPING 4
#define SO_EE_ORIGIN_ZEROCOPY	5
#define SO_EE_CODE_ZEROCOPY_COPIED 1

/* As user space sees it. */
struct sock_extended_err {
	u32 ee_errno;
	u8 ee_origin;		/* SO_EE_ORIGIN_ */
	u8 ee_type;
	u8 ee_code;
	u8 ee_pad;
	u32 ee_info;		/* ICMP: MTU; ZEROCOPY: first of a range */
	u32 ee_data;		/* ZEROCOPY: last of it */
};

/* One entry. */
struct sock_exterr {
	struct sock_extended_err ee;
	struct ip_addr offender;	/* ICMP: who said so */
	struct ip_addr addr;		/* ICMP: where our packet went */
	u16 port;			/* host order; 0: no address */
	u64 tstamp;			/* wall clock ns, told by a
					   SCM_TIMESTAMPING; 0: none */
};

/*
 * From here on @sk keeps such entries. 0, -ENOBUFS. Task, sk owned. The queue
 * goes with the sock.
 */
int sock_errqueue_enable(struct sock *sk) __must_check;
/* Numbers the calls with MSG_ZEROCOPY, from 0 on. Enabled; sk lock. */
u32 sock_errqueue_next_id(struct sock *sk);
/* Forgets all entries. */
void sock_errqueue_purge(struct sock *sk);
/* For sock_put(). */
void sock_errqueue_free(struct sock *sk);

/*
 * Appends @e with a copy of @len bytes at @data, and reports EPOLLERR. A range
 * of MSG_ZEROCOPY that continues the last entry's extends that instead. False
 * if @sk keeps none, the queue is full (SO_RCVBUF) or memory is out. Any
 * context, sk lock held or owned; takes the queue's own lock only.
 */
bool sock_queue_err(struct sock *sk, const struct sock_exterr *e,
		    const void *data, u32 len);
/*
 * An ICMP error, if @sk asked for those of this IP version; the data are what
 * follows @hlen bytes of transport header. Returns whether it asked.
 */
bool sock_queue_icmp(struct sock *sk, const struct icmp_error *e, u32 hlen);

/* EPOLLERR because of the queue? Any context, takes no lock. */
bool sock_errqueue_ready(const struct sock *sk);

/*
 * recvmsg with MSG_ERRQUEUE: the oldest entry, never waits. Bytes, -EAGAIN,
 * -EFAULT. Task; takes no sk lock.
 */
ssize_t sock_recv_errqueue(struct sock *sk, struct msghdr *msg);

/* IP_RECVERR, IPV6_RECVERR. 0, -ENOBUFS. Task, sk owned. */
int sock_set_recverr(struct sock *sk, bool v6, int on) __must_check;
