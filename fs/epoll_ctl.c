/*
 * epoll, the watching half: a watch (struct epitem) is made by EPOLL_CTL_ADD,
 * changed by MOD, and ends by DEL, or with the last reference to the watched
 * file, or with the epoll. eventpoll.c has the locks.
 *
 * The life of an item: ep_insert() puts it into the tree, into its file's
 * chain and onto the file's wait queue. Whoever takes it out of the file's
 * chain owns its removal: that settles the end of the epoll against the end of
 * the file, which has claimed the item (marked in fnext) before it gets
 * ep->mtx. A DEL has a reference to the file, so there is no end of it.
 */
#include "fs/eventpoll_internal.h"

#include "fs/fdtable.h"
#include "kernel/context.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* What EPOLLEXCLUSIVE may be combined with. */
#define EPOLLEXCLUSIVE_OK_BITS						\
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP |	\
	 EPOLLET | EPOLLEXCLUSIVE)

static struct kmem_cache *epi_cache __ro_after_init;
static struct kmem_cache *pwq_cache __ro_after_init;

u32 ep_max_user_watches;
struct atomic ep_user_watches;

/* --- finding items --- */

/* Where in the tree an item is, or would be put. */
struct ep_place {
	struct epitem *epi;		/* NULL: not there */
	struct rb_node *parent;
	struct rb_node **link;
	bool leftmost;
};

/* mtx is held. */
static struct ep_place ep_find(struct eventpoll *ep, struct file *file, int fd)
{
	struct ep_place at = { NULL, NULL, &ep->rbr.node, true };

	while (*at.link) {
		struct epitem *epi = rb_entry(*at.link, struct epitem, rbn);
		u64 mine = (uintptr_t)file, its = (uintptr_t)epi->ffd.file;

		if (unlikely(mine == its)) {
			if (epi->ffd.fd == fd) {
				at.epi = epi;
				break;
			}
			mine = (u32)fd;
			its = (u32)epi->ffd.fd;
		}
		at.parent = *at.link;
		if (mine > its) {
			at.link = &at.parent->right;
			at.leftmost = false;
		} else {
			at.link = &at.parent->left;
		}
	}
	return at;
}

/* --- the item and the file's wait queues --- */

/* What the file's poll calls back with, by way of ep_queue_proc(). */
struct ep_pqueue {
	struct poll_table pt;
	struct epitem *epi;
	bool failed;		/* out of memory for a further queue */
};

static void ep_hang(const struct epitem *epi, struct wait_queue_head *whead,
		    struct wait_queue_entry *wqe)
{
	if (epi->events & EPOLLEXCLUSIVE)
		add_wait_queue_exclusive(whead, wqe);
	else
		add_wait_queue(whead, wqe);
}

/* A second or later queue of the same file: rare, so it costs memory. */
static bool ep_queue_more(struct epitem *epi, struct wait_queue_head *whead)
{
	struct eppoll_entry *more = kmem_cache_alloc(pwq_cache);

	if (!more)
		return false;
	init_waitqueue_func_entry(&more->wait, ep_poll_callback_more);
	more->whead = whead;
	more->base = epi;
	more->next = epi->pwqlist.private;
	epi->pwqlist.private = (void *)((uintptr_t)more | 1);
	ep_hang(epi, whead, &more->wait);
	return true;
}

static void ep_ptable_queue_proc(struct file *file,
				 struct wait_queue_head *whead,
				 struct poll_table *pt)
{
	struct ep_pqueue *epq = container_of(pt, struct ep_pqueue, pt);
	struct epitem *epi = epq->epi;

	(void)file;
	if (!epi->pwqlist.private) {
		epi->pwqlist.private = whead;
		ep_hang(epi, whead, &epi->pwqlist);
	} else if (!ep_queue_more(epi, whead)) {
		epq->failed = true;
	}
}

/*
 * Takes the item off its file's wait queues; when it returns, no callback of
 * the item runs or will. mtx is held. May be called twice.
 */
