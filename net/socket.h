/*
 * struct socket: what a socket descriptor's file points to, and the table of
 * operations that each family fills. net/socket.c holds the system calls and
 * is the one place where the network meets files.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "kernel/uio.h"
#include "kernel/wait.h"

struct file;
struct sock;
struct socket;

#define AF_UNSPEC	0
#define AF_UNIX		1
#define AF_INET		2
#define AF_INET6	10

#define SOCK_STREAM	1
#define SOCK_DGRAM	2
#define SOCK_RAW	3
#define SOCK_SEQPACKET	5
#define SOCK_TYPE_MASK	0xf
#define SOCK_CLOEXEC	02000000
#define SOCK_NONBLOCK	04000

#define SOL_SOCKET	1

#define SHUT_RD		0
#define SHUT_WR		1
#define SHUT_RDWR	2

#define MSG_OOB		0x1
#define MSG_PEEK	0x2
#define MSG_DONTROUTE	0x4
#define MSG_CTRUNC	0x8
#define MSG_TRUNC	0x20
#define MSG_DONTWAIT	0x40
#define MSG_EOR		0x80
#define MSG_WAITALL	0x100
#define MSG_ERRQUEUE	0x2000
#define MSG_NOSIGNAL	0x4000
#define MSG_MORE	0x8000
#define MSG_WAITFORONE	0x10000
#define MSG_ZEROCOPY	0x4000000
#define MSG_SPLICE_PAGES 0x8000000	/* ours: msg_iter.page has the bytes */
#define MSG_FASTOPEN	0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000

/* As user space lays them out. */
struct sockaddr {
	u16 sa_family;
	u8 sa_data[14];
};

struct sockaddr_in {
	u16 sin_family;
	be16 sin_port;
	be32 sin_addr;
	u8 sin_zero[8];
};

struct sockaddr_in6 {
	u16 sin6_family;
	be16 sin6_port;
	be32 sin6_flowinfo;
	be32 sin6_addr[4];
	u32 sin6_scope_id;
};

struct sockaddr_storage {
	u16 ss_family;
	u8 data[126];
} __aligned(8);

/* One sendmsg or recvmsg inside the kernel. */
struct msghdr {
	struct sockaddr_storage *msg_name; /* NULL: none wanted or given */
	u32 msg_namelen;		/* bytes in it, in and out */
	u32 msg_flags;			/* MSG_, out: MSG_TRUNC, ... */
	struct iov_iter msg_iter;
	void __user *msg_control;
	size_t msg_controllen;
};

enum socket_state {
	SS_UNCONNECTED,
	SS_CONNECTING,
	SS_CONNECTED,
	SS_DISCONNECTING,
};

/* Locks: c const after creation, k the sock's sk lock. */
struct socket {
	const struct proto_ops *ops;	/* c */
	struct sock *sk;		/* k */
	struct file *file;		/* c */
	u16 type;			/* c */
	u8 state;			/* k  enum socket_state */
	struct wait_queue_head wq;	/* who waits: poll, epoll, sleepers */
};

/*
 * Operations of one family and type. Task context, may sleep; @nonblock is
 * the file's O_NONBLOCK or MSG_DONTWAIT. 0 or a count, or -errno.
 */
struct proto_ops {
	u16 family;
	int (*release)(struct socket *sock);
	int (*bind)(struct socket *sock, struct sockaddr_storage *addr,
		    u32 len);
	int (*connect)(struct socket *sock, struct sockaddr_storage *addr,
		       u32 len, bool nonblock);
	/* Joins two fresh sockets; NULL: the family has no pairs. */
	int (*socketpair)(struct socket *a, struct socket *b);
	int (*listen)(struct socket *sock, int backlog);
	/* Gives @newsock, fresh and with ops set, the next connection. */
	int (*accept)(struct socket *sock, struct socket *newsock,
		      bool nonblock);
	/* Fills @addr with our address or (@peer) the other's; its length. */
	int (*getname)(struct socket *sock, struct sockaddr_storage *addr,
		       bool peer);
	/* Event bits now. Lock-free: reads single fields of the sock. */
	u32 (*poll)(struct socket *sock);
	ssize_t (*sendmsg)(struct socket *sock, struct msghdr *msg,
			   bool nonblock);
	/* sendmsg knows MSG_SPLICE_PAGES. */
	bool takes_pages;
	/* On return msg_flags holds what recvmsg(2) reports, nothing else. */
	ssize_t (*recvmsg)(struct socket *sock, struct msghdr *msg,
			   bool nonblock);
	int (*shutdown)(struct socket *sock, int how);
	int (*setsockopt)(struct socket *sock, int level, int optname,
			  const void *val, u32 len);
	/* @len: in, room at @val; out, bytes filled. */
	int (*getsockopt)(struct socket *sock, int level, int optname,
			  void *val, u32 *len);
	/* FIONREAD and friends; -ENOTTY if it is not the family's. */
	int (*ioctl)(struct socket *sock, unsigned int cmd, int *val);
};

/* How a family makes sockets; registered at boot. */
struct net_proto_family {
	u16 family;
	/* Sets sock->ops and sock->sk. 0, -ESOCKTNOSUPPORT, -ENOMEM, ... */
	int (*create)(struct socket *sock, u16 type, int protocol);
};

/* 0, -ENOBUFS (no such family number), -EEXIST. Boot. */
int sock_register(const struct net_proto_family *family);

/* Socket objects and the system calls' side. Boot. */
void socket_init(void);

struct sock;

/* SIGURG for whom F_SETOWN named, if anybody. sk lock; any context. */
void sk_send_sigurg(const struct sock *sk);
