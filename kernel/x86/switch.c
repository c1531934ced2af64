/*
 * The part of a task switch that only user tasks need. It is skipped when the
 * task that ran in user mode last comes back, as with one thread it does.
 */
#include "kernel/x86/switch.h"

#include "kernel/mm/vmalloc.h"
#include "kernel/sched.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/gdt.h"
#include "kernel/x86/irqflags.h"

#define MSR_FS_BASE		0xc0000100u
#define MSR_KERNEL_GS_BASE	0xc0000102u

/* First in the frame that switch_stacks() pops; then rbx and rbp. */
struct switch_frame {
	u64 r15, r14, r13, r12, rbx, rbp;
	u64 rip;
};

DEFINE_PER_CPU(struct task *, user_state_owner);

/* switch.S: calls task_start(rbx, r12). */
void new_task_entry(void);

__cold void *init_stack(u64 top, void (*entry)(void *arg), void *arg)
{
	struct switch_frame *f = (struct switch_frame *)top - 1;

	*f = (struct switch_frame){
		.rbx = (u64)entry,
		.r12 = (u64)arg,
		.rip = (u64)new_task_entry,
	};
	return f;
}

void user_fs_base(u64 base)
{
	wrmsr(MSR_FS_BASE, base);
}

/* In the kernel the user's value is the one that swapgs would bring. */
void user_gs_base(u64 base)
{
	wrmsr(MSR_KERNEL_GS_BASE, base);
}

void __switch_user_state(struct task *prev, struct task *next)
{
	fpu_switch(prev, next);
	if (!prev || prev->fs_base != next->fs_base)
		user_fs_base(next->fs_base);
	if (!prev || prev->gs_base != next->gs_base)
		user_gs_base(next->gs_base);
	tss_set_rsp0((u64)next->stack + KSTACK_SIZE);
	this_cpu_write(user_state_owner, next);
}

__cold void start_user_state(struct task *task)
{
	unsigned long irq = local_irq_save();

	if (this_cpu_read(user_state_owner) != task)
		__switch_user_state(this_cpu_read(user_state_owner), task);
	local_irq_restore(irq);
}

__cold void forget_user_state(struct task *task)
{
	if (this_cpu_read(user_state_owner) == task)
		this_cpu_write(user_state_owner, NULL);
}
