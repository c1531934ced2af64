/*
 * The own CPU's copy of per-CPU data, through the GS base: GS holds the
 * distance from the section as linked to this CPU's copy.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#define PERCPU_SECTION __attribute__((section(".data..percpu")))

/* First in the section, so that the asm entry code finds them by name. */
extern asmlinkage PERCPU_SECTION u64 this_cpu_off;
/*
 * The running task's, which compiled code keeps below what it returns to. The
 * first is drawn before the first frame that checks it (head.S).
 */
extern asmlinkage PERCPU_SECTION u64 __stack_chk_guard;

#define this_cpu_read(var)						\
	__extension__({							\
		__typeof__(var) pcpu_v;					\
		_Static_assert(sizeof(var) == 4 || sizeof(var) == 8,	\
			       "per-CPU scalars only");			\
		__asm__ volatile("mov %%gs:%1, %0"			\
				 : "=r"(pcpu_v) : "m"(var));		\
		pcpu_v;							\
	})

#define this_cpu_write(var, val)					\
	do {								\
		__typeof__(var) pcpu_v = (val);				\
		__asm__ volatile("mov %1, %%gs:%0"			\
				 : "=m"(var) : "r"(pcpu_v));		\
	} while (0)

#define this_cpu_add(var, n)						\
	do {								\
		__typeof__(var) pcpu_v = (__typeof__(var))(n);		\
		__asm__ volatile("add%z0 %1, %%gs:%0"			\
				 : "+m"(var) : "er"(pcpu_v) : "cc");	\
	} while (0)

static inline u64 percpu_offset(void)
{
	u64 off;

	__asm__ volatile("mov %%gs:%1, %0" : "=r"(off) : "m"(this_cpu_off));
	return off;
}

#define this_cpu_ptr(ptr) \
	((__typeof__(ptr))((u64)(ptr) + percpu_offset()))
