/*
 * The cursor over a caller's buffers. One buffer is the common case: it is
 * copied in one go without looking at segments. Task context.
 */
#include "kernel/uio.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"

#define SSIZE_MAX ((size_t)INT64_MAX)

void iov_iter_ubuf(struct iov_iter *it, void __user *buf, size_t len)
{
	len = min(len, MAX_RW_COUNT);
	it->one.iov_base = buf;
	it->one.iov_len = len;
	it->iov = &it->one;
	it->iov_offset = 0;
	it->count = len;
	it->kernel = false;
}

void iov_iter_kbuf(struct iov_iter *it, void *buf, size_t len)
{
	iov_iter_ubuf(it, buf, len);
	it->kernel = true;
}

int import_iovec(const struct iovec __user *uvec, size_t nr,
		 struct iovec *fast, struct iovec **to_free,
		 struct iov_iter *it)
{
	struct iovec *iov = fast;
	size_t total = 0;
	int err;

	*to_free = NULL;
	if (nr > UIO_MAXIOV)
		return -EINVAL;
	if (nr > UIO_FASTIOV) {
		iov = kmalloc(nr * sizeof(*iov));
		if (!iov)
			return -ENOMEM;
		*to_free = iov;
	}
	err = copy_from_user(iov, uvec, nr * sizeof(*iov));
	if (err)
		goto fail;
	for (size_t i = 0; i < nr; i++) {
		err = -EINVAL;
		if (iov[i].iov_len > SSIZE_MAX)
			goto fail;
		err = -EFAULT;
		if (!access_ok(iov[i].iov_base, iov[i].iov_len))
			goto fail;
		/* What is over the limit is not moved, as on Linux. */
		iov[i].iov_len = min(iov[i].iov_len, MAX_RW_COUNT - total);
		total += iov[i].iov_len;
	}
	it->iov = iov;
	it->iov_offset = 0;
	it->count = total;
	it->kernel = false;
	return 0;
fail:
	kfree(*to_free);
	*to_free = NULL;
	return err;
}

/* Both return how many bytes were NOT copied. */
static size_t copy_out(const struct iov_iter *it, void *to, const void *from,
		       size_t n)
{
	if (!it->kernel)
		return raw_copy_to_user(to, from, n);
	memcpy(to, from, n);
	return 0;
}

static size_t copy_in(const struct iov_iter *it, void *to, const void *from,
		      size_t n)
{
	if (!it->kernel)
		return raw_copy_from_user(to, from, n);
	memcpy(to, from, n);
	return 0;
}

/*
 * Steps to the segment with the next byte and returns how many of @n bytes
 * it takes; *@p is where. Called with n > 0 and count > 0.
 */
static size_t segment(struct iov_iter *it, size_t n, char **p)
{
	while (it->iov_offset == it->iov->iov_len) {
		it->iov++;
		it->iov_offset = 0;
	}
	*p = (char *)it->iov->iov_base + it->iov_offset;
	return min(n, it->iov->iov_len - it->iov_offset);
}

/*
 * The common case, the next @n bytes are user memory in one piece: moves the
 * cursor over them and returns where they are. NULL in other cases.
 */
static inline void __user *one_piece(struct iov_iter *it, size_t n)
{
	size_t offset = it->iov_offset;

	if (unlikely(it->kernel || n > it->count ||
		     n > it->iov->iov_len - offset))
		return NULL;
	it->iov_offset = offset + n;
	it->count -= n;
	return (char __user *)it->iov->iov_base + offset;
}

/* @left of what one_piece() counted could not be copied. */
static inline size_t give_back(struct iov_iter *it, size_t n, size_t left)
{
	it->iov_offset -= left;
	it->count += left;
	return n - left;
}

static noinline size_t copy_to_segments(const void *from, size_t n,
					struct iov_iter *it)
{
	size_t done = 0;

	n = min(n, it->count);
	while (done < n) {
		char *p;
		size_t part = segment(it, n - done, &p);
		size_t left = copy_out(it, p, (const char *)from + done, part);

		it->iov_offset += part - left;
		it->count -= part - left;
		done += part - left;
		if (unlikely(left))
			break;
	}
	return done;
}

size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it)
{
	void __user *p = one_piece(it, n);
	size_t left;

	if (unlikely(!p))
		return copy_to_segments(from, n, it);
	left = raw_copy_to_user(p, from, n);
	return likely(!left) ? n : give_back(it, n, left);
}

static noinline size_t copy_from_segments(void *to, size_t n,
					  struct iov_iter *it)
{
	size_t done = 0;

	n = min(n, it->count);
	while (done < n) {
		char *p;
		size_t part = segment(it, n - done, &p);
		size_t left = copy_in(it, (char *)to + done, p, part);

		it->iov_offset += part - left;
		it->count -= part - left;
		done += part - left;
		if (unlikely(left))
			break;
	}
	return done;
}

size_t copy_from_iter(void *to, size_t n, struct iov_iter *it)
{
	void __user *p = one_piece(it, n);
	size_t left;

	if (unlikely(!p))
		return copy_from_segments(to, n, it);
	left = raw_copy_from_user(to, p, n);
	return likely(!left) ? n : give_back(it, n, left);
}

size_t iov_iter_next(struct iov_iter *it, char **p)
{
	return segment(it, it->count, p);
}

void iov_iter_advance(struct iov_iter *it, size_t n)
{
	char *p;

	n = min(n, it->count);
	it->count -= n;
	while (n) {
		size_t part = segment(it, n, &p);

		it->iov_offset += part;
		n -= part;
	}
}

void iov_iter_revert(struct iov_iter *it, size_t n)
{
	it->count += n;
	while (n > it->iov_offset) {
		n -= it->iov_offset;
		it->iov--;
		it->iov_offset = it->iov->iov_len;
	}
	it->iov_offset -= n;
}
