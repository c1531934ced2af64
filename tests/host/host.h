/*
 * What a unit test sees of the fakes in tests/host/: memory that can run out,
 * user memory that can be bad, tasks, a virtual clock, and what was logged.
 * Every fake is a weak symbol: a test that lists the real source in its
 * "sources:" comment gets the real one.
 */
#pragma once

#include <setjmp.h>

#include "kernel/sched.h"
#include "kernel/types.h"

/* --- all of it --- */

/*
 * Back to the first state: one task, time 1 s, no faults, empty log. What is
 * still allocated stays counted. Call it from each test's setup.
 */
void host_reset(void);

/* --- memory (memory.c) --- */

/* Objects, pages and areas that were handed out and not given back. */
unsigned long host_allocs_outstanding(void);
/* Allocations asked for since host_reset(), granted or not. */
unsigned long host_allocs_made(void);
/* The @nth allocation from now on fails, once (1: the next). 0: none does. */
void host_fail_alloc(unsigned long nth);
/* True if the injected failure has happened. */
bool host_alloc_failed(void);
/* Every allocation fails until called with false. */
void host_fail_all_allocs(bool on);

/* --- page tables (paging.c) --- */

/* No new table can be had until called with false. */
void host_refuse_tables(bool on);
/* Pages that are mapped now, user or kernel. */
unsigned int host_pages_mapped(void);

/* --- user memory (uaccess.c) --- */

/*
 * User pointers are host pointers; these bytes fault. The first page of the
 * address space always does. A copy stops at the first bad byte.
 */
void host_bad_user(const void *start, size_t len);
void host_good_user(void);

/* --- log and panic (log.c) --- */

const char *host_log(void);		/* what printk() got, all levels */
void host_log_clear(void);
const char *host_console(void);		/* what console_write() got */
size_t host_console_len(void);
void host_console_clear(void);

/* True if @stmt panicked: if (host_panics()) { stmt; host_no_panic(); } */
extern jmp_buf host_panic_jmp;
extern bool host_panic_caught;
const char *host_panic_text(void);
/* Runs @stmt; afterwards host_panic_caught says whether it panicked. */
#define host_expect_panic(stmt)						\
	do {								\
		host_panic_arm(true);					\
		host_panic_caught = false;				\
		if (!setjmp(host_panic_jmp)) {				\
			stmt;						\
		}							\
		host_panic_arm(false);					\
	} while (0)
void host_panic_arm(bool on);

/* --- tasks (tasks.c) --- */

extern struct task host_main_task;	/* the test itself */

/*
 * Called when every task sleeps, before time moves to the next timer: make
 * something happen and return true, or return false to let time pass. When
 * neither helps, the test fails with "every task sleeps". It runs as a task
 * of its own that shares the sleeper's files.
 */
extern bool (*host_on_idle)(void *arg);
extern void *host_on_idle_arg;

/*
 * Starts a task running fn(arg); it shares the caller's files and mm. It runs
 * when the others sleep or yield: only one task runs at any moment, and only
 * schedule() switches, first come first served, so runs repeat exactly.
 */
struct task *host_task_start(const char *name, void (*fn)(void *arg),
			     void *arg);
/* Lets the others run until all of them sleep or are done. */
void host_run_others(void);
/* True if @task has returned from its function. */
bool host_task_done(const struct task *task);
/* Marks a signal pending for @task and wakes it. */
void host_signal(struct task *task);
/* Waits for all started tasks; fails if one never ends. */
void host_join_tasks(void);
/* How often schedule() put a task to sleep, since host_reset(). */
unsigned long host_sleeps(void);

/* --- the process (process.c) --- */

#define HOST_NOFILE (1u << 20)
extern u64 host_nofile;			/* RLIMIT_NOFILE */
extern bool host_not_root;

/* --- time (clock.c) --- */

extern u64 host_now;			/* ktime_get_ns() */
/* Moves the clock and fires the timers that are due, in order. */
void host_advance(u64 ns);
/* To the next timer; false if there is none. */
bool host_advance_to_next(void);

/* --- pieces of host_reset() --- */

void host_memory_reset(void);
void host_user_reset(void);
void host_log_reset(void);
void host_tasks_reset(void);
void host_clock_reset(void);
void host_random_seed(u64 seed);
