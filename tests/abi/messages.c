/* The many forms of send and receive, and which error comes first. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

/* musl looks into messages by itself: here the kernel shall. */
#define SENDMSG(...)	syscall(SYS_sendmsg, __VA_ARGS__)
#define RECVMSG(...)	syscall(SYS_recvmsg, __VA_ARGS__)
#define SENDMMSG(...)	syscall(SYS_sendmmsg, __VA_ARGS__)
#define RECVMMSG(...)	syscall(SYS_recvmmsg, __VA_ARGS__)
#define SOCKETPAIR(...)	syscall(SYS_socketpair, __VA_ARGS__)

CASE(first_error_of_two)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);
	int f = open("/dev/null", O_RDWR), len = -1;
	struct sockaddr_in a = loopback(1);
	char c;

	TRY(bind(99, (void *)&a, -1));
	TRY(bind(f, (void *)&a, -1));
	TRY(bind(s, BAD_LOW, -1));
	TRY(bind(s, BAD_LOW, 129));
	TRY(bind(s, BAD_LOW, 16));
	TRY(bind(s, BAD_LOW, 0));
	TRY(bind(s, (void *)&a, 15));
	TRY(connect(99, BAD_LOW, -1));
	TRY(connect(f, BAD_LOW, -1));
	TRY(connect(f, BAD_LOW, 16));
	TRY(connect(f, (void *)&a, 16));
	TRY(connect(s, BAD_LOW, 16));
	TRY(connect(s, (void *)&a, 1));
	TRY(listen(99, 1));
	TRY(listen(f, 1));
	TRY(accept(99, NULL, NULL));
	TRY(accept(f, NULL, NULL));
	TRY(accept(s, NULL, NULL));
	TRY(accept4(99, NULL, NULL, 1));
	TRY(accept4(s, NULL, NULL, 1));
	TRY(shutdown(f, 9));
	TRY(shutdown(s, 9));
	TRY(shutdown(s, -1));
	TRY(shutdown(s, 1));
	TRY(getsockname(f, NULL, NULL));
	TRY(getsockname(s, BAD_LOW, BAD_HOLE));
	TRY(getsockname(s, (void *)&a, (void *)&len));
	TRY(getpeername(s, BAD_LOW, BAD_HOLE));
	TRY(setsockopt(99, 1, 2, NULL, 4));
	TRY(setsockopt(f, 1, 2, NULL, 4));
	TRY(setsockopt(s, 1, 2, NULL, 3));
	TRY(setsockopt(s, 1, 2, BAD_LOW, 4));
	TRY(setsockopt(s, 1, 999, &len, 4));
	TRY(setsockopt(s, 999, 1, &len, 4));
	TRY(getsockopt(s, 1, 2, &c, BAD_LOW));
	TRY(getsockopt(s, 1, 2, &c, (void *)&len));
	TRY(getsockopt(s, 1, 999, &c, (void *)&len));
	len = 4;
	TRY(getsockopt(s, 999, 1, &c, (void *)&len));
	TRY(send(99, BAD_KERNEL, 1, 0));
	TRY(send(99, &c, 1, 0));
	TRY(send(f, &c, 1, 0));
	TRY(recv(99, BAD_KERNEL, 1, 0));
	TRY(recv(f, &c, 1, 0));
	TRY(recv(s, &c, 1, MSG_DONTWAIT));
	close(s);
	close(f);
}

CASE(short_options)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), v = 0, len;

	for (len = 0; len <= 8; len += 2) {
		int l = len;

		v = -1;
		TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, (void *)&l));
		say("len %d value %d", l, l == 4 ? v : v & 0xff);
	}
	len = 4;
	TRY(getsockopt(s, SOL_SOCKET, SO_LINGER, &v, (void *)&len));
	say("len %d", len);
	len = 4;
	TRY(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &v, (void *)&len));
	say("len %d", len);
	TRY(setsockopt(s, SOL_SOCKET, SO_LINGER, &v, 4));
	TRY(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &v, 8));
	TRY(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 6));
	TRY(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	TRY(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 1));
	close(s);
}

static long get(int s, int name)
{
	int v = -1, len = sizeof(v);

	return getsockopt(s, SOL_SOCKET, name, &v, (void *)&len) ? -errno : v;
}

/* Option @name, set to @v, and read back: value or -errno. */
static void show_set(int s, int name, int v)
{
	int err = setsockopt(s, SOL_SOCKET, name, &v, sizeof(v)) ? errno : 0;

	say("option %d: %d gives %d, %ld", name, v, err, get(s, name));
}

