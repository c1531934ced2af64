/* What fs/pipe.c and fs/fifo.c share: the pipe itself. */
#pragma once

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/pipe.h"
#include "kernel/atomic.h"
#include "kernel/mutex.h"
#include "kernel/wait.h"

#define PIPE_PAGES	16u
#define PIPE_BUF	4096u

/* Locks: m mutex; what is also read without it is written by WRITE_ONCE. */
struct pipe {
	struct mutex mutex;
	struct wait_queue_head rd_wait, wr_wait;
	u64 head, tail;			/* m  bytes ever written and read */
	u32 used, room;			/* m  bytes that are there, that fit */
	char *page[PIPE_PAGES];		/* m  NULL: holds nothing */
	u32 readers, writers;		/* m  open files of that end */
	u32 r_count, w_count;		/* m  how many there ever were */
	struct atomic ends;		/* open files; the last one frees */
	struct dentry *dentry;		/* c  of a FIFO; referenced */
};

/* An empty pipe that nobody has open; NULL: no memory. */
struct pipe *pipe_alloc(void) __must_check;
/* An open file of it goes; the last one frees it. No lock is held. */
void pipe_put_end(struct pipe *pipe);
/* What a file of a pipe can do that is opened with @flags. */
const struct file_operations *pipe_fops(u32 flags);
