/*
 * Random walks over epolls, eventfds and pipes, the same on every system: what
 * each call returns, and every event in its order, goes into a checksum that
 * is printed now and then. Where it differs, so does the behaviour.
 */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define NR_EPOLLS 3
#define NR_EVENTFDS 5
#define NR_PIPES 3
#define NR_FDS (NR_EVENTFDS + 2 * NR_PIPES)
#define STEPS 20000
#define REPORT 1000

/* Everything a walk has; fd[] holds eventfds, then both ends of each pipe. */
struct walk {
	uint64_t rng, sum;
	int ep[NR_EPOLLS], fd[NR_FDS];
};

static uint32_t pick(struct walk *w, uint32_t below)
{
	w->rng = w->rng * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(w->rng >> 33) % below;
}

static void add_sum(struct walk *w, uint64_t v)
{
	w->sum = (w->sum ^ v) * 1099511628211ull;
}

static void note(struct walk *w, long ret)
{
	add_sum(w, ret < 0 ? 1000 + (uint64_t)errno : (uint64_t)ret);
}

static uint32_t some_events(struct walk *w)
{
	static const uint32_t bits[] = {
		EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLRDHUP,
		EPOLLRDNORM, EPOLLWRNORM | EPOLLPRI, 0,
	};
	uint32_t events = bits[pick(w, sizeof(bits) / sizeof(bits[0]))];

	if (!pick(w, 3))
		events |= EPOLLET;
	if (!pick(w, 5))
		events |= EPOLLONESHOT;
	if (!pick(w, 12))
		events |= EPOLLEXCLUSIVE;
	return events;
}

static void step_ctl(struct walk *w)
{
	struct epoll_event ev = { .events = some_events(w) };
	uint32_t which = pick(w, NR_FDS);
	int ep = w->ep[pick(w, NR_EPOLLS)];
	int op = 1 + (int)pick(w, 3);

	ev.data.u64 = which;
	note(w, epoll_ctl(ep, op, w->fd[which], &ev));
}

/* Epolls watch one another, too, or are refused. */
static void step_nest(struct walk *w)
{
	struct epoll_event ev = { .events = EPOLLIN | (pick(w, 2) ?
						       EPOLLET : 0) };
	int a = (int)pick(w, NR_EPOLLS), b = (int)pick(w, NR_EPOLLS);

	ev.data.u64 = 100 + (uint64_t)b;
	note(w, epoll_ctl(w->ep[a], 1 + (int)pick(w, 3), w->ep[b], &ev));
}

static void step_wait(struct walk *w)
{
	struct epoll_event ev[16];
	int n = epoll_wait(w->ep[pick(w, NR_EPOLLS)], ev,
			   1 + (int)pick(w, 14), 0);

	note(w, n);
	for (int i = 0; i < n; i++) {
		add_sum(w, ev[i].events);
		add_sum(w, ev[i].data.u64);
	}
}

static void step_write(struct walk *w)
{
	static const char junk[9000];
	uint64_t one = 1 + pick(w, 3);
	uint32_t which = pick(w, NR_EVENTFDS + NR_PIPES);

	if (which < NR_EVENTFDS) {
		if (!pick(w, 8))
			one = UINT64_MAX - 1;
		note(w, write(w->fd[which], &one, sizeof(one)));
		return;
	}
	which = NR_EVENTFDS + 2 * (which - NR_EVENTFDS) + 1;
	note(w, write(w->fd[which], junk, 4096));
}

static void step_read(struct walk *w)
{
	static char buf[70000];
	uint32_t which = pick(w, NR_EVENTFDS + NR_PIPES);

	if (which >= NR_EVENTFDS)
		which = NR_EVENTFDS + 2 * (which - NR_EVENTFDS);
	note(w, read(w->fd[which], buf, which < NR_EVENTFDS ? 8 :
		     pick(w, 2) ? 4096 : 65536));
}

static void open_pipe(struct walk *w, uint32_t at)
{
	if (pipe2(&w->fd[at], O_NONBLOCK))
		say("pipe2: %s", errno_name(errno));
}

/* One end of a pipe goes; when both are gone, a new pipe comes. */
static void step_close(struct walk *w)
{
	uint32_t at = NR_EVENTFDS + 2 * pick(w, NR_PIPES);
	int other = (int)pick(w, 2);

	note(w, close(w->fd[at + (uint32_t)other]));
	w->fd[at + (uint32_t)other] = -1;
	if (w->fd[at] < 0 && w->fd[at + 1] < 0)
		open_pipe(w, at);
}

static void random_step(struct walk *w)
{
	switch (pick(w, 20)) {
	case 0 ... 4:
		step_ctl(w);
		break;
	case 5 ... 9:
		step_wait(w);
		break;
	case 10 ... 13:
		step_write(w);
		break;
	case 14 ... 17:
		step_read(w);
		break;
	case 18:
		step_nest(w);
		break;
	default:
		if (!pick(w, 4))
			step_close(w);
		break;
	}
}

static void walk(uint64_t seed)
{
	struct walk w = { .rng = seed, .sum = 14695981039346656037ull };

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < NR_EPOLLS; i++)
		w.ep[i] = epoll_create1(0);
	for (int i = 0; i < NR_EVENTFDS; i++)
		w.fd[i] = eventfd(0, EFD_NONBLOCK);
	for (uint32_t i = 0; i < NR_PIPES; i++)
		open_pipe(&w, NR_EVENTFDS + 2 * i);
	for (int step = 1; step <= STEPS; step++) {
		random_step(&w);
		if (step % REPORT == 0)
			say("seed %d step %d: %016llx", (int)seed, step,
			    (unsigned long long)w.sum);
	}
	for (int i = 0; i < NR_EPOLLS; i++)
		close(w.ep[i]);
	for (int i = 0; i < NR_FDS; i++)
		close(w.fd[i]);
}

CASE(epoll_random_walk)
{
	for (uint64_t seed = 1; seed <= 3; seed++)
		walk(seed);
}
