/* Threads: clone, futexes, thread-local storage, vector registers, the end. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAKE_OP		5
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10

static long futex(void *addr, int op, unsigned val, const void *timeout,
		  void *addr2, unsigned val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static __thread int tls = 7;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int shared, go;

static void *count_up(void *arg)
{
	tls += (long)arg;
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		shared++;
		pthread_mutex_unlock(&mutex);
		if (i % 100 == 0)
			sched_yield();
	}
	return (void *)(long)tls;
}

CASE(threads_join)
{
	pthread_t t[8];
	void *ret;

	shared = 0;
	for (long i = 0; i < 8; i++)
		say("create %d", pthread_create(&t[i], NULL, count_up,
						(void *)i));
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], &ret);
		say("returned %ld", (long)ret);
	}
	say("counted %d, own tls %d", shared, tls);
}

static void *wait_cond(void *arg)
{
	pthread_mutex_lock(&mutex);
	shared++;
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	shared--;
	pthread_mutex_unlock(&mutex);
	return arg;
}

CASE(threads_condition)
{
	pthread_t t[5];
	struct timespec until;

	shared = go = 0;
	for (int i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, wait_cond, NULL);
	for (;;) {
		pthread_mutex_lock(&mutex);
		if (shared == 5)
			break;
		pthread_mutex_unlock(&mutex);
		sched_yield();
	}
	go = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	say("all woke, %d left", shared);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&mutex);
	say("timed wait %d", pthread_cond_timedwait(&cond, &mutex, &until) ==
	    ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

/* Each thread's numbers live in its own vector registers only. */
static void *compute(void *arg)
{
	double seed = (long)arg, x = seed, want = seed;
	unsigned mxcsr = 0x1f80 | ((long)arg % 4) << 13, now;

	for (int i = 0; i < 20000; i++)
		want = want * 1.0000001 + seed;
	__asm__ volatile("ldmxcsr %0" : : "m"((unsigned){ 0x1f80 }));
	for (int i = 0; i < 20000; i++) {
		x = x * 1.0000001 + seed;
		if (i % 64 == 0) {
			__asm__ volatile("movq %0, %%xmm15" : : "r"(seed));
			sched_yield();
			__asm__ volatile("" : "+x"(x));
		}
	}
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	sched_yield();
	__asm__ volatile("stmxcsr %0" : "=m"(now));
	return (void *)(long)(x == want && (now & ~0x3f) == (mxcsr & ~0x3f));
}

CASE(threads_vectors)
{
	pthread_t t[4];
	void *ok;

	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, compute, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &ok);
		say("thread %d computed right: %ld", i, (long)ok);
	}
}

static unsigned word, word2;
static volatile int woken;

static void *wait_word(void *arg)
{
	unsigned bits = (unsigned)(long)arg;
	long ret = futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, bits);

	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return (void *)ret;
}

CASE(futex_errors)
{
	struct timespec bad = { 0, 1000000000 }, some = { 0, 10000000 };

	word = 1;
	TRY(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
	TRY(futex(&word, FUTEX_WAIT, 1, &some, NULL, 0) == -1);
	say("timed out %d", errno == ETIMEDOUT);
	TRY(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0));
	TRY(futex(&word, FUTEX_WAIT, 1, BAD_LOW, NULL, 0));
	TRY(futex((char *)&word + 1, FUTEX_WAIT, 1, NULL, NULL, 0));
	TRY(futex(BAD_LOW, FUTEX_WAIT, 1, NULL, NULL, 0));
	TRY(futex(BAD_KERNEL, FUTEX_WAIT, 1, NULL, NULL, 0));
	TRY(futex(BAD_KERNEL, FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0));
	TRY(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	TRY(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY(futex(&word, FUTEX_WAKE, 0, NULL, NULL, 0));
	TRY(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &word2, 5));
	TRY(futex(&word, FUTEX_CMP_REQUEUE, -1, (void *)1, &word2, 1));
	TRY(futex(&word, FUTEX_REQUEUE, 1, (void *)1, BAD_KERNEL, 1));
	TRY(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &word2, 7u << 28));
	TRY(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, BAD_LOW, 0));
	TRY(futex(&word, 99, 1, NULL, NULL, 0));
}

CASE(futex_waiters)
{
	pthread_t t[4];

	word = 1;
	woken = 0;
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, wait_word, (void *)(1L << i));
	until_others_sleep();
	TRY(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 16));
	TRY(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 2));
	TRY(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &word2, 1));
	TRY(futex(&word2, FUTEX_WAKE, 9, NULL, NULL, 0));
	/* word2 = 5, and wake there too if it was 0. */
	word2 = 0;
	TRY(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &word2, 5 << 12));
	say("word2 %u", word2);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("woken %d", woken);
}

static pthread_mutex_t robust;

