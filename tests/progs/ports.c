/* Calls N ports of a host that does not answer: who listens sees ours. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (argc < 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	printf("listening on nothing\n");
	fflush(stdout);
	for (int i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		to.sin_port = htons((in_port_t)(1000 + i));
		connect(fd, (struct sockaddr *)&to, sizeof(to));
		usleep(2000);
		close(fd);
	}
	sleep(3);
	return 0;
}
