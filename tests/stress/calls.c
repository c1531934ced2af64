/*
 * calls [SECONDS [SEED]]: random system calls from several threads until the
 * time is up, round after round. After each everything is put back; at the
 * end the kernel must hold as many objects as after the first rounds. A thread
 * that does not come back from a call although it is signalled is reported.
 */
#define _GNU_SOURCE
#include "tests/stress/calls.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <time.h>
#include <unistd.h>

#define STACK		(64ul << 10)
#define CALLS_A_ROUND	400u
#define WARM_UP		8
#define WARM_UP_SECONDS	4
#define STUCK_SECONDS	20
#define SETTLE_SECONDS	20
#define CACHES		128
#define STOCKS		32

struct world world;

/* The last one, for the report. */
static struct {
	uint64_t address, count, rip, code;
} fault;

struct objects {
	struct {
		char name[32];
		long active;
	} cache[CACHES];
	int nr;
};

long raw(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
	 uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* --- a worker --- */

/* A page of an arena went away: here is a new one. */
static void on_signal(int sig, siginfo_t *info, void *frame)
{
	uint64_t page = (uint64_t)info->si_addr & -PAGE;

	if (sig == SIGSEGV || sig == SIGBUS) {
		fault.address = (uint64_t)info->si_addr;
		fault.count++;
		fault.rip = ((ucontext_t *)frame)->uc_mcontext.gregs[REG_RIP];
		fault.code = (uint64_t)info->si_code;
	}
	if ((sig != SIGSEGV && sig != SIGBUS) || info->si_code <= 0 ||
	    !in_an_arena(page))
		return;
	if (raw(SYS_mmap, page, PAGE, PROT_READ | PROT_WRITE,
		MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		raw(SYS_exit, 0, 0, 0, 0, 0, 0);
}

/* Called by start_worker()'s assembly. */
void run_worker(struct worker *w);

void run_worker(struct worker *w)
{
	uint64_t none = 0;

	raw(SYS_rt_sigprocmask, SIG_SETMASK, (uint64_t)&none, 0, 8, 0, 0);
	while (w->calls < w->todo) {
		const struct call *c = &calls[below(w, nr_calls)];
		uint64_t arg[6] = { 0 };
		size_t n = strlen(c->args);

		fill_some_memory(w);
		for (size_t i = 0; i < 6; i++)
			arg[i] = i < n ? make_arg(w, c->args, (int)i) :
					 draw(w);
		memcpy(w->arg, arg, sizeof(arg));
		__atomic_store_n(&w->nr, c->nr, __ATOMIC_RELAXED);
		raw(c->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
		w->calls++;
	}
	raw(SYS_exit, 0, 0, 0, 0, 0, 0);
}

static void start_worker(struct worker *w)
{
	uint64_t *top = (uint64_t *)(w->stack + STACK);
	long ret = SYS_clone;

	top[-2] = (uint64_t)w;
	w->calls = 0;
	w->todo = CALLS_A_ROUND;
	__asm__ volatile("syscall\n\t"
			 "test	%%eax, %%eax\n\t"
			 "jnz	1f\n\t"
			 "mov	(%%rsp), %%rdi\n\t"
			 "call	run_worker\n"
			 "1:"
			 : "+a"(ret)
			 : "D"(CLONE_VM | CLONE_FS | CLONE_FILES |
			       CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM),
			   "S"(&top[-2])
			 : "rcx", "r11", "memory");
	if (ret < 0) {
		printf("calls: no thread: %ld\n", ret);
		exit(1);
	}
	w->tid = (int)ret;
}

/* --- the rounds --- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void nap(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

static void report_stuck(const struct worker *w)
{
	printf("calls: stuck in call %ld(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n",
	       w->nr, w->arg[0], w->arg[1], w->arg[2], w->arg[3], w->arg[4],
	       w->arg[5]);
	printf("calls: %lu faults, the last at %#lx, code %ld, rip %#lx; arena %p, stack %p\n",
	       fault.count, fault.address, (long)fault.code,
	       fault.rip, w->arena, w->stack);
	_exit(3);
}

/* Signals the workers, which ends what they wait for, until all are gone. */
static void wait_for_workers(void)
{
	uint32_t progress = 0, before = 0;
	double since = now();

	for (bool any = true; any; before = progress) {
		any = false;
		progress = 0;
		nap(2);
		for (int i = 0; i < WORKERS; i++) {
			struct worker *w = &world.worker[i];

			progress += *(volatile uint32_t *)&w->calls;
			if (raw(SYS_tgkill, world.pid, w->tid, KICK, 0, 0, 0))
				continue;
			any = true;
			if (now() - since > STUCK_SECONDS)
				report_stuck(w);
		}
		if (progress != before)
			since = now();
		/* A timer of a nanosecond leaves no time for anything else. */
		else if (now() - since > 1)
			stop_timers();
	}
}

static uint32_t run_round(void)
{
	uint32_t calls_done = 0;

	for (int i = 0; i < WORKERS; i++)
		start_worker(&world.worker[i]);
	wait_for_workers();
	for (int i = 0; i < WORKERS; i++)
		calls_done += world.worker[i].calls;
	clean_up();
	return calls_done;
}

/* --- what the kernel holds --- */

/* Connections in TIME-WAIT: they go when their time has come. */
static long waiting_connections(const char *path)
{
	char state[8];
	long n = 0;

	for (char *line = read_file(path), *end; (end = strchr(line, '\n'));
	     line = end + 1)
		if (sscanf(line, "%*s %*s %*s %7s", state) == 1)
			n += !strcmp(state, "06");
	return n;
}

static void count_objects(struct objects *o)
{
	long waiting = waiting_connections("/proc/net/tcp") +
		       waiting_connections("/proc/net/tcp6");

	o->nr = 0;
	for (char *line = read_file("/proc/slabinfo"), *end;
	     (end = strchr(line, '\n')) && o->nr < CACHES; line = end + 1) {
		if (sscanf(line, "%31s %ld", o->cache[o->nr].name,
			   &o->cache[o->nr].active) != 2)
			continue;
		if (!strcmp(o->cache[o->nr].name, "tcp_mini"))
			o->cache[o->nr].active -= waiting;
		o->nr++;
	}
}

/* Caches that hold more than before; prints them if asked. */
static int grown(const struct objects *before, bool print)
{
	static struct objects after;
	int n = 0;

	count_objects(&after);
	for (int i = 0; i < after.nr; i++) {
		long old = i < before->nr ? before->cache[i].active : 0;

		if (after.cache[i].active <= old)
			continue;
		n++;
		if (print)
			printf("calls: leak: %s had %ld objects, has %ld\n",
			       after.cache[i].name, old,
			       after.cache[i].active);
	}
	return n;
}

/* Connections take a moment to end. */
static int check_for_leaks(const struct objects *before)
{
	double end = now() + SETTLE_SECONDS;

	while (grown(before, false) && now() < end)
		nap(50);
	return grown(before, true);
}

static void *meet(void *all)
{
	pthread_barrier_wait(all);
	return NULL;
}

/* The kernel keeps some stacks of threads that ended: as many as it may. */
static void fill_stocks(void)
{
	pthread_barrier_t all;
	pthread_t thread[STOCKS];

	pthread_barrier_init(&all, NULL, STOCKS);
	for (int i = 0; i < STOCKS; i++)
		pthread_create(&thread[i], NULL, meet, &all);
	for (int i = 0; i < STOCKS; i++)
		pthread_join(thread[i], NULL);
}

static void set_up(uint64_t seed)
{
	struct { void *fn; uint64_t flags; void *restorer; uint64_t mask; } a;
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	uint64_t all = ~0ull;
	uint8_t *fixed = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fill_fixed(fixed);
	mprotect(fixed, PAGE, PROT_READ);
	world.fixed = fixed;
	world.pid = getpid();
	/* The C library keeps some signals for itself: so past it. */
	sa.sa_sigaction = on_signal;
	sigaction(SIGUSR1, &sa, NULL);
	raw(SYS_rt_sigaction, SIGUSR1, 0, (uint64_t)&a, 8, 0, 0);
	a.mask = ~(1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1));
	for (int s = 1; s <= 64; s++)
		raw(SYS_rt_sigaction, s, (uint64_t)&a, 0, 8, 0, 0);
	/* What the workers do to the process is theirs to bear. */
	raw(SYS_rt_sigprocmask, SIG_SETMASK, (uint64_t)&all, 0, 8, 0, 0);
	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &world.worker[i];

		w->seed = seed * WORKERS + i + 1;
		w->arena = mmap(NULL, 2 * ARENA_PAGES * PAGE, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		w->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	mkdir(HOME, 0777);
}

int main(int argc, char **argv)
{
	static struct objects before;
	double seconds = argc > 1 ? atof(argv[1]) : 10, end;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, n = 0;
	int leaks;

	setvbuf(stdout, NULL, _IONBF, 0);
	printf("calls: %g seconds, seed %lu\n", seconds, seed);
	fill_stocks();
	set_up(seed);
	/* The table of descriptors never shrinks: large from the start. */
	dup2(1, 65535);
	remember();
	clean_up();
	/* IPv6 takes a while by the clock to have all its groups. */
	end = now() + WARM_UP_SECONDS;
	for (int i = 0; i < WARM_UP || now() < end; i++)
		n += run_round();
	count_objects(&before);
	for (end = now() + seconds; now() < end;)
		n += run_round();
	leaks = check_for_leaks(&before);
	printf("calls: %lu calls, %d leaks\n", n, leaks);
	return leaks ? 1 : 0;
}
