/*
 * The system calls on one socket that carry no data: bind, connect, listen,
 * shutdown, names and options. Each looks the descriptor up, copies user
 * memory, and asks the family; errors come in Linux's order. Task context.
 */
#include "net/socket_internal.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "net/sock.h"

/* No option is longer (struct tcp_info is 232 bytes). */
#define OPTVAL_MAX	256

int move_addr_to_kernel(const void __user *uaddr, int ulen,
			struct sockaddr_storage *addr)
{
	if (ulen < 0 || ulen > (int)sizeof(*addr))
		return -EINVAL;
	addr->ss_family = AF_UNSPEC;
	return copy_from_user(addr, uaddr, (size_t)ulen);
}

int move_addr_to_user(const struct sockaddr_storage *addr, u32 len,
		      void __user *uaddr, int __user *ulen)
{
	int room;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(uaddr, addr, min((u32)room, len)))
		return -EFAULT;
	return put_user((int)len, ulen);
}

SYSCALL_DEFINE3(bind, int, fd, const void __user *, uaddr, int, ulen)
{
	struct sockaddr_storage addr;
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);

	if (!sock)
		return err;
	err = move_addr_to_kernel(uaddr, ulen, &addr);
	if (!err)
		err = sock->ops->bind(sock, &addr, (u32)ulen);
	sockfd_put(&ref);
	return err;
}

SYSCALL_DEFINE3(connect, int, fd, const void __user *, uaddr, int, ulen)
{
	struct sockaddr_storage addr;
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);
	int bad_addr;

	/* Linux reads the address before it asks what the file is. */
	if (err == -EBADF)
		return err;
	bad_addr = move_addr_to_kernel(uaddr, ulen, &addr);
	if (!sock)
		return bad_addr ? bad_addr : err;
	err = bad_addr;
	if (!err)
		err = sock->ops->connect(sock, &addr, (u32)ulen, ref.nonblock);
	sockfd_put(&ref);
	return err;
}

SYSCALL_DEFINE2(listen, int, fd, int, backlog)
{
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);

	if (!sock)
		return err;
	if ((u32)backlog > SOMAXCONN)
		backlog = SOMAXCONN;
	err = sock->ops->listen(sock, backlog);
	sockfd_put(&ref);
	return err;
}

SYSCALL_DEFINE2(shutdown, int, fd, int, how)
{
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);

	if (!sock)
		return err;
	err = how < SHUT_RD || how > SHUT_RDWR ?
		      -EINVAL : sock->ops->shutdown(sock, how);
	sockfd_put(&ref);
	return err;
}

static int sock_getname(int fd, void __user *uaddr, int __user *ulen,
			bool peer)
{
	struct sockaddr_storage addr;
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);

	if (!sock)
		return err;
	err = sock->ops->getname(sock, &addr, peer);
	if (err >= 0)
		err = move_addr_to_user(&addr, (u32)err, uaddr, ulen);
	sockfd_put(&ref);
	return err;
}

SYSCALL_DEFINE3(getsockname, int, fd, void __user *, uaddr,
		int __user *, ulen)
{
	return sock_getname(fd, uaddr, ulen, false);
}

SYSCALL_DEFINE3(getpeername, int, fd, void __user *, uaddr,
		int __user *, ulen)
{
	return sock_getname(fd, uaddr, ulen, true);
}

/*
 * The option's value, as much of it as any option reads. An option reads its
 * own size only, so bytes missing behind the first word are no fault yet:
 * *@len says how many there are.
 */
static int get_optval(u8 val[OPTVAL_MAX], const void __user *uval, u32 *len)
{
	u32 n = min(*len, (u32)OPTVAL_MAX);
	u32 missing = (u32)raw_copy_from_user(val, uval, n);

	*len = n - missing;
	return missing && *len < sizeof(int) ? -EFAULT : 0;
}

static int do_setsockopt(struct socket *sock, int level, int optname,
			 const void __user *uval, u32 ulen)
{
	u8 val[OPTVAL_MAX] __aligned(8);
	u32 len = ulen;
	int err = get_optval(val, uval, &len);

	/* Too short for an int is found before the memory is looked at. */
	if (err && level == SOL_SOCKET && ulen < sizeof(int))
		return -EINVAL;
	if (err)
		return err;
	if (level == SOL_SOCKET)
		return sock_setsockopt(sock->sk, optname, val, len);
	if (!sock->ops->setsockopt)
		return -EOPNOTSUPP;
	return sock->ops->setsockopt(sock, level, optname, val, len);
}

SYSCALL_DEFINE5(setsockopt, int, fd, int, level, int, optname,
		const void __user *, uval, int, len)
{
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);

	if (!sock)
		return err;
	err = len < 0 ? -EINVAL :
			do_setsockopt(sock, level, optname, uval, (u32)len);
	sockfd_put(&ref);
	return err;
}

static int do_getsockopt(struct socket *sock, int level, int optname,
			 void __user *uval, int __user *ulen)
{
	u8 val[OPTVAL_MAX] __aligned(8);
	int room, err;
	u32 len;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	len = min((u32)room, (u32)OPTVAL_MAX);
	if (level == SOL_SOCKET)
		err = sock_getsockopt(sock->sk, optname, val, &len);
	else if (sock->ops->getsockopt)
		err = sock->ops->getsockopt(sock, level, optname, val, &len);
	else
		err = -EOPNOTSUPP;
	if (err)
		return err;
	if (copy_to_user(uval, val, len))
		return -EFAULT;
	return put_user((int)len, ulen);
}

SYSCALL_DEFINE5(getsockopt, int, fd, int, level, int, optname,
		void __user *, uval, int __user *, ulen)
{
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);

	if (!sock)
		return err;
	err = do_getsockopt(sock, level, optname, uval, ulen);
	sockfd_put(&ref);
	return err;
}
