/* AF_UNIX: open files and credentials that go along with messages. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* musl looks into control messages by itself: here the kernel shall. */
#define SENDMSG(...)	syscall(SYS_sendmsg, __VA_ARGS__)
#define RECVMSG(...)	syscall(SYS_recvmsg, __VA_ARGS__)

struct control {
	size_t len;
	int level, type;
	unsigned char data[1200];
};

static void pair_of(int type, int fd[2])
{
	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fd))
		say("socketpair: %s", errno_name(errno));
}

/* Sends @text with control message @c, @len bytes of it. */
static long send_control(int s, const char *text, struct control *c,
			 size_t len)
{
	struct iovec iov = { (char *)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = c, .msg_controllen = len };

	return SENDMSG(s, &m, 0);
}

static long send_fds(int s, const char *text, const int *fd, int n)
{
	struct control c = { 16 + n * 4, SOL_SOCKET, SCM_RIGHTS, { 0 } };

	memcpy(c.data, fd, n * sizeof(int));
	return send_control(s, text, &c, c.len);
}

static int last_fd;

/* Receives with @room for control data and says all that came. */
static void receive(int s, size_t want, size_t room, int flags)
{
	char buf[32] = "";
	struct iovec iov = { buf, want };
	struct control c = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = room };
	long n = RECVMSG(s, &m, flags);
	int fd[4] = { -1, -1, -1, -1 };

	if (n < 0) {
		say("recvmsg: %s", errno_name(errno));
		return;
	}
	say("got %ld '%s' flags %x control %zu", n, buf, (unsigned)m.msg_flags,
	    (size_t)m.msg_controllen);
	if (!m.msg_controllen)
		return;
	say("  len %zu level %d type %d", c.len, c.level, c.type);
	memcpy(fd, c.data, sizeof(fd));
	for (unsigned i = 0; c.type == SCM_RIGHTS && i < 4 &&
			     16 + i * 4 < c.len; i++) {
		say("  fd %d", fd[i]);
		last_fd = fd[i];
	}
	if (c.type == SCM_CREDENTIALS && c.len >= 28)
		say("  own pid %d uid %d gid %d",
		    fd[0] == getpid() ? 1 : fd[0], fd[1], fd[2]);
}

CASE(scm_rights)
{
	int fd[2], null = open("/dev/null", O_RDWR), p[2];
	char c;

	pipe(p);
	pair_of(SOCK_STREAM, fd);
	TRY(send_fds(fd[0], "one", &p[0], 1));
	close(p[0]);
	TRY(write(p[1], "P", 1));
	receive(fd[1], 8, 64, 0);
	TRY(read(last_fd, &c, 1));
	say("'%c'", c);
	TRY(fcntl(last_fd, F_GETFD));
	TRY(send_fds(fd[0], "two", &p[1], 1));
	receive(fd[1], 8, 64, MSG_CMSG_CLOEXEC);
	TRY(fcntl(last_fd, F_GETFD));
	TRY(send_fds(fd[0], "many", (int[]){ null, null, null }, 3));
	receive(fd[1], 8, 64, 0);
	TRY(send_fds(fd[0], "many", (int[]){ null, null, null }, 3));
	receive(fd[1], 8, 24, 0);
	TRY(send_fds(fd[0], "many", (int[]){ null, null, null }, 3));
	receive(fd[1], 8, 23, 0);
	TRY(send_fds(fd[0], "none", (int[]){ null }, 1));
	receive(fd[1], 8, 16, 0);
	TRY(send_fds(fd[0], "none", (int[]){ null }, 1));
	receive(fd[1], 8, 0, 0);
	TRY(send_fds(fd[0], "read", (int[]){ null }, 1));
	TRY(read(fd[1], &c, 1));
	receive(fd[1], 8, 64, 0);
	TRY(send_fds(fd[0], "peek", (int[]){ null }, 1));
	receive(fd[1], 2, 64, MSG_PEEK);
	receive(fd[1], 8, 64, 0);
	TRY(send_fds(fd[0], "", (int[]){ null }, 1));
	receive(fd[1], 8, 64, 0);
}

CASE(scm_rights_bounds)
{
	int fd[2], null = open("/dev/null", O_RDWR);

	pair_of(SOCK_STREAM, fd);
	TRY(send(fd[0], "ab", 2, 0));
	TRY(send_fds(fd[0], "cd", &null, 1));
	TRY(send(fd[0], "ef", 2, 0));
	TRY(send_fds(fd[0], "gh", &null, 1));
	receive(fd[1], 16, 64, MSG_PEEK);
	receive(fd[1], 16, 64, 0);
	receive(fd[1], 16, 64, 0);
	receive(fd[1], 16, 64, 0);
	TRY(send_fds(fd[0], "ijkl", &null, 1));
	receive(fd[1], 2, 64, 0);
	receive(fd[1], 2, 64, 0);
	pair_of(SOCK_DGRAM, fd);
	TRY(send_fds(fd[0], "", &null, 1));
	TRY(send_fds(fd[0], "xyz", &null, 1));
	receive(fd[1], 2, 64, 0);
	receive(fd[1], 2, 64, MSG_PEEK);
	receive(fd[1], 2, 64, 0);
	pair_of(SOCK_SEQPACKET, fd);
	TRY(send_fds(fd[0], "seq", &null, 1));
	receive(fd[1], 8, 64, 0);
}

