/*
 * Exceptions. From user mode they become page-ins or signals; from the kernel
 * a page-in or a fix-up of a user copy, else the end. Entered by entry.S with
 * interrupts off.
 */
#include "kernel/panic.h"

#include "kernel/context.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/uaccess.h"
#include "kernel/x86/entry.h"
#include "kernel/x86/extable.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/irqflags.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/ptrace.h"

#define TRAP_DE	0
#define TRAP_DB	1
#define TRAP_NMI 2
#define TRAP_BP	3
#define TRAP_UD	6
#define TRAP_PF	14
#define TRAP_MF	16
#define TRAP_AC	17
#define TRAP_XF	19

/* The page fault's error code (Intel SDM volume 3, 4.7). */
#define PF_PRESENT	(1u << 0)
#define PF_WRITE	(1u << 1)
#define PF_USER		(1u << 2)
#define PF_RESERVED	(1u << 3)
#define PF_FETCH	(1u << 4)

static const struct {
	const char *name;
	u8 signal;
} traps[NR_TRAPS] = {
	[0] = { "divide error", SIGFPE },
	[1] = { "debug trap", SIGTRAP },
	[2] = { "non-maskable interrupt", SIGKILL },
	[3] = { "breakpoint", SIGTRAP },
	[4] = { "overflow", SIGSEGV },
	[5] = { "bound range exceeded", SIGSEGV },
	[6] = { "invalid instruction", SIGILL },
	[7] = { "no FPU", SIGFPE },
	[8] = { "double fault", SIGKILL },
	[9] = { "coprocessor segment overrun", SIGFPE },
	[10] = { "invalid TSS", SIGSEGV },
	[11] = { "segment not present", SIGBUS },
	[12] = { "stack segment fault", SIGBUS },
	[13] = { "general protection fault", SIGSEGV },
	[14] = { "page fault", SIGSEGV },
	[15] = { "reserved exception 15", SIGSEGV },
	[16] = { "x87 floating-point error", SIGFPE },
	[17] = { "alignment check", SIGBUS },
	[18] = { "machine check", SIGKILL },
	[19] = { "SIMD floating-point error", SIGFPE },
	[20] = { "virtualisation exception", SIGSEGV },
	[21] = { "control protection fault", SIGSEGV },
};

static void show_pair(const char *a, u64 va, const char *b, u64 vb,
		      const char *c, u64 vc)
{
	pr_err("  %-3s %016llx  %-3s %016llx  %-3s %016llx",
	       a, (unsigned long long)va, b, (unsigned long long)vb,
	       c, (unsigned long long)vc);
}

void show_regs(const struct pt_regs *r)
{
	show_pair("rip", r->rip, "rsp", r->rsp, "rfl", r->rflags);
	show_pair("rax", r->rax, "rbx", r->rbx, "rcx", r->rcx);
	show_pair("rdx", r->rdx, "rsi", r->rsi, "rdi", r->rdi);
	show_pair("rbp", r->rbp, "r8", r->r8, "r9", r->r9);
	show_pair("r10", r->r10, "r11", r->r11, "r12", r->r12);
	show_pair("r13", r->r13, "r14", r->r14, "r15", r->r15);
	pr_err("  cs %llx ss %llx error %llx", (unsigned long long)r->cs,
	       (unsigned long long)r->ss, (unsigned long long)r->orig_rax);
	if (!user_mode(r))
		pr_err("  at %pS", (void *)r->rip);
}

static const char *access_name(u32 error)
{
	if (error & PF_FETCH)
		return "executing";
	return error & PF_WRITE ? "writing" : "reading";
}

/* si_code and si_addr as Linux gives them; SI_KERNEL where it knows none. */
static void fill_siginfo(struct siginfo *info, const struct pt_regs *regs,
			 unsigned int nr)
{
	info->si_signo = traps[nr].signal;
	info->si_code = SI_KERNEL;
	switch (nr) {
	case TRAP_DE:
		info->si_code = FPE_INTDIV;
		break;
	case TRAP_DB:
		info->si_code = TRAP_TRACE;
		break;
	case TRAP_UD:
		info->si_code = ILL_ILLOPN;
		break;
	case TRAP_MF:
	case TRAP_XF:
		info->si_code = fpu_exception_code(nr == TRAP_XF);
		break;
	case TRAP_AC:
		info->si_code = BUS_ADRALN;
		return;
	default:
		return;
	}
	info->addr = regs->rip;
}

