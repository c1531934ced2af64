/*
 * Runs seeds, each in a process of its own made from the same fresh one, so
 * that a seed does alone exactly what it did among others. A seed that fails
 * runs once more with its packets traced.
 */
#include "tests/sim/sim.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_PER_SEED 60
#define FAILURES_SHOWN	20u

struct sim_shared *shared;

void __gcov_dump(void) __attribute__((weak));

struct options {
	u64 first, seeds, seconds;
	bool one;
	const char *dir;
	enum fault fault;
};

void sim_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(shared->failure, sizeof(shared->failure), fmt, args);
	va_end(args);
	if (shared->tracing)
		ours_print_drops();
	fflush(stdout);
	_exit(1);
}

/* True if all went well. */
static bool run_seed(u64 seed, bool trace, bool verbose)
{
	int status;
	pid_t pid;

	shared->failure[0] = '\0';
	shared->tracing = trace;
	shared->nr_traced = 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(SECONDS_PER_SEED);
		world_run(seed, verbose);
		fflush(stdout);
		/* What `make coverage` wants to know; else there is none. */
		if (__gcov_dump)
			__gcov_dump();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("sim: fork");
		exit(2);
	}
	if (WIFSIGNALED(status) && !shared->failure[0])
		snprintf(shared->failure, sizeof(shared->failure),
			 WTERMSIG(status) == SIGALRM ? "hangs (%d)"
			 : "died of signal %d, see above", WTERMSIG(status));
	else if (status && !shared->failure[0])
		strcpy(shared->failure, "a sanitiser report, see above");
	return status == 0;
}

static void show_failure(const struct options *o, u64 seed)
{
	char pcap[512], svg[512];

	if (run_seed(seed, true, true))
		printf("  seed %llu does not fail again\n", seed + 0ull);
	snprintf(pcap, sizeof(pcap), "%s/seed-%llu.pcap", o->dir, seed + 0ull);
	snprintf(svg, sizeof(svg), "%s/seed-%llu.svg", o->dir, seed + 0ull);
	trace_write_pcap(pcap);
	trace_write_svg(svg, shared->fail_conn < SIM_CONNS
			     ? shared->fail_conn : 0);
	printf("  FAILED: %s\n  packets: %s, plot: %s\n"
	       "  replay: make sim SEED=%llu\n", shared->failure, pcap, svg,
	       seed + 0ull);
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static u64 run_all(const struct options *o)
{
	u64 failed = 0, run = 0;
	double start = seconds_now(), took;

	for (u64 seed = o->first; seed < o->first + o->seeds; seed++) {
		if (o->seconds && seconds_now() - start > (double)o->seconds)
			break;
		run++;
		if (run_seed(seed, o->one, o->one) && !o->one)
			continue;
		if (o->one && !shared->failure[0])
			continue;
		failed++;
		if (failed <= FAILURES_SHOWN)
			show_failure(o, seed);
	}
	took = seconds_now() - start;
	printf("sim: %llu seeds from %llu in %.1f s (%.0f/s): %llu packets, "
	       "%llu MB, %.1f virtual hours\n", run + 0ull, o->first + 0ull,
	       took, (double)run / took, shared->packets + 0ull,
	       (unsigned long long)(shared->bytes >> 20),
	       (double)shared->virtual_ns / 3.6e12);
	printf("sim: %llu passed, %llu failed\n", run - failed + 0ull,
	       failed + 0ull);
	return failed;
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .first = 1, .seeds = 1000, .dir = "." };

	for (int i = 1; i + 1 < argc; i += 2) {
		u64 v = strtoull(argv[i + 1], NULL, 10);

		if (!strcmp(argv[i], "--seeds"))
			o.seeds = v;
		else if (!strcmp(argv[i], "--from"))
			o.first = v;
		else if (!strcmp(argv[i], "--seconds"))
			o.seconds = v;
		else if (!strcmp(argv[i], "--dir"))
			o.dir = argv[i + 1];
		else if (!strcmp(argv[i], "--fault"))
			o.fault = fault_by_name(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed")) {
			o.first = v;
			o.seeds = 1;
			o.one = true;
		}
	}
	return o;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("sim: mmap");
		return 2;
	}
	shared->fault = o.fault;
	ours_init();
	return run_all(&o) != 0;
}
