/*
 * Echoes TCP on [::]:7777 for both families and on [::]:7778 for IPv6 only;
 * each connection is told who it is first.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(int port, int v6only)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
		       sizeof(v6only)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, 100) < 0) {
		perror("echo6");
		exit(1);
	}
	return fd;
}

static void watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		perror("echo6: watch");
}

static void greet(int ep, int listener)
{
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);
	int fd = accept(listener, (struct sockaddr *)&peer, &len);
	char text[INET6_ADDRSTRLEN] = "";

	if (fd < 0)
		return;
	inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text));
	strcat(text, "\n");
	send(fd, text, strlen(text), MSG_NOSIGNAL);
	watch(ep, fd);
}

static void echo(int fd)
{
	static char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n <= 0 || send(fd, buf, n, MSG_NOSIGNAL) != n)
		close(fd);
}

int main(void)
{
	int dual = listen_on(7777, 0), six = listen_on(7778, 1);
	int ep = epoll_create1(0);
	struct epoll_event ev;

	watch(ep, dual);
	watch(ep, six);
	puts("echo6: listening on [::]:7777");
	fflush(stdout);
	for (;;) {
		if (epoll_wait(ep, &ev, 1, -1) != 1)
			continue;
		if (ev.data.fd == dual || ev.data.fd == six)
			greet(ep, ev.data.fd);
		else
			echo(ev.data.fd);
	}
}
