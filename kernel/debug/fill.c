/* What nobody has written yet can be told: fill.h says how. */
#include "kernel/debug/fill.h"

#include "kernel/errno.h"
#include "kernel/param.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/syscall_nr.h"
#include "kernel/x86/ptrace.h"
#include "kernel/x86/stacktrace.h"

#define DEPTH	6144u	/* of the stack; its lowest part is watched */

typedef long (*handler_fn)(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);

static handler_fn real_table[NR_SYSCALLS];
static bool wanted;

/* By no other function, whose frame would be what is filled. */
static __always_inline void fill(void *p, size_t n)
{
	for (u64 *at = p, *end = at + n / sizeof(*at); at < end; at++)
		WRITE_ONCE(*at, FILL_BYTE * 0x0101010101010101ull);
}

void fill_memory(void *p, size_t n)
{
	if (wanted)
		fill(p, n);
}

/* In the table under every number; nothing is below its frame but a fill. */
static long filled_syscall(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	u64 nr = current_pt_regs()->orig_rax;

	fill((void *)(stack_here().sp - DEPTH), DEPTH);
	return real_table[nr](a, b, c, d, e, f);
}

void fill_init(syscall_fn *table, u32 n)
{
	for (u32 nr = 0; wanted && nr < n; nr++) {
		/* These must find the registers that C code changes. */
		if (nr == __NR_clone || nr == __NR_clone3)
			continue;
		real_table[nr] = (handler_fn)table[nr];
		table[nr] = (syscall_fn)filled_syscall;
	}
}

static int set_fill(const char *val)
{
	wanted = val && !strcmp(val, "1");
	return wanted ? 0 : -EINVAL;
}
KERNEL_PARAM("fill", set_fill, "1: memory shows that nobody has written it");
