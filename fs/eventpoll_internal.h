/*
 * What the parts of epoll share: eventpoll.c (readiness and waiting),
 * epoll_ctl.c (adding, changing and removing watches) and epoll_nest.c (what
 * an epoll that watches epolls must not do). eventpoll.c explains the locks.
 */
#pragma once

#include "fs/eventpoll.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "kernel/list.h"
#include "kernel/mutex.h"
#include "kernel/rbtree.h"
#include "kernel/spinlock.h"
#include "kernel/wait.h"

/* Bits of epitem.events that say how to watch, not what to watch for. */
#define EP_PRIVATE_BITS \
	(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

/* How many epolls may stand above one another, less one. */
#define EP_MAX_NESTS 4

/* ovflist when nobody scans; epitem.next when not on it. */
#define EP_UNACTIVE_PTR ((struct epitem *)-1l)

/*
 * One epoll instance. Locks: l lock, m mtx, w wq.lock, c const after
 * creation, a atomic, n epnested_mutex.
 */
struct eventpoll {
	struct spinlock lock;
	struct wait_queue_head wq;	/* w  who sleeps in epoll_wait() */
	struct list_head rdllist;	/* l  items that may be ready */
	/*
	 * l  While a scan has taken rdllist away, items that become ready are
	 * chained here by epitem.next; NULL ends, EP_UNACTIVE_PTR: no scan.
	 */
	struct epitem *ovflist;
	bool asking;			/* m to write; a scan of a sole item */
	struct mutex mtx;
	struct rb_root rbr;		/* m  all items, by file and fd */
	struct wait_queue_head poll_wait; /* who watches or polls this epoll */
	struct file *file;		/* c  our own */
	struct atomic refs;		/* a  file, and releases under way */
	u32 busy_poll_usecs;		/* m  EPIOCSPARAMS, kept for GPARAMS */
	u16 busy_poll_budget;		/* m */
	u8 prefer_busy_poll;		/* m */
	u8 depth_below;			/* n  epolls under this one ... */
	u8 depth_above;			/* n  ... and over it, ... */
	u64 gen;			/* n  ... as counted in this round */
	u64 gen_above;			/* n */
};

/* The key of a watch: one open file under one number. */
struct epoll_filefd {
	struct file *file;
	s32 fd;
} __packed;

/*
 * One watch. The cache aligns it to 64 bytes; a wakeup touches the first line.
 * Locks as above, and f file->f_lock.
 */
struct epitem {
	/*
	 * Our entry on the file's wait queue; its private pointer is the queue,
	 * or NULL, or leads to more entries (see eppoll_entry). m
	 */
	struct wait_queue_entry pwqlist;
	struct eventpoll *ep;		/* c */
	struct list_head rdllink;	/* l  in rdllist, or a scan's txlist */

	struct epitem *next;		/* l  in ovflist */
	struct epoll_filefd ffd;	/* c */
	u32 events;			/* m to write, l or m to read */
	u64 data;			/* m  the program's */
	struct rb_node rbn;		/* m  in rbr */
	struct epitem *fnext;		/* f  in file->f_ep; _UNACTIVE_: out */
};

_Static_assert(sizeof(struct epitem) == 128, "two cache lines per watch");

/*
 * A file whose readiness hangs on several wait queues has one of these for
 * each queue but the first; pwqlist.private points to the newest with bit 0
 * set, and the oldest one's @next is what pwqlist.private was before.
 */
struct eppoll_entry {
	struct wait_queue_entry wait;	/* m */
	struct wait_queue_head *whead;	/* c */
	struct epitem *base;		/* c */
	void *next;			/* c */
};

static inline bool ep_is_linked(const struct epitem *epi)
{
	return !list_empty(&epi->rdllink);
}

extern const struct file_operations eventpoll_fops;

static inline bool is_file_epoll(const struct file *file)
{
	return file->f_op == &eventpoll_fops;
}

/* Shared by the parts, see each definition. */
u32 ep_item_poll(const struct epitem *epi, struct poll_table *pt);
void ep_item_ready(struct epitem *epi);
void ep_put(struct eventpoll *ep);
int ep_poll_callback(struct wait_queue_entry *wqe, unsigned int mode,
		     int flags, void *key);
int ep_poll_callback_more(struct wait_queue_entry *wqe, unsigned int mode,
			  int flags, void *key);

int do_epoll_create(u32 flags);
int do_epoll_wait(int epfd, struct epoll_event __user *events, int maxevents,
		  u64 timeout);

void ep_clear(struct eventpoll *ep);
/* epoll_info.c: file_operations.show_fdinfo. Takes ep->mtx. */
void ep_show_fdinfo(struct file *file, struct seq_file *m);
void epoll_ctl_init(void);

/*
 * epoll_nest.c. ep_nest_begin() takes the mutex that orders all changes to
 * the graph of epolls; the checks are made inside.
 */
void ep_nest_begin(void);
void ep_nest_end(void);
bool ep_nest_needed(const struct eventpoll *ep, const struct file *target);
bool ep_loop_check(struct eventpoll *ep, struct eventpoll *to);
bool ep_path_check(struct file *target);
void epoll_nest_init(void);

/* How many watches there may be in all (ENOSPC); and how many there are. */
extern u32 ep_max_user_watches;
extern struct atomic ep_user_watches;
