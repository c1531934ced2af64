/*
 * A bad link between a guest and a TAP:
 *
 *	link-emulator [--seed N] [--loss PERCENT] [--delay MS] [--jitter MS]
 *		[--reorder PERCENT] [--duplicate PERCENT] [--rate MBIT]
 *		[--queue PACKETS] GUEST_FD TAP_FD
 *
 * GUEST_FD is our end of a pair of datagram sockets, the other end is QEMU's
 * datagram netdev: a pair, unlike UDP, loses nothing by itself. TAP_FD is an
 * open TAP without packet headers. What is asked for holds in both directions.
 * What happens to the nth large frame of a direction, and to the nth small
 * one, depends on the seed alone, so that two guests meet the same fate. At
 * the end (SIGTERM, or the parent's) it prints for each way how many frames
 * it has sent, lost and had no room for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX	65536
#define LARGE		1000
#define BATCH		16	/* frames taken before others are sent */
#define RETRY_NS	500000	/* until a full socket is tried again */
#define NEVER		INT64_MAX

static struct {
	double loss, delay, jitter, reorder, duplicate, rate;
	unsigned long seed, queue;
} how;

struct frame {
	int64_t at;		/* when it comes out, ns */
	uint64_t count;		/* of equals the first one first */
	size_t len;
	char *data;
};

/* One way: frames wait in a heap by their time. */
struct direction {
	const char *name;
	int from, to;
	uint64_t random;	/* of the frame that is looked at */
	uint64_t taken[2];	/* small and large frames */
	struct frame *heap;
	size_t n, room;
	uint64_t count;
	int64_t free_at;
	uint64_t sent, lost, full;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* 0 <= x < 1: splitmix64. */
static double draw(struct direction *d)
{
	uint64_t z = d->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static bool chance(struct direction *d, double percent)
{
	return draw(d) * 100 < percent;
}

static bool before(const struct frame *a, const struct frame *b)
{
	return a->at != b->at ? a->at < b->at : a->count < b->count;
}

static void push(struct direction *d, struct frame f)
{
	size_t i = d->n++;

	if (i == d->room) {
		d->room = d->room ? 2 * d->room : 1024;
		d->heap = realloc(d->heap, d->room * sizeof(f));
		if (!d->heap)
			abort();
	}
	for (; i && before(&f, &d->heap[(i - 1) / 2]); i = (i - 1) / 2)
		d->heap[i] = d->heap[(i - 1) / 2];
	d->heap[i] = f;
}

static void pop(struct direction *d)
{
	struct frame last = d->heap[--d->n];
	size_t i = 0, child;

	free(d->heap[0].data);
	while ((child = 2 * i + 1) < d->n) {
		if (child + 1 < d->n &&
		    before(&d->heap[child + 1], &d->heap[child]))
			child++;
		if (!before(&d->heap[child], &last))
			break;
		d->heap[i] = d->heap[child];
		i = child;
	}
	d->heap[i] = last;
}

/* When a frame that is handed over now comes out. */
static int64_t arrival(struct direction *d, size_t len, int64_t now)
{
	double ms;

	if (d->free_at < now)
		d->free_at = now;
	if (how.rate > 0)
		d->free_at += (int64_t)((double)len * 8e3 / how.rate);
	ms = how.delay + draw(d) * how.jitter;
	if (chance(d, how.reorder))
		ms += draw(d) * (how.delay > 1 ? how.delay : 1);
	return d->free_at + (int64_t)(ms * 1e6);
}

static void take(struct direction *d, const char *data, size_t len,
		 int64_t now)
{
	bool large = len >= LARGE;
	int copies;

	d->random = (how.seed << 2 | (d->name[0] == 'o') << 1 | large) << 40 |
		    d->taken[large]++;
	draw(d);
	d->random *= 0xd1342543de82ef95u;
	if (how.queue && d->n >= how.queue) {
		d->full++;
		return;
	}
	if (chance(d, how.loss)) {
		d->lost++;
		return;
	}
	for (copies = 1 + chance(d, how.duplicate); copies; copies--) {
		struct frame f = { .at = arrival(d, len, now),
				   .count = d->count++, .len = len,
				   .data = malloc(len) };

		if (!f.data)
			abort();
		memcpy(f.data, data, len);
		push(d, f);
	}
}

/* What can be read now, at most a batch. */
static void take_batch(struct direction *d)
{
	static char buf[FRAME_MAX];

	for (int i = 0; i < BATCH; i++) {
		ssize_t len = read(d->from, buf, sizeof(buf));

		if (len < 0)
			return;
		take(d, buf, (size_t)len, now_ns());
	}
}

/* Sends what is due; when to come again. */
static int64_t release(struct direction *d, int64_t now)
{
	for (int i = 0; d->n && d->heap[0].at <= now; i++) {
		if (i == BATCH)
			return now;
		/* Without a guest, or with the TAP down, the frame is lost. */
		if (write(d->to, d->heap[0].data, d->heap[0].len) < 0 &&
		    (errno == EAGAIN || errno == ENOBUFS))
			return now + RETRY_NS;
		pop(d);
		d->sent++;
	}
	return d->n ? d->heap[0].at : NEVER;
}

static void run(struct direction *out, struct direction *back)
{
	struct pollfd fds[2] = { { .fd = out->from, .events = POLLIN },
				 { .fd = back->from, .events = POLLIN } };
	pid_t parent = getppid();

	while (!stopped && getppid() == parent) {
		int64_t now = now_ns(), next = release(out, now);
		int64_t other = release(back, now), wait;
		struct timespec t = { .tv_sec = 1 };

		if (other < next)
			next = other;
		wait = next - now_ns();
		if (wait < 1000000000)
			t = (struct timespec){ .tv_nsec = wait > 0 ? wait : 0 };
		if (ppoll(fds, 2, &t, NULL) <= 0)
			continue;
		if (fds[0].revents)
			take_batch(out);
		if (fds[1].revents)
			take_batch(back);
	}
}

static bool options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", 1, NULL, 's' }, { "loss", 1, NULL, 'l' },
		{ "delay", 1, NULL, 'd' }, { "jitter", 1, NULL, 'j' },
		{ "reorder", 1, NULL, 'o' }, { "duplicate", 1, NULL, 'u' },
		{ "rate", 1, NULL, 'r' }, { "queue", 1, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 's': how.seed = strtoul(optarg, NULL, 10); break;
		case 'l': how.loss = atof(optarg); break;
		case 'd': how.delay = atof(optarg); break;
		case 'j': how.jitter = atof(optarg); break;
		case 'o': how.reorder = atof(optarg); break;
		case 'u': how.duplicate = atof(optarg); break;
		case 'r': how.rate = atof(optarg); break;
		case 'q': how.queue = strtoul(optarg, NULL, 10); break;
		default: return false;
		}
	}
	return argc - optind == 2;
}

int main(int argc, char **argv)
{
	struct direction out = { .name = "out" }, back = { .name = "back" };

	if (!options(argc, argv)) {
		fprintf(stderr, "link-emulator: its source says how\n");
		return 2;
	}
	out.from = back.to = atoi(argv[optind]);
	out.to = back.from = atoi(argv[optind + 1]);
	fcntl(out.from, F_SETFL, O_NONBLOCK);
	fcntl(back.from, F_SETFL, O_NONBLOCK);
	signal(SIGTERM, stop);
	printf("link-emulator: ready\n");
	fflush(stdout);
	run(&out, &back);
	for (struct direction *d = &out; d; d = d == &out ? &back : NULL)
		printf("%s %lu %lu %lu\n", d->name, d->sent, d->lost, d->full);
	return 0;
}
