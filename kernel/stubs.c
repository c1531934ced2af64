/* Stand-ins for services that are still to come; each goes with its day. */
#include "kernel/mm/page.h"
#include "kernel/panic.h"
#include "kernel/trace.h"
#include "kernel/x86/ptrace.h"
__weak void trace_dump(unsigned int n) { (void)n; }
__weak void show_regs(const struct pt_regs *regs) { (void)regs; }
__weak u64 nr_total_pages(void) { return 0; }
__weak void *get_zeroed_page(void) { return 0; }
__weak void free_page(void *p) { (void)p; }
__weak void free_reserved_page(phys_addr_t pa) { (void)pa; }
