/*
 * epoll, the waiting half: how a wakeup of a watched file makes its item
 * ready (ep_poll_callback), how epoll_wait() sleeps for that (ep_poll) and
 * hands events out (ep_send_events). Items are made in epoll_ctl.c.
 *
 * A ready list, not a verdict: an item on rdllist may be ready. The scan asks
 * the file again, reports what is true and drops the rest. A level-triggered
 * item that was reported goes back to the tail, so it is asked again next
 * time, and with more ready items than maxevents each gets its turn.
 *
 * LOCKING, outermost first:
 *   epnested_mutex   changes to which epoll watches which (epoll_nest.c)
 *   ep->mtx          the tree, the items, a scan. Sleeps: a scan copies to
 *                    user memory and calls the files' poll.
 *   file->f_lock     the chain of items at a watched file
 *   (the watched file's wait-queue lock, which ep_poll_callback runs under)
 *   ep->lock         rdllist and ovflist. Taken from every context, so task
 *                    code takes it with interrupts off.
 *   ep->wq.lock      the sleepers; taken under ep->lock to add and to wake, so
 *                    that a sleeper is added only while nothing is ready.
 * Of nested epolls, the watching one's mtx comes before the watched one's,
 * and the watched one's ep->lock is dropped before it wakes the watching one.
 * No file's poll is called under ep->lock.
 */
#include "fs/eventpoll.h"

#include "fs/eventpoll_internal.h"
#include "fs/fdtable.h"
#include "kernel/context.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "kernel/uaccess.h"

/* Anything to hand out? During a scan perhaps: the caller asks under mtx. */
static bool ep_events_available(const struct eventpoll *ep)
{
	return !list_empty(&ep->rdllist) || READ_ONCE(ep->asking) ||
	       READ_ONCE(ep->ovflist) != EP_UNACTIVE_PTR;
}

static bool ep_has_waiters(const struct eventpoll *ep)
{
	return !list_empty(&ep->wq.head);
}

/* Wakes one sleeper of epoll_wait(), the latest. ep->lock is held. */
static void ep_wake_waiter(struct eventpoll *ep)
{
	spin_lock(&ep->wq.lock);
	__wake_up_locked(&ep->wq, TASK_NORMAL_WAKE, 1, NULL);
	spin_unlock(&ep->wq.lock);
}

/* Tells those who watch @ep itself. No ep->lock is held. */
static void ep_poll_safewake(struct eventpoll *ep)
{
	wake_up_poll(&ep->poll_wait, EPOLLIN);
}

/*
 * An exclusive item took the wakeup if it waits for just what happened: then
 * the file's queue wakes no further exclusive item.
 */
static bool ep_takes_wakeup(u32 events, u32 mask)
{
	switch (mask & (EPOLLIN | EPOLLOUT)) {
	case 0:
		return true;
	case EPOLLIN:
		return events & EPOLLIN;
	case EPOLLOUT:
		return events & EPOLLOUT;
	default:
		return false;
	}
}

/* ep->lock is held. */
static void ep_link_ready(struct eventpoll *ep, struct epitem *epi)
{
	if (unlikely(ep->ovflist != EP_UNACTIVE_PTR)) {
		if (epi->next == EP_UNACTIVE_PTR) {
			epi->next = ep->ovflist;
			ep->ovflist = epi;
		}
	} else if (!ep_is_linked(epi)) {
		list_add_tail(&epi->rdllink, &ep->rdllist);
	}
}

/*
 * The file of @epi was woken with @mask (0: not said what). Runs under the
 * lock of the file's wait queue, which is taken with interrupts off; so the
 * plain spin_lock is the right one.
 *
 * No wakeup is lost: the item is linked before the sleepers are looked for,
 * and ep_poll() looks for items before it becomes a sleeper, both under
 * ep->lock. What the file's poll will say was published before the wakeup.
 */
