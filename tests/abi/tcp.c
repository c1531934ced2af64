/* TCP where Linux has rules of its own: nothing asked for, urgent data. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef FIOSETOWN
#define FIOSETOWN	0x8901
#define SIOCSPGRP	0x8902
#define FIOGETOWN	0x8903
#define SIOCGPGRP	0x8904
#endif

/* recv() of nothing waits for something; read() of nothing does not. */
CASE(tcp_recv_of_nothing)
{
	int fd[2];
	char c;

	tcp_pair(fd);
	TRY(recv(fd[1], &c, 0, 0));
	TRY(read(fd[1], &c, 0));
	TRY(send(fd[0], "x", 1, 0));
	settle(fd[1], POLLIN);
	TRY(recv(fd[1], &c, 0, 0));
	TRY(recv(fd[1], &c, 0, MSG_PEEK));
	TRY(recv(fd[1], &c, 0, MSG_WAITALL));
	TRY(recv(fd[1], &c, 1, 0));
	TRY(recv(fd[1], &c, 0, MSG_TRUNC));
	close(fd[0]);
	settle(fd[1], POLLIN);
	TRY(recv(fd[1], &c, 0, 0));
	close(fd[1]);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	TRY(recv(fd[0], &c, 0, 0));
	TRY(read(fd[0], &c, 0));
	close(fd[0]);
}

static volatile sig_atomic_t urgent;

static void on_urgent(int sig)
{
	(void)sig;
	urgent++;
}

static void send_urgent(int fd[2])
{
	char c;

	TRY(send(fd[0], "!", 1, MSG_OOB));
	settle(fd[1], POLLPRI);
	say("signals %d", (int)urgent);
	TRY(recv(fd[1], &c, 1, MSG_OOB));
}

CASE(tcp_sigurg)
{
	struct sigaction act = { .sa_handler = on_urgent };
	int fd[2], v;

	sigaction(SIGURG, &act, NULL);
	tcp_pair(fd);
	send_urgent(fd);
	TRY(fcntl(fd[1], F_SETOWN, getpid()));
	say("owner %d", fcntl(fd[1], F_GETOWN) == getpid());
	send_urgent(fd);
	TRY(fcntl(fd[1], F_SETOWN, 0));
	send_urgent(fd);
	v = getpid();
	TRY(ioctl(fd[1], FIOSETOWN, &v));
	v = 0;
	TRY(ioctl(fd[1], SIOCGPGRP, &v));
	say("owner %d", v == getpid());
	send_urgent(fd);
	close(fd[0]);
	close(fd[1]);
}

CASE(fcntl_owner)
{
	int fd[2];

	TRY(pipe(fd));
	TRY(fcntl(fd[0], F_GETOWN));
	TRY(fcntl(fd[0], F_SETOWN, 0x3fffffff));
	TRY(fcntl(fd[0], F_SETOWN, (int)0x80000000));
	TRY(fcntl(fd[0], F_SETOWN, -getpgrp()));
	say("group %d", fcntl(fd[0], F_GETOWN) == -getpgrp());
	TRY(fcntl(fd[0], F_SETOWN, 0));
	TRY(fcntl(fd[0], F_GETOWN));
	close(fd[0]);
	close(fd[1]);
}

CASE(tcp_bound_to_a_device)
{
	struct sockaddr_in addr = loopback(0);
	socklen_t len = sizeof(addr);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	TRY(setsockopt(l, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	TRY(bind(l, (struct sockaddr *)&addr, len));
	TRY(listen(l, 5));
	TRY(getsockname(l, (struct sockaddr *)&addr, &len));
	TRY(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	TRY(connect(s, (struct sockaddr *)&addr, len));
	settle(l, POLLIN);
	OK(accept(l, NULL, NULL));
	close(s);
	close(l);
}

/* Each option of tcp(7) that is a number, at and beyond its limits. */
CASE(tcp_options)
{
	static const struct {
		const char *name;
		int opt, values[6];
	} options[] = {
		{ "TCP_MAXSEG", TCP_MAXSEG, { 0, 87, 88, 1000, 32767, 32768 } },
		{ "TCP_KEEPIDLE", TCP_KEEPIDLE,
		  { 0, 1, 7200, 32767, 32768, -1 } },
		{ "TCP_KEEPINTVL", TCP_KEEPINTVL,
		  { 0, 1, 75, 32767, 32768, -1 } },
		{ "TCP_KEEPCNT", TCP_KEEPCNT, { 0, 1, 9, 127, 128, -1 } },
		{ "TCP_SYNCNT", TCP_SYNCNT, { 0, 1, 6, 127, 128, -1 } },
		{ "TCP_LINGER2", TCP_LINGER2, { 1, 60, 120, 121, 0, -2 } },
		{ "TCP_DEFER_ACCEPT", TCP_DEFER_ACCEPT,
		  { 0, 1, 3, 30, 1000, -1 } },
		{ "TCP_USER_TIMEOUT", TCP_USER_TIMEOUT,
		  { 0, 1, 30000, INT32_MAX, -1, 0 } },
		{ "TCP_NOTSENT_LOWAT", TCP_NOTSENT_LOWAT,
		  { 0, 1, 16384, INT32_MAX, -1, 0 } },
		{ "TCP_NODELAY", TCP_NODELAY, { 0, 1, 2, -1, 1, 0 } },
		{ "TCP_CORK", TCP_CORK, { 0, 1, 2, -1, 1, 0 } },
		{ "TCP_FASTOPEN_CONNECT", TCP_FASTOPEN_CONNECT,
		  { 0, 1, 2, -1, 1, 0 } },
	};
	int s = socket(AF_INET, SOCK_STREAM, 0);

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		for (int n = 0; n < 6; n++) {
			int v = options[i].values[n], is = -77;
			socklen_t len = sizeof(is);
			int err = setsockopt(s, IPPROTO_TCP, options[i].opt,
					     &v, sizeof(v)) ? errno : 0;

			getsockopt(s, IPPROTO_TCP, options[i].opt, &is, &len);
			say("%s %d: %s, is %d", options[i].name, v,
			    err ? errno_name(err) : "ok", is);
		}
	}
}

/* What the accepted end counts of a short talk. */
CASE(tcp_info_counts)
{
	struct tcp_info i = { 0 };
	socklen_t len = sizeof(i);
	char buf[200];
	int fd[2];

	tcp_pair(fd);
	for (int n = 0; n < 3; n++) {
		if (write(fd[1], buf, 100) != 100 ||
		    recv(fd[0], buf, 100, MSG_WAITALL) != 100 ||
		    write(fd[0], buf, 10) != 10 ||
		    recv(fd[1], buf, 10, MSG_WAITALL) != 10)
			say("no talk");
	}
	do {
		usleep(1000);
		getsockopt(fd[1], IPPROTO_TCP, TCP_INFO, &i, &len);
	} while (i.tcpi_unacked);
	say("bytes acked %d received %d sent %d again %d",
	    (int)i.tcpi_bytes_acked, (int)i.tcpi_bytes_received,
	    (int)i.tcpi_bytes_sent, (int)i.tcpi_bytes_retrans);
	say("segments with data in %d out %d, all of them more: %d %d",
	    (int)i.tcpi_data_segs_in, (int)i.tcpi_data_segs_out,
	    i.tcpi_segs_in >= i.tcpi_data_segs_in,
	    i.tcpi_segs_out >= i.tcpi_data_segs_out);
}
