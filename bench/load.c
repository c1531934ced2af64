/*
 * load: clients for an echo server, one thread, one epoll. Every byte that
 * comes back is checked.
 *	load ADDR PORT CONNS TOTAL SIZE			echoes, closed loop
 *	load ADDR PORT CONNS TOTAL SIZE churn		connect, one echo, close
 *	load ADDR PORT CONNS TOTAL SIZE open RATE	echoes, open loop
 *	... from ADDR COUNT	from so many source addresses on, in turn
 * Closed: each of CONNS connections has one message of SIZE bytes under way at
 * a time. Open: RATE messages a second are due whatever the server does, each
 * on a connection that is free; latency counts from when it was due, so that a
 * server which stalls does not hide it (no coordinated omission). Prints one
 * JSON line: rate per second and latency percentiles in microseconds.
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

/*
 * Latencies in ns by their first seven bits: a bucket is at most 1.6 % wide, as
 * in HdrHistogram, and 58 octaves are all there are.
 */
#define HIST_SUB	64
#define HIST_BUCKETS	(59 * HIST_SUB)

struct hist {
	uint64_t count[HIST_BUCKETS];
	uint64_t total, max;
};

struct conn {
	int fd;
	uint32_t seed;		/* which bytes the message has */
	size_t sent, got;	/* of them, gone out and come back so far */
	uint32_t events;	/* watched */
	uint64_t sent_at;	/* ns */
	bool connecting;
	struct conn *next;	/* open loop: the next free one */
};

struct load {
	struct sockaddr_in addr;
	struct sockaddr_in from;	/* first source address, or 0 */
	uint32_t nr_from, opened;
	long conns, total;
	long begun;		/* messages sent; churn: connections opened */
	long done;		/* messages back */
	size_t size;
	bool churn;
	double rate;		/* open loop: messages a second, else 0 */
	uint64_t start;		/* ns */
	int epfd;
	struct conn *conn, *free;
	struct hist hist;
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

static unsigned int hist_bucket(uint64_t ns)
{
	unsigned int shift;

	if (ns < 2 * HIST_SUB)
		return ns;
	shift = 63 - __builtin_clzll(ns) - 6;
	return shift * HIST_SUB + (ns >> shift);
}

/* The largest value that the bucket holds. */
static uint64_t hist_top(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * HIST_SUB)
		return bucket;
	shift = bucket / HIST_SUB - 1;
	return ((uint64_t)(bucket - shift * HIST_SUB + 1) << shift) - 1;
}

static void hist_add(struct hist *h, uint64_t ns)
{
	h->count[hist_bucket(ns)]++;
	h->total++;
	if (ns > h->max)
		h->max = ns;
}

static double percentile_us(const struct hist *h, double p)
{
	uint64_t rank = p * h->total, seen = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen > rank)
			return (hist_top(i) < h->max ? hist_top(i) : h->max) /
			       1000.0;
	}
	return h->max / 1000.0;
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
	if (!l->rate)
		c->sent_at = now_ns();
	output(l, c);
}

/* When message @n is due. */
static uint64_t due_at(const struct load *l, long n)
{
	return l->start + n * 1e9 / l->rate;
}

static void open_conn(struct load *l, struct conn *c)
{
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (l->nr_from) {
		struct sockaddr_in from = l->from;

		from.sin_addr.s_addr = htonl(ntohl(from.sin_addr.s_addr) +
					     l->opened++ % l->nr_from);
		setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
			   sizeof(one));
		if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
			die("bind");
	}
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
	if (l->rate) {
		c->next = l->free;
		l->free = c;
		return;
	}
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
	hist_add(&l->hist, now_ns() - c->sent_at);
	l->done++;
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

/* Open loop: sends what is due and finds a connection. */
static void send_due(struct load *l)
{
	uint64_t now = now_ns();

	while (l->free && l->begun < l->total &&
	       due_at(l, l->begun) <= now) {
		struct conn *c = l->free;

		l->free = c->next;
		c->sent_at = due_at(l, l->begun++);
		send_message(l, c);
	}
}

