/*
 * load: closed-loop clients for an echo server, one thread, one epoll.
 *	load ADDR PORT CONNS ECHOES SIZE	echoes on lasting connections
 *	load ADDR PORT CONNS CYCLES SIZE churn	connect, one echo, close
 * Each of CONNS connections has one message of SIZE bytes under way at a time
 * until ECHOES (or CYCLES) have come back in all. Every byte is checked. Prints
 * one JSON line: rate per second and latency percentiles in microseconds.
 *
 * Reads a line from standard input between connecting and sending, after
 * printing "ready", so that whoever counts can look at the counters first.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS	30000

struct conn {
	int fd;
	uint32_t seed;		/* which bytes the message has */
	size_t sent, got;	/* of them, gone out and come back so far */
	uint32_t events;	/* watched */
	uint64_t sent_at;	/* ns */
	bool connecting;
};

struct load {
	struct sockaddr_in addr;
	long conns, total;
	long begun;		/* messages sent; churn: connections opened */
	long done;		/* messages back */
	size_t size;
	bool churn;
	int epfd;
	struct conn *conn;
	uint64_t *latency;	/* ns, of each echo */
	unsigned char *out, *in;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned char byte_at(uint32_t seed, size_t i)
{
	return (seed * 2654435761u >> 24) + i * 31;
}

static void watch(struct load *l, int op, struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (op == EPOLL_CTL_MOD && c->events == events)
		return;
	if (epoll_ctl(l->epfd, op, c->fd, &ev) < 0)
		die("epoll_ctl");
	c->events = events;
}

/* Sends what the kernel takes of the message; the rest when it takes more. */
static void output(struct load *l, struct conn *c)
{
	ssize_t n;

	for (size_t i = c->sent; i < l->size; i++)
		l->out[i] = byte_at(c->seed, i);
	n = send(c->fd, l->out + c->sent, l->size - c->sent, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		die("send");
	c->sent += n > 0 ? n : 0;
	watch(l, EPOLL_CTL_MOD, c,
	      c->sent < l->size ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void send_message(struct load *l, struct conn *c)
{
	c->seed++;
	c->sent = 0;
	c->got = 0;
	c->sent_at = now_ns();
	output(l, c);
}

static void open_conn(struct load *l, struct conn *c)
{
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->connecting = true;
	if (connect(c->fd, (struct sockaddr *)&l->addr, sizeof(l->addr)) < 0 &&
	    errno != EINPROGRESS)
		die("connect");
	watch(l, EPOLL_CTL_ADD, c, EPOLLOUT);
}

static void connected(struct load *l, struct conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		errno = err;
		die("connect");
	}
	c->connecting = false;
	watch(l, EPOLL_CTL_MOD, c, EPOLLIN);
}

/* The next message, unless enough are under way. */
static void begin(struct load *l, struct conn *c)
{
	if (l->begun == l->total)
		return;
	l->begun++;
	if (l->churn)
		open_conn(l, c);
	else
		send_message(l, c);
}

/* A whole message is back. */
static void echoed(struct load *l, struct conn *c)
{
	l->latency[l->done++] = now_ns() - c->sent_at;
	if (l->churn)
		close(c->fd);
	begin(l, c);
}

static void input(struct load *l, struct conn *c)
{
	ssize_t n = read(c->fd, l->in, l->size);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die(n ? "read" : "the server closed the connection");
	for (ssize_t i = 0; i < n; i++) {
		if (l->in[i] != byte_at(c->seed, c->got + i)) {
			fprintf(stderr, "load: a wrong byte came back\n");
			exit(1);
		}
	}
	c->got += n;
	if (c->got == l->size)
		echoed(l, c);
}

/* One round of events; false when nothing comes for too long. */
static void step(struct load *l)
{
	struct epoll_event ev[256];
	int n = epoll_wait(l->epfd, ev, 256, TIMEOUT_MS);

	if (n == 0) {
		errno = ETIMEDOUT;
		die("no echo came back");
	}
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;

		if (c->connecting) {
			connected(l, c);
			if (l->churn)
				send_message(l, c);
			continue;
		}
		if (ev[i].events & EPOLLOUT)
			output(l, c);
		if (ev[i].events & ~EPOLLOUT)
			input(l, c);
	}
}

static void connect_all(struct load *l)
{
	for (long i = 0; i < l->conns; i++)
		open_conn(l, &l->conn[i]);
	for (long i = 0; i < l->conns; i++)
		while (l->conn[i].connecting)
			step(l);
}

static void wait_for_go(void)
{
	char line[16];

	printf("ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile_us(const struct load *l, double p)
{
	long i = (long)(p * (l->done - 1));

	return l->latency[i] / 1000.0;
}

int main(int argc, char **argv)
{
	struct load l = { .addr.sin_family = AF_INET };
	uint64_t start, ns;

	if (argc < 6 || inet_pton(AF_INET, argv[1], &l.addr.sin_addr) != 1) {
		fprintf(stderr, "usage: load ADDR PORT CONNS ECHOES SIZE "
			"[churn]\n");
		return 2;
	}
	l.addr.sin_port = htons(atoi(argv[2]));
	l.conns = atol(argv[3]);
	l.total = atol(argv[4]);
	l.size = atol(argv[5]);
	l.churn = argc > 6 && !strcmp(argv[6], "churn");
	l.epfd = epoll_create1(0);
	l.conn = calloc(l.conns, sizeof(*l.conn));
	l.latency = calloc(l.total + l.conns, sizeof(*l.latency));
	l.out = malloc(l.size);
	l.in = malloc(l.size);
	if (l.epfd < 0 || !l.conn || !l.latency || !l.out || !l.in)
		die("set-up");
	if (!l.churn)
		connect_all(&l);
	wait_for_go();
	start = now_ns();
	for (long i = 0; i < l.conns; i++)
		begin(&l, &l.conn[i]);
	while (l.done < l.total)
		step(&l);
	ns = now_ns() - start;
	qsort(l.latency, l.done, sizeof(*l.latency), by_value);
	printf("{\"conns\": %ld, \"done\": %ld, \"rate\": %.0f, "
	       "\"p50_us\": %.0f, \"p99_us\": %.0f, \"max_us\": %.0f}\n",
	       l.conns, l.done, l.done * 1e9 / ns, percentile_us(&l, 0.5),
	       percentile_us(&l, 0.99), percentile_us(&l, 1));
	fflush(stdout);
	/* Connections stay open until told, so that counters can be read. */
	wait_for_go();
	return 0;
}
