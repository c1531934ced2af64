/*
 * Files under way in AF_UNIX queues: who holds how many, giving them back
 * without recursion, and the garbage: socks that only messages to each other
 * still hold, so that nobody can ever read them. Mark and sweep, from what
 * has references beside those in queues. Called by senders and at release.
 */
#include "net/unix_internal.h"

#include "kernel/mm/slab.h"

/* So much under way makes a sender look for garbage. */
#define MANY_INFLIGHT	16000u

/* All under unix_lock. */
static LIST_HEAD(inflight_socks);	/* unix_sock.inflight_link */
static LIST_HEAD(disposed);		/* scm_fp_list.link */
static u32 total_inflight;		/* AF_UNIX socks in queues */
static bool collecting;

static struct unix_sock *file_unix_sock(struct file *file)
{
	struct sock *sk = scm_file_sock(file);

	return sk ? unix_sk(sk) : NULL;
}

void unix_inflight(struct scm_fp_list *fp)
{
	for (u32 i = 0; i < fp->count; i++) {
		struct unix_sock *u = file_unix_sock(fp->fp[i]);

		if (!u)
			continue;
		if (!u->inflight++)
			list_add_tail(&u->inflight_link, &inflight_socks);
		total_inflight++;
	}
}

void unix_notinflight(struct scm_fp_list *fp)
{
	for (u32 i = 0; i < fp->count; i++) {
		struct unix_sock *u = file_unix_sock(fp->fp[i]);

		if (!u)
			continue;
		total_inflight--;
		if (!--u->inflight)
			list_del(&u->inflight_link);
	}
}

void unix_dispose(struct scm_fp_list *fp)
{
	list_add_tail(&fp->link, &disposed);
}

/* ---- garbage ---- */

/* Calls fn(sock, arg) for each AF_UNIX sock whose file is in @u's queue. */
static void for_each_queued(struct unix_sock *u,
			    void (*fn)(struct unix_sock *child, void *arg),
			    void *arg)
{
	struct sk_buff *skb;

	list_for_each_entry(skb, &u->sk.sk_receive_queue.list, list) {
		struct scm_fp_list *fp = unix_cb(skb)->fp;

		for (u32 i = 0; fp && i < fp->count; i++) {
			struct unix_sock *child = file_unix_sock(fp->fp[i]);

			if (child)
				fn(child, arg);
		}
	}
}

/* The same for what @u holds in all: a listener has its embryos' queues. */
static void for_each_held(struct unix_sock *u,
			  void (*fn)(struct unix_sock *child, void *arg),
			  void *arg)
{
	struct unix_sock *embryo;

	for_each_queued(u, fn, arg);
	list_for_each_entry(embryo, &u->embryos, embryo_link)
		for_each_queued(embryo, fn, arg);
}

static void count_down(struct unix_sock *child, void *arg)
{
	(void)arg;
	if (child->gc_candidate)
		child->gc_refs--;
}

/* @child can be reached: it moves to the list of what is still to be walked. */
static void mark_live(struct unix_sock *child, void *arg)
{
	struct list_head *live = arg;

	if (!child->gc_candidate)
		return;
	child->gc_candidate = false;
	list_move_tail(&child->inflight_link, live);
}

/* Candidates are socks with no reference beside those in queues. */
static void find_candidates(void)
{
	struct unix_sock *u;

	list_for_each_entry(u, &inflight_socks, inflight_link) {
		struct socket *sock = u->sk.sk_socket;

		u->gc_refs = u->inflight;
		u->gc_candidate = sock && sock->file &&
				  scm_file_count(sock->file) == u->inflight;
	}
	list_for_each_entry(u, &inflight_socks, inflight_link) {
		if (u->gc_candidate)
			for_each_held(u, count_down, NULL);
	}
}

/* What a queue outside holds is live, and what lives hold, and so on. */
static void keep_reachable(struct list_head *live)
{
	struct unix_sock *u, *next;

	list_for_each_entry_safe(u, next, &inflight_socks, inflight_link) {
		if (!u->gc_candidate || u->gc_refs)
			mark_live(u, live);
	}
	/* The list grows at its end meanwhile. */
	list_for_each_entry(u, live, inflight_link)
		for_each_held(u, mark_live, live);
}

/* Takes the files out of every message of @u. */
static void strip_queue(struct unix_sock *u)
	__must_hold(unix_lock)
{
	struct sk_buff *skb;

	list_for_each_entry(skb, &u->sk.sk_receive_queue.list, list) {
		struct unix_cb *cb = unix_cb(skb);

		if (!cb->fp)
			continue;
		unix_dispose(cb->fp);
		cb->fp = NULL;
	}
}

static void strip(struct unix_sock *u)
	__must_hold(unix_lock)
{
	struct unix_sock *embryo;

	strip_queue(u);
	list_for_each_entry(embryo, &u->embryos, embryo_link)
		strip_queue(embryo);
}

/*
 * Finds the garbage and disposes of the files in its queues; their release
 * frees the rest. Those files count as under way until then. unix_lock.
 */
static void unix_gc(void)
	__must_hold(unix_lock)
{
	struct scm_fp_list *fp;
	struct unix_sock *u;
	LIST_HEAD(live);

	find_candidates();
	keep_reachable(&live);
	list_for_each_entry(u, &inflight_socks, inflight_link) {
		if (u->gc_candidate)
			strip(u);
	}
	list_splice_init(&live, inflight_socks.prev);
	list_for_each_entry(fp, &disposed, link)
		unix_notinflight(fp);
}

/* The next list to give back; looks for garbage when none is left. */
static struct scm_fp_list *next_disposed(void)
{
	struct scm_fp_list *fp = NULL;

	spin_lock(&unix_lock);
	if (list_empty(&disposed) && total_inflight)
		unix_gc();
	if (list_empty(&disposed)) {
		collecting = false;
	} else {
		fp = list_first_entry(&disposed, struct scm_fp_list, link);
		list_del(&fp->link);
	}
	spin_unlock(&unix_lock);
	return fp;
}

/*
 * Closing a socket may dispose of further files: they queue here and the
 * outermost call works them off, so that chains cost no stack.
 */
void unix_collect(void)
{
	struct scm_fp_list *fp;
	bool mine;

	spin_lock(&unix_lock);
	mine = !collecting && (total_inflight || !list_empty(&disposed));
	if (mine)
		collecting = true;
	spin_unlock(&unix_lock);
	while (mine && (fp = next_disposed()))
		scm_fp_free(fp);
}

void unix_collect_if_many(void)
{
	if (READ_ONCE(total_inflight) > MANY_INFLIGHT)
		unix_collect();
}