static __inline_hot int ep_item_event(struct epitem *epi, u32 mask)
{
	struct eventpoll *ep = epi->ep;
	bool took = false, nested = false;
	u32 events;

	trace(TRACE_EP_POLL_CALLBACK, epi, mask);
	spin_lock(&ep->lock);
	events = READ_ONCE(epi->events);
	/* Disabled by ONESHOT, or woken for what it does not watch for. */
	if (!(events & ~EP_PRIVATE_BITS) || (mask && !(mask & events)))
		goto unlock;
	ep_link_ready(ep, epi);
	if (ep_has_waiters(ep)) {
		took = ep_takes_wakeup(events, mask);
		ep_wake_waiter(ep);
	}
	nested = !list_empty(&ep->poll_wait.head);
unlock:
	spin_unlock(&ep->lock);
	if (unlikely(nested))
		ep_poll_safewake(ep);
	return !(events & EPOLLEXCLUSIVE) || took;
}

/* The wake function of an item's entry on its file's wait queue. */
int ep_poll_callback(struct wait_queue_entry *wqe, unsigned int mode,
		     int flags, void *key)
{
	(void)mode;
	(void)flags;
	return ep_item_event(container_of(wqe, struct epitem, pwqlist),
			     key_to_poll(key));
}

/* The same for the second and later queues of a file. */
int ep_poll_callback_more(struct wait_queue_entry *wqe, unsigned int mode,
			  int flags, void *key)
{
	(void)mode;
	(void)flags;
	return ep_item_event(container_of(wqe, struct eppoll_entry, wait)->base,
			     key_to_poll(key));
}

/* ADD or MOD found the item ready already. mtx is held, so no scan runs. */
void ep_item_ready(struct epitem *epi)
{
	struct eventpoll *ep = epi->ep;
	unsigned long irq = spin_lock_irqsave(&ep->lock);
	bool nested = false;

	if (!ep_is_linked(epi)) {
		list_add_tail(&epi->rdllink, &ep->rdllist);
		if (ep_has_waiters(ep))
			ep_wake_waiter(ep);
		nested = !list_empty(&ep->poll_wait.head);
	}
	spin_unlock_irqrestore(&ep->lock, irq);
	if (nested)
		ep_poll_safewake(ep);
}

/* Takes the ready list to scan it in peace. mtx is held. */
static void ep_start_scan(struct eventpoll *ep, struct list_head *txlist)
{
	spin_lock_irq(&ep->lock);
	INIT_LIST_HEAD(txlist);
	list_splice_init(&ep->rdllist, txlist);
	WRITE_ONCE(ep->ovflist, NULL);
	spin_unlock_irq(&ep->lock);
}

/*
 * Puts back, in this order: what the scan did not get to, what became ready
 * meanwhile, and what the scan itself queued again. mtx is held.
 */
static void ep_done_scan(struct eventpoll *ep, struct list_head *txlist)
{
	struct epitem *epi, *next;

	spin_lock_irq(&ep->lock);
	/* The chain is newest first: adding at the front restores the order. */
	for (epi = ep->ovflist; unlikely(epi != NULL); epi = next) {
		next = epi->next;
		epi->next = EP_UNACTIVE_PTR;
		if (!ep_is_linked(epi))
			list_add(&epi->rdllink, &ep->rdllist);
	}
	WRITE_ONCE(ep->ovflist, EP_UNACTIVE_PTR);
	list_splice_init(txlist, &ep->rdllist);
	/* The sleepers could not see what the scan held. */
	if (!list_empty(&ep->rdllist) && ep_has_waiters(ep))
		ep_wake_waiter(ep);
	spin_unlock_irq(&ep->lock);
}

/*
 * Is any item of @ep ready? Those that are not leave the ready list. The
 * recursion through ep_item_poll() ends: epolls nest EP_MAX_NESTS deep.
 */
static __cold u32 ep_eventpoll_poll(struct file *file, struct poll_table *pt)
{
	struct eventpoll *ep = file->private_data;
	struct epitem *epi, *tmp;
	struct list_head txlist;
	u32 ready = 0;

	poll_wait(file, &ep->poll_wait, pt);
	mutex_lock(&ep->mtx);
	ep_start_scan(ep, &txlist);
	list_for_each_entry_safe(epi, tmp, &txlist, rdllink) {
		if (ep_item_poll(epi, NULL)) {
			ready = EPOLLIN | EPOLLRDNORM;
			break;
		}
		list_del_init(&epi->rdllink);
	}
	ep_done_scan(ep, &txlist);
	mutex_unlock(&ep->mtx);
	return ready;
}

/*
 * What is true of the item's file now, of what it watches for. mtx is held.
 * @pt hangs an entry on the file's queues, or is NULL.
 */
