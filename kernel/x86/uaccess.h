/*
 * The instructions behind kernel/uaccess.h, which includes this. SMAP keeps
 * user memory shut but between user_access_begin() and _end(), where nothing
 * may be called but single loads and stores with an exception-table entry.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/errno.h"
#include "kernel/types.h"
#include "kernel/uaccess.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/extable.h"

static __always_inline void user_access_begin(void)
{
	if (cpu_has(CPU_SMAP))
		__asm__ volatile("stac" : : : "memory", "cc");
}

static __always_inline void user_access_end(void)
{
	if (cpu_has(CPU_SMAP))
		__asm__ volatile("clac" : : : "memory", "cc");
}

/*
 * One load or store between begin and end; goes to @label on a fault. The
 * compiler would drop a load whose value is not used, and its fault with it.
 */
#define USER_LOAD(insn, v, p, label)					\
	__asm__ volatile goto("1:\t" insn " %1, %0\n"				\
		     EXTABLE("1b", "%l[" #label "]")			\
		     : "=r"(v) : "m"(*(p)) : : label)
#define USER_STORE(insn, v, p, label)					\
	__asm__ volatile goto("1:\t" insn " %0, %1\n"				\
		     EXTABLE("1b", "%l[" #label "]")			\
		     : : "r"(v), "m"(*(p)) : "memory" : label)

static __always_inline int get_user_n(void *to, const void __user *from,
				      size_t n)
{
	u32 v4;
	u64 v8;

	if (n != 4 && n != 8)
		return copy_from_user(to, from, n);
	if (unlikely(!access_ok(from, n)))
		return -EFAULT;
	user_access_begin();
	if (n == 4) {
		USER_LOAD("movl", v4, (const u32 __user *)from, fault);
		user_access_end();
		__builtin_memcpy(to, &v4, 4);
	} else {
		USER_LOAD("movq", v8, (const u64 __user *)from, fault);
		user_access_end();
		__builtin_memcpy(to, &v8, 8);
	}
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static __always_inline int put_user_n(const void *from, void __user *to,
				      size_t n)
{
	u32 v4;
	u64 v8;

	if (n != 4 && n != 8)
		return copy_to_user(to, from, n);
	if (unlikely(!access_ok(to, n)))
		return -EFAULT;
	if (n == 4) {
		__builtin_memcpy(&v4, from, 4);
		user_access_begin();
		USER_STORE("movl", v4, (u32 __user *)to, fault);
	} else {
		__builtin_memcpy(&v8, from, 8);
		user_access_begin();
		USER_STORE("movq", v8, (u64 __user *)to, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/*
 * Atomically replaces *@ptr by @new if it is @old; what was there in *@was.
 * 0 or -EFAULT. A page that is not there is -EFAULT with interrupts off.
 */
static __always_inline int user_cmpxchg32(u32 __user *ptr, u32 old, u32 new,
					  u32 *was)
{
	u32 v = old;

	if (unlikely(!access_ok(ptr, sizeof(*ptr))))
		return -EFAULT;
	user_access_begin();
	__asm__ volatile goto("1:\tlock cmpxchgl %2, %1\n"
		     EXTABLE("1b", "%l[fault]")
		     : "+a"(v), "+m"(*ptr) : "r"(new)
		     : "memory", "cc" : fault);
	user_access_end();
	*was = v;
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}
