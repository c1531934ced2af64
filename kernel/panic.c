/*
 * The end of the kernel: says what broke, who called, and what happened just
 * before, then leaves the machine. Works with whatever is still sound: locks
 * are not waited for, nothing is allocated, the stack is read with care.
 */
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/trace.h"
#include "kernel/x86/irqflags.h"
#include "kernel/x86/ptrace.h"
#include "kernel/x86/reboot.h"
#include "kernel/x86/stacktrace.h"

#define PANIC_EXIT_CODE	127
#define TRACE_RECORDS	64
#define MAX_CALLS	24

bool panic_in_progress;
void (*machine_exit_hook)(int code);

void machine_exit(int code)
{
	char line[32];
	int n;

	local_irq_disable();
	n = snprintf(line, sizeof(line), "pollux: exit %d\n", code & 0xff);
	console_write(line, n);
	console_write(NULL, 0);
	if (machine_exit_hook)
		machine_exit_hook(code & 0x7f);
	machine_reset();
}

__stackprotect static void print_calls(struct stack_pos from)
{
	u64 pcs[MAX_CALLS];
	unsigned int i, n = stack_trace(from, pcs, MAX_CALLS);

	printk(LOG_EMERG, "Call trace:");
	/* A return address may be the next function's first byte: one back. */
	for (i = 0; i < n; i++)
		printk(LOG_EMERG, "  %#018llx %pS",
		       (unsigned long long)pcs[i], (void *)(pcs[i] - 1));
}

void dump_stack(void)
{
	print_calls(stack_here());
}

void dump_task_stack(const u64 *sp)
{
	/* What switch_stacks() has pushed on its return address. */
	print_calls((struct stack_pos){ sp[6], (u64)&sp[7] });
}

/* A panic within a panic prints its message only, a third one nothing. */
static void begin(const char *fmt, va_list args)
{
	static int depth;
	char text[256];

	local_irq_disable();
	panic_in_progress = true;
	if (++depth > 2)
		machine_exit(PANIC_EXIT_CODE);
	vsnprintf(text, sizeof(text), fmt, args);
	printk(LOG_EMERG, "panic: %s", text);
	if (depth == 2)
		machine_exit(PANIC_EXIT_CODE);
}

static __noreturn void finish(void)
{
	trace_dump(TRACE_RECORDS);
	machine_exit(PANIC_EXIT_CODE);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin(fmt, args);
	va_end(args);
	print_calls(stack_here());
	finish();
}

void bug(const char *what, u32 line)
{
	panic("BUG in line %u of the file of who called: %s", line, what);
}

void panic_regs(const struct pt_regs *regs, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin(fmt, args);
	va_end(args);
	show_regs(regs);
	if (!user_mode(regs))
		print_calls((struct stack_pos){ regs->rip, regs->rsp });
	finish();
}
