/* Single values go the way of the fake copies, so that they fault alike. */
#pragma once

#include "kernel/uaccess.h"

static inline int get_user_n(void *to, const void __user *from, size_t n)
{
	return copy_from_user(to, from, n);
}

static inline int put_user_n(const void *from, void __user *to, size_t n)
{
	return copy_to_user(to, from, n);
}
