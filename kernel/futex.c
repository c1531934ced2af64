/*
 * Futexes. There is one address space, so a futex is its user address,
 * private or shared. Waiters hang in a table hashed by it.
 *
 * LOCKING: a bucket's lock guards its list and the q members of the waiters in
 * it. It is taken with interrupts off: a user access under it then does not
 * fault pages in but fails, and is tried again without the lock. Two buckets
 * are locked in the order of their addresses. Run-queue locks come below.
 */
#include "kernel/futex.h"

#include "kernel/errno.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/spinlock.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAKE_OP		5
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_PRIVATE_FLAG	128
#define FUTEX_CLOCK_REALTIME	256

#define NR_BUCKETS	64u
#define WAIT_SLACK	(50 * NSEC_PER_USEC)

/* Locks: b lock. */
struct bucket {
	struct spinlock lock;
	struct list_head waiters;	/* b */
};

/* A waiter, on its own stack. Locks: q its bucket's lock, o own task. */
struct futex_q {
	struct list_head node;		/* q */
	u64 addr;			/* q */
	struct bucket *bucket;		/* q  NULL once it was woken */
	struct task *task;		/* o */
	u32 bitset;			/* o */
};

static struct bucket buckets[NR_BUCKETS];

static struct bucket *bucket_of(u64 addr)
{
	struct bucket *b = &buckets[(addr >> 2 ^ addr >> 8 ^ addr >> 14) %
				    NR_BUCKETS];

	return b;
}

/* Locks come zeroed and free; a list must point home first. */
static void ready_bucket(struct bucket *b)
{
	if (unlikely(!b->waiters.next))
		INIT_LIST_HEAD(&b->waiters);
}

static unsigned long lock_bucket(struct bucket *b)
	__acquires(b->lock)
{
	unsigned long irq = spin_lock_irqsave(&b->lock);

	ready_bucket(b);
	return irq;
}

static unsigned long lock_two(struct bucket *a, struct bucket *b)
	__no_lock_check
{
	unsigned long irq = lock_bucket(min(a, b));

	if (a != b) {
		spin_lock(&max(a, b)->lock);
		ready_bucket(max(a, b));
	}
	return irq;
}

static void unlock_two(struct bucket *a, struct bucket *b, unsigned long irq)
	__no_lock_check
{
	if (a != b)
		spin_unlock(&max(a, b)->lock);
	spin_unlock_irqrestore(&min(a, b)->lock, irq);
}

/*
 * The waiter may be gone as soon as it sees that it has no bucket: it is told
 * last, under the lock that it takes before it leaves.
 */
static void wake_waiter(struct futex_q *q)
{
	struct task *task = q->task;

	list_del(&q->node);
	WRITE_ONCE(q->bucket, NULL);
	wake_up_process(task);
}

static int wake_locked(struct bucket *b, u64 addr, int nr, u32 bitset)
{
	struct futex_q *q, *next;
	int woken = 0;

	list_for_each_entry_safe(q, next, &b->waiters, node) {
		if (woken >= nr)
			break;
		if (q->addr != addr || !(q->bitset & bitset))
			continue;
		wake_waiter(q);
		woken++;
	}
	return woken;
}

static int check_futex(const u32 __user *uaddr)
{
	if ((u64)uaddr % sizeof(u32))
		return -EINVAL;
	return access_ok(uaddr, sizeof(*uaddr)) ? 0 : -EFAULT;
}

int futex_wake(u32 __user *uaddr, int nr, u32 bitset)
{
	struct bucket *b = bucket_of((u64)uaddr);
	int err = check_futex(uaddr), woken;
	unsigned long irq;

	if (err)
		return err;
	if (!bitset)
		return -EINVAL;
	irq = lock_bucket(b);
	/* Like Linux, zero and less wake one. */
	woken = wake_locked(b, (u64)uaddr, max(nr, 1), bitset);
	spin_unlock_irqrestore(&b->lock, irq);
	return woken;
}

/*
 * Queues the waiter if *@uaddr is still @val. The look and the queueing are
 * one step for wakers, who take the same lock. 0, -EAGAIN or -EFAULT.
 */
static int queue_waiter(struct futex_q *q, u32 __user *uaddr, u32 val)
{
	struct bucket *b = bucket_of((u64)uaddr);
	unsigned long irq;
	u32 now;
	int err;

	for (;;) {
		irq = lock_bucket(b);
		err = get_user(now, uaddr);
		if (!err)
			break;
		spin_unlock_irqrestore(&b->lock, irq);
		if (get_user(now, uaddr))
			return -EFAULT;
	}
	if (now == val) {
		q->addr = (u64)uaddr;
		q->bucket = b;
		list_add_tail(&q->node, &b->waiters);
	}
	spin_unlock_irqrestore(&b->lock, irq);
	return now == val ? 0 : -EAGAIN;
}