u32 ep_item_poll(const struct epitem *epi, struct poll_table *pt)
{
	return vfs_poll(epi->ffd.file, pt) & epi->events;
}

/* One event to user memory that ep_poll()'s caller has checked. */
static int ep_put_event(struct epoll_event __user *to, u32 events, u64 data)
{
	u64 at = (u64)to;	/* may be NULL: no pointer to do sums with */

	return put_user(events, (u32 __user *)at) ||
	       put_user(data, (u64 __user *)
			(at + offsetof(struct epoll_event, data)));
}

/* A reported item: does it stay on the list? mtx is held. */
static bool ep_stays_ready(struct epitem *epi)
{
	if (epi->events & EPOLLONESHOT) {
		WRITE_ONCE(epi->events, epi->events & EP_PRIVATE_BITS);
		return false;
	}
	return !(epi->events & EPOLLET);
}

/* The scan of a list: see ep_send_events(). */
static noinline int ep_send_list(struct eventpoll *ep,
				 struct epoll_event __user *events,
				 int maxevents)
{
	struct epitem *epi, *tmp;
	struct list_head txlist;
	int n = 0;

	ep_start_scan(ep, &txlist);
	list_for_each_entry_safe(epi, tmp, &txlist, rdllink) {
		u32 ready;

		if (n >= maxevents)
			break;
		ready = ep_item_poll(epi, NULL);
		if (ready &&
		    unlikely(ep_put_event(&events[n], ready, epi->data))) {
			n = n ? n : -EFAULT;
			break;
		}
		/* Callbacks leave rdllink alone while ovflist is active. */
		list_del_init(&epi->rdllink);
		if (!ready)
			continue;
		n++;
		if (ep_stays_ready(epi))
			list_add_tail(&epi->rdllink, &ep->rdllist);
	}
	ep_done_scan(ep, &txlist);
	return n;
}

/*
 * Takes the item off a list of just one, to be asked in peace; NULL if there
 * are none or more. Callbacks go on using the list meanwhile: what they link
 * is for the next scan. `asking` tells those who find the list empty. mtx.
 */
static struct epitem *ep_take_sole(struct eventpoll *ep)
{
	struct list_head *first;

	spin_lock_irq(&ep->lock);
	first = ep->rdllist.next;
	if (first == ep->rdllist.prev && first != &ep->rdllist) {
		list_del_init(first);
		WRITE_ONCE(ep->asking, true);
	} else {
		first = NULL;
	}
	spin_unlock_irq(&ep->lock);
	return first ? list_entry(first, struct epitem, rdllink) : NULL;
}

/* Back to where it was taken from, unless a callback was quicker. mtx. */
static void ep_put_sole(struct eventpoll *ep, struct epitem *epi, bool first)
{
	spin_lock_irq(&ep->lock);
	if (!ep_is_linked(epi)) {
		if (first)
			list_add(&epi->rdllink, &ep->rdllist);
		else
			list_add_tail(&epi->rdllink, &ep->rdllist);
	}
	/* The sleepers could not see what was taken. */
	if (ep_has_waiters(ep))
		ep_wake_waiter(ep);
	spin_unlock_irq(&ep->lock);
}

/* The scan of a single item: mostly it is all there is, or was last time. */
static int ep_send_sole(struct eventpoll *ep, struct epitem *epi,
			struct epoll_event __user *event)
{
	u32 ready = ep_item_poll(epi, NULL);
	int n = 0;

	if (ready) {
		n = likely(!ep_put_event(event, ready, epi->data)) ? 1
								    : -EFAULT;
		if (n < 0 || ep_stays_ready(epi))
			ep_put_sole(ep, epi, n < 0);
	}
	WRITE_ONCE(ep->asking, false);
	return n;
}

/*
 * Copies up to @maxevents events out. Their number; -EFAULT if the first one
 * cannot be copied (a later one ends the batch). An event that could not be
 * copied stays ready. Task context, sleeps.
 */
static int ep_send_events(struct eventpoll *ep,
			  struct epoll_event __user *events, int maxevents)
{
	struct epitem *epi;
	int n;

	mutex_lock(&ep->mtx);
	epi = ep_take_sole(ep);
	if (epi)
		n = ep_send_sole(ep, epi, events);
	else
		n = ep_send_list(ep, events, maxevents);
	mutex_unlock(&ep->mtx);
	return n;
}

