/*
 * Pipes for those who move data without user memory (fs/splice.c). All in
 * task context; what says "locked" is called between pipe_lock() and
 * pipe_unlock(), which may sleep, as may whoever holds the lock.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#define PIPE_SIZE	65536u	/* bytes that fit */

struct file;
struct dentry;
struct iov_iter;
struct pipe;

/*
 * Opens FIFO @dentry: 0 with the file; -ENXIO (O_NONBLOCK, and nobody reads),
 * -ENOMEM, -ERESTARTSYS. Sleeps until the other end is open.
 */
int fifo_open(struct dentry *dentry, u32 flags, struct file **out) __must_check;

/* The pipe that @file is an end of, or NULL. */
struct pipe *file_pipe(const struct file *file);

void pipe_lock(struct pipe *pipe);
void pipe_unlock(struct pipe *pipe);
/* Both of two pipes, in an order that is the same for all. */
void pipe_lock_two(struct pipe *a, struct pipe *b);

/*
 * Waits, unlocked meanwhile, for something to read: 1; 0 if nothing will come;
 * -EAGAIN if @nonblock, -ERESTARTSYS. Locked.
 */
int pipe_wait_data(struct pipe *pipe, bool nonblock) __must_check;
/*
 * The same for room: 1; -EPIPE, and SIGPIPE, if nobody will read; -EAGAIN,
 * -ERESTARTSYS. Locked.
 */
int pipe_wait_room(struct pipe *pipe, bool nonblock) __must_check;

/* Bytes that are there, that fit. Locked. */
u32 pipe_used(const struct pipe *pipe);
u32 pipe_room(const struct pipe *pipe);

/* Takes and wakes writers; bytes, or -EFAULT if none. Locked. */
ssize_t pipe_get(struct pipe *pipe, struct iov_iter *to);
/* Puts and wakes readers; bytes, or -EFAULT, -ENOMEM if none. Locked. */
ssize_t pipe_add(struct pipe *pipe, struct iov_iter *from);
/* Makes memory ready for @n <= pipe_room() bytes; how many. Locked. */
u32 pipe_prepare(struct pipe *pipe, u32 n);
/* Copies @n bytes from @skip on, which stay; @skip + @n are there. Locked. */
void pipe_peek(const struct pipe *pipe, u32 skip, void *buf, u32 n);
/* Takes @n bytes that are there, for nobody, and wakes writers. Locked. */
void pipe_drop(struct pipe *pipe, u32 n);
