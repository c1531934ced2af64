/*
 * The system calls that move data: sendto, recvfrom, sendmsg, recvmsg and
 * their many-message forms. read and write come through the file instead.
 * Errors come in Linux's order. Task context, may sleep.
 */
#include "net/socket_internal.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "net/sock.h"

/* struct msghdr and struct mmsghdr of x86-64 Linux. */
struct user_msghdr {
	void __user *msg_name;
	s32 msg_namelen;
	u32 pad0;
	struct iovec __user *msg_iov;
	u64 msg_iovlen;
	void __user *msg_control;
	u64 msg_controllen;
	u32 msg_flags;
	u32 pad1;
};

struct user_mmsghdr {
	struct user_msghdr msg_hdr;
	u32 msg_len;
	u32 pad;
};

_Static_assert(sizeof(struct user_msghdr) == 56, "Linux's struct msghdr");
_Static_assert(sizeof(struct user_mmsghdr) == 64, "Linux's struct mmsghdr");

/* What recvmsg(2) may report in msg_flags. */
#define MSG_REPORTED	(MSG_OOB | MSG_CTRUNC | MSG_TRUNC | MSG_EOR | \
			 MSG_ERRQUEUE)

void sock_sigpipe(const struct socket *sock, const struct msghdr *msg)
{
	if (sock->type == SOCK_STREAM && !(msg->msg_flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current);
}

/* One user buffer as @msg's data. -EFAULT if it is not in user memory. */
static inline int import_buffer(struct msghdr *msg, void __user *buf,
				size_t len, u32 flags)
{
	len = min(len, MAX_RW_COUNT);
	if (unlikely(!access_ok(buf, len)))
		return -EFAULT;
	msg_init(msg, flags);
	iov_iter_ubuf(&msg->msg_iter, buf, len);
	return 0;
}

static noinline ssize_t send_to(struct socket *sock, struct msghdr *msg,
				bool nonblock, const void __user *uaddr,
				int ulen)
{
	struct sockaddr_storage addr;
	int err = move_addr_to_kernel(uaddr, ulen, &addr);

	if (err)
		return err;
	msg->msg_name = &addr;
	msg->msg_namelen = (u32)ulen;
	return sock_sendmsg(sock, msg, nonblock);
}

SYSCALL_DEFINE6(sendto, int, fd, void __user *, buf, size_t, len,
		u32, flags, const void __user *, uaddr, int, ulen)
{
	struct msghdr msg;
	struct socket *sock;
	struct sockfd ref;
	bool nonblock;
	ssize_t sent;
	int err;

	err = import_buffer(&msg, buf, len, flags);
	if (err)
		return err;
	sock = sockfd_lookup_light(fd, &err, &ref);
	if (!sock)
		return err;
	nonblock = ref.nonblock || flags & MSG_DONTWAIT;
	if (likely(!uaddr))
		sent = sock_sendmsg(sock, &msg, nonblock);
	else
		sent = send_to(sock, &msg, nonblock, uaddr, ulen);
	sockfd_put(&ref);
	return sent;
}

static noinline ssize_t receive_from(struct socket *sock, struct msghdr *msg,
				     bool nonblock, void __user *uaddr,
				     int __user *ulen)
{
	struct sockaddr_storage addr;
	ssize_t got;
	int err;

	msg->msg_name = &addr;
	got = sock->ops->recvmsg(sock, msg, nonblock);
	if (got < 0)
		return got;
	err = move_addr_to_user(&addr, msg->msg_namelen, uaddr, ulen);
	return err ? err : got;
}

SYSCALL_DEFINE6(recvfrom, int, fd, void __user *, buf, size_t, len,
		u32, flags, void __user *, uaddr, int __user *, ulen)
{
	struct msghdr msg;
	struct socket *sock;
	struct sockfd ref;
	bool nonblock;
	ssize_t got;
	int err;

	err = import_buffer(&msg, buf, len, flags);
	if (err)
		return err;
	sock = sockfd_lookup_light(fd, &err, &ref);
	if (!sock)
		return err;
	nonblock = ref.nonblock || flags & MSG_DONTWAIT;
	if (likely(!uaddr))
		got = sock->ops->recvmsg(sock, &msg, nonblock);
	else
		got = receive_from(sock, &msg, nonblock, uaddr, ulen);
	sockfd_put(&ref);
	return got;
}

/* A message's header, imported. */
struct message {
	struct msghdr msg;
	struct user_msghdr user;
	struct sockaddr_storage addr;
	struct iovec fast[UIO_FASTIOV];
	struct iovec *to_free;		/* longer vectors than that */
};

/* 0 and m->to_free to be freed; -EFAULT, -EINVAL, -EMSGSIZE, ... */
static int import_message(struct message *m,
			  const struct user_msghdr __user *umsg, u32 flags)
{
	struct user_msghdr *u = &m->user;

	m->to_free = NULL;
	if (copy_from_user(u, umsg, sizeof(*u)))
		return -EFAULT;
	if (!u->msg_name)
		u->msg_namelen = 0;
	if (u->msg_namelen < 0)
		return -EINVAL;
	if (u->msg_namelen > (s32)sizeof(m->addr))
		u->msg_namelen = sizeof(m->addr);
	m->msg.msg_name = NULL;
	m->msg.msg_namelen = 0;
	m->msg.msg_flags = flags;
	m->msg.msg_control = u->msg_control;
	m->msg.msg_controllen = u->msg_control ? u->msg_controllen : 0;
	if (u->msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	return import_iovec(u->msg_iov, u->msg_iovlen, m->fast, &m->to_free,
			    &m->msg.msg_iter);
}

static ssize_t send_message(struct socket *sock,
			    const struct user_msghdr __user *umsg, u32 flags,
			    bool nonblock)
{
	struct message m;
	ssize_t sent = import_message(&m, umsg, flags);

	if (sent)
		goto free;
	if (m.user.msg_namelen) {
		sent = move_addr_to_kernel(m.user.msg_name,
					   m.user.msg_namelen, &m.addr);
		if (sent)
			goto free;
		m.msg.msg_name = &m.addr;
		m.msg.msg_namelen = (u32)m.user.msg_namelen;
	}
	sent = m.msg.msg_controllen > INT32_MAX ?
		       -ENOBUFS : sock_sendmsg(sock, &m.msg, nonblock);
free:
	kfree(m.to_free);
	return sent;
}

/* Name, flags and control length back to the caller. */
static int report_message(struct message *m, struct user_msghdr __user *umsg,
			  u32 flags)
{
	u64 control = (u64)((char __user *)m->msg.msg_control -
			    (char __user *)m->user.msg_control);
	int err;

	if (m->user.msg_name) {
		err = move_addr_to_user(&m->addr, m->msg.msg_namelen,
					m->user.msg_name,
					&umsg->msg_namelen);
		if (err)
			return err;
	}
	/* Linux lets this one flag of the call show. */
	flags = (flags & MSG_CMSG_CLOEXEC) | (m->msg.msg_flags & MSG_REPORTED);
	if (put_user(flags, &umsg->msg_flags))
		return -EFAULT;
	return put_user(control, &umsg->msg_controllen);
}

static ssize_t receive_message(struct socket *sock,
			       struct user_msghdr __user *umsg, u32 flags,
			       bool nonblock)
{
	struct message m;
	ssize_t got = import_message(&m, umsg, flags);
	int err;

	if (got)
		goto free;
	if (m.user.msg_name)
		m.msg.msg_name = &m.addr;
	got = sock->ops->recvmsg(sock, &m.msg, nonblock);
	if (got >= 0) {
		err = report_message(&m, umsg, flags);
		if (err)
			got = err;
	}
free:
	kfree(m.to_free);
	return got;
}

SYSCALL_DEFINE3(sendmsg, int, fd, const struct user_msghdr __user *, umsg,
		u32, flags)
{
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);
	ssize_t sent;

	if (!sock)
		return err;
	sent = send_message(sock, umsg, flags,
			    ref.nonblock || flags & MSG_DONTWAIT);
	sockfd_put(&ref);
	return sent;
}

SYSCALL_DEFINE3(recvmsg, int, fd, struct user_msghdr __user *, umsg,
		u32, flags)
{
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);
	ssize_t got;

	if (!sock)
		return err;
	got = receive_message(sock, umsg, flags,
			      ref.nonblock || flags & MSG_DONTWAIT);
	sockfd_put(&ref);
	return got;
}