CASE(socket_options)
{
	static const int flags[] = { SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST,
				     SO_KEEPALIVE, SO_OOBINLINE, SO_REUSEPORT,
				     SO_DEBUG };
	static const int fixed[] = { SO_TYPE, SO_ERROR, SO_DOMAIN,
				     SO_PROTOCOL, SO_ACCEPTCONN,
				     SO_SNDLOWAT };
	static const int sizes[] = { 9, 0, 1152, 1153, 2303, 2304, 2305,
				     5000, 100000 };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		show_set(s, flags[i], 7);
	for (unsigned i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		show_set(s, fixed[i], 1);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		show_set(s, SO_RCVBUF, sizes[i]);
		show_set(s, SO_SNDBUF, sizes[i]);
	}
	show_set(s, SO_RCVLOWAT, 0);
	show_set(s, SO_RCVLOWAT, -1);
	show_set(s, SO_RCVLOWAT, 9);
	show_set(s, SO_PRIORITY, 6);
	show_set(s, SO_MARK, 77);
	show_set(s, SO_BINDTOIFINDEX, 1);
	show_set(s, SO_BINDTOIFINDEX, 99);
	show_set(s, SO_BINDTOIFINDEX, -1);
	close(s);
}

CASE(timeout_options)
{
	static const struct timeval in[] = {
		{ 0, 0 }, { 1, 0 }, { 2, 500000 }, { 0, 100000 }, { -1, 0 },
		{ 0, -1 }, { 0, 1000000 },
	};
	int s = socket(AF_INET, SOCK_STREAM, 0);

	for (unsigned i = 0; i < sizeof(in) / sizeof(*in); i++) {
		struct timeval tv = in[i];
		socklen_t len = sizeof(tv);

		TRY(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
		TRY(getsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, &len));
		say("%ld.%06ld", (long)tv.tv_sec, (long)tv.tv_usec);
	}
	close(s);
}

CASE(linger_options)
{
	struct linger in[] = { { 1, 5 }, { 0, 9 }, { 7, 0 }, { 1, 65536 } };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	for (unsigned i = 0; i < sizeof(in) / sizeof(*in); i++) {
		struct linger l = in[i];
		socklen_t len = sizeof(l);

		TRY(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
		TRY(getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &len));
		say("%d %d", l.l_onoff, l.l_linger);
	}
	close(s);
}

CASE(scatter_and_gather)
{
	char a[3] = "", b[8] = "";
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
	struct iovec in[2] = { { a, 2 }, { b, 7 } };
	struct sockaddr_in from;
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 3 };
	int fd[2];

	tcp_pair(fd);
	TRY(SENDMSG(fd[0], &m, 0));
	settle(fd[1], 1);
	m = (struct msghdr){ .msg_iov = in, .msg_iovlen = 2,
			     .msg_name = &from, .msg_namelen = sizeof(from),
			     .msg_flags = -1, .msg_control = b,
			     .msg_controllen = 4 };
	TRY(RECVMSG(fd[1], &m, MSG_PEEK));
	say("'%s' '%s' name %u flags %x control %zu", a, b,
	    (unsigned)m.msg_namelen, (unsigned)m.msg_flags,
	    (size_t)m.msg_controllen);
	TRY(RECVMSG(fd[1], &m, MSG_TRUNC));
	TRY(RECVMSG(fd[1], &m, 0));
	m.msg_iovlen = 1025;
	TRY(SENDMSG(fd[0], &m, 0));
	TRY(RECVMSG(fd[0], &m, 0));
	m.msg_iovlen = 1;
	m.msg_iov = BAD_LOW;
	TRY(SENDMSG(fd[0], &m, 0));
	TRY(RECVMSG(fd[0], &m, 0));
	TRY(SENDMSG(fd[0], BAD_LOW, 0));
	TRY(RECVMSG(fd[0], BAD_LOW, 0));
	m = (struct msghdr){ .msg_name = a, .msg_namelen = -1 };
	TRY(SENDMSG(fd[0], &m, 0));
	TRY(RECVMSG(fd[0], &m, 0));
	m = (struct msghdr){ 0 };
	TRY(SENDMSG(fd[0], &m, 0));
	in[0].iov_len = -1;
	m = (struct msghdr){ .msg_iov = in, .msg_iovlen = 1 };
	TRY(SENDMSG(fd[0], &m, 0));
	close(fd[0]);
	close(fd[1]);
}

