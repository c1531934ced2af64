/*
 * What system calls come down to: the members of inet_stream_ops. Task
 * context, may sleep; each takes the sk lock. Errors are Linux's (tcp(7)).
 */
#pragma once

#include "net/socket.h"
#include "net/tcp/tcp_sock.h"

/* tcp_connect.c */
int tcp_bind(struct socket *sock, struct sockaddr_storage *addr, u32 len);
int tcp_connect(struct socket *sock, struct sockaddr_storage *addr, u32 len,
		bool nonblock);
/*
 * Starts the active open; @defer: without the SYN (TCP_F_FO_DEFER). On error
 * the sock is as before. lock_sock held.
 */
int tcp_start_connect(struct sock *sk, struct sockaddr_storage *addr, u32 len,
		      bool defer, u64 now);
/* tcp_accept.c */
int tcp_listen(struct socket *sock, int backlog);
int tcp_accept(struct socket *sock, struct socket *newsock, bool nonblock);
int tcp_getname(struct socket *sock, struct sockaddr_storage *addr,
		bool peer);
u32 tcp_poll(struct socket *sock);
int tcp_ioctl(struct socket *sock, unsigned int cmd, int *val);
/* tcp_sendmsg.c, tcp_recvmsg.c */
ssize_t tcp_sendmsg(struct socket *sock, struct msghdr *msg, bool nonblock);
ssize_t tcp_recvmsg(struct socket *sock, struct msghdr *msg, bool nonblock);
/* tcp_close.c */
int tcp_release(struct socket *sock);
int tcp_shutdown(struct socket *sock, int how);
/* Breaks the connection; the sock is as new. lock_sock held. */
int tcp_disconnect(struct sock *sk, u64 now);
/* tcp_sockopt.c */
int tcp_setsockopt(struct socket *sock, int level, int optname,
		   const void *val, u32 len);
int tcp_getsockopt(struct socket *sock, int level, int optname, void *val,
		   u32 *len);

/* tcp_info.c: fills @info, all of TCP_INFO; lock_sock held. */
struct tcp_info;
void tcp_get_info(const struct sock *sk, struct tcp_info *info, u64 now);

/* tcp_proto.c: a fresh sock of @family; NULL if memory is out. */
struct sock *tcp_create(u16 family);
/* A child of @listener with its options; unhashed, state CLOSE. Softirq. */
struct sock *tcp_sock_clone(const struct sock *listener);
/* Brings what a connection leaves behind back to a fresh sock's values. */
void tcp_init_sock(struct sock *sk);

/*
 * TCP_NOTSENT_LOWAT: is less than that unsent, @times over? A wakeup is for
 * half of it, so that the writer has something to do.
 */
static inline bool tcp_notsent_low(const struct tcp_sock *tp, u32 times)
{
	u32 most = READ_ONCE(tp->notsent_lowat);

	return likely(!most) ||
	       (READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt)) * times <
	       most;
}

/* Poll's question. */
static inline bool tcp_writeable(const struct tcp_sock *tp)
{
	return sk_stream_is_writeable(&tp->sk) && tcp_notsent_low(tp, 2);
}

/* Bytes that a reader could have now (poll, FIONREAD). */
static inline u32 tcp_inq(const struct tcp_sock *tp)
{
	u32 n = READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq);

	/* The FIN takes a number but is no byte. */
	return n && sock_flag(&tp->sk, SOCK_DONE) ? n - 1 : n;
}
