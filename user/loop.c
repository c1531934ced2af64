/*
 * The epoll loop of the servers: level-triggered, one thread. A connection is
 * watched for input, or, while the peer is slow to take our output, for
 * output only: what has to wait is never more than one read gave rise to.
 */
#define _GNU_SOURCE
#include "user/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX	64
#define ACCEPTS_MAX	64
#define BACKLOG		1024
#define SPARES_MAX	256
/* A few connections need no heap: a start is quicker without one. */
#define FIRST_CONNS	8

/* Bytes on the heap between two calls; none while a connection is idle. */
struct bytes {
	char *start;
	size_t len;
};

struct conn {
	union {
		struct loop *loop;
		struct conn *next;	/* spare: the next one */
	};
	int fd;
	uint32_t watched;	/* EPOLLIN or EPOLLOUT */
	bool failed;		/* close it, sending is of no use */
	bool finished;		/* nothing is sent after @out */
	struct bytes in;	/* what the service did not consume */
	struct bytes out;	/* what the kernel did not take */
};

struct loop {
	const struct service *service;
	int epfd;
	int listener;
	bool accepting;			/* the listener is being watched */
	struct conn *spare;		/* of closed connections, by next */
	int nr_spare;
	struct conn first[FIRST_CONNS];	/* spare from the start */
	char input[INPUT_MAX];		/* every read goes through here */
};

static void bytes_drop(struct bytes *b, size_t len)
{
	b->len -= len;
	if (b->len) {
		memmove(b->start, b->start + len, b->len);
		return;
	}
	free(b->start);
	b->start = NULL;
}

/* False: no memory, and nothing has changed. */
static bool bytes_append(struct bytes *b, const char *data, size_t len)
{
	char *grown;

	if (!len)
		return true;
	grown = realloc(b->start, b->len + len);
	if (!grown)
		return false;
	memcpy(grown + b->len, data, len);
	b->start = grown;
	b->len += len;
	return true;
}

static int watch(struct loop *loop, int op, int fd, uint32_t events, void *ptr)
{
	struct epoll_event event = { .events = events, .data.ptr = ptr };

	return epoll_ctl(loop->epfd, op, fd, &event);
}

static void watch_listener(struct loop *loop, bool on)
{
	if (loop->accepting == on)
		return;
	if (watch(loop, EPOLL_CTL_MOD, loop->listener, on ? EPOLLIN : 0,
		  NULL) == 0)
		loop->accepting = on;
}

static void conn_watch(struct conn *conn, uint32_t events)
{
	if (conn->watched == events)
		return;
	if (watch(conn->loop, EPOLL_CTL_MOD, conn->fd, events, conn) < 0)
		conn->failed = true;
	conn->watched = events;
}

/* A zeroed one: some that were used before are kept, as servers do. */
static struct conn *conn_alloc(struct loop *loop)
{
	struct conn *conn = loop->spare;

	if (!conn)
		return calloc(1, sizeof(*conn));
	loop->spare = conn->next;
	loop->nr_spare--;
	*conn = (struct conn){ 0 };
	return conn;
}

static void conn_free(struct loop *loop, struct conn *conn)
{
	bool from_heap = conn < loop->first ||
			 conn >= loop->first + FIRST_CONNS;

	if (from_heap && loop->nr_spare >= SPARES_MAX) {
		free(conn);
		return;
	}
	conn->next = loop->spare;
	loop->spare = conn;
	loop->nr_spare++;
}

static void conn_close(struct conn *conn)
{
	struct loop *loop = conn->loop;

	/* Closing takes the descriptor out of the epoll set as well. */
	close(conn->fd);
	/* There may be room for a connection that could not be accepted. */
	watch_listener(loop, true);
	if (conn->in.start)
		free(conn->in.start);
	if (conn->out.start)
		free(conn->out.start);
	conn_free(loop, conn);
}

