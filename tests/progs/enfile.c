/*
 * enfile: how many open files all may have together (fs.file-max). Root may
 * have more; who is not root gets ENFILE from each call that makes a file,
 * until there is room again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FILE_MAX "/proc/sys/fs/file-max"

static void set_limit(const char *limit)
{
	int fd = open(FILE_MAX, O_WRONLY);

	if (fd < 0 || write(fd, limit, strlen(limit)) < 0)
		perror("enfile: " FILE_MAX);
	close(fd);
}

static void show(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		perror(path);
	close(fd);
	printf("%s %s", path, text);
}

static void tell(const char *what, int fd)
{
	printf("%s %s\n", what, fd >= 0 ? "works" : errno == ENFILE ? "ENFILE" : strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* A listener, and a connection that waits there. */
static int listener(int *client)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	bind(fd, (struct sockaddr *)&a, len);
	listen(fd, 1);
	getsockname(fd, (struct sockaddr *)&a, &len);
	if (connect(*client, (struct sockaddr *)&a, len))
		perror("enfile: connect");
	return fd;
}

static void try_all(int l, int spare)
{
	sigset_t set;
	int fd[2];

	sigemptyset(&set);
	tell("open", open("/dev/null", O_RDONLY));
	tell("socket", socket(AF_INET, SOCK_STREAM, 0));
	tell("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	tell("pipe", pipe(fd));
	tell("epoll_create", epoll_create1(0));
	tell("eventfd", eventfd(0, 0));
	tell("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
	tell("signalfd", signalfd(-1, &set, 0));
	tell("memfd", memfd_create("m", 0));
	tell("dup", dup(spare));
	tell("accept", accept(l, NULL, NULL));
}

int main(void)
{
	int client, l = listener(&client);

	show(FILE_MAX);
	show("/proc/sys/fs/file-nr");
	set_limit("3\n");
	show("/proc/sys/fs/file-nr");
	tell("root", dup(0));
	tell("root", open("/dev/null", O_RDONLY));
	if (setuid(1000))
		perror("enfile: setuid");
	try_all(l, client);
	/* No file opens now, not even this one: the kernel lets it be root. */
	if (setresuid(0, 0, 0))
		perror("enfile: setresuid");
	set_limit("1000\n");
	if (setuid(1000))
		perror("enfile: setuid");
	printf("room again\n");
	tell("accept", accept(l, NULL, NULL));
	tell("open", open("/dev/null", O_RDONLY));
	return 0;
}