/*
 * Leaves the queue with the wakeup, so that the next event wakes somebody
 * else. The sleeper may look at its entry without the lock: see ep_sleep().
 */
static int ep_autoremove_wake_function(struct wait_queue_entry *wqe,
				       unsigned int mode, int flags, void *key)
{
	int woken = default_wake_function(wqe, mode, flags, key);

	list_del(&wqe->entry);
	WRITE_ONCE(wqe->entry.next, &wqe->entry);
	__atomic_store_n(&wqe->entry.prev, &wqe->entry, __ATOMIC_RELEASE);
	return woken;
}

/*
 * Becomes a sleeper, unless something is ready, until woken or @deadline.
 * True if the time was up and no wakeup was meant for us: then whatever is
 * ready belongs to the one who was woken for it.
 */
static bool ep_sleep(struct eventpoll *ep, u64 deadline, u64 slack)
{
	struct wait_queue_entry wait;
	bool timed_out = false;

	init_waitqueue_entry(&wait, current);
	wait.func = ep_autoremove_wake_function;
	spin_lock_irq(&ep->lock);
	set_current_state(TASK_INTERRUPTIBLE);
	if (ep_events_available(ep)) {
		set_current_state(TASK_RUNNING);
		spin_unlock_irq(&ep->lock);
		return false;
	}
	spin_lock(&ep->wq.lock);
	__add_wait_queue_exclusive(&ep->wq, &wait);
	spin_unlock(&ep->wq.lock);
	spin_unlock_irq(&ep->lock);

	timed_out = schedule_hrtimeout_range(deadline, slack) == 0;
	/*
	 * The waker unlinks as its last act on the entry and writes prev last
	 * of all: once that points home, the entry is ours alone.
	 */
	if (__atomic_load_n(&wait.entry.prev, __ATOMIC_ACQUIRE) == &wait.entry)
		return false;
	spin_lock_irq(&ep->wq.lock);
	if (list_empty(&wait.entry))
		timed_out = false;
	list_del_init(&wait.entry);
	spin_unlock_irq(&ep->wq.lock);
	return timed_out;
}

/* How late a sleep of @timeout ns may end: 0.1 %, 50 us to 100 ms. */
static u64 ep_slack(u64 timeout)
{
	u64 slack = timeout / 1000;

	return clamp(slack, 50 * NSEC_PER_USEC, 100 * NSEC_PER_MSEC);
}

/*
 * Waits at most @timeout ns (KTIME_MAX: for ever, 0: not at all) for events
 * and copies them out. Their number, 0 if the time is up, -EINTR, -EFAULT.
 */
static int ep_poll(struct eventpoll *ep, struct epoll_event __user *events,
		   int maxevents, u64 timeout)
{
	u64 deadline = KTIME_MAX, slack = 0;
	bool timed_out = timeout == 0;

	if (ep_events_available(ep)) {
		int n = ep_send_events(ep, events, maxevents);

		if (n)
			return n;
	}
	/* The clock is read only by those who are going to sleep. */
	if (timeout && timeout != KTIME_MAX) {
		deadline = ktime_get_ns() + timeout;
		if (deadline < timeout)
			deadline = KTIME_MAX;
		slack = ep_slack(timeout);
	}
	while (!timed_out) {
		int n;

		if (unlikely(signal_pending(current)))
			return -EINTR;
		timed_out = ep_sleep(ep, deadline, slack);
		n = timed_out ? 0 : ep_send_events(ep, events, maxevents);
		if (n)
			return n;
		/* Somebody else took it: sleep on, if there is time left. */
	}
	return 0;
}

/* epoll_wait(2) with @timeout in ns, as ep_poll() has it. */
noinline int do_epoll_wait(int epfd, struct epoll_event __user *events,
			   int maxevents, u64 timeout)
{
	struct fd_ref f;
	int n;

	if (maxevents <= 0 ||
	    maxevents > (int)(INT32_MAX / sizeof(struct epoll_event)))
		return -EINVAL;
	if (!access_ok(events, (size_t)maxevents * sizeof(*events)))
		return -EFAULT;
	f = fdget(epfd);
	if (unlikely(!f.file))
		return -EBADF;
	n = -EINVAL;
	if (likely(is_file_epoll(f.file)))
		n = ep_poll(f.file->private_data, events, maxevents, timeout);
	trace(TRACE_EPOLL_WAIT, n, 0);
	fdput(f);
	return n;
}

