/*
 * The open-file table: descriptor numbers to files, shared by all threads of
 * the program. The lowest free number is found by bitmap, in O(1) amortised.
 *
 * LOCKING: files->lock guards changes; it is a plain spinlock, task context
 * only. Lookup takes a reference under it. When only one task shares the
 * table, fdget() borrows instead: nobody else can close it meanwhile.
 */
#pragma once

#include "fs/file.h"
#include "kernel/sched.h"
#include "kernel/spinlock.h"

/* Locks: l files->lock, a atomic. */
struct files_struct {
	struct atomic users;		/* a  tasks that share it */
	struct spinlock lock;
	u32 max_fds;			/* l  size of the arrays */
	u32 next_fd;			/* l  no free number below this */
	struct file **fd;		/* l */
	u64 *open_fds;			/* l  bitmap */
	u64 *close_on_exec;		/* l  bitmap */
	u64 *full_words;		/* l  bitmap: open_fds word is full */
};

/* An empty table, one user; NULL if out of memory. */
struct files_struct *files_create(void) __must_check;
/* Closes everything when the last user leaves. Task, may sleep. */
void files_put(struct files_struct *files);

/* A file for the length of one system call. */
struct fd_ref {
	struct file *file;	/* NULL: no such descriptor (EBADF) */
	bool owned;		/* a reference was taken */
};

/* fdget() when several tasks share the table: takes a reference. */
struct fd_ref fdget_shared(struct files_struct *files, u32 fd);

/*
 * Looks @fd up in current's table. Give it back with fdput() in the same
 * call. Costs no atomic operation while the table has one user.
 */
static inline struct fd_ref fdget(int fd)
{
	struct files_struct *files = current->files;

	if (unlikely(atomic_read(&files->users) != 1))
		return fdget_shared(files, (u32)fd);
	if (unlikely((u32)fd >= files->max_fds))
		return (struct fd_ref){ NULL, false };
	return (struct fd_ref){ files->fd[fd], false };
}

static inline void fdput(struct fd_ref ref)
{
	if (ref.owned)
		fput(ref.file);
}

/*
 * Reserves the lowest free number >= @start; flags may hold O_CLOEXEC.
 * -EMFILE, -ENOMEM. Follow with fd_install() or put_unused_fd().
 */
int get_unused_fd_from(int start, u32 flags) __must_check;
/* The same for a file that is yet to be made: -ENFILE, too. */
int get_unused_fd_flags(u32 flags) __must_check;

/* /proc/sys/fs/file-max: so many files may all but root have in all. */
extern u32 max_files;
void put_unused_fd(int fd);

/* Publishes @file under the reserved @fd; takes over the reference. */
void fd_install(int fd, struct file *file);

/*
 * The three steps at once: a new file under a new descriptor. The descriptor,
 * or -EMFILE, -ENOMEM; then @priv is still the caller's.
 */
int file_open_fd(const struct file_operations *ops, void *priv, u32 flags)
	__must_check;

/* close(2) of one descriptor: 0 or -EBADF. Task, may sleep. */
int close_fd(int fd);

/* The close-on-exec bit: 0 or 1, or -EBADF. */
int get_close_on_exec(int fd);
int set_close_on_exec(int fd, bool on);

/*
 * Puts @file (a new reference is taken) under @fd, closing what was there, for
 * dup2(2). -EBADF if @fd is out of range, -ENOMEM, -EBUSY while another thread
 * opens there. Task, may sleep.
 */
int replace_fd(int fd, struct file *file, u32 flags);
