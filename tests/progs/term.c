/*
 * Serves one connection: greets, and when SIGTERM comes, sends a last long
 * answer and ends with status 7. With "ignore", SIGTERM does nothing.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LAST (300 * 1024)

static volatile sig_atomic_t asked;

static void on_term(int sig)
{
	(void)sig;
	asked = 1;
}

int main(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons(7777) };
	struct sigaction act = { .sa_handler = on_term };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd, room = LAST;
	static char last[LAST];
	char c;

	setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
	    listen(listener, 5))
		return 1;
	sigaction(SIGTERM, &act, NULL);
	printf("listening on 7777\n");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || write(fd, "hello", 5) != 5)
		return 2;
	while (!asked && read(fd, &c, 1) >= 0)
		;
	memset(last, 'x', sizeof(last));
	if (!asked || write(fd, last, LAST) != LAST)
		return 3;
	return 7;
}