/* The message's place, which may be NULL: no pointer to do sums with. */
static struct user_msghdr __user *
message_at(struct user_mmsghdr __user *umsg, u32 i)
{
	return (struct user_msghdr __user *)((u64)umsg + i * sizeof(*umsg));
}

static u32 __user *length_at(struct user_mmsghdr __user *umsg, u32 i)
{
	return (u32 __user *)((u64)message_at(umsg, i) +
			      offsetof(struct user_mmsghdr, msg_len));
}

/* How many of the messages went out whole; the error only if none did. */
SYSCALL_DEFINE4(sendmmsg, int, fd, struct user_mmsghdr __user *, umsg,
		u32, vlen, u32, flags)
{
	struct sockfd ref;
	int err;
	struct socket *sock = sockfd_lookup_light(fd, &err, &ref);
	u32 done = 0;

	if (!sock)
		return err;
	vlen = min(vlen, (u32)UIO_MAXIOV);
	while (done < vlen) {
		ssize_t sent = send_message(sock, message_at(umsg, done),
					    flags, ref.nonblock ||
						    flags & MSG_DONTWAIT);

		err = sent < 0 ? (int)sent :
				 put_user((u32)sent, length_at(umsg, done));
		if (err)
			break;
		done++;
	}
	sockfd_put(&ref);
	return done ? (long)done : err;
}

