/*
 * User memory on the host: user pointers are host pointers, and a range can
 * be declared bad, so that a copy faults at its start or half way through.
 */
#include "tests/host/host.h"

#include <string.h>

#include "kernel/errno.h"
#include "kernel/uaccess.h"

static uintptr_t bad_start, bad_end;

void host_bad_user(const void *start, size_t len)
{
	bad_start = (uintptr_t)start;
	bad_end = bad_start + len;
}

void host_good_user(void)
{
	bad_start = 0;
	bad_end = 0;
}

void host_user_reset(void)
{
	host_good_user();
}

/* How many bytes from @ptr on can be touched, at most @n. */
static size_t good_bytes(const void *ptr, size_t n)
{
	uintptr_t p = (uintptr_t)ptr;

	if (!access_ok(ptr, n) || (n && p < 4096))
		return 0;
	if (p >= bad_end || p + n <= bad_start)
		return n;
	return p >= bad_start ? 0 : bad_start - p;
}

__weak size_t raw_copy_from_user(void *to, const void __user *from, size_t n)
{
	size_t good = good_bytes(from, n);

	if (good)
		memcpy(to, from, good);
	return n - good;
}

__weak size_t raw_copy_to_user(void __user *to, const void *from, size_t n)
{
	size_t good = good_bytes(to, n);

	if (good)
		memcpy(to, from, good);
	return n - good;
}

__weak int copy_from_user(void *to, const void __user *from, size_t n)
{
	return raw_copy_from_user(to, from, n) ? -EFAULT : 0;
}

__weak int copy_to_user(void __user *to, const void *from, size_t n)
{
	return raw_copy_to_user(to, from, n) ? -EFAULT : 0;
}

__weak ssize_t strncpy_from_user(char *to, const char __user *from,
				 size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!good_bytes(from + i, 1))
			return -EFAULT;
		to[i] = from[i];
		if (!to[i])
			return (ssize_t)i;
	}
	return -ENAMETOOLONG;
}