/* Returns how much of @data the kernel took, 0 if it is full or it failed. */
static size_t send_some(struct conn *conn, const char *data, size_t len)
{
	ssize_t n = send(conn->fd, data, len, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	if (errno != EAGAIN && errno != EINTR)
		conn->failed = true;
	return 0;
}

void conn_send(struct conn *conn, const char *data, size_t len)
{
	size_t sent = 0;

	if (conn->failed || conn->finished || !len)
		return;
	if (!conn->out.len)
		sent = send_some(conn, data, len);
	if (sent == len || conn->failed)
		return;
	if (!bytes_append(&conn->out, data + sent, len - sent))
		conn->failed = true;
	conn_watch(conn, EPOLLOUT);
}

void conn_finish(struct conn *conn)
{
	conn->finished = true;
	if (!conn->out.len && shutdown(conn->fd, SHUT_WR) < 0)
		conn->failed = true;
}

/* The peer takes bytes again. */
static void conn_writable(struct conn *conn)
{
	struct bytes *out = &conn->out;

	bytes_drop(out, send_some(conn, out->start, out->len));
	if (out->len || conn->failed)
		return;
	conn_watch(conn, EPOLLIN);
	if (conn->finished)
		conn_finish(conn);
}

/* Data, end of file or an error has come. Returns false at the end. */
static bool conn_readable(struct conn *conn)
{
	char *buf = conn->loop->input;
	size_t kept = conn->in.len;
	size_t used;
	ssize_t n;

	n = read(conn->fd, buf + kept, INPUT_MAX - kept);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	if (conn->finished)
		return true;
	if (kept) {
		memcpy(buf, conn->in.start, kept);
		bytes_drop(&conn->in, kept);
	}
	used = conn->loop->service->input(conn, buf, kept + n);
	return bytes_append(&conn->in, buf + used, kept + n - used);
}

static void conn_event(struct conn *conn)
{
	bool open = true;

	if (conn->watched == EPOLLOUT)
		conn_writable(conn);
	else
		open = conn_readable(conn);
	if (!open || conn->failed)
		conn_close(conn);
}

static void conn_open(struct loop *loop, int fd)
{
	struct conn *conn = conn_alloc(loop);

	if (!conn) {
		close(fd);
		return;
	}
	conn->loop = loop;
	conn->fd = fd;
	conn->watched = EPOLLIN;
	if (watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, conn) < 0)
		conn_close(conn);
}

static void accept_some(struct loop *loop)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK);

		if (fd >= 0) {
			conn_open(loop, fd);
			continue;
		}
		/* No room: look again when a connection has closed. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			watch_listener(loop, false);
		/* The others wait, or the peer that did not is forgotten. */
		return;
	}
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Accepted sockets inherit it: answers are not held back. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static char *put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

/* Not by stdio, which would be the greater part of the program's start. */
static void announce(const char *name, unsigned int port)
{
	char line[80], number[8], *digit = number + sizeof(number), *end;

	*--digit = '\0';
	*--digit = '\n';
	do
		*--digit = '0' + port % 10;
	while (port /= 10);
	end = put(line, name);
	end = put(end, ": listening on 0.0.0.0:");
	end = put(end, digit);
	if (write(STDOUT_FILENO, line, end - line) < 0)
		return;		/* nobody listens: it serves all the same */
}

static int fail(const struct loop *loop, const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s: %s\n", loop->service->name, what,
		strerror(errno));
	return 1;
}

static int run(struct loop *loop)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		int n = epoll_wait(loop->epfd, events, EVENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			return fail(loop, "epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				conn_event(events[i].data.ptr);
			else
				accept_some(loop);
		}
	}
}

int serve(const struct service *service, int argc, char **argv)
{
	static struct loop loop;
	long port = argc > 1 ? strtol(argv[1], NULL, 10) : service->port;

	loop.service = service;
	for (int i = 0; i < FIRST_CONNS; i++)
		conn_free(&loop, &loop.first[i]);
	if (port < 1 || port > 65535) {
		dprintf(STDERR_FILENO, "usage: %s [port, 1 to 65535]\n",
			service->name);
		return 2;
	}
	loop.listener = listen_on(port);
	if (loop.listener < 0)
		return fail(&loop, "cannot listen");
	loop.epfd = epoll_create1(0);
	if (loop.epfd < 0)
		return fail(&loop, "epoll_create1");
	loop.accepting = true;
	if (watch(&loop, EPOLL_CTL_ADD, loop.listener, EPOLLIN, NULL) < 0)
		return fail(&loop, "epoll_ctl");
	announce(service->name, port);
	return run(&loop);
}
