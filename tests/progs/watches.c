/* Watches one eventfd under as many numbers as the argument says, and waits. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 100;
	struct rlimit limit = { n + 16, n + 16 };
	struct epoll_event event = { .events = EPOLLIN };
	int first = eventfd(0, 0), ep = epoll_create1(0);

	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < n; i++) {
		int fd = i ? dup(first) : first;

		event.data.fd = fd;
		if (fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event)) {
			perror("watches");
			return 1;
		}
	}
	printf("watching %d\n", n);
	fflush(stdout);
	return epoll_wait(ep, &event, 1, -1);
}
