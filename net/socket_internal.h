/*
 * What the files of the socket layer share: socket.c (objects, files,
 * descriptors), socket_calls.c and socket_msg.c (system calls). Only socket.c
 * knows what a struct file is.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/errno.h"
#include "net/socket.h"

#define SOMAXCONN	4096	/* as Linux's net.core.somaxconn */
#define NPROTO		46	/* address families that have a number */
#define SOCK_MAX	11	/* socket types that have one */

/* A socket for the length of one system call. */
struct sockfd {
	struct file *file;
	bool owned;		/* a reference to the file was taken */
	bool nonblock;		/* the file's O_NONBLOCK */
};

/*
 * The socket behind @fd; NULL and *@err -EBADF or -ENOTSOCK if there is none.
 * Give it back with sockfd_put() unless it was NULL.
 */
struct socket *sockfd_lookup_light(int fd, int *err, struct sockfd *ref);
void sockfd_put(const struct sockfd *ref);

/* The socket that @file is, or NULL. */
struct socket *sock_from_file(struct file *file);

/* A fresh unconnected socket without a sock or a file; NULL: no memory. */
struct socket *sock_alloc(void) __must_check;
/* One with its sock; 0 or -errno (no such family or type, no memory). */
int sock_create(int family, int type, int protocol, struct socket **out)
	__must_check;
/* Ends it and its sock. Task, may sleep (SO_LINGER). */
void sock_release(struct socket *sock);

/*
 * Copies a user address in. 0; -EINVAL (negative or longer than any address),
 * -EFAULT.
 */
int move_addr_to_kernel(const void __user *uaddr, int ulen,
			struct sockaddr_storage *addr) __must_check;
/*
 * Copies @len bytes of @addr out, as many as *@ulen has room for; *@ulen
 * becomes @len. 0, -EFAULT, -EINVAL (*@ulen negative).
 */
int move_addr_to_user(const struct sockaddr_storage *addr, u32 len,
		      void __user *uaddr, int __user *ulen) __must_check;

/* What a stream's -EPIPE means for the task: SIGPIPE, unless it said no. */
void sock_sigpipe(const struct socket *sock, const struct msghdr *msg);

/*
 * One message out. A stream that is shut gives -EPIPE, and SIGPIPE unless
 * MSG_NOSIGNAL is in msg_flags. Task, may sleep.
 */
static inline ssize_t sock_sendmsg(struct socket *sock, struct msghdr *msg,
				   bool nonblock)
{
	ssize_t sent = sock->ops->sendmsg(sock, msg, nonblock);

	if (unlikely(sent == -EPIPE))
		sock_sigpipe(sock, msg);
	return sent;
}

/*
 * A socket in the file system for bind(2): *@key becomes what its name means,
 * to be given back with sock_path_put(). 0, -EADDRINUSE, -ENOENT, -ENOTDIR,
 * ... Task, may sleep; so are the others.
 */
int sock_path_make(const char *path, u64 *key) __must_check;
/* Takes the name away again, if it still means @key. */
void sock_path_remove(const char *path, u64 key);
/* What @path means: 0, or -ENOENT, -ECONNREFUSED (no socket), ... */
int sock_path_find(const char *path, u64 *key) __must_check;
void sock_path_put(u64 key);

/* A message without name and control; the caller sets msg_iter. */
static inline void msg_init(struct msghdr *msg, u32 flags)
{
	msg->msg_name = NULL;
	msg->msg_namelen = 0;
	msg->msg_flags = flags;
	msg->msg_control = NULL;
	msg->msg_controllen = 0;
}
