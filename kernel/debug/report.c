/* The end of every check that fails: one message, one backtrace, a panic. */
#include "kernel/debug/report.h"

#include <stdarg.h>

#include "kernel/debug/kasan.h"
#include "kernel/debug/lockdep.h"
#include "kernel/errno.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/x86/irqflags.h"

u32 debug_reports;

static bool go_on;

static int set_debug(const char *val)
{
	if (!val || strcmp(val, "continue"))
		return -EINVAL;
	go_on = true;
	return 0;
}
KERNEL_PARAM("debug", set_debug, "continue: go on after a checker's report");

void debug_report(const char *fmt, ...)
{
	unsigned long irq = local_irq_save();
	char text[256];
	va_list args;

	/* What prints must not be reported on. */
	kasan_pause(true);
	lockdep_pause(true);
	debug_reports++;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!go_on)
		panic("%s", text);
	pr_err("DEBUG: %s", text);
	dump_stack();
	lockdep_pause(false);
	kasan_pause(false);
	local_irq_restore(irq);
}
