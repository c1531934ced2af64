/*
 * Sockets as files: struct socket, the file operations, and the calls that
 * make descriptors (socket, socketpair, accept). The one place where net/
 * meets fs/. Task context throughout; the protocols lock for themselves.
 */
#include "net/socket.h"

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/stat.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/poll.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "net/ifconf.h"
#include "net/sock.h"
#include "net/socket_internal.h"
#include "net/tcp/tcp.h"

static struct kmem_cache *socket_cache __ro_after_init;
static const struct net_proto_family *families[NPROTO];	/* boot only */

int sock_register(const struct net_proto_family *family)
{
	if (family->family >= NPROTO)
		return -ENOBUFS;
	if (families[family->family])
		return -EEXIST;
	families[family->family] = family;
	return 0;
}

__cold void socket_init(void)
{
	socket_cache = kmem_cache_create("socket", sizeof(struct socket), 0,
					 0);
	if (!socket_cache)
		panic("socket_init: out of memory; give the machine more");
}

/* ---- the object ---- */

struct socket *sock_alloc(void)
{
	struct socket *sock = kmem_cache_alloc(socket_cache);

	if (!sock)
		return NULL;
	sock->ops = NULL;
	sock->sk = NULL;
	sock->file = NULL;
	sock->type = 0;
	sock->state = SS_UNCONNECTED;
	init_waitqueue_head(&sock->wq);
	return sock;
}

void sock_release(struct socket *sock)
{
	if (sock->sk)
		sock->ops->release(sock);
	kmem_cache_free(socket_cache, sock);
}

/* ---- the file ---- */

static ssize_t sock_read_iter(struct file *file, struct iov_iter *to,
			      loff_t *pos)
{
	struct socket *sock = file->private_data;
	struct msghdr msg;

	(void)pos;
	if (!to->count)
		return 0;
	msg_init(&msg, 0);
	msg.msg_iter = *to;
	return sock->ops->recvmsg(sock, &msg, file->f_flags & O_NONBLOCK);
}

static ssize_t sock_write_iter(struct file *file, struct iov_iter *from,
			       loff_t *pos)
{
	struct socket *sock = file->private_data;
	struct msghdr msg;

	(void)pos;
	msg_init(&msg, 0);
	msg.msg_iter = *from;
	return sock_sendmsg(sock, &msg, file->f_flags & O_NONBLOCK);
}

static ssize_t sock_write_pages(struct file *file, const struct page_run *run,
				u32 nr, bool more)
{
	struct socket *sock = file->private_data;
	struct iovec iov[WRITE_RUNS];
	struct msghdr msg;

	if (!sock->ops->takes_pages)
		return -EOPNOTSUPP;
	msg_init(&msg, MSG_SPLICE_PAGES | (more ? MSG_MORE : 0));
	msg.msg_iter = (struct iov_iter){
		.iov = iov, .kernel = true, .runs = run, .runs_iov = iov,
	};
	for (u32 i = 0; i < nr; i++) {
		iov[i] = (struct iovec){ run[i].data, run[i].len };
		msg.msg_iter.count += run[i].len;
	}
	return sock_sendmsg(sock, &msg, file->f_flags & O_NONBLOCK);
}

static u32 sock_poll(struct file *file, struct poll_table *pt)
{
	struct socket *sock = file->private_data;

	poll_wait(file, &sock->wq, pt);
	return sock->ops->poll(sock);
}

#define FIOSETOWN	0x8901
#define SIOCSPGRP	0x8902
#define FIOGETOWN	0x8903
#define SIOCGPGRP	0x8904

static __cold long sock_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	struct socket *sock = file->private_data;
	int val = 0;
	int err;

	if (dev_ioctl_known(cmd))
		return dev_ioctl(cmd, (void __user *)arg);
	if (cmd == FIOSETOWN || cmd == SIOCSPGRP)
		return get_user(val, (int __user *)arg)
			? -EFAULT : file_set_owner(file, val);
	if (cmd == FIOGETOWN || cmd == SIOCGPGRP)
		return put_user(file_get_owner(file), (int __user *)arg);
	if (!sock->ops->ioctl)
		return -ENOTTY;
	err = sock->ops->ioctl(sock, cmd, &val);
	if (err)
		return err;
	return put_user(val, (int __user *)arg);
}

