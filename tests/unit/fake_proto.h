/*
 * A protocol that says what a test told it to say, under the real socket
 * layer; the system calls; a task with one such socket open.
 */
#pragma once

#include "kernel/types.h"
#include "net/dev.h"

long sys_socket(int family, int type, int protocol);
long sys_socketpair(int family, int type, int protocol, int *fds);
long sys_accept(int fd, void *addr, int *len);
long sys_accept4(int fd, void *addr, int *len, int flags);
long sys_bind(int fd, const void *addr, int len);
long sys_connect(int fd, const void *addr, int len);
long sys_listen(int fd, int backlog);
long sys_shutdown(int fd, int how);
long sys_getsockname(int fd, void *addr, int *len);
long sys_getpeername(int fd, void *addr, int *len);
long sys_setsockopt(int fd, int level, int name, const void *val, int len);
long sys_getsockopt(int fd, int level, int name, void *val, int *len);
long sys_sendto(int fd, void *buf, size_t len, u32 flags, const void *addr,
		int alen);
long sys_recvfrom(int fd, void *buf, size_t len, u32 flags, void *addr,
		  int *alen);
long sys_sendmsg(int fd, const void *msg, u32 flags);
long sys_recvmsg(int fd, void *msg, u32 flags);
long sys_sendmmsg(int fd, void *msg, u32 vlen, u32 flags);
long sys_recvmmsg(int fd, void *msg, u32 vlen, u32 flags, void *timeout);

/* What the fake protocol says and what it saw. */
struct fake_proto_state {
	int answer;		/* of the next operation, if not 0 */
	int name_answer;	/* of getname, if not 0 */
	u32 poll_answer;
	u32 accepts, releases;
	bool was_nonblock;
	u32 was_len, was_flags;
	int was_backlog;
	bool keepalive;
	char stream[64];	/* what was sent, what is received */
	size_t stream_len;
	int last_signal;
	bool have_ifaddr;
};

extern struct fake_proto_state fake;
extern struct net_device fake_eth;
extern const struct proto_ops fake_ops;
extern int fd;			/* a socket */
extern int plain;		/* a descriptor of something else */

int fake_proto_group_setup(void **state);
int fake_proto_setup(void **state);
int fake_proto_teardown(void **state);

/* struct msghdr and mmsghdr, as the program has them. */
struct umsghdr {
	void *name;
	int namelen;
	struct iovec *iov;
	size_t iovlen;
	void *control;
	size_t controllen;
	u32 flags;
};

struct ummsghdr {
	struct umsghdr hdr;
	u32 len;
};
