/*
 * What the compiler must be told: attributes, barriers, and the lock
 * annotations that clang -Wthread-safety checks (empty for gcc).
 */
#pragma once

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define __packed	__attribute__((packed))
#define __aligned(n)	__attribute__((aligned(n)))
#define __must_check	__attribute__((warn_unused_result))
#define __noreturn	__attribute__((noreturn))
#define __printf(f, a)	__attribute__((format(printf, f, a)))
#define __section(s)	__attribute__((section(s)))
#define __used		__attribute__((used))
/* Guarded like all with an array of bytes, though it is compiled for size. */
#define __stackprotect	__attribute__((stack_protect))
#define __unused	__attribute__((unused))
#define __weak		__attribute__((weak))
#define __cold		__attribute__((cold))
/* For slow halves, and for the packet's road (README): real frames in gdb. */
#define noinline	__attribute__((noinline))
/* All that this one calls becomes part of it, except noinline ones. */
#define __flatten	__attribute__((flatten))
/* A step of the packet's road that is part of who takes it. */
#define __inline_hot	inline __attribute__((always_inline))
#define __always_inline inline __attribute__((always_inline))
#define __nostackprotector __attribute__((optimize("no-stack-protector")))

/* A pointer into user memory: only uaccess.h and uio.h follow it. */
#define __user
/* Zero until boot sets it, read-only afterwards. */
#define __ro_after_init __section(".bss..ro_after_init")

#define barrier()	__asm__ __volatile__("" : : : "memory")
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* Each argument is evaluated once. */
#define min(a, b)							\
	__extension__({							\
		__typeof__(1 ? (a) : (b)) min_a = (a), min_b = (b);	\
		min_a < min_b ? min_a : min_b;				\
	})
#define max(a, b)							\
	__extension__({							\
		__typeof__(1 ? (a) : (b)) max_a = (a), max_b = (b);	\
		max_a > max_b ? max_a : max_b;				\
	})
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define ALIGN_UP(x, a)	(((x) + ((a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define DIV_ROUND_UP(x, d) (((x) + (d) - 1) / (d))

#ifdef __clang__
#define __capability(x)	__attribute__((capability(x)))
#define __must_hold(x)	__attribute__((requires_capability(x)))
#define __acquires(x)	__attribute__((acquire_capability(x)))
#define __releases(x)	__attribute__((release_capability(x)))
#define __cond_acquires(x) __attribute__((try_acquire_capability(true, x)))
#define __guarded_by(x)	__attribute__((guarded_by(x)))
#define __no_lock_check	__attribute__((no_thread_safety_analysis))
#define asmlinkage
#else
#define __capability(x)
#define __must_hold(x)
#define __acquires(x)
#define __releases(x)
#define __cond_acquires(x)
#define __guarded_by(x)
#define __no_lock_check
/* Called or used by assembler files, and by what is compiled alone. */
#define asmlinkage	__attribute__((externally_visible))
#endif