static void *die_with_lock(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

CASE(futex_robust)
{
	pthread_mutexattr_t attr;
	pthread_t t;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	pthread_create(&t, NULL, die_with_lock, NULL);
	pthread_join(t, NULL);
	say("owner died %d", pthread_mutex_lock(&robust) == EOWNERDEAD);
	say("consistent %d", pthread_mutex_consistent(&robust));
	say("unlock %d", pthread_mutex_unlock(&robust));
	say("lock %d", pthread_mutex_lock(&robust));
	pthread_mutex_unlock(&robust);
}

static int epfd, evfd;

static void *wait_epoll(void *arg)
{
	struct epoll_event ev;
	long got = 0;
	eventfd_t v;

	for (;;) {
		if (epoll_wait(epfd, &ev, 1, 5000) != 1)
			return (void *)-1L;
		if (eventfd_read(evfd, &v) < 0)
			continue;
		if (v == 1000)
			break;
		got++;
	}
	eventfd_write(evfd, 1000);
	return (void *)got;
}

CASE(threads_one_epoll)
{
	struct epoll_event ev = { .events = EPOLLIN };
	pthread_t t[6];
	long sum = 0;
	void *got;

	epfd = epoll_create1(0);
	evfd = eventfd(0, EFD_NONBLOCK);
	epoll_ctl(epfd, EPOLL_CTL_ADD, evfd, &ev);
	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], NULL, wait_epoll, NULL);
	for (int i = 0; i < 200; i++) {
		eventfd_t v;

		eventfd_write(evfd, 1);
		while (ready(evfd, POLLIN))
			sched_yield();
		(void)v;
	}
	eventfd_write(evfd, 1000);
	for (int i = 0; i < 6; i++) {
		pthread_join(t[i], &got);
		sum += (long)got;
	}
	say("woken %ld times in all", sum);
}

CASE(clone_errors)
{
	TRY(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
	TRY(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
	TRY(syscall(SYS_set_robust_list, BAD_LOW, 7));
	OK(sched_yield());
	say("tid is pid: %d", syscall(SYS_gettid) == getpid());
	TRY(syscall(SYS_tgkill, getpid(), 0x7ffffffe, 0));
	TRY(syscall(SYS_tgkill, 0, 1, 0));
	TRY(syscall(SYS_tkill, -1, 0));
	TRY(syscall(SYS_wait4, -1, NULL, 0, NULL));
}

/* What clone3() refuses; tests/e2e/test_glibc.py makes threads by it. */
CASE(threads_clone3)
{
	uint64_t args[16] = { 0 };

	TRY(syscall(SYS_clone3, args, 63));
	TRY(syscall(SYS_clone3, args, 5000));
	TRY(syscall(SYS_clone3, BAD_LOW, 88));
	args[15] = 1;
	TRY(syscall(SYS_clone3, args, 128));
	args[4] = 256;
	TRY(syscall(SYS_clone3, args, 88));
	args[4] = 65;
	TRY(syscall(SYS_clone3, args, 88));
	args[4] = SIGCHLD;
	args[0] = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
	TRY(syscall(SYS_clone3, args, 88));
	args[4] = 0;
	args[0] |= SIGCHLD;
	TRY(syscall(SYS_clone3, args, 88));
	args[0] = CLONE_VM | CLONE_THREAD;
	TRY(syscall(SYS_clone3, args, 88));
	args[0] |= CLONE_SIGHAND | CLONE_DETACHED;
	TRY(syscall(SYS_clone3, args, 88));
	args[0] ^= CLONE_DETACHED;
	args[5] = 4096;
	TRY(syscall(SYS_clone3, args, 88));
	args[5] = 0;
	args[6] = 4096;
	TRY(syscall(SYS_clone3, args, 88));
	args[5] = -8192ul;
	args[6] = 16384;
	TRY(syscall(SYS_clone3, args, 88));
	args[5] = args[6] = 0;
	args[8] = 1;
	TRY(syscall(SYS_clone3, args, 88));
}

CASE(threads_policies)
{
	struct sched_param none = { 0 }, one = { .sched_priority = 1 };

	TRY(syscall(SYS_getpriority, 0, 0));
	TRY(syscall(SYS_getpriority, 3, 0));
	TRY(syscall(SYS_setpriority, 0, 0, 0));
	TRY(syscall(SYS_setpriority, 9, 0, 0));
	TRY(syscall(SYS_sched_setscheduler, 0, 0, &none));
	TRY(syscall(SYS_sched_setscheduler, 0, 0, &one));
	TRY(syscall(SYS_sched_setscheduler, 0, 99, &none));
	TRY(syscall(SYS_sched_setscheduler, 0, -1, &none));
	TRY(syscall(SYS_sched_setscheduler, 0, 0, NULL));
	TRY(syscall(SYS_sched_setscheduler, 0, 0, BAD_LOW));
	TRY(syscall(SYS_sched_setscheduler, 99999999, 0, &none));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &none));
	TRY(syscall(SYS_sched_setparam, 0, &none));
	TRY(syscall(SYS_sched_setparam, 0, &one));
	TRY(prctl(PR_CAPBSET_READ, 41, 0, 0, 0));
	TRY(prctl(PR_CAPBSET_READ, 1000, 0, 0, 0));
	TRY(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
	TRY(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0));
}

/* Only what is refused: the host keeps its clock. */
CASE(threads_clock_set)
{
	struct timespec bad = { 0, 1000000000 }, far = { INT64_MAX, 0 };
	struct timeval bad_tv = { 0, 1000000 };

	TRY(clock_settime(CLOCK_MONOTONIC, &bad));
	TRY(clock_settime(99, &bad));
	TRY(clock_settime(CLOCK_REALTIME, &bad));
	TRY(clock_settime(CLOCK_REALTIME, &far));
	TRY(syscall(SYS_clock_settime, CLOCK_REALTIME, BAD_LOW));
	TRY(syscall(SYS_settimeofday, &bad_tv, NULL));
	TRY(syscall(SYS_settimeofday, BAD_LOW, NULL));
	TRY(syscall(SYS_settimeofday, NULL, NULL));
}