static __cold int sock_stat(struct file *file, struct kstat *st)
{
	const struct socket *sock = file->private_data;

	*st = (struct kstat){ .dev = DEV_ANON, .nlink = 1,
			      .ino = sock->sk ? sock_i_ino(sock->sk) : 0,
			      .mode = S_IFSOCK | 0777 };
	return 0;
}

static void sock_close(struct file *file)
{
	sock_release(file->private_data);
}

static const struct file_operations socket_file_ops = {
	.read_iter = sock_read_iter,
	.write_iter = sock_write_iter,
	.write_pages = sock_write_pages,
	.poll = sock_poll,
	.ioctl = sock_ioctl,
	.stat = sock_stat,
	.release = sock_close,
	.name = "socket",
};

/*
 * The file of @sock, which it takes over even when it fails. @dname, the
 * protocol's, is for the log. NULL: no memory.
 */
static struct file *sock_alloc_file(struct socket *sock, u32 flags,
				    const char *dname)
{
	struct file *file = file_alloc(&socket_file_ops, sock,
				       O_RDWR | (flags & O_NONBLOCK));

	if (!file) {
		pr_debug("%s: no memory for a socket's file\n", dname);
		sock_release(sock);
		return NULL;
	}
	sock->file = file;
	return file;
}

__cold void sk_send_sigurg(const struct sock *sk)
{
	const struct socket *sock = sk->sk_socket;

	if (sock && sock->file && READ_ONCE(sock->file->f_owner))
		signal_program(SIGURG);
}

/* ---- descriptors ---- */

struct socket *sock_from_file(struct file *file)
{
	return file->f_op == &socket_file_ops ? file->private_data : NULL;
}

struct socket *sockfd_lookup_light(int fd, int *err, struct sockfd *ref)
{
	struct fd_ref f = fdget(fd);

	if (!f.file) {
		*err = -EBADF;
		return NULL;
	}
	if (f.file->f_op != &socket_file_ops) {
		fdput(f);
		*err = -ENOTSOCK;
		return NULL;
	}
	ref->file = f.file;
	ref->owned = f.owned;
	ref->nonblock = f.file->f_flags & O_NONBLOCK;
	*err = 0;
	return f.file->private_data;
}

void sockfd_put(const struct sockfd *ref)
{
	if (ref->owned)
		fput(ref->file);
}

__cold int sock_create(int family, int type, int protocol, struct socket **out)
{
	struct socket *sock;
	int err;

	if (family < 0 || family >= NPROTO)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= SOCK_MAX)
		return -EINVAL;
	if (!families[family])
		return -EAFNOSUPPORT;
	sock = sock_alloc();
	if (!sock)
		return -ENFILE;
	sock->type = (u16)type;
	err = families[family]->create(sock, (u16)type, protocol);
	if (err) {
		sock_release(sock);
		return err;
	}
	*out = sock;
	return 0;
}

/* Gives @sock (takes it over) the lowest free descriptor. */
static int sock_map_fd(struct socket *sock, u32 flags)
{
	int fd = get_unused_fd_flags(flags & O_CLOEXEC);
	struct file *file;

	if (fd < 0) {
		sock_release(sock);
		return fd;
	}
	file = sock_alloc_file(sock, flags,
			       sock->sk->sk_prot_creator->name);
	if (!file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, file);
	return fd;
}