/* Until the next message is due, if there is a connection for it. */
static struct timespec wait_time(const struct load *l)
{
	struct timespec ts = { TIMEOUT_MS / 1000, 0 };
	uint64_t now, due;

	if (!l->rate || !l->free || l->begun == l->total)
		return ts;
	now = now_ns();
	due = due_at(l, l->begun);
	ts.tv_sec = due > now ? (due - now) / 1000000000u : 0;
	ts.tv_nsec = due > now ? (due - now) % 1000000000u : 0;
	return ts;
}

/* One round of events. */
static void step(struct load *l)
{
	struct timespec ts = wait_time(l);
	struct epoll_event ev[256];
	int n = epoll_pwait2(l->epfd, ev, 256, &ts, NULL);

	if (n < 0)
		die("epoll_pwait2");
	if (n == 0 && ts.tv_sec == TIMEOUT_MS / 1000) {
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

/* What follows the five numbers. False: not understood. */
static bool read_options(struct load *l, int argc, char **argv)
{
	for (int i = 6; i < argc; i++) {
		if (!strcmp(argv[i], "churn")) {
			l->churn = true;
		} else if (!strcmp(argv[i], "open") && i + 1 < argc) {
			l->rate = atof(argv[++i]);
		} else if (!strcmp(argv[i], "from") && i + 2 < argc &&
			   inet_pton(AF_INET, argv[i + 1],
				     &l->from.sin_addr) == 1) {
			l->from.sin_family = AF_INET;
			l->nr_from = atol(argv[i + 2]);
			i += 2;
		} else {
			return false;
		}
	}
	return !(l->churn && l->rate > 0) && l->rate >= 0;
}

static bool read_arguments(struct load *l, int argc, char **argv)
{
	if (argc < 6 || inet_pton(AF_INET, argv[1], &l->addr.sin_addr) != 1)
		return false;
	l->addr.sin_family = AF_INET;
	l->addr.sin_port = htons(atoi(argv[2]));
	l->conns = atol(argv[3]);
	l->total = atol(argv[4]);
	l->size = atol(argv[5]);
	return l->conns > 0 && l->total > 0 && l->size > 0 &&
	       read_options(l, argc, argv);
}

static void run(struct load *l)
{
	l->start = now_ns();
	for (long i = 0; i < l->conns; i++)
		begin(l, &l->conn[i]);
	while (l->done < l->total) {
		if (l->rate)
			send_due(l);
		step(l);
	}
}

static void print_result(const struct load *l, uint64_t ns)
{
	const struct hist *h = &l->hist;

	printf("{\"conns\": %ld, \"done\": %ld, \"rate\": %.0f, "
	       "\"p50_us\": %.0f, \"p90_us\": %.0f, \"p99_us\": %.0f, "
	       "\"p999_us\": %.0f, \"max_us\": %.0f}\n",
	       l->conns, l->done, l->done * 1e9 / ns, percentile_us(h, 0.5),
	       percentile_us(h, 0.9), percentile_us(h, 0.99),
	       percentile_us(h, 0.999), h->max / 1000.0);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct load l;

	if (!read_arguments(&l, argc, argv)) {
		fprintf(stderr, "usage: load ADDR PORT CONNS TOTAL SIZE "
			"[churn | open RATE] [from ADDR COUNT]\n");
		return 2;
	}
	l.epfd = epoll_create1(0);
	l.conn = calloc(l.conns, sizeof(*l.conn));
	l.out = malloc(l.size);
	l.in = malloc(l.size);
	if (l.epfd < 0 || !l.conn || !l.out || !l.in)
		die("set-up");
	if (!l.churn)
		connect_all(&l);
	wait_for_go();
	run(&l);
	print_result(&l, now_ns() - l.start);
	/* Connections stay open until told, so that counters can be read. */
	wait_for_go();
	return 0;
}
