/* Sends every datagram to port 7 back where it came from. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void echo(int fd)
{
	static char buf[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &len)) >= 0)
		sendto(fd, buf, n, 0, (struct sockaddr *)&from, len);
}

int main(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(7),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };

	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0) {
		perror("udpecho");
		return 1;
	}
	puts("udpecho: listening on 0.0.0.0:7");
	fflush(stdout);
	for (;;) {
		if (epoll_wait(ep, &ev, 1, -1) == 1)
			echo(fd);
	}
}
