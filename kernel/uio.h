/*
 * A cursor over a caller's buffers (read, readv, recvmsg, ...), user memory
 * or the kernel's own. Reading from a file copies TO the iterator.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#define UIO_MAXIOV	1024
#define UIO_FASTIOV	8
/* The most one call moves, as on Linux (INT_MAX rounded down to a page). */
#define MAX_RW_COUNT	0x7ffff000ul

struct iovec {
	void __user *iov_base;
	size_t iov_len;
};

struct page;

/*
 * Bytes that stay where they are for whoever takes a reference to @page; with
 * NULL nobody ever frees them. In the direct map.
 */
struct page_run {
	void *data;
	size_t len;
	struct page *page;
};

struct iov_iter {
	const struct iovec *iov;	/* the current segment */
	size_t iov_offset;		/* bytes of it that are done */
	size_t count;			/* bytes left in all */
	bool kernel;			/* the segments are kernel memory */
	struct iovec one;		/* for a single buffer */
	const struct page_run *runs;	/* MSG_SPLICE_PAGES: the segments */
	const struct iovec *runs_iov;	/* and the first of them as such */
};

/* One user buffer; @len is capped at MAX_RW_COUNT. */
void iov_iter_ubuf(struct iov_iter *it, void __user *buf, size_t len);
/* One kernel buffer. */
void iov_iter_kbuf(struct iov_iter *it, void *buf, size_t len);

/*
 * Imports a user iovec array. @fast is the caller's array of UIO_FASTIOV;
 * *@to_free is what the caller kfree()s afterwards (NULL if @fast sufficed).
 * Returns 0, -EFAULT, -EINVAL (too many, or a length over SSIZE_MAX), -ENOMEM.
 */
int import_iovec(const struct iovec __user *uvec, size_t nr,
		 struct iovec *fast, struct iovec **to_free,
		 struct iov_iter *it) __must_check;

/* Copy and advance; return how many bytes were copied (short: EFAULT). */
size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it);
size_t copy_from_iter(void *to, size_t n, struct iov_iter *it);
void iov_iter_advance(struct iov_iter *it, size_t n);
/* Where the next bytes are, and how many in a row: count is not 0. */
size_t iov_iter_next(struct iov_iter *it, char **p);
/* Undoes the last @n bytes of advance within one call. */
void iov_iter_revert(struct iov_iter *it, size_t n);
