/* Every operation of FUTEX_WAKE_OP, clocks, and robust lists as left behind. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

enum {
	FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE,
	FUTEX_WAKE_OP, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET,
	FUTEX_CLOCK_REALTIME = 256,
};

#define FUTEX_WAITERS	0x80000000u
#define FUTEX_TID_MASK	0x3fffffffu

struct robust_list {
	struct robust_list *next;
};

struct robust_list_head {
	struct robust_list list;
	long futex_offset;
	struct robust_list *list_op_pending;
};

static long futex(void *addr, int op, unsigned val, const void *timeout,
		  void *addr2, unsigned val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static unsigned here, there, stop;

static void *wait_there(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		futex(&there, FUTEX_WAIT, there, NULL, NULL, 0);
	return arg;
}

/* Sets @word to @old and applies; prints what it is then. */
static void wake_op(unsigned old, int op, int arg, int cmp, int cmp_arg)
{
	long ret;

	there = old;
	until_others_sleep();
	errno = 0;
	ret = futex(&here, FUTEX_WAKE_OP, 1, (void *)1, &there,
		    (unsigned)op << 28 | (unsigned)cmp << 24 |
		    (arg & 0xfffu) << 12 | (cmp_arg & 0xfffu));
	say("%x op %d %d, cmp %d %d: %ld %s, %x", old, op, arg, cmp, cmp_arg,
	    ret, ret < 0 ? errno_name(errno) : "", there);
}

CASE(futex_wake_op)
{
	pthread_t t;

	stop = 0;
	there = 0;
	pthread_create(&t, NULL, wait_there, NULL);
	for (int op = 0; op < 5; op++)
		wake_op(0x35, op, 0x16, 1, 0x35);
	wake_op(0x35, 1, -0x16, 1, 0x35);
	/* The operand as a shift. */
	wake_op(0x35, 8 | 2, 31, 1, 0x35);
	wake_op(0x35, 8 | 3, 0x24, 1, 0x35);
	for (int cmp = 0; cmp < 6; cmp++)
		for (int by = -1; by < 2; by++)
			wake_op(5, 0, 5, cmp, 5 + by);
	/* Signed, all of it. */
	wake_op(-7u, 0, 1, 2, -3);
	wake_op(-7u, 0, 1, 4, -9);
	wake_op(-7u, 0, 1, 2, 3);
	/* Unknown: what was to be done is done, or not. */
	wake_op(5, 0, 6, 6, 5);
	wake_op(5, 0, 6, 15, 5);
	wake_op(5, 5, 6, 0, 5);
	stop = 1;
	there = 9;
	futex(&there, FUTEX_WAKE, 9, NULL, NULL, 0);
	pthread_join(t, NULL);
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

CASE(futex_clocks)
{
	const int real = FUTEX_CLOCK_REALTIME;
	struct timespec ts = { 0, 20000000 };

	here = 1;
	TRY(futex(&here, FUTEX_WAIT, 1, &ts, NULL, 0) + errno == ETIMEDOUT);
	TRY(futex(&here, FUTEX_WAIT | real, 1, &ts, NULL, 0));
	say("timed out %d", errno == ETIMEDOUT);
	ts = in_ms(CLOCK_MONOTONIC, 20);
	TRY(futex(&here, FUTEX_WAIT_BITSET, 1, &ts, NULL, 1));
	say("timed out %d", errno == ETIMEDOUT);
	ts = in_ms(CLOCK_REALTIME, 20);
	TRY(futex(&here, FUTEX_WAIT_BITSET | real, 1, &ts, NULL, 1));
	say("timed out %d", errno == ETIMEDOUT);
	/* Long past on its clock. */
	ts = (struct timespec){ 0, 1 };
	TRY(futex(&here, FUTEX_WAIT_BITSET, 1, &ts, NULL, 1));
	say("timed out %d", errno == ETIMEDOUT);
	TRY(futex(&here, FUTEX_WAIT_BITSET | real, 1, &ts, NULL, 1));
	say("timed out %d", errno == ETIMEDOUT);
	TRY(futex(&here, FUTEX_WAKE | real, 1, NULL, NULL, 0));
	TRY(futex(&here, FUTEX_WAKE_BITSET | real, 1, NULL, NULL, 1));
	TRY(futex(&here, FUTEX_REQUEUE | real, 1, NULL, &there, 0));
	TRY(futex(&here, FUTEX_WAKE_OP | real, 1, NULL, &there, 0));
}

static void *wait_here(void *arg)
{
	struct timespec ts = { 5, 0 };

	return (void *)futex(arg, FUTEX_WAIT, *(unsigned *)arg, &ts, NULL, 0);
}

CASE(futex_how_many)
{
	pthread_t t[6];

	here = there = 1;
	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], NULL, wait_here, &here);
	until_others_sleep();
	TRY(futex(&here, FUTEX_WAKE, 0, NULL, NULL, 0));
	TRY(futex(&here, FUTEX_WAKE, -1, NULL, NULL, 0));
	TRY(futex(&here, FUTEX_REQUEUE, 1, (void *)1, &there, 0));
	TRY(futex(&here, FUTEX_CMP_REQUEUE, 0, (void *)1, &there, 2));
	TRY(futex(&here, FUTEX_CMP_REQUEUE, 0, (void *)1, &there, 1));
	/* Both places at once: one is left here, two are there. */
	TRY(futex(&here, FUTEX_WAKE_OP, 9, (void *)9, &there, 1));
	TRY(futex(&here, FUTEX_WAKE, 9, NULL, NULL, 0));
	TRY(futex(&there, FUTEX_WAKE, 9, NULL, NULL, 0));
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
}