/* The signal of a fault, which is said here if it ends the program. */
static void user_fault(struct pt_regs *regs, unsigned int nr,
		       const struct siginfo *info)
{
	current->trap.nr = nr;
	current->trap.error = regs->orig_rax;
	/* CR2 keeps the last page fault's address. */
	if (nr == TRAP_PF)
		current->trap.address = info->addr;
	if (signal_is_fatal(info->si_signo, current)) {
		if (nr == TRAP_PF)
			pr_err("%s[%d]: page fault %s address %#llx",
			       current->comm, current->pid,
			       access_name(regs->orig_rax),
			       (unsigned long long)info->addr);
		else
			pr_err("%s[%d]: %s", current->comm, current->pid,
			       traps[nr].name);
		show_regs(regs);
	}
	force_siginfo(info);
}

/* Brings the page in if the program may have it: 0 or -errno. */
static int fault_in(u64 address, u32 error)
{
	u32 why = (error & PF_WRITE ? FAULT_WRITE : 0) |
		  (error & PF_FETCH ? FAULT_EXEC : 0) |
		  (error & PF_USER ? FAULT_USER : 0);

	if (address >= TASK_SIZE_MAX || error & PF_RESERVED || !current->mm)
		return -EFAULT;
	return mm_fault(current->mm, address, why);
}

static void user_page_fault(struct pt_regs *regs)
{
	struct siginfo info = { .si_signo = SIGSEGV, .addr = fault_address() };
	int err;

	local_irq_enable();
	err = fault_in(info.addr, regs->orig_rax);
	if (err == -ENOMEM) {
		pr_err("out of memory: ending %s[%d]; give the machine more",
		       current->comm, current->pid);
		force_sig(SIGKILL, current);
	} else if (err == -ENXIO) {
		/* A file's mapping, beyond the file's end. */
		info.si_signo = SIGBUS;
		info.si_code = BUS_ADRERR;
		user_fault(regs, TRAP_PF, &info);
	} else if (err) {
		info.si_code = err == -EACCES ? SEGV_ACCERR : SEGV_MAPERR;
		user_fault(regs, TRAP_PF, &info);
	}
	local_irq_disable();
}

void do_trap_user(struct pt_regs *regs, unsigned int nr)
{
	struct siginfo info = { 0 };

	if (nr == TRAP_PF) {
		user_page_fault(regs);
		return;
	}
	local_irq_enable();
	fill_siginfo(&info, regs, nr);
	user_fault(regs, nr, &info);
	local_irq_disable();
}

/*
 * A user copy touched a page that is not there. Where the kernel must not
 * sleep, or the page cannot be had, the copy's fix-up answers EFAULT.
 */
static bool kernel_page_fault(struct pt_regs *regs)
{
	u64 address = fault_address();
	const void *fixup = search_extable(regs->rip);
	int err = -EFAULT;

	if (!fixup)
		return false;
	if (in_task() && regs->rflags & X86_EFLAGS_IF) {
		local_irq_enable();
		err = fault_in(address, regs->orig_rax);
		local_irq_disable();
	}
	if (err)
		regs->rip = (u64)fixup;
	return true;
}

/* The frame that would have led to user mode was bad: the program's end. */
static __noreturn void bad_return(unsigned int nr)
{
	local_irq_enable();
	pr_err("%s[%d]: %s on the way to user mode: bad address or flags",
	       current->comm, current->pid, traps[nr].name);
	show_regs(current_pt_regs());
	do_exit_group(128 + SIGSEGV);
}

void do_trap_kernel(struct pt_regs *regs, unsigned int nr)
{
	const void *fixup;

	if (regs->rip == (u64)user_iretq)
		bad_return(nr);
	if (nr == TRAP_PF) {
		if (kernel_page_fault(regs))
			return;
		panic_regs(regs, "page fault %s kernel address %#llx",
			   access_name(regs->orig_rax),
			   (unsigned long long)fault_address());
	}
	/* A non-canonical user pointer is a general protection fault. */
	fixup = search_extable(regs->rip);
	if (!fixup)
		panic_regs(regs, "%s in the kernel", traps[nr].name);
	regs->rip = (u64)fixup;
}

void do_trap_ist(struct pt_regs *regs, unsigned int nr)
{
	panic_regs(regs, "%s%s", traps[nr].name,
		   nr == 8 ? ": kernel stack overflow?" : "");
}
