/*
 * The call table: filled at boot from what SYSCALL_DEFINEn left in its linker
 * section. A number nobody serves answers -ENOSYS and is named once.
 */
#include "kernel/syscall.h"

#include "kernel/debug/fill.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/strace.h"
#include "kernel/x86/ptrace.h"

extern const struct syscall_entry __start_syscall_entry[];
extern const struct syscall_entry __stop_syscall_entry[];

/* Called through by entry.S, with arguments in registers. */
asmlinkage syscall_fn syscall_table[NR_SYSCALLS] __ro_after_init;

/* One bit per number that was named in the log already. */
static u64 named[NR_SYSCALLS / 64 + 1];

/* A table entry that nobody filled, or a number beyond the table. */
long sys_ni_syscall(void)
{
	u64 nr = current_pt_regs()->orig_rax;
	u64 bit = 1ull << nr % 64;

	if (nr >= NR_SYSCALLS)
		return -ENOSYS;
	if (!(__atomic_fetch_or(&named[nr / 64], bit, __ATOMIC_RELAXED) & bit))
		pr_warn("%s asked for system call %llu (%s), which Pollux lacks: ENOSYS\n",
			current->comm, (unsigned long long)nr,
			syscall_name(nr));
	return -ENOSYS;
}

void syscall_init(void)
{
	const struct syscall_entry *e;

	for (u32 nr = 0; nr < NR_SYSCALLS; nr++)
		syscall_table[nr] = (syscall_fn)sys_ni_syscall;
	for (e = __start_syscall_entry; e < __stop_syscall_entry; e++)
		syscall_table[e->nr] = (syscall_fn)((u64)&e->fn + (u64)e->fn);
	fill_init(syscall_table, NR_SYSCALLS);
	strace_init(syscall_table, NR_SYSCALLS);
}
