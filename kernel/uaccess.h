/*
 * The only road between kernel and user memory. A bad pointer is -EFAULT: the
 * copy instruction's fault is looked up in the exception table and fixed up.
 * Task context; may fault pages in (and so take the mm's lock), never sleeps
 * on anything else. SMAP is opened only inside.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* User addresses are below this; one page is kept free at the top. */
#define TASK_SIZE_MAX 0x00007ffffffff000ull

static inline bool access_ok(const void __user *ptr, size_t len)
{
	u64 addr = (u64)ptr;

	return len <= TASK_SIZE_MAX && addr <= TASK_SIZE_MAX - len;
}

/* 0, or -EFAULT with nothing promised about how much was copied. */
int copy_from_user(void *to, const void __user *from, size_t n) __must_check;
int copy_to_user(void __user *to, const void *from, size_t n) __must_check;

/* As above, but returns how many bytes could NOT be copied. */
size_t raw_copy_from_user(void *to, const void __user *from, size_t n);
size_t raw_copy_to_user(void __user *to, const void *from, size_t n);

/*
 * Copies a string with its end. Returns its length without the end, -EFAULT,
 * or -ENAMETOOLONG if it does not fit in @size bytes.
 */
ssize_t strncpy_from_user(char *to, const char __user *from, size_t size)
	__must_check;

/*
 * One value. 4 and 8 bytes are a single instruction inline; 0 or -EFAULT, and
 * @x keeps its value on failure.
 */
#define get_user(x, ptr)	get_user_n(&(x), ptr, sizeof(*(ptr)))
#define put_user(x, ptr)						\
	put_user_n(&(__typeof__(*(ptr))){ x }, ptr, sizeof(*(ptr)))

#include "kernel/x86/uaccess.h"
