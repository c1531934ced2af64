/* Runs all cases, or those whose names are given; then prints "abi: done". */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>

static struct abi_case *cases;
static const char *current = "abi";

void abi_register(struct abi_case *c)
{
	c->next = cases;
	cases = c;
}

void say(const char *fmt, ...)
{
	char line[512];
	va_list args;
	int n;

	n = snprintf(line, sizeof(line), "%s: ", current);
	va_start(args, fmt);
	n += vsnprintf(line + n, sizeof(line) - n - 1, fmt, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	if (write(STDOUT_FILENO, line, n + 1) < 0)
		_exit(1);
}

const char *errno_name(int err)
{
	static const struct { int err; const char *name; } names[] = {
#define E(e) { e, #e }
		E(EPERM), E(ENOENT), E(EINTR), E(EIO), E(ENXIO), E(E2BIG),
		E(ENOEXEC), E(EBADF), E(EAGAIN), E(ENOMEM), E(EACCES),
		E(EFAULT), E(EBUSY), E(EEXIST), E(ENODEV), E(ENOTDIR),
		E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY),
		E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EPIPE), E(EDOM),
		E(ERANGE), E(ENAMETOOLONG), E(ENOSYS), E(ELOOP), E(EPROTO),
		E(EOVERFLOW), E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE),
		E(EPROTOTYPE), E(ENOPROTOOPT), E(EPROTONOSUPPORT),
		E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT),
		E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL),
		E(ENETDOWN), E(ENETUNREACH), E(ECONNABORTED), E(ECONNRESET),
		E(ENOBUFS), E(EISCONN), E(ENOTCONN), E(ESHUTDOWN),
		E(ETIMEDOUT), E(ECONNREFUSED), E(EHOSTUNREACH), E(EALREADY),
		E(EINPROGRESS), E(EXDEV), E(ENOTEMPTY), E(EMLINK), E(ESRCH),
		E(ECHILD), E(EDEADLK), E(ENODATA), E(ETXTBSY), E(ENOTBLK),
#undef E
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].err == err)
			return names[i].name;
	return "E?";
}

long try_result(const char *call, long ret)
{
	if (ret == -1)
		say("%s = -1 %s", call, errno_name(errno));
	else
		say("%s = %ld", call, ret);
	return ret;
}

long ok_result(const char *call, long ret)
{
	if (ret == -1)
		say("%s = -1 %s", call, errno_name(errno));
	else
		say("%s = ok", call);
	return ret;
}

struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
}

int listener(uint16_t *port)
{
	struct sockaddr_in addr = loopback(0);
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) < 0 ||
	    listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		say("listener: %s", errno_name(errno));
	*port = ntohs(addr.sin_port);
	return fd;
}

static int wait_for(int fd, int events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, timeout_ms) == 1 ? p.revents : 0;
}

int settle(int fd, int events)
{
	return wait_for(fd, events, 2000);
}

int ready(int fd, int events)
{
	return wait_for(fd, events, 0);
}

static bool others_sleep(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	bool all = true;

	while (d && (e = readdir(d))) {
		char path[300], text[256] = "", *p;
		int tid = atoi(e->d_name), fd;

		if (!tid || tid == (int)syscall(SYS_gettid))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		fd = open(path, O_RDONLY);
		read(fd, text, sizeof(text) - 1);
		close(fd);
		p = strrchr(text, ')');
		all = all && (!p || p[2] == 'S');
	}
	closedir(d);
	return all;
}

void until_others_sleep(void)
{
	do
		usleep(20000);
	while (!others_sleep());
}

void tcp_pair(int fd[2])
{
	struct sockaddr_in addr;
	uint16_t port;
	int l = listener(&port);

	addr = loopback(port);
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(fd[0], (struct sockaddr *)&addr, sizeof(addr)) < 0 &&
	    errno != EINPROGRESS)
		say("tcp_pair: connect: %s", errno_name(errno));
	settle(l, POLLIN);
	settle(fd[0], POLLOUT);
	fd[1] = accept4(l, NULL, NULL, SOCK_NONBLOCK);
	if (fd[1] < 0)
		say("tcp_pair: accept4: %s", errno_name(errno));
	close(l);
}

long read_soon(int fd, void *buf, size_t len)
{
	settle(fd, POLLIN);
	return recv(fd, buf, len, MSG_DONTWAIT);
}

char *file_text(const char *path)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	close(fd);
	return text;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(name, argv[i]) == 0)
			return true;
	return argc < 2;
}

/* Sorted by name, so that the order of linking does not matter. */
static void sort_cases(void)
{
	struct abi_case *sorted = NULL;

	while (cases) {
		struct abi_case *c = cases, **at = &sorted;

		cases = c->next;
		while (*at && strcmp((*at)->name, c->name) < 0)
			at = &(*at)->next;
		c->next = *at;
		*at = c;
	}
	cases = sorted;
}

int main(int argc, char **argv)
{
	sort_cases();
	for (struct abi_case *c = cases; c; c = c->next) {
		if (!wanted(c->name, argc, argv))
			continue;
		current = c->name;
		c->run();
		/* What a case leaves open must not change another's numbers. */
		for (int fd = 3; fd < 64; fd++)
			close(fd);
	}
	current = "abi";
	say("done");
	return 0;
}