CASE(scm_rights_errors)
{
	int fd[2], null = open("/dev/null", O_RDWR), tcp[2], many[254];
	struct control c = { 20, SOL_SOCKET, SCM_RIGHTS, { 0 } };

	pair_of(SOCK_STREAM, fd);
	TRY(send_fds(fd[0], "x", (int[]){ 99 }, 1));
	TRY(send_fds(fd[0], "x", (int[]){ null, -1 }, 2));
	TRY(send_fds(fd[0], "x", NULL, 0));
	receive(fd[1], 8, 64, 0);
	for (int i = 0; i < 254; i++)
		many[i] = null;
	TRY(send_fds(fd[0], "x", many, 254));
	TRY(send_control(fd[0], "x", &c, 19));
	TRY(send_control(fd[0], "x", &c, 15));
	receive(fd[1], 8, 64, 0);
	TRY(send_control(fd[0], "x", &c, 1 << 20));
	c.len = 15;
	TRY(send_control(fd[0], "x", &c, 24));
	c.len = 20;
	c.type = 77;
	TRY(send_control(fd[0], "x", &c, 24));
	c.level = 77;
	TRY(send_control(fd[0], "x", &c, 24));
	TRY(send_control(fd[0], "x", BAD_LOW, 24));
	receive(fd[1], 8, 64, 0);
	TRY(recv(fd[1], many, 1, 0));
	tcp_pair(tcp);
	TRY(send_fds(tcp[0], "t", &null, 1));
	settle(tcp[1], POLLIN);
	receive(tcp[1], 8, 64, 0);
}

static long send_creds(int s, int pid, int uid, int gid)
{
	struct control c = { 28, SOL_SOCKET, SCM_CREDENTIALS, { 0 } };
	int id[3] = { pid, uid, gid };

	memcpy(c.data, id, sizeof(id));
	return send_control(s, "c", &c, 32);
}

CASE(scm_credentials)
{
	struct control c = { 27, SOL_SOCKET, SCM_CREDENTIALS, { 0 } };
	int fd[2], on = 1, null = open("/dev/null", O_RDWR);

	pair_of(SOCK_STREAM, fd);
	TRY(send(fd[0], "before", 6, 0));
	TRY(setsockopt(fd[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	TRY(send(fd[0], "after", 5, 0));
	receive(fd[1], 16, 64, 0);
	receive(fd[1], 16, 64, 0);
	TRY(send_creds(fd[0], getpid(), 0, 0));
	TRY(send_creds(fd[0], getpid(), 12, 34));
	receive(fd[1], 16, 64, 0);
	receive(fd[1], 16, 64, 0);
	TRY(send_creds(fd[0], getpid(), -1, 0));
	TRY(send_creds(fd[0], 0x3fffffff, 0, 0));
	TRY(send_control(fd[0], "x", &c, 32));
	TRY(send_fds(fd[0], "both", &null, 1));
	receive(fd[1], 16, 64, 0);
	TRY(send(fd[0], "small", 5, 0));
	receive(fd[1], 16, 20, 0);
	TRY(send(fd[0], "none", 4, 0));
	receive(fd[1], 16, 0, 0);
	pair_of(SOCK_DGRAM, fd);
	TRY(setsockopt(fd[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	TRY(send(fd[0], "dgram", 5, 0));
	receive(fd[1], 16, 64, 0);
}

static void show_peer(int s)
{
	struct { int pid, uid, gid; } cred = { 0 };
	socklen_t len = sizeof(cred);

	TRY(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	say("len %u own pid %d uid %d gid %d", (unsigned)len,
	    cred.pid == getpid() ? 1 : cred.pid, cred.uid, cred.gid);
}

CASE(scm_peercred)
{
	struct sockaddr_un a = { AF_UNIX, "\0peercred" };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), fd[2];
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	show_peer(s);
	OK(bind(l, (void *)&a, 11));
	show_peer(l);
	OK(listen(l, 1));
	show_peer(l);
	OK(connect(s, (void *)&a, 11));
	show_peer(s);
	show_peer(accept(l, NULL, NULL));
	pair_of(SOCK_DGRAM, fd);
	show_peer(fd[0]);
}

CASE(scm_cycle)
{
	int fd[2], n = -1;
	char c;

	/* Sockets in their own queues; what is left must not be kept. */
	for (int i = 0; i < 50; i++) {
		pair_of(SOCK_STREAM, fd);
		send_fds(fd[0], "a", fd, 2);
		send_fds(fd[1], "b", fd, 2);
		close(fd[0]);
		close(fd[1]);
	}
	/* A pipe's end in such a queue is closed with it. */
	pair_of(SOCK_STREAM, fd);
	int p[2];

	pipe2(p, O_NONBLOCK);
	TRY(send_fds(fd[0], "p", &p[1], 1));
	TRY(send_fds(fd[0], "s", fd, 2));
	close(p[1]);
	TRY(read(p[0], &c, 1));
	close(fd[0]);
	close(fd[1]);
	/* The end of any socket looks for garbage. */
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	n = settle(p[0], POLLIN);
	say("%x", n);
	TRY(read(p[0], &c, 1));
}

/* Who looks only at the data is told that there was more. */
CASE(scm_without_room)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr h;
	} c;
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	char buf[4];
	int s[2];

	for (int i = 0; i < 2; i++) {
		socketpair(AF_UNIX, types[i], 0, s);
		c.h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
					.cmsg_level = SOL_SOCKET,
					.cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&c.h), &s[0], sizeof(int));
		m.msg_control = &c;
		m.msg_controllen = sizeof(c);
		v = (struct iovec){ "x", 1 };
		TRY(sendmsg(s[0], &m, 0));
		v = (struct iovec){ buf, sizeof(buf) };
		m.msg_control = NULL;
		m.msg_controllen = 0;
		TRY(recvmsg(s[1], &m, MSG_DONTWAIT));
		say("flags %x", m.msg_flags);
		setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, 4);
		write(s[0], "y", 1);
		TRY(recvmsg(s[1], &m, MSG_DONTWAIT));
		say("flags %x", m.msg_flags);
	}
}