/* ---- robust lists, of a thread that is none of the C library's ---- */

enum { HELD, WAITED_FOR, NOT_MINE, PI, PENDING, NR_LOCKS };

static struct lock {
	struct robust_list list;
	unsigned word;
} locks[NR_LOCKS];

static struct robust_list_head head;
static unsigned go, dead;
static char stack[16384] __attribute__((aligned(16)));

static int die_with_locks(void *arg)
{
	syscall(SYS_set_robust_list, &head, sizeof(head));
	while (!__atomic_load_n(&go, __ATOMIC_SEQ_CST))
		futex(&go, FUTEX_WAIT, 0, NULL, NULL, 0);
	return 0;
}

static int begin(void)
{
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		    CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |
		    CLONE_PARENT_SETTID;

	go = 0;
	return clone(die_with_locks, stack + sizeof(stack), flags, NULL,
		     &dead, NULL, &dead);
}

static void end(void)
{
	unsigned tid = dead;

	__atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
	futex(&go, FUTEX_WAKE, 1, NULL, NULL, 0);
	while (__atomic_load_n(&dead, __ATOMIC_SEQ_CST))
		futex(&dead, FUTEX_WAIT, tid, NULL, NULL, 0);
	for (int i = 0; i < NR_LOCKS; i++)
		say("%d: flags %x, %s", i, locks[i].word >> 30,
		    !(locks[i].word & FUTEX_TID_MASK) ? "free" :
		    (locks[i].word & FUTEX_TID_MASK) == tid ? "held" :
							      "another's");
}

static void chain_up(int nr)
{
	head = (struct robust_list_head){
		.list.next = &locks[0].list,
		.futex_offset = offsetof(struct lock, word),
	};
	for (int i = 0; i < nr; i++)
		locks[i].list.next = i + 1 < nr ? &locks[i + 1].list :
						  &head.list;
}

CASE(futex_robust_list)
{
	pthread_t t[NR_LOCKS];
	int tid;

	chain_up(NR_LOCKS - 1);
	/* A pointer's lowest bit says that the lock inherits priorities. */
	locks[NOT_MINE].list.next = (void *)((char *)&locks[PI].list + 1);
	head.list_op_pending = &locks[PENDING].list;
	tid = begin();
	locks[HELD].word = tid;
	locks[WAITED_FOR].word = tid | FUTEX_WAITERS;
	locks[NOT_MINE].word = 1 | FUTEX_WAITERS;
	locks[PI].word = tid | FUTEX_WAITERS;
	locks[PENDING].word = 0;
	for (int i = 0; i < NR_LOCKS; i++)
		pthread_create(&t[i], NULL, wait_here, &locks[i].word);
	until_others_sleep();
	end();
	for (int i = 0; i < NR_LOCKS; i++)
		say("%d woken %ld", i, futex(&locks[i].word, FUTEX_WAKE, 9,
					     NULL, NULL, 0));
	for (int i = 0; i < NR_LOCKS; i++)
		pthread_join(t[i], NULL);
}

/* The one that was just being taken or given back, too. */
CASE(futex_robust_pending)
{
	int tid;

	memset(locks, 0, sizeof(locks));
	chain_up(2);
	head.list_op_pending = &locks[1].list;
	tid = begin();
	for (int i = 0; i < 3; i++)
		locks[i].word = tid;
	end();
	/* A list that cannot be read, or has no end. */
	chain_up(3);
	locks[1].list.next = BAD_LOW;
	tid = begin();
	for (int i = 0; i < 3; i++)
		locks[i].word = tid;
	end();
	chain_up(2);
	locks[1].list.next = &locks[0].list;
	tid = begin();
	for (int i = 0; i < 3; i++)
		locks[i].word = tid;
	end();
	memset(locks, 0, sizeof(locks));
}

static unsigned in_child, in_parent, told;
static uint64_t child_mask;

static int look_around(void *arg)
{
	syscall(SYS_rt_sigprocmask, 0, NULL, &child_mask, 8);
	told = in_child;
	return 0;
}

/* Without a C library in between, which sets masks by itself. */
CASE(clone_tells_and_inherits)
{
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		    CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |
		    CLONE_CHILD_SETTID | CLONE_PARENT_SETTID;
	uint64_t mask = 0x200, none = 0;
	unsigned tid;

	syscall(SYS_rt_sigprocmask, 2, &mask, NULL, 8);
	in_child = in_parent = told = 0;
	child_mask = 0;
	tid = clone(look_around, stack + sizeof(stack), flags, NULL,
		    &in_parent, NULL, &in_child);
	while (!__atomic_load_n(&told, __ATOMIC_SEQ_CST))
		usleep(1000);
	while (__atomic_load_n(&in_child, __ATOMIC_SEQ_CST))
		futex(&in_child, FUTEX_WAIT, tid, NULL, NULL, 0);
	syscall(SYS_rt_sigprocmask, 2, &none, NULL, 8);
	say("child %d, parent %d, cleared %d, mask %llx", told == tid,
	    in_parent == tid, !in_child, (unsigned long long)child_mask);
}
