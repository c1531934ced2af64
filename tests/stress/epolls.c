/*
 * epolls [OPERATIONS [SEED [drop]]]: threads ADD, MOD, DEL, close, dup and
 * write at random, while others wait for what becomes of it and read. Now and
 * then all who change things pause: then every watched object must run dry.
 * One that does not, with all readers asleep, is a wakeup that was lost.
 * "drop" loses an event on purpose: that must be found.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OBJECTS		24
#define CHANGERS	3
#define READERS		4
#define OUTER_READERS	1
#define ROUND		2000u	/* operations between two pauses */
#define DRY_SECONDS	20

enum kind { EVENTFD, PIPE, STREAM, NR_KINDS };

/*
 * Something to read from. Who closes or replaces it holds the lock; the
 * readers do not: they see that `place` changed while they read.
 */
struct object {
	pthread_mutex_t lock;
	enum kind kind;
	int writer;
	uint64_t place;		/* version << 32 | descriptor to read from */
};

static struct object object[OBJECTS];
static int ep, outer;
static uint64_t todo, done, dropped;
static bool drop, paused, over;
static int parked;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moves = PTHREAD_COND_INITIALIZER;

/* xorshift64* (Vigna). */
static uint32_t draw(uint64_t *seed, uint32_t n)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * 0x2545f4914f6cdd1dull >> 32) % n);
}

static int reader_of(const struct object *o)
{
	return (int)(uint32_t)__atomic_load_n(&o->place, __ATOMIC_SEQ_CST);
}

static void set_reader(struct object *o, int fd)
{
	uint64_t version = (o->place >> 32) + 1;

	__atomic_store_n(&o->place, version << 32 | (uint32_t)fd,
			 __ATOMIC_SEQ_CST);
}

static void make(struct object *o, uint64_t *seed)
{
	int fd[2] = { -1, -1 };

	o->kind = (enum kind)draw(seed, NR_KINDS);
	switch (o->kind) {
	case EVENTFD:
		fd[0] = fd[1] = eventfd(0, EFD_NONBLOCK);
		break;
	case PIPE:
		pipe2(fd, O_NONBLOCK);
		break;
	default:
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd);
	}
	if (fd[0] < 0) {
		perror("epolls");
		exit(2);
	}
	o->writer = fd[1];
	set_reader(o, fd[0]);
}

/* --- those who change things --- */

static void watch(struct object *o, int op, uint64_t *seed)
{
	static const uint32_t modes[] = {
		EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT,
		EPOLLIN | EPOLLET | EPOLLONESHOT, EPOLLIN | EPOLLRDHUP,
		EPOLLIN | EPOLLEXCLUSIVE, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET,
		EPOLLIN | EPOLLET | EPOLLOUT,
	};
	struct epoll_event e = {
		.events = modes[draw(seed, sizeof(modes) / sizeof(modes[0]))],
		.data.u64 = (uint64_t)(o - object),
	};

	epoll_ctl(ep, op, reader_of(o), &e);
}

static void put_something(struct object *o, uint64_t *seed)
{
	uint64_t one = 1;
	size_t n = o->kind == EVENTFD ? 8 : 1 + draw(seed, 8);

	if (write(o->writer, &one, n) < 0 && errno != EAGAIN &&
	    errno != EBADF && errno != EINVAL && errno != EPIPE)
		perror("epolls: write");
}

/* The same file under another number; the old one goes. */
static void move(struct object *o, uint64_t *seed)
{
	int old = reader_of(o), new = dup(old);
	bool also_writer = o->writer == old;

	if (new < 0)
		return;
	if (also_writer)
		o->writer = new;
	set_reader(o, new);
	if (draw(seed, 2))
		watch(o, EPOLL_CTL_ADD, seed);
	close(old);
}

static void replace(struct object *o, uint64_t *seed)
{
	int reader = reader_of(o), writer = o->writer;

	/* The place is taken first: nobody reads from a number reused. */
	make(o, seed);
	close(reader);
	if (writer != reader)
		close(writer);
}

static void change(struct object *o, uint64_t *seed)
{
	uint32_t way = draw(seed, 16);

	/* What the kernel must sort out by itself, too: without the lock. */
	if (way < 3) {
		watch(o, EPOLL_CTL_ADD + (int)way, seed);
		return;
	}
	pthread_mutex_lock(&o->lock);
	if (way < 6)
		watch(o, EPOLL_CTL_ADD, seed);
	else if (way < 8)
		watch(o, EPOLL_CTL_MOD, seed);
	else if (way == 8)
		watch(o, EPOLL_CTL_DEL, seed);
	else if (way == 9)
		move(o, seed);
	else if (way == 10 && draw(seed, 4) == 0)
		replace(o, seed);
	else
		put_something(o, seed);
	pthread_mutex_unlock(&o->lock);
}

static void park(void)
{
	pthread_mutex_lock(&gate);
	parked++;
	pthread_cond_broadcast(&gate_moves);
	while (paused)
		pthread_cond_wait(&gate_moves, &gate);
	parked--;
	pthread_mutex_unlock(&gate);
}