static void ep_unregister_pollwait(struct epitem *epi)
{
	uintptr_t p = (uintptr_t)epi->pwqlist.private;

	while (p & 1) {
		struct eppoll_entry *more = (struct eppoll_entry *)(p & ~1ul);

		remove_wait_queue(more->whead, &more->wait);
		p = (uintptr_t)more->next;
		kmem_cache_free(pwq_cache, more);
	}
	if (p)
		remove_wait_queue((struct wait_queue_head *)p, &epi->pwqlist);
	epi->pwqlist.private = NULL;
}

/* --- the item and the file's chain --- */

static void ep_attach(struct epitem *epi)
{
	struct file *file = epi->ffd.file;

	spin_lock(&file->f_lock);
	epi->fnext = file->f_ep;
	file->f_ep = epi;
	spin_unlock(&file->f_lock);
}

/*
 * Takes @epi out of its file's chain, or with @all every item of its epoll.
 * The walk is as long as epolls watch the same file, and as it is watched
 * under several numbers: one as a rule, or a few workers.
 */
static noinline void ep_claim(struct epitem *epi, bool all)
{
	struct file *file = epi->ffd.file;
	struct epitem **pp;

	spin_lock(&file->f_lock);
	for (pp = &file->f_ep; *pp;) {
		if (*pp != epi && (!all || (*pp)->ep != epi->ep)) {
			pp = &(*pp)->fnext;
			continue;
		}
		*pp = (*pp)->fnext;
		if (!all)
			break;
	}
	spin_unlock(&file->f_lock);
}

/* Frees an item that was claimed. mtx is held. */
static void ep_remove_claimed(struct eventpoll *ep, struct epitem *epi)
{
	unsigned long irq;

	ep_unregister_pollwait(epi);
	rb_erase(&ep->rbr, &epi->rbn);
	irq = spin_lock_irqsave(&ep->lock);
	if (ep_is_linked(epi))
		list_del_init(&epi->rdllink);
	spin_unlock_irqrestore(&ep->lock, irq);
	kmem_cache_free(epi_cache, epi);
	atomic_dec(&ep_user_watches);
}

/* Removes and frees. mtx is held, and the file has a reference. */
static noinline void ep_remove(struct eventpoll *ep, struct epitem *epi)
{
	ep_claim(epi, false);
	ep_remove_claimed(ep, epi);
}

/*
 * The epoll ends: every watch goes, but for those that a file's end has
 * claimed. First all leave their files' queues: a file is there as long as it
 * has items. Then each file's chain is walked once. Task context, sleeps.
 */
__cold void ep_clear(struct eventpoll *ep)
{
	const struct file *file = NULL;
	struct rb_node *node, *next;
	bool claim = false;

	mutex_lock(&ep->mtx);
	do {
		for (node = rb_first(&ep->rbr); node; node = next) {
			struct epitem *epi = rb_entry(node, struct epitem, rbn);

			next = rb_next(node);
			if (!claim) {
				ep_unregister_pollwait(epi);
			} else {
				if (epi->ffd.file != file)
					ep_claim(epi, true);
				file = epi->ffd.file;
				if (epi->fnext != EP_UNACTIVE_PTR)
					ep_remove_claimed(ep, epi);
			}
			cond_resched();
		}
		claim = !claim;
	} while (claim);
	mutex_unlock(&ep->mtx);
}

/*
 * Takes one item out of the chain of a file that ends, together with a
 * reference to its epoll, which cannot be gone while the item is in the chain.
 */
static struct epitem *ep_claim_first(struct file *file)
{
	struct epitem *epi;

	spin_lock(&file->f_lock);
	epi = file->f_ep;
	if (epi) {
		file->f_ep = epi->fnext;
		epi->fnext = EP_UNACTIVE_PTR;
		atomic_inc(&epi->ep->refs);
	}
	spin_unlock(&file->f_lock);
	return epi;
}

/*
 * A watched file ends: nobody has a reference, and its wait queues are still
 * there. A scan that is polling the file just now holds mtx, so we wait for
 * it. The epoll is put after mtx is released: nobody may free a mutex that
 * its last owner is still leaving.
 */
