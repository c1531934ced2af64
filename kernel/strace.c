/*
 * The tracing half: the function that stands in the call table instead of
 * all others. A call is printed when it returns, in one line, so the lines of
 * threads do not mix; what sleeps is px-tasks' to show. Those that do not
 * return are printed before.
 */
#include "kernel/strace.h"

#include "kernel/mm/slab.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/syscall_nr.h"
#include "kernel/x86/ptrace.h"

#define LINE 256	/* with the rest it still is one line of the log */
#define RESULT 48
#define RESULT_COLUMN 39

typedef long (*handler_fn)(u64, u64, u64, u64, u64, u64);

static bool wanted __ro_after_init;
static handler_fn *real_table __ro_after_init;

static int strace_param(const char *val)
{
	u64 on;
	int err = val ? parse_u64(val, &on) : -1;

	if (err || on > 1)
		return -1;
	wanted = on;
	return 0;
}
KERNEL_PARAM("strace", strace_param, "1: every system call to the log");

static void print_call(const struct strace_call *call, bool returns)
{
	char line[LINE], result[RESULT] = "= ?";

	strace_format(call, line, sizeof(line));
	if (returns)
		strace_format_result(call, result, sizeof(result));
	printk(LOG_NOTICE, "[pid %d] %-*s %s", current->pid, RESULT_COLUMN, line,
	       result);
}

static bool never_returns(u64 nr)
{
	return nr == __NR_exit || nr == __NR_exit_group;
}

/* In the table under every number; the handlers ignore what they lack. */
static long strace_syscall(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct strace_call call = {
		.nr = current_pt_regs()->orig_rax,
		.arg = { a, b, c, d, e, f },
	};

	if (never_returns(call.nr))
		print_call(&call, false);
	call.ret = real_table[call.nr](a, b, c, d, e, f);
	print_call(&call, true);
	return call.ret;
}

void strace_init(syscall_fn *table, u32 n)
{
	if (!wanted)
		return;
	real_table = kcalloc(n, sizeof(*real_table));
	if (!real_table) {
		pr_err("no memory for strace: give the machine more");
		return;
	}
	for (u32 nr = 0; nr < n; nr++) {
		/* These must find the registers that C code changes. */
		if (nr == __NR_clone || nr == __NR_clone3)
			continue;
		real_table[nr] = (handler_fn)table[nr];
		table[nr] = (syscall_fn)strace_syscall;
	}
}
