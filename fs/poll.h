/*
 * Readiness: the event bits, and the poll table by which a file's poll tells
 * its wait queue to whoever asks. Bits as epoll_ctl(2) and poll(2) number
 * them. The sockets use the bits too, so they stand in kernel/poll.h.
 */
#pragma once

#include "kernel/poll.h"
#include "kernel/wait.h"

struct file;
struct poll_table;

/*
 * Called by a file's poll once for each wait queue that its readiness hangs
 * on; hangs an entry there. Task context.
 */
typedef void (*poll_queue_proc)(struct file *file, struct wait_queue_head *wq,
				struct poll_table *pt);

struct poll_table {
	poll_queue_proc qproc;	/* NULL: only ask, do not wait */
};

static inline void poll_wait(struct file *file, struct wait_queue_head *wq,
			     struct poll_table *pt)
{
	if (pt && pt->qproc)
		pt->qproc(file, wq, pt);
}
