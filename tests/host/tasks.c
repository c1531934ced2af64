/*
 * Tasks on the host: each is a thread, and a baton makes sure that only one
 * runs at a time; it is passed on only in schedule(), first come first
 * served. So code that sleeps can be tested with several tasks, and every run
 * repeats exactly. When all sleep, the test's hook may act, else time passes.
 */
#include "tests/host/host.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/context.h"
#include "kernel/errno.h"
#include "kernel/mutex.h"
#include "kernel/panic.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "kernel/timer.h"

struct host_task {
	struct task task;		/* first member: cast both ways */
	pthread_t thread;
	pthread_cond_t go;
	u64 deadline;			/* KTIME_MAX: none */
	void (*fn)(void *arg);
	void *arg;
	bool done;
	struct host_task *next;		/* all started tasks */
};

static pthread_mutex_t baton = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t main_go = PTHREAD_COND_INITIALIZER;
static struct task *holder;		/* who runs */
static LIST_HEAD(runnable);
static struct host_task *started;
static u64 main_deadline = KTIME_MAX;
static unsigned long sleeps;
static s32 next_pid;
static struct task idle_task;

struct task host_main_task;
bool (*host_on_idle)(void *arg);
void *host_on_idle_arg;

__weak struct task *current_task = &host_main_task;
__weak u32 context_count;
__weak u32 softirq_pending;
bool host_irqs_off;

static u64 *deadline_of(struct task *task)
{
	if (task == &host_main_task)
		return &main_deadline;
	return &((struct host_task *)task)->deadline;
}

static pthread_cond_t *go_of(struct task *task)
{
	if (task == &host_main_task)
		return &main_go;
	return &((struct host_task *)task)->go;
}

static void make_runnable(struct task *task)
{
	task->state = TASK_RUNNING;
	if (!task->on_rq) {
		task->on_rq = true;
		list_add_tail(&task->run_list, &runnable);
	}
}

__weak int wake_up_process(struct task *task)
{
	if (task->state != TASK_INTERRUPTIBLE &&
	    task->state != TASK_UNINTERRUPTIBLE)
		return 0;
	/* A task that has set its state but not slept yet just goes on. */
	if (task == holder)
		task->state = TASK_RUNNING;
	else
		make_runnable(task);
	return 1;
}

static bool due(struct task *task)
{
	return (task->state == TASK_INTERRUPTIBLE ||
		task->state == TASK_UNINTERRUPTIBLE) && !task->on_rq &&
	       *deadline_of(task) <= host_now;
}

/* Wakes those whose deadline has come; also called by the clock. */
void host_wake_due(void);
void host_wake_due(void)
{
	if (due(&host_main_task))
		make_runnable(&host_main_task);
	for (struct host_task *t = started; t; t = t->next) {
		if (due(&t->task))
			make_runnable(&t->task);
	}
}

/* The earliest deadline of a sleeping task. */
u64 host_next_deadline(void);
u64 host_next_deadline(void)
{
	u64 next = KTIME_MAX;

	if (host_main_task.state != TASK_RUNNING)
		next = main_deadline;
	for (struct host_task *t = started; t; t = t->next) {
		if (!t->done && t->task.state != TASK_RUNNING)
			next = min(next, t->deadline);
	}
	return next;
}

static void idle(struct task *sleeper)
{
	bool acted = false;

	holder = &idle_task;
	if (host_on_idle) {
		idle_task.files = sleeper->files;
		idle_task.mm = sleeper->mm;
		idle_task.state = TASK_RUNNING;
		current_task = &idle_task;
		acted = host_on_idle(host_on_idle_arg);
		current_task = sleeper;
	}
	if (!acted && list_empty(&runnable) && !host_advance_to_next())
		panic("every task sleeps, and nothing will wake one");
	holder = sleeper;
}

/* Gives the baton to the first runnable task and waits to get it back. */
static void pass_baton(struct task *self)
{
	struct task *next;

	while (list_empty(&runnable))
		idle(self);
	next = list_first_entry(&runnable, struct task, run_list);
	list_del_init(&next->run_list);
	next->on_rq = false;
	if (next == self)
		return;
	holder = next;
	current_task = next;
	pthread_cond_signal(go_of(next));
	while (holder != self)
		pthread_cond_wait(go_of(self), &baton);
	current_task = self;
}

__weak void schedule(void)
{
	struct task *self = current;

	BUG_ON(!in_task() || irqs_disabled());
	BUG_ON(self == &idle_task);
	holder = self;
	if (self->state == TASK_RUNNING)
		make_runnable(self);
	else
		sleeps++;
	pass_baton(self);
	BUG_ON(self->state != TASK_RUNNING);
}

__weak int schedule_hrtimeout_range(u64 deadline, u64 slack)
{
	struct task *self = current;
	u64 *mine = deadline_of(self);

	if (deadline <= host_now) {
		self->state = TASK_RUNNING;
		return 0;
	}
	holder = self;
	*mine = deadline;
	if (self->state == TASK_INTERRUPTIBLE && signal_pending(self))
		self->state = TASK_RUNNING;
	schedule();
	*mine = KTIME_MAX;
	return host_now >= deadline ? 0 : -EINTR;
}

