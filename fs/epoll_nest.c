/*
 * Epolls that watch epolls. An event climbs from the watched to the watching
 * one, so there must be no cycle, no chain of more than EP_MAX_NESTS steps,
 * and not too many ways from one file to the top. These checks are made only
 * when an ADD involves an epoll on both sides.
 *
 * LOCKING: epnested_mutex makes the graph of epolls stand still and guards the
 * marks (gen, gen_above, depths) in each. Going down takes each epoll's mtx;
 * going up takes f_lock of each file on the way, the lower one first.
 */
#include "fs/eventpoll_internal.h"

/* More than a chain may have: "too deep, or a cycle". */
#define TOO_DEEP (EP_MAX_NESTS + 1)

/*
 * How many ways may lead from a file to epolls that nobody watches, by the
 * number of epolls between; one epoll directly above may be any number.
 */
static const u32 path_limits[EP_MAX_NESTS + 1] = { 0, 500, 100, 50, 10 };

struct path_count {
	u32 n[EP_MAX_NESTS + 1];
};

/* Locks: n epnested_mutex. */
static struct {
	struct mutex mutex;
	u64 gen;		/* n  of the last check; marks are older */
} epnested;

void ep_nest_begin(void)
	__acquires(epnested.mutex)
{
	mutex_lock(&epnested.mutex);
	WRITE_ONCE(epnested.gen, epnested.gen + 1);
}

void ep_nest_end(void)
	__releases(epnested.mutex)
{
	/* Marks of this round mean nothing to those who look later. */
	WRITE_ONCE(epnested.gen, epnested.gen + 1);
	mutex_unlock(&epnested.mutex);
}

/*
 * Must an ADD of @target to @ep be checked: is one an epoll below, or one
 * above, or does a check that is under way count on @ep as it is? ep->mtx is
 * held.
 */
bool ep_nest_needed(const struct eventpoll *ep, const struct file *target)
{
	return READ_ONCE(ep->file->f_ep) || is_file_epoll(target) ||
	       READ_ONCE(ep->gen) == READ_ONCE(epnested.gen);
}

/*
 * The longest chain of epolls below @ep, in steps; TOO_DEEP if it is too long
 * or meets @avoid. Recursion is bounded by @depth, and each epoll is walked
 * once.
 */
static u8 depth_below(struct eventpoll *ep, const struct eventpoll *avoid,
		      u8 depth)
{
	struct rb_node *node;
	u8 below = 0;

	if (ep == avoid || depth > EP_MAX_NESTS)
		return TOO_DEEP;
	if (ep->gen == epnested.gen)
		return ep->depth_below;
	mutex_lock(&ep->mtx);
	WRITE_ONCE(ep->gen, epnested.gen);
	for (node = rb_first(&ep->rbr); node; node = rb_next(node)) {
		struct epitem *epi = rb_entry(node, struct epitem, rbn);
		u8 d;

		if (!is_file_epoll(epi->ffd.file))
			continue;
		d = depth_below(epi->ffd.file->private_data, avoid, depth + 1);
		below = max(below, (u8)min(d + 1, TOO_DEEP));
	}
	mutex_unlock(&ep->mtx);
	ep->depth_below = below;
	return below;
}

/* The longest chain above @ep, likewise. The graph has no cycle so far. */
static u8 depth_above(struct eventpoll *ep)
{
	struct epitem *epi;
	u8 above = 0;

	if (ep->gen_above == epnested.gen)
		return ep->depth_above;
	ep->gen_above = epnested.gen;
	spin_lock(&ep->file->f_lock);
	for (epi = ep->file->f_ep; epi; epi = epi->fnext)
		above = max(above, (u8)(depth_above(epi->ep) + 1));
	spin_unlock(&ep->file->f_lock);
	ep->depth_above = above;
	return above;
}

/* May @ep watch @to? Between ep_nest_begin() and end, no mtx held. */
bool ep_loop_check(struct eventpoll *ep, struct eventpoll *to)
{
	u8 below = depth_below(to, ep, 0);

	return below < TOO_DEEP &&
	       below + 1 + depth_above(ep) <= EP_MAX_NESTS;
}

/* Counts the ways up from @file, from @depth on; false if too many. */
static bool count_paths(struct file *file, u32 depth, struct path_count *count)
{
	struct epitem *epi;
	bool ok = depth <= EP_MAX_NESTS;

	spin_lock(&file->f_lock);
	for (epi = file->f_ep; ok && epi; epi = epi->fnext) {
		struct file *above = epi->ep->file;

		if (READ_ONCE(above->f_ep))
			ok = count_paths(above, depth + 1, count);
		else if (depth)
			ok = ++count->n[depth] <= path_limits[depth];
	}
	spin_unlock(&file->f_lock);
	return ok;
}

/*
 * May wakeups go all the ways that now lead up from @target, and, if it is
 * an epoll, from every file below it? Between ep_nest_begin() and end; the
 * new item is in place and its epoll's mtx is held.
 */
bool ep_path_check(struct file *target)
{
	struct path_count count = { { 0 } };
	struct eventpoll *ep;
	struct rb_node *node;
	bool ok = true;

	if (!is_file_epoll(target))
		return count_paths(target, 0, &count);
	ep = target->private_data;
	mutex_lock(&ep->mtx);
	for (node = rb_first(&ep->rbr); ok && node; node = rb_next(node))
		ok = ep_path_check(rb_entry(node, struct epitem,
					    rbn)->ffd.file);
	mutex_unlock(&ep->mtx);
	return ok;
}

void epoll_nest_init(void)
{
	mutex_init(&epnested.mutex);
	epnested.gen = 1;
}