static void eventpoll_release_file(struct file *file)
{
	struct epitem *epi;

	while ((epi = ep_claim_first(file)) != NULL) {
		struct eventpoll *ep = epi->ep;

		mutex_lock(&ep->mtx);
		ep_remove_claimed(ep, epi);
		mutex_unlock(&ep->mtx);
		ep_put(ep);
	}
}

/* --- EPOLL_CTL_ADD and MOD --- */

static struct epitem *ep_item_alloc(struct eventpoll *ep,
				    const struct epoll_event *event,
				    struct file *file, int fd)
{
	struct epitem *epi = kmem_cache_alloc(epi_cache);

	if (!epi)
		return NULL;
	init_waitqueue_func_entry(&epi->pwqlist, ep_poll_callback);
	epi->ep = ep;
	INIT_LIST_HEAD(&epi->rdllink);
	epi->next = EP_UNACTIVE_PTR;
	epi->ffd.file = file;
	epi->ffd.fd = fd;
	epi->events = event->events;
	epi->data = event->data;
	return epi;
}

/*
 * Hangs the new item everywhere. The chain of an epoll's file changes under
 * that epoll's mtx too, so that an ADD there knows whether it is watched.
 */
static void ep_item_publish(struct eventpoll *ep, struct epitem *epi,
			    const struct ep_place *at)
	__no_lock_check
{
	struct file *file = epi->ffd.file;
	struct eventpoll *inner = NULL;

	if (is_file_epoll(file))
		inner = file->private_data;
	if (inner)
		mutex_lock(&inner->mtx);
	ep_attach(epi);
	if (inner)
		mutex_unlock(&inner->mtx);
	rb_insert(&ep->rbr, &epi->rbn, at->parent, at->link, at->leftmost);
}

/*
 * EPOLL_CTL_ADD at the place that ep_find() gave. 0; -ENOSPC, -ENOMEM;
 * -EINVAL if wakeups would have too many ways to go. mtx is held.
 */
static int ep_insert(struct eventpoll *ep, const struct epoll_event *event,
		     struct file *file, int fd, const struct ep_place *at,
		     bool nested)
{
	struct ep_pqueue epq = { .pt.qproc = ep_ptable_queue_proc };
	struct epitem *epi;
	int err;

	if ((u32)atomic_add_return(1, &ep_user_watches) > ep_max_user_watches) {
		err = -ENOSPC;
		goto uncount;
	}
	epi = ep_item_alloc(ep, event, file, fd);
	if (!epi) {
		err = -ENOMEM;
		goto uncount;
	}
	ep_item_publish(ep, epi, at);
	if (nested && !ep_path_check(file)) {
		err = -EINVAL;
		goto remove;
	}
	/*
	 * From the moment the entry hangs on the queue, events arrive; poll
	 * looks after that. So nothing falls between.
	 */
	epq.epi = epi;
	if (ep_item_poll(epi, &epq.pt))
		ep_item_ready(epi);
	if (epq.failed) {
		err = -ENOMEM;
		goto remove;
	}
	return 0;
remove:
	ep_remove(ep, epi);
	return err;
uncount:
	atomic_dec(&ep_user_watches);
	return err;
}

/*
 * EPOLL_CTL_MOD: arms the item anew and looks at once. Writing under ep->lock
 * orders it against callbacks: an earlier one has published what poll will
 * now see, a later one sees the new mask. mtx is held.
 */
static void ep_modify(struct eventpoll *ep, struct epitem *epi,
		      const struct epoll_event *event)
{
	unsigned long irq = spin_lock_irqsave(&ep->lock);

	WRITE_ONCE(epi->events, event->events);
	epi->data = event->data;
	spin_unlock_irqrestore(&ep->lock, irq);
	if (ep_item_poll(epi, NULL))
		ep_item_ready(epi);
}

/* --- epoll_ctl(2) --- */

static bool exclusive_allowed(int op, const struct file *target, u32 events)
{
	if (op == EPOLL_CTL_MOD)
		return false;
	return op != EPOLL_CTL_ADD ||
	       (!is_file_epoll(target) && !(events & ~EPOLLEXCLUSIVE_OK_BITS));
}