SYSCALL_DEFINE3(socket, int, family, int, type, int, protocol)
{
	u32 flags = (u32)type & ~(u32)SOCK_TYPE_MASK;
	struct socket *sock;
	int err;

	if (flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	err = sock_create(family, type & SOCK_TYPE_MASK, protocol, &sock);
	if (err)
		return err;
	return sock_map_fd(sock, flags);
}

/* Two sockets of one kind, joined. 0 or -errno, then there are none. */
static int create_pair(int family, int type, int protocol,
		       struct socket *pair[2])
{
	int err = sock_create(family, type, protocol, &pair[0]);

	if (err)
		return err;
	err = sock_create(family, type, protocol, &pair[1]);
	if (err)
		goto release_first;
	err = -EOPNOTSUPP;
	if (pair[0]->ops->socketpair)
		err = pair[0]->ops->socketpair(pair[0], pair[1]);
	if (!err)
		return 0;
	sock_release(pair[1]);
release_first:
	sock_release(pair[0]);
	return err;
}

/* Opens both of a pair, which it takes over, under reserved descriptors. */
static int install_pair(struct socket *pair[2], const int fd[2], u32 flags)
{
	const char *name = pair[0]->sk->sk_prot_creator->name;
	struct file *one = sock_alloc_file(pair[0], flags, name), *two;

	if (!one) {
		sock_release(pair[1]);
		return -ENOMEM;
	}
	two = sock_alloc_file(pair[1], flags, name);
	if (!two) {
		fput(one);
		return -ENOMEM;
	}
	fd_install(fd[0], one);
	fd_install(fd[1], two);
	return 0;
}

/* The numbers are reserved and told first: after that nothing may fail. */
SYSCALL_DEFINE4(socketpair, int, family, int, type, int, protocol,
		int __user *, ufd)
{
	u32 flags = (u32)type & ~(u32)SOCK_TYPE_MASK;
	struct socket *pair[2];
	int fd[2], err;

	if (flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	fd[0] = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd[0] < 0)
		return fd[0];
	fd[1] = get_unused_fd_flags(flags & O_CLOEXEC);
	err = fd[1];
	if (err < 0)
		goto put_first;
	err = -EFAULT;
	if (put_user(fd[0], &ufd[0]) || put_user(fd[1], &ufd[1]))
		goto put_second;
	err = create_pair(family, type & SOCK_TYPE_MASK, protocol, pair);
	if (!err)
		err = install_pair(pair, fd, flags);
	if (!err)
		return 0;
put_second:
	put_unused_fd(fd[1]);
put_first:
	put_unused_fd(fd[0]);
	return err;
}

/*
 * A server that accepts until nothing is left ends each round here, before
 * anything was allocated for a connection that is not there.
 */
static bool nothing_to_accept(struct socket *sock, bool nonblock)
{
	return nonblock && READ_ONCE(sock->sk->sk_state) == TCP_LISTEN &&
	       !(sock->ops->poll(sock) & (EPOLLIN | EPOLLERR | EPOLLHUP));
}

/* Where the connection came from; ECONNABORTED if it is gone already. */
static noinline int put_peer_addr(struct socket *newsock, void __user *uaddr,
			 int __user *ulen)
{
	struct sockaddr_storage addr;
	int len = newsock->ops->getname(newsock, &addr, true);

	if (len < 0)
		return -ECONNABORTED;
	return move_addr_to_user(&addr, (u32)len, uaddr, ulen);
}

/* A descriptor for the next connection of listening @sock, or -errno. */
static int do_accept(struct socket *sock, bool nonblock, void __user *uaddr,
		     int __user *ulen, u32 flags)
{
	struct socket *newsock;
	struct file *newfile;
	int newfd, err;

	if (nothing_to_accept(sock, nonblock))
		return -EAGAIN;
	newsock = sock_alloc();
	if (!newsock)
		return -ENFILE;
	newsock->type = sock->type;
	newsock->ops = sock->ops;

	newfd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (newfd < 0) {
		sock_release(newsock);
		return newfd;
	}
	newfile = sock_alloc_file(newsock, flags,
				  sock->sk->sk_prot_creator->name);
	if (!newfile) {
		err = -ENOMEM;
		goto put_fd;
	}

	err = sock->ops->accept(sock, newsock, nonblock);
	if (!err && uaddr)
		err = put_peer_addr(newsock, uaddr, ulen);
	if (err)
		goto put_file;
	fd_install(newfd, newfile);
	return newfd;

put_file:
	fput(newfile);
put_fd:
	put_unused_fd(newfd);
	return err;
}

SYSCALL_DEFINE4(accept4, int, fd, void __user *, upeer_sockaddr,
		int __user *, upeer_addrlen, int, flags)
{
	struct socket *sock;
	struct sockfd ref;
	int err;

	sock = sockfd_lookup_light(fd, &err, &ref);
	if (err == -EBADF)
		return err;
	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		err = -EINVAL;
	if (!err)
		err = do_accept(sock, ref.nonblock, upeer_sockaddr,
				upeer_addrlen, (u32)flags);
	if (sock)
		sockfd_put(&ref);
	return err;
}

SYSCALL_DEFINE3(accept, int, fd, void __user *, upeer_sockaddr,
		int __user *, upeer_addrlen)
{
	return sys_accept4(fd, upeer_sockaddr, upeer_addrlen, 0);
}