/*
 * Receives up to @vlen messages until @deadline; it is looked at after each
 * message only, as on Linux. Returns how many, or -errno if none.
 */
static long receive_many(struct socket *sock, struct user_mmsghdr __user *umsg,
			 u32 vlen, u32 flags, bool nonblock, u64 deadline)
{
	u32 done = 0;
	int err = sock_error(sock->sk);

	while (!err && done < vlen) {
		ssize_t got = receive_message(sock, message_at(umsg, done),
					      flags & ~MSG_WAITFORONE,
					      nonblock);

		err = got < 0 ? (int)got :
				put_user((u32)got, length_at(umsg, done));
		if (err)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			nonblock = true;
		if (deadline != KTIME_MAX && ktime_get_ns() >= deadline)
			break;
	}
	/* The next call hears of what went wrong after some were received. */
	if (done && err && err != -EAGAIN)
		WRITE_ONCE(sock->sk->sk_err, -err);
	return done ? (long)done : err;
}

SYSCALL_DEFINE5(recvmmsg, int, fd, struct user_mmsghdr __user *, umsg,
		u32, vlen, u32, flags, struct timespec __user *, utimeout)
{
	u64 deadline = KTIME_MAX, now;
	struct timespec timeout;
	struct socket *sock;
	struct sockfd ref;
	long ret;
	int err;

	if (utimeout) {
		if (copy_from_user(&timeout, utimeout, sizeof(timeout)))
			return -EFAULT;
		if (!timespec_valid(&timeout))
			return -EINVAL;
		now = ktime_get_ns();
		deadline = timespec_to_ns(&timeout);
		deadline = deadline > KTIME_MAX - now ? KTIME_MAX :
							now + deadline;
	}
	sock = sockfd_lookup_light(fd, &err, &ref);
	if (!sock)
		return err;
	/* No bound, as on Linux: only sendmmsg() has one. */
	ret = receive_many(sock, umsg, vlen, flags,
			   ref.nonblock || flags & MSG_DONTWAIT, deadline);
	sockfd_put(&ref);
	if (ret > 0 && deadline != KTIME_MAX) {
		now = ktime_get_ns();
		timeout = ns_to_timespec(deadline > now ? deadline - now : 0);
		if (copy_to_user(utimeout, &timeout, sizeof(timeout)))
			ret = -EFAULT;
	}
	return ret;
}