__weak void cond_resched(void)
{
}

static void *task_main(void *arg)
{
	struct host_task *t = arg;

	pthread_mutex_lock(&baton);
	while (holder != &t->task)
		pthread_cond_wait(&t->go, &baton);
	current_task = &t->task;
	t->fn(t->arg);
	t->done = true;
	t->task.state = TASK_DEAD;
	while (list_empty(&runnable))
		idle(&t->task);
	holder = list_first_entry(&runnable, struct task, run_list);
	list_del_init(&holder->run_list);
	holder->on_rq = false;
	current_task = holder;
	pthread_cond_signal(go_of(holder));
	pthread_mutex_unlock(&baton);
	return NULL;
}

struct task *host_task_start(const char *name, void (*fn)(void *arg),
			     void *arg)
{
	struct host_task *t = calloc(1, sizeof(*t));

	BUG_ON(!t);
	strncpy(t->task.comm, name, TASK_COMM_LEN - 1);
	t->task.pid = ++next_pid;
	t->task.tgid = 1;
	t->task.files = current->files;
	t->task.mm = current->mm;
	t->deadline = KTIME_MAX;
	t->fn = fn;
	t->arg = arg;
	INIT_LIST_HEAD(&t->task.run_list);
	pthread_cond_init(&t->go, NULL);
	t->next = started;
	started = t;
	make_runnable(&t->task);
	BUG_ON(pthread_create(&t->thread, NULL, task_main, t));
	return &t->task;
}

bool host_task_done(const struct task *task)
{
	return ((const struct host_task *)task)->done;
}

void host_run_others(void)
{
	while (!list_empty(&runnable))
		schedule();
}

void host_signal(struct task *task)
{
	__atomic_fetch_or(&task->work, TIF_SIGPENDING, __ATOMIC_SEQ_CST);
	if (task->state == TASK_INTERRUPTIBLE)
		wake_up_process(task);
}

static bool some_live(void)
{
	for (struct host_task *t = started; t; t = t->next) {
		if (!t->done)
			return true;
	}
	return false;
}

void host_join_tasks(void)
{
	while (some_live()) {
		if (list_empty(&runnable))
			idle(current);
		host_run_others();
	}
	pthread_mutex_unlock(&baton);
	while (started) {
		struct host_task *t = started;

		started = t->next;
		pthread_join(t->thread, NULL);
		pthread_cond_destroy(&t->go);
		free(t);
	}
	pthread_mutex_lock(&baton);
}

unsigned long host_sleeps(void)
{
	return sleeps;
}

void host_tasks_reset(void)
{
	static bool have_baton;

	if (!have_baton) {
		pthread_mutex_lock(&baton);
		have_baton = true;
	}
	BUG_ON(started);
	memset(&host_main_task, 0, sizeof(host_main_task));
	memset(&idle_task, 0, sizeof(idle_task));
	INIT_LIST_HEAD(&runnable);
	INIT_LIST_HEAD(&host_main_task.run_list);
	strcpy(host_main_task.comm, "main");
	host_main_task.pid = 1;
	host_main_task.tgid = 1;
	next_pid = 1;
	current_task = &host_main_task;
	holder = &host_main_task;
	main_deadline = KTIME_MAX;
	sleeps = 0;
	context_count = 0;
	host_nofile = HOST_NOFILE;
	softirq_pending = 0;
	host_irqs_off = false;
	host_on_idle = NULL;
	host_on_idle_arg = NULL;
}

void host_reset(void)
{
	host_memory_reset();
	host_user_reset();
	host_log_reset();
	host_clock_reset();
	host_tasks_reset();
}

/* --- softirq and mutex: as plain as one CPU allows --- */

__weak void do_softirq(void)
{
	softirq_pending = 0;
}

__weak void raise_softirq(enum softirq nr)
{
	softirq_pending |= 1u << nr;
}

__weak void open_softirq(enum softirq nr, void (*action)(void))
{
}

__weak void mutex_init(struct mutex *m)
{
	m->owner = NULL;
	spin_lock_init(&m->wait.lock);
	INIT_LIST_HEAD(&m->wait.head);
}

__weak void mutex_lock_slow(struct mutex *m)
{
	BUG_ON(m->owner == current);
	while (!mutex_trylock(m)) {
		if (list_empty(&runnable))
			panic("mutex_lock: the owner sleeps for good");
		schedule();
	}
}

/* Nobody queues himself: see above. */
__weak void mutex_unlock_slow(struct mutex *m)
{
}

/* All time is the caller's. */
__weak u64 task_cpu_ns(const struct task *task)
{
	(void)task;
	return host_now;
}

__weak u64 process_cpu_ns(void)
{
	return host_now;
}

__weak u64 idle_cpu_ns(void)
{
	return 0;
}
