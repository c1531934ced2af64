/* Copies between kernel and user; copy_user.S does the moving. */
#include "kernel/x86/uaccess.h"

#include "kernel/compiler.h"
#include "kernel/errno.h"
#include "kernel/x86/extable.h"

struct extable_entry {
	s32 insn, fixup;	/* from here */
};

extern const struct extable_entry __start___ex_table[];
extern const struct extable_entry __stop___ex_table[];

/* copy_user.S; returns the bytes that are left when it faulted. */
size_t copy_user(void *to, const void *from, size_t n);

/* Some tens of entries, and a fault is rare: no need to sort them. */
const void *search_extable(u64 ip)
{
	const struct extable_entry *e;

	for (e = __start___ex_table; e < __stop___ex_table; e++) {
		if ((u64)&e->insn + (u64)e->insn == ip)
			return (const char *)&e->fixup + e->fixup;
	}
	return NULL;
}

size_t raw_copy_from_user(void *to, const void __user *from, size_t n)
{
	size_t left;

	if (unlikely(!access_ok(from, n)))
		return n;
	user_access_begin();
	left = copy_user(to, from, n);
	user_access_end();
	return left;
}

size_t raw_copy_to_user(void __user *to, const void *from, size_t n)
{
	size_t left;

	if (unlikely(!access_ok(to, n)))
		return n;
	user_access_begin();
	left = copy_user(to, from, n);
	user_access_end();
	return left;
}

int copy_from_user(void *to, const void __user *from, size_t n)
{
	return unlikely(raw_copy_from_user(to, from, n)) ? -EFAULT : 0;
}

int copy_to_user(void __user *to, const void *from, size_t n)
{
	return unlikely(raw_copy_to_user(to, from, n)) ? -EFAULT : 0;
}

ssize_t strncpy_from_user(char *to, const char __user *from, size_t size)
{
	u8 c;
	size_t i;

	user_access_begin();
	for (i = 0; i < size; i++) {
		if ((u64)from + i >= TASK_SIZE_MAX)
			goto fault;
		USER_LOAD("movb", c, from + i, fault);
		to[i] = (char)c;
		if (!c)
			break;
	}
	user_access_end();
	return i < size ? (ssize_t)i : -ENAMETOOLONG;
fault:
	user_access_end();
	return -EFAULT;
}