static void *changer(void *arg)
{
	uint64_t seed = (uint64_t)arg;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		if (__atomic_load_n(&paused, __ATOMIC_RELAXED))
			park();
		change(&object[draw(&seed, OBJECTS)], &seed);
		__atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* --- those who wait --- */

/* Reads until nothing is left, wherever the object has gone meanwhile. */
static void run_dry(struct object *o)
{
	uint64_t place = __atomic_load_n(&o->place, __ATOMIC_SEQ_CST), was;
	char buf[64];

	do {
		was = place;
		while (read((int)(uint32_t)was, buf, sizeof(buf)) > 0)
			;
		place = __atomic_load_n(&o->place, __ATOMIC_SEQ_CST);
	} while (place != was);
}

static void handle(const struct epoll_event *e)
{
	struct object *o = &object[e->data.u64 % OBJECTS];
	struct epoll_event again = {
		.events = EPOLLIN | EPOLLONESHOT, .data = e->data,
	};

	/* One that level-triggered watches would make up for is no loss. */
	if (drop && __atomic_fetch_add(&dropped, 1, __ATOMIC_RELAXED) > 500)
		return;
	run_dry(o);
	/* Armed again, if it was for one shot; else ONESHOT from now on. */
	if (e->data.u64 % 4 == 0)
		epoll_ctl(ep, EPOLL_CTL_MOD, reader_of(o), &again);
}

static void *reader(void *arg)
{
	struct epoll_event e[8];
	int max = 1 + (int)(uintptr_t)arg % 8;

	for (;;) {
		int n = epoll_wait(ep, e, max, -1);

		for (int i = 0; i < n; i++)
			handle(&e[i]);
	}
	return NULL;
}

/* Through an epoll that watches the other. */
static void *outer_reader(void *arg)
{
	struct epoll_event e[4];

	(void)arg;
	for (;;) {
		int n;

		epoll_wait(outer, e, 1, -1);
		n = epoll_wait(ep, e, 4, 0);
		for (int i = 0; i < n; i++)
			handle(&e[i]);
	}
	return NULL;
}

/* --- the detector --- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Which objects are watched for input: /proc shows what the kernel has. */
static int find_watched(bool *watched, int room)
{
	char path[64], line[256];
	int n = 0;
	FILE *f;

	memset(watched, 0, (size_t)room * sizeof(*watched));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned int events;
		uint64_t data;

		if (sscanf(line, "tfd: %*d events: %x data: %lx", &events,
			   &data) != 2 || !(events & EPOLLIN) ||
		    data >= (uint64_t)room)
			continue;
		watched[data] = true;
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

static int first_full(const bool *watched)
{
	for (int i = 0; i < OBJECTS; i++) {
		struct pollfd p = { reader_of(&object[i]), POLLIN, 0 };

		if (watched[i] && poll(&p, 1, 0) == 1 && p.revents & POLLIN)
			return i;
	}
	return -1;
}

/* All who change things stand still. */
static int check_dry(void)
{
	bool watched[OBJECTS];
	double end = now() + DRY_SECONDS;
	int n, full;

	for (;;) {
		struct timespec t = { 0, 200000 };

		n = find_watched(watched, OBJECTS);
		full = first_full(watched);
		if (full < 0)
			return n;
		if (now() > end)
			break;
		nanosleep(&t, NULL);
	}
	printf("epolls: object %d (kind %d, descriptor %d) is watched, has data, and nobody is told: a lost wakeup\n",
	       full, object[full].kind, reader_of(&object[full]));
	exit(1);
}

static void pause_all(bool pause)
{
	pthread_mutex_lock(&gate);
	paused = pause;
	pthread_cond_broadcast(&gate_moves);
	while (pause && parked < CHANGERS)
		pthread_cond_wait(&gate_moves, &gate);
	pthread_mutex_unlock(&gate);
}

static void start(void *(*fn)(void *), uint64_t arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, (void *)arg)) {
		perror("epolls: thread");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event e = { .events = EPOLLIN };
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, next = 0;
	uint64_t watched = 0, pauses = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	todo = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000;
	drop = argc > 3;
	ep = epoll_create1(0);
	outer = epoll_create1(0);
	epoll_ctl(outer, EPOLL_CTL_ADD, ep, &e);
	for (int i = 0; i < OBJECTS; i++) {
		pthread_mutex_init(&object[i].lock, NULL);
		make(&object[i], &seed);
	}
	for (int i = 0; i < READERS; i++)
		start(reader, (uint64_t)i * 3);
	for (int i = 0; i < OUTER_READERS; i++)
		start(outer_reader, 0);
	for (int i = 0; i < CHANGERS; i++)
		start(changer, seed * 1000 + (uint64_t)i + 1);
	for (; __atomic_load_n(&done, __ATOMIC_RELAXED) < todo; pauses++) {
		struct timespec t = { 0, 1000000 };

		next += ROUND;
		while (__atomic_load_n(&done, __ATOMIC_RELAXED) < next)
			nanosleep(&t, NULL);
		pause_all(true);
		watched += (uint64_t)check_dry();
		pause_all(false);
	}
	printf("epolls: %lu operations, %lu pauses, %lu watches dry, no wakeup lost\n",
	       done, pauses, watched);
	exit(0);
}