static int ep_ctl_checks(int op, const struct file *file,
			 const struct file *target, u32 events)
{
	if (!target->f_op->poll)
		return -EPERM;
	if (file == target || !is_file_epoll(file))
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && events & EPOLLEXCLUSIVE &&
	    !exclusive_allowed(op, target, events))
		return -EINVAL;
	return 0;
}

/* mtx is held, and for @nested the graph of epolls stands still. */
static int ep_ctl_locked(struct eventpoll *ep, int op, int fd,
			 struct file *target, const struct epoll_event *event,
			 bool nested)
{
	struct ep_place at = ep_find(ep, target, fd);

	switch (op) {
	case EPOLL_CTL_ADD:
		if (at.epi)
			return -EEXIST;
		return ep_insert(ep, event, target, fd, &at, nested);
	case EPOLL_CTL_DEL:
		if (!at.epi)
			return -ENOENT;
		ep_remove(ep, at.epi);
		return 0;
	case EPOLL_CTL_MOD:
		if (!at.epi)
			return -ENOENT;
		if (at.epi->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		ep_modify(ep, at.epi, event);
		return 0;
	default:
		return -EINVAL;
	}
}

/* An ADD that might close a cycle or lengthen a chain of epolls. */
static noinline __cold int ep_add_nested(struct eventpoll *ep, int fd,
					 struct file *target,
					 const struct epoll_event *event)
{
	int err = -ELOOP;

	ep_nest_begin();
	if (!is_file_epoll(target) ||
	    ep_loop_check(ep, target->private_data)) {
		mutex_lock(&ep->mtx);
		err = ep_ctl_locked(ep, EPOLL_CTL_ADD, fd, target, event, true);
		mutex_unlock(&ep->mtx);
	}
	ep_nest_end();
	return err;
}

static int ep_ctl(struct file *file, int op, int fd, struct file *target,
		  struct epoll_event *event)
{
	struct eventpoll *ep = file->private_data;
	int err = ep_ctl_checks(op, file, target, event->events);

	if (err)
		return err;
	/* Errors and hang-ups are always told; power is never saved here. */
	event->events |= EPOLLERR | EPOLLHUP;
	event->events &= ~EPOLLWAKEUP;
	mutex_lock(&ep->mtx);
	if (op == EPOLL_CTL_ADD && unlikely(ep_nest_needed(ep, target))) {
		mutex_unlock(&ep->mtx);
		return ep_add_nested(ep, fd, target, event);
	}
	err = ep_ctl_locked(ep, op, fd, target, event, false);
	mutex_unlock(&ep->mtx);
	return err;
}

SYSCALL_DEFINE4(epoll_ctl, int, epfd, int, op, int, fd,
		struct epoll_event __user *, event)
{
	struct epoll_event ev = { 0 };
	struct fd_ref f, target;
	long err = -EBADF;

	if (op != EPOLL_CTL_DEL && copy_from_user(&ev, event, sizeof(ev)))
		return -EFAULT;
	f = fdget(epfd);
	if (!f.file)
		return err;
	target = fdget(fd);
	if (target.file)
		err = ep_ctl(f.file, op, fd, target.file, &ev);
	fdput(target);
	fdput(f);
	return err;
}

/* A quarter of memory may hold watches: four million of them per 2 GiB. */
void epoll_ctl_init(void)
{
	u64 watches = nr_total_pages() * PAGE_SIZE / 4 / sizeof(struct epitem);

	ep_max_user_watches = (u32)min(watches, (u64)INT32_MAX);
	epi_cache = kmem_cache_create("eventpoll_epi", sizeof(struct epitem),
				      64, 0);
	pwq_cache = kmem_cache_create("eventpoll_pwq",
				      sizeof(struct eppoll_entry), 0, 0);
	if (!epi_cache || !pwq_cache)
		panic("eventpoll: out of memory; give the machine more");
	file_release_epoll = eventpoll_release_file;
}
