/*
 * Open files: what a descriptor refers to, whatever lies behind it. A file
 * lives as long as somebody holds a reference: the descriptor table, or a
 * system call under way.
 */
#pragma once

#include "fs/poll.h"
#include "kernel/atomic.h"
#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"
#include "kernel/uio.h"

/* Open flags as open(2) numbers them. */
#define O_RDONLY	00
#define O_WRONLY	01
#define O_RDWR		02
#define O_ACCMODE	03
#define O_CREAT		0100
#define O_EXCL		0200
#define O_TRUNC		01000
#define O_APPEND	02000
#define O_NONBLOCK	04000
#define O_DIRECTORY	0200000
#define O_NOCTTY	0400
#define O_ASYNC		020000
#define O_LARGEFILE	0100000
#define O_NOFOLLOW	0400000
#define O_PATH		010000000
#define O_CLOEXEC	02000000
#define O_TMPFILE	(020000000 | O_DIRECTORY)

#define WRITE_RUNS	16u

struct epitem;			/* fs/eventpoll_internal.h */
struct file;
struct kstat;			/* fs/stat.h */
struct seq_file;		/* kernel/seq_file.h */

struct dir_entry;		/* fs/inode.h */
/* False: no room for it. */
typedef bool (*emit_t)(void *arg, const struct dir_entry *e, u64 next);

/* Modes of fallocate(2). */
#define FALLOC_FL_KEEP_SIZE	1u
#define FALLOC_FL_PUNCH_HOLE	2u

/*
 * What a kind of file can do. All in task context and allowed to sleep; a
 * NULL member means the call answers what Linux answers for such a file.
 */
struct file_operations {
	/* Bytes moved, or -errno (-EAGAIN if O_NONBLOCK and it would wait). */
	ssize_t (*read_iter)(struct file *file, struct iov_iter *to,
			     loff_t *pos);
	ssize_t (*write_iter)(struct file *file, struct iov_iter *from,
			      loff_t *pos);
	/*
	 * As write_iter with at most WRITE_RUNS pieces, but may keep the pages
	 * and send from there; @more: the next bytes follow at once.
	 * -EOPNOTSUPP: not this file.
	 */
	ssize_t (*write_pages)(struct file *file, const struct page_run *run,
			       u32 nr, bool more);
	/*
	 * Event bits that hold now. Calls poll_wait() for each wait queue
	 * before it looks, so that no change falls between. Takes no lock
	 * that is outside the wait-queue locks.
	 */
	u32 (*poll)(struct file *file, struct poll_table *pt);
	long (*ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	int (*stat)(struct file *file, struct kstat *st);
	/* What was written stays, whatever happens; NULL: it is in memory. */
	int (*fsync)(struct file *file, bool data_only);
	/* fallocate(2), its range checked. */
	int (*fallocate)(struct file *file, u32 mode, u64 pos, u64 len);
	/*
	 * A directory's entries from *@pos on (0: the first), "." and ".."
	 * among them, to @emit with the place behind each, until that says
	 * false. 0 or -errno.
	 */
	int (*iterate)(struct file *file, u64 pos, emit_t emit, void *arg);
	/* Lines of its own for /proc/self/fdinfo. */
	void (*show_fdinfo)(struct file *file, struct seq_file *m);
	/* A descriptor of it is closed; others may be left. */
	void (*closed)(struct file *file);
	/* Last reference gone: frees private_data. Task context. */
	void (*release)(struct file *file);
	const char *name;	/* "[eventpoll]", "socket", for /proc and logs */
	bool vfs;		/* private_data is a vfs_file (fs/inode.h) */
};

/* Who is sent the signals of a file: F_SETOWN of fcntl(2). */
enum file_owner {
	FILE_OWNER_NONE,
	FILE_OWNER_PROCESS,
	FILE_OWNER_GROUP,	/* it is its own */
};

/*
 * Locks: c const after creation, a atomic, f f_lock.
 */
struct file {
	const struct file_operations *f_op;	/* c */
	void *private_data;			/* c  the object behind it */
	struct atomic f_count;			/* a */
	u32 f_flags;				/* f  O_ flags; read freely */
	struct spinlock f_lock;
	bool f_seekable;			/* c  pos means something */
	u8 f_owner;				/* f  enum file_owner */
	loff_t f_pos;				/* f  */
	struct epitem *f_ep;			/* f  items that watch this */
};

/*
 * A new file with one reference, flags @flags (O_CLOEXEC is the descriptor's
 * and dropped); NULL if memory is out. @priv is the caller's until it succeeds.
 */
struct file *file_alloc(const struct file_operations *ops, void *priv,
			u32 flags) __must_check;

/* How many there are. */
extern struct atomic nr_files;

/* F_SETOWN and F_GETOWN: a process, or (negative) a group. 0, -errno. */
int file_set_owner(struct file *file, s32 pid) __must_check;
s32 file_get_owner(const struct file *file);

static inline void get_file(struct file *file)
{
	atomic_inc(&file->f_count);
}

/*
 * Gives one reference back; the last one takes the file out of every epoll
 * that watches it, then calls release. Task context, may sleep.
 */
void fput(struct file *file);

/* What poll(2) says of files without a poll: always ready. */
#define DEFAULT_POLLMASK (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM)

/* Event bits that hold now. Task context, may sleep. */
static inline u32 vfs_poll(struct file *file, struct poll_table *pt)
{
	if (unlikely(!file->f_op->poll))
		return DEFAULT_POLLMASK;
	return file->f_op->poll(file, pt);
}

static inline bool file_readable(const struct file *file)
{
	return (file->f_flags & O_ACCMODE) != O_WRONLY;
}

static inline bool file_writable(const struct file *file)
{
	return (file->f_flags & O_ACCMODE) != O_RDONLY;
}

/*
 * Sleeps on @wq until ready(arg) holds, for a file's read or write. @ready is
 * called without locks and tells what may be true; the caller looks again.
 * 0; -EAGAIN if the file is O_NONBLOCK and it does not hold; -ERESTARTSYS.
 */
int file_wait(struct file *file, struct wait_queue_head *wq,
	      bool (*ready)(const void *arg), const void *arg) __must_check;

/* The same whatever the flags: it waits. 0 or -ERESTARTSYS. */
int file_sleep(struct wait_queue_head *wq, bool (*ready)(const void *arg),
	       const void *arg) __must_check;

/* Sets and clears f_flags bits. Task context. */
void file_change_flags(struct file *file, u32 clear, u32 set);

/* How fs/eventpoll.c hears of a file's end; called if f_ep is not NULL. */
extern void (*file_release_epoll)(struct file *file);

void file_init(void);
/* Lets mmap(2) read files. Boot. */
void read_write_init(void);