/* --- the epoll's own file --- */

/* Gives a reference back; the last one frees. No lock is held. */
void ep_put(struct eventpoll *ep)
{
	if (atomic_dec_and_test(&ep->refs))
		kfree(ep);
}

static void ep_eventpoll_release(struct file *file)
{
	ep_clear(file->private_data);
	ep_put(file->private_data);
}

/* The busy-poll parameters of epoll, ioctl_eventpoll(2). */
struct epoll_params {
	u32 busy_poll_usecs;
	u16 busy_poll_budget;
	u8 prefer_busy_poll;
	u8 pad;
};

#define EPIOCSPARAMS	0x40088a01u
#define EPIOCGPARAMS	0x80088a02u
#define NAPI_POLL_WEIGHT 64

/*
 * There is nothing to tune: a device that has packets is polled anyway. The
 * values are checked and kept, so that a program sees what it set.
 */
static long ep_set_params(struct eventpoll *ep, const void __user *arg)
{
	struct epoll_params p;

	if (copy_from_user(&p, arg, sizeof(p)))
		return -EFAULT;
	if (p.pad || p.busy_poll_usecs > INT32_MAX || p.prefer_busy_poll > 1 ||
	    p.busy_poll_budget > NAPI_POLL_WEIGHT)
		return -EINVAL;
	mutex_lock(&ep->mtx);
	ep->busy_poll_usecs = p.busy_poll_usecs;
	ep->busy_poll_budget = p.busy_poll_budget;
	ep->prefer_busy_poll = p.prefer_busy_poll;
	mutex_unlock(&ep->mtx);
	return 0;
}

static long ep_get_params(struct eventpoll *ep, void __user *arg)
{
	struct epoll_params p = { 0 };

	mutex_lock(&ep->mtx);
	p.busy_poll_usecs = ep->busy_poll_usecs;
	p.busy_poll_budget = ep->busy_poll_budget;
	p.prefer_busy_poll = ep->prefer_busy_poll;
	mutex_unlock(&ep->mtx);
	return copy_to_user(arg, &p, sizeof(p));
}

static __cold long ep_eventpoll_ioctl(struct file *file, unsigned int cmd,
				      unsigned long arg)
{
	switch (cmd) {
	case EPIOCSPARAMS:
		return ep_set_params(file->private_data, (void __user *)arg);
	case EPIOCGPARAMS:
		return ep_get_params(file->private_data, (void __user *)arg);
	default:
		return -EINVAL;
	}
}

const struct file_operations eventpoll_fops = {
	.poll = ep_eventpoll_poll,
	.ioctl = ep_eventpoll_ioctl,
	.release = ep_eventpoll_release,
	.show_fdinfo = ep_show_fdinfo,
	.name = "[eventpoll]",
};

static struct eventpoll *ep_alloc(void)
{
	struct eventpoll *ep = kzalloc(sizeof(*ep));

	if (!ep)
		return NULL;
	spin_lock_init(&ep->lock);
	mutex_init(&ep->mtx);
	init_waitqueue_head(&ep->wq);
	init_waitqueue_head(&ep->poll_wait);
	INIT_LIST_HEAD(&ep->rdllist);
	ep->ovflist = EP_UNACTIVE_PTR;
	atomic_set(&ep->refs, 1);
	return ep;
}

/* epoll_create1(2): a descriptor, -EINVAL, -EMFILE or -ENOMEM. */
int do_epoll_create(u32 flags)
{
	struct eventpoll *ep;
	int fd;

	if (flags & ~(u32)O_CLOEXEC)
		return -EINVAL;
	ep = ep_alloc();
	if (!ep)
		return -ENOMEM;
	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		goto free_ep;
	ep->file = file_alloc(&eventpoll_fops, ep, O_RDWR | flags);
	if (!ep->file)
		goto put_fd;
	fd_install(fd, ep->file);
	return fd;
put_fd:
	put_unused_fd(fd);
	fd = -ENOMEM;
free_ep:
	kfree(ep);
	return fd;
}

__cold void eventpoll_init(void)
{
	epoll_ctl_init();
	epoll_nest_init();
}