CASE(many_messages)
{
	char buf[2][8] = { "", "" };
	struct iovec iov[2] = { { "one", 3 }, { "two", 3 } };
	struct mmsghdr m[2] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};
	struct timespec bad = { 0, -1 };
	int s = socket(AF_INET, SOCK_DGRAM, 0), t;
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);

	OK(bind(s, (void *)&a, sizeof(a)));
	OK(getsockname(s, (void *)&a, &len));
	t = socket(AF_INET, SOCK_DGRAM, 0);
	OK(connect(t, (void *)&a, sizeof(a)));
	TRY(SENDMMSG(t, m, 2, 0));
	say("%u %u", m[0].msg_len, m[1].msg_len);
	TRY(SENDMMSG(t, m, 0, 0));
	TRY(SENDMMSG(99, m, 1, 0));
	TRY(SENDMMSG(t, BAD_LOW, 1, 0));
	settle(s, 1);
	iov[0] = (struct iovec){ buf[0], 8 };
	iov[1] = (struct iovec){ buf[1], 2 };
	TRY(RECVMMSG(s, m, 2, MSG_DONTWAIT, &bad));
	TRY(RECVMMSG(99, m, 2, MSG_DONTWAIT, BAD_LOW));
	TRY(RECVMMSG(99, m, 2, MSG_DONTWAIT, NULL));
	TRY(RECVMMSG(s, m, 2, MSG_DONTWAIT, NULL));
	say("'%s' %u flags %x", buf[0], m[0].msg_len,
	    (unsigned)m[0].msg_hdr.msg_flags);
	say("'%.2s' %u flags %x", buf[1], m[1].msg_len,
	    (unsigned)m[1].msg_hdr.msg_flags);
	TRY(RECVMMSG(s, m, 2, MSG_DONTWAIT, NULL));
	close(s);
	close(t);
}

static bool pipe_pending(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGPIPE);
}

CASE(sigpipe)
{
	sigset_t set;
	int fd[2];

	tcp_pair(fd);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	TRY(sigprocmask(SIG_BLOCK, &set, NULL));
	TRY(shutdown(fd[0], SHUT_WR));
	TRY(send(fd[0], "x", 1, MSG_NOSIGNAL));
	say("%d", pipe_pending());
	TRY(send(fd[0], "", 0, MSG_NOSIGNAL));
	TRY(send(fd[0], "x", 1, 0));
	say("%d", pipe_pending());
	signal(SIGPIPE, SIG_IGN);
	say("%d", pipe_pending());
	TRY(sigprocmask(SIG_UNBLOCK, &set, NULL));
	TRY(write(fd[0], "x", 1));
	say("%d", pipe_pending());
	close(fd[0]);
	close(fd[1]);
}

CASE(pairs_and_families)
{
	int fd[2];

	TRY(SOCKETPAIR(AF_INET, SOCK_STREAM, 0, fd));
	TRY(SOCKETPAIR(AF_INET, SOCK_STREAM | 0x100, 0, fd));
	TRY(SOCKETPAIR(AF_INET, SOCK_STREAM, 0, BAD_LOW));
	TRY(SOCKETPAIR(AF_INET, 15, 0, fd));
	TRY(SOCKETPAIR(99, SOCK_STREAM, 0, fd));
	TRY(socket(AF_INET, 0, 0));
	TRY(socket(AF_INET, 11, 0));
	TRY(socket(AF_INET, SOCK_SEQPACKET, 0));
	TRY(socket(AF_INET, SOCK_STREAM, 263));
	TRY(socket(46, SOCK_STREAM, 0));
}

CASE(socket_ioctls)
{
	struct ifreq req = { .ifr_name = "lo" };
	struct sockaddr_in sin;
	int fd[2], n = -1;

	tcp_pair(fd);
	TRY(ioctl(fd[0], FIONREAD, &n));
	say("%d", n);
	TRY(send(fd[1], "abc", 3, 0));
	settle(fd[0], 1);
	TRY(ioctl(fd[0], FIONREAD, &n));
	say("%d", n);
	TRY(ioctl(fd[0], FIONREAD, BAD_LOW));
	TRY(ioctl(fd[0], 0x5401, &n));
	TRY(ioctl(fd[0], SIOCGIFADDR, &req));
	memcpy(&sin, &req.ifr_addr, sizeof(sin));
	say("%s", inet_ntoa(sin.sin_addr));
	TRY(ioctl(fd[0], SIOCGIFNETMASK, &req));
	memcpy(&sin, &req.ifr_addr, sizeof(sin));
	say("%s", inet_ntoa(sin.sin_addr));
	TRY(ioctl(fd[0], SIOCGIFINDEX, &req));
	say("%d", req.ifr_ifindex);
	TRY(ioctl(fd[0], SIOCGIFFLAGS, &req));
	say("%x", (unsigned)req.ifr_flags);
	strcpy(req.ifr_name, "nosuch");
	TRY(ioctl(fd[0], SIOCGIFADDR, &req));
	TRY(ioctl(fd[0], SIOCGIFADDR, BAD_LOW));
	close(fd[0]);
	close(fd[1]);
}
