/* Bytes through a connection: every call that reads or writes. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

CASE(read_and_write)
{
	char buf[16] = "";
	int fd[2];

	tcp_pair(fd);
	TRY(read(fd[1], buf, sizeof(buf)));
	TRY(write(fd[0], "hello", 5));
	settle(fd[1], POLLIN);
	TRY(read(fd[1], buf, 2));
	TRY(read(fd[1], buf + 2, sizeof(buf) - 2));
	say("%s", buf);
	TRY(read(fd[1], buf, 0));
	TRY(write(fd[0], buf, 0));
	TRY(read(-1, buf, 1));
	TRY(write(77, buf, 1));
	close(fd[0]);
	TRY(read_soon(fd[1], buf, sizeof(buf)));
	TRY(read(fd[1], buf, sizeof(buf)));
}

CASE(recv_flags)
{
	char buf[16] = "";
	int fd[2];

	tcp_pair(fd);
	TRY(recv(fd[1], buf, 4, MSG_PEEK));
	TRY(send(fd[0], "abcdef", 6, MSG_MORE));
	TRY(send(fd[0], "ghi", 3, 0));
	settle(fd[1], POLLIN);
	TRY(recv(fd[1], buf, 3, MSG_PEEK));
	TRY(recv(fd[1], buf, 3, 0));
	say("%s", buf);
	TRY(recv(fd[1], buf, 6, MSG_WAITALL));
	say("%s", buf);
	TRY(send(fd[0], "12345", 5, 0));
	settle(fd[1], POLLIN);
	TRY(recv(fd[1], buf, 4, MSG_TRUNC));
	TRY(recv(fd[1], buf, 4, 0));
	TRY(recv(fd[1], buf, 4, MSG_OOB));
}

CASE(vectors)
{
	char a[3] = "", b[5] = "", c[4] = "";
	struct iovec in[3] = { { a, 2 }, { b, 4 }, { c, 3 } };
	struct iovec out[3] = { { "one", 3 }, { NULL, 0 }, { "twotwo", 6 } };
	static struct iovec many[1025];
	int fd[2];

	tcp_pair(fd);
	TRY(writev(fd[0], out, 3));
	settle(fd[1], POLLIN);
	TRY(readv(fd[1], in, 3));
	say("%s %s %s", a, b, c);
	TRY(readv(fd[1], in, 3));
	TRY(writev(fd[0], out, -1));
	TRY(writev(fd[0], many, 1025));
	TRY(writev(fd[0], many, 1024));
	TRY(writev(fd[0], BAD_LOW, 1));
	TRY(writev(-1, out, 1));
	out[1].iov_len = (size_t)-1;
	TRY(writev(fd[0], out, 3));
}

CASE(messages)
{
	char a[4] = "", b[8] = "";
	struct iovec in[2] = { { a, 3 }, { b, 7 } };
	struct iovec out[2] = { { "abcd", 4 }, { "efg", 3 } };
	struct sockaddr_in name;
	struct msghdr msg = { .msg_iov = out, .msg_iovlen = 2 };
	struct msghdr got = {
		.msg_iov = in, .msg_iovlen = 2,
		.msg_name = &name, .msg_namelen = sizeof(name),
	};
	int fd[2];

	tcp_pair(fd);
	TRY(sendmsg(fd[0], &msg, 0));
	settle(fd[1], POLLIN);
	TRY(recvmsg(fd[1], &got, 0));
	say("%s %s flags %x namelen %d", a, b, got.msg_flags,
	    (int)got.msg_namelen);
	TRY(recvmsg(fd[1], &got, MSG_DONTWAIT));
	TRY(sendmsg(-1, &msg, 0));
	TRY(syscall(SYS_sendmsg, fd[0], BAD_LOW, 0));
	TRY(syscall(SYS_recvmsg, fd[1], BAD_LOW, 0));
	msg.msg_iovlen = 1025;
	TRY(syscall(SYS_sendmsg, fd[0], &msg, 0));
	TRY(sendto(fd[0], "to", 2, 0, NULL, 0));
	TRY(read_soon(fd[1], b, 7));
}

CASE(a_full_pipe_says_again)
{
	static char block[65536];
	size_t sent = 0, got = 0;
	long n;
	int fd[2];

	tcp_pair(fd);
	while ((n = write(fd[0], block, sizeof(block))) > 0)
		sent += n;
	say("n %ld %s", n, errno_name(errno));
	say("more than a block: %d", sent > sizeof(block));
	say("writable %x", ready(fd[0], POLLOUT));
	while (got < sent && (n = read_soon(fd[1], block, sizeof(block))) > 0)
		got += n;
	say("all came: %d", got == sent);
	say("writable %x", settle(fd[0], POLLOUT));
}

CASE(megabytes_in_order)
{
	static unsigned char out[40000], in[30000];
	size_t sent = 0, got = 0, want = 3000000, bad = 0;
	int fd[2];

	tcp_pair(fd);
	while (got < want) {
		size_t n = want - sent;
		long r;

		if (n > sizeof(out))
			n = sizeof(out);
		for (size_t i = 0; i < n; i++)
			out[i] = (sent + i) % 251;
		if (n && (r = write(fd[0], out, n)) > 0)
			sent += r;
		r = read_soon(fd[1], in, sizeof(in));
		if (r <= 0)
			break;
		for (long i = 0; i < r; i++)
			bad += in[i] != (got + i) % 251;
		got += r;
	}
	say("got %zu bad %zu", got, bad);
}

CASE(recv_throws_away)
{
	char buf[16] = "............";
	int fd[2];

	tcp_pair(fd);
	write(fd[0], "abcdefghijkl", 12);
	settle(fd[1], POLLIN);
	TRY(recv(fd[1], buf, 4, MSG_TRUNC));
	say("%s", buf);
	TRY(recv(fd[1], NULL, 3, MSG_TRUNC));
	TRY(recv(fd[1], buf, 2, MSG_TRUNC | MSG_PEEK));
	TRY(recv(fd[1], buf, 8, 0));
	say("%s", buf);
}

static void *write_twice(void *fd)
{
	write(*(int *)fd, "ab", 2);
	until_others_sleep();
	write(*(int *)fd, "cdef", 4);
	return NULL;
}

static void wait_for_all(const char *what, int fd[2])
{
	struct timeval tv = { 0, 30000 };
	char buf[16] = "";
	pthread_t t;

	say("%s", what);
	fcntl(fd[0], F_SETFL, 0);
	fcntl(fd[1], F_SETFL, 0);
	pthread_create(&t, NULL, write_twice, &fd[0]);
	TRY(recv(fd[1], buf, 5, MSG_WAITALL));
	say("%s", buf);
	pthread_join(t, NULL);
	/* Without waiting, until the time is up, until the end. */
	TRY(recv(fd[1], buf, 5, MSG_WAITALL | MSG_DONTWAIT));
	write(fd[0], "gh", 2);
	settle(fd[1], POLLIN);
	setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	TRY(recv(fd[1], buf, 5, MSG_WAITALL));
	TRY(recv(fd[1], buf, 5, MSG_WAITALL));
	write(fd[0], "ijk", 3);
	shutdown(fd[0], SHUT_WR);
	TRY(recv(fd[1], buf, 5, MSG_WAITALL));
	TRY(recv(fd[1], buf, 5, MSG_WAITALL));
}

CASE(recv_waits_for_all)
{
	int fd[2];

	tcp_pair(fd);
	wait_for_all("tcp", fd);
	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	wait_for_all("unix", fd);
}
