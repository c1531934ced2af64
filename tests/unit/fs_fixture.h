/*
 * What the tests of fs/ share: a descriptor table for the test task, and a
 * "probe", a file whose readiness the test sets by hand and that counts what
 * is asked of it. Probes are static in the tests: they outlive the table.
 */
#pragma once

#include "fs/fdtable.h"
#include "fs/file.h"
#include "kernel/mm/slab.h"
#include "tests/host/host.h"

struct probe {
	u32 ready;			/* what poll answers */
	struct wait_queue_head wq;
	unsigned int polls, released;
	struct file *file;
};

static u32 probe_poll(struct file *file, struct poll_table *pt)
{
	struct probe *p = file->private_data;

	/* Readiness may change while somebody asks, never under a lock. */
	assert_false(spin_is_locked(&p->wq.lock));
	p->polls++;
	poll_wait(file, &p->wq, pt);
	return p->ready;
}

static void probe_release(struct file *file)
{
	struct probe *p = file->private_data;

	p->released++;
	p->file = NULL;
	/* Whoever hung on the queue must be gone before the file is. */
	assert_true(list_empty(&p->wq.head));
}

static const struct file_operations probe_fops = {
	.poll = probe_poll,
	.release = probe_release,
	.name = "probe",
};

/* No poll: cannot be watched. */
static const struct file_operations dull_fops = {
	.release = probe_release,
	.name = "dull",
};

/* Opens @p as a new descriptor. */
static inline int probe_open_as(struct probe *p,
				const struct file_operations *ops)
{
	int fd = get_unused_fd_flags(0);

	assert_true(fd >= 0);
	*p = (struct probe){ .ready = 0 };
	init_waitqueue_head(&p->wq);
	p->file = file_alloc(ops, p, O_RDWR);
	assert_non_null(p->file);
	fd_install(fd, p->file);
	return fd;
}

static inline int probe_open(struct probe *p)
{
	return probe_open_as(p, &probe_fops);
}

/* Something happens on @p: bits come, and the queue is woken with them. */
static inline void probe_event(struct probe *p, u32 bits)
{
	p->ready |= bits;
	if (wq_has_sleeper(&p->wq))
		wake_up_poll(&p->wq, bits);
}

static inline void fs_setup(void)
{
	static bool once;

	host_reset();
	if (!once) {
		file_init();
		once = true;
	}
	current->files = files_create();
	assert_non_null(current->files);
}

static inline void fs_teardown(void)
{
	struct files_struct *files = current->files;

	host_join_tasks();
	host_fail_alloc(0);
	host_good_user();
	current->files = files;
	files_put(files);
	assert_int_equal(host_allocs_outstanding(), 0);
}

static const struct file_operations *const probe_kinds[] __unused = {
	&probe_fops, &dull_fops,
};