/* Takes the waiter off the queue; false if somebody woke it. */
static bool unqueue_waiter(struct futex_q *q)
{
	struct bucket *b;
	unsigned long irq;

	/* Requeueing may move it while we wait for the lock. */
	while ((b = READ_ONCE(q->bucket))) {
		irq = lock_bucket(b);
		if (q->bucket == b) {
			list_del(&q->node);
			spin_unlock_irqrestore(&b->lock, irq);
			return true;
		}
		spin_unlock_irqrestore(&b->lock, irq);
	}
	return false;
}

static int futex_wait(u32 __user *uaddr, u32 val, u64 deadline, u32 bitset)
{
	struct futex_q q = { .task = current, .bitset = bitset };
	bool timed_out = false;
	int err = check_futex(uaddr);

	if (!err)
		err = bitset ? queue_waiter(&q, uaddr, val) : -EINVAL;
	if (err)
		return err;
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!READ_ONCE(q.bucket) || timed_out ||
		    signal_pending(current))
			break;
		timed_out = !schedule_hrtimeout_range(deadline, WAIT_SLACK);
	}
	set_current_state(TASK_RUNNING);
	if (!unqueue_waiter(&q))
		return 0;
	return timed_out ? -ETIMEDOUT : -ERESTARTSYS;
}

/* Goes on with a wait that a signal without a handler interrupted. */
static long futex_wait_restart(struct restart_block *block)
{
	long ret = futex_wait((u32 __user *)block->arg[0], (u32)block->arg[1],
			      block->deadline, (u32)block->arg[2]);

	if (ret != -ERESTARTSYS)
		return ret;
	block->fn = futex_wait_restart;
	return -ERESTART_RESTARTBLOCK;
}

static long wait_until(u32 __user *uaddr, u32 val, u64 deadline, u32 bitset)
{
	struct restart_block *block = &current->restart;
	long ret = futex_wait(uaddr, val, deadline, bitset);

	if (ret != -ERESTARTSYS || deadline == KTIME_MAX)
		return ret;
	block->fn = futex_wait_restart;
	block->arg[0] = (u64)uaddr;
	block->arg[1] = val;
	block->arg[2] = bitset;
	block->deadline = deadline;
	return -ERESTART_RESTARTBLOCK;
}

/* Moves up to @nr of the waiters at @from to @to. */
static int requeue_locked(struct bucket *b, u64 from, struct bucket *to_b,
			  u64 to, int nr)
{
	struct futex_q *q, *next;
	int moved = 0;

	list_for_each_entry_safe(q, next, &b->waiters, node) {
		if (moved >= nr)
			break;
		if (q->addr != from)
			continue;
		q->addr = to;
		if (b != to_b) {
			list_del(&q->node);
			list_add_tail(&q->node, &to_b->waiters);
			WRITE_ONCE(q->bucket, to_b);
		}
		moved++;
	}
	return moved;
}

/* @cmp: only if *@uaddr is @val. */
static int futex_requeue(u32 __user *uaddr, u32 __user *to, int nr_wake,
			 int nr_move, bool cmp, u32 val)
{
	struct bucket *b = bucket_of((u64)uaddr), *to_b = bucket_of((u64)to);
	int err = check_futex(uaddr), done;
	unsigned long irq;
	u32 now = val;

	if (!err)
		err = check_futex(to);
	if (err)
		return err;
	if (nr_wake < 0 || nr_move < 0)
		return -EINVAL;
	for (;;) {
		irq = lock_two(b, to_b);
		if (!cmp || !get_user(now, uaddr))
			break;
		unlock_two(b, to_b, irq);
		if (get_user(now, uaddr))
			return -EFAULT;
	}
	if (now == val) {
		done = wake_locked(b, (u64)uaddr, nr_wake, FUTEX_BITSET_ALL);
		done += requeue_locked(b, (u64)uaddr, to_b, (u64)to, nr_move);
	} else {
		done = -EAGAIN;
	}
	unlock_two(b, to_b, irq);
	return done;
}

