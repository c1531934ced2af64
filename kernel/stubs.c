/* Stand-ins for services that are still to come; each goes with its day. */
#include "kernel/panic.h"
#include "kernel/trace.h"
#include "kernel/x86/ptrace.h"
__weak void trace_dump(unsigned int n) { (void)n; }
__weak void show_regs(const struct pt_regs *regs) { (void)regs; }
