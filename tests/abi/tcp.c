/* TCP where Linux has rules of its own: nothing asked for, urgent data. */
#include "tests/abi/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
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