/* What FUTEX_WAKE_OP makes of @old; 0 or -ENOSYS. */
static int apply_op(u32 op, u32 arg, u32 old, u32 *new)
{
	switch (op) {
	case 0:
		*new = arg;
		return 0;
	case 1:
		*new = old + arg;
		return 0;
	case 2:
		*new = old | arg;
		return 0;
	case 3:
		*new = old & ~arg;
		return 0;
	case 4:
		*new = old ^ arg;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int compare_op(u32 cmp, s32 old, s32 arg)
{
	switch (cmp) {
	case 0:
		return old == arg;
	case 1:
		return old != arg;
	case 2:
		return old < arg;
	case 3:
		return old <= arg;
	case 4:
		return old > arg;
	case 5:
		return old >= arg;
	default:
		return -ENOSYS;
	}
}

/* Does the encoded operation on *@uaddr: the comparison's result or -errno. */
static int user_op(u32 __user *uaddr, u32 code)
{
	u32 op = code >> 28 & 7, cmp = code >> 24 & 15;
	s32 oparg = (s32)(code << 8) >> 20, cmparg = (s32)(code << 20) >> 20;
	u32 old, new, was;
	int err;

	if (code >> 31)
		oparg = (s32)(1u << (oparg & 31));
	if (get_user(old, uaddr))
		return -EFAULT;
	for (;;) {
		err = apply_op(op, (u32)oparg, old, &new);
		if (!err)
			err = user_cmpxchg32(uaddr, old, new, &was);
		if (err)
			return err;
		if (was == old)
			return compare_op(cmp, (s32)old, cmparg);
		old = was;
	}
}

static int futex_wake_op(u32 __user *uaddr, u32 __user *uaddr2, int nr,
			 int nr2, u32 code)
{
	struct bucket *b = bucket_of((u64)uaddr), *b2 = bucket_of((u64)uaddr2);
	int err = check_futex(uaddr), woken;
	unsigned long irq;
	u32 value;

	if (!err)
		err = check_futex(uaddr2);
	if (err)
		return err;
	for (;;) {
		irq = lock_two(b, b2);
		err = user_op(uaddr2, code);
		if (err != -EFAULT)
			break;
		unlock_two(b, b2, irq);
		if (get_user(value, uaddr2) ||
		    user_cmpxchg32(uaddr2, value, value, &value))
			return -EFAULT;
	}
	woken = err;
	if (err >= 0)
		woken = wake_locked(b, (u64)uaddr, max(nr, 1),
				    FUTEX_BITSET_ALL);
	if (err > 0)
		woken += wake_locked(b2, (u64)uaddr2, max(nr2, 1),
				     FUTEX_BITSET_ALL);
	unlock_two(b, b2, irq);
	return woken;
}

/* FUTEX_WAIT's timeout is how long, FUTEX_WAIT_BITSET's until when. */
static int wait_deadline(int op, const struct timespec __user *uts,
			 u64 *deadline)
{
	bool relative = (op & 127) == FUTEX_WAIT;
	struct timespec ts;
	u64 ns, now;

	*deadline = KTIME_MAX;
	if (!uts)
		return 0;
	if (get_user(ts, uts))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	ns = timespec_to_ns(&ts);
	now = ktime_get_ns();
	if (!relative && op & FUTEX_CLOCK_REALTIME) {
		u64 real = ktime_get_real_ns();

		ns = ns > real ? ns - real : 0;
		relative = true;
	}
	if (relative)
		*deadline = ns < KTIME_MAX - now ? now + ns : KTIME_MAX;
	else
		*deadline = ns;
	return 0;
}

SYSCALL_DEFINE6(futex, u32 __user *, uaddr, int, op, u32, val,
		const struct timespec __user *, timeout, u32 __user *, uaddr2,
		u32, val3)
{
	int cmd = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	int nr2 = (int)(u64)timeout;
	u64 deadline;
	int err;

	if (op & FUTEX_CLOCK_REALTIME && cmd != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
		val3 = FUTEX_BITSET_ALL;
		__attribute__((fallthrough));
	case FUTEX_WAIT_BITSET:
		err = wait_deadline(op, timeout, &deadline);
		return err ? err : wait_until(uaddr, val, deadline, val3);
	case FUTEX_WAKE:
		return futex_wake(uaddr, (int)val, FUTEX_BITSET_ALL);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr, (int)val, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(uaddr, uaddr2, (int)val, nr2, false, 0);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(uaddr, uaddr2, (int)val, nr2, true, val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(uaddr, uaddr2, (int)val, nr2, val3);
	default:
		return -ENOSYS;
	}
}
