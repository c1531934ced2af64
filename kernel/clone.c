/*
 * New threads (clone(2)). They share everything with the caller but registers
 * and what the flags say; a second process cannot be, and asking for one is
 * answered as by a Linux that may have no more.
 */
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "kernel/x86/entry.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/ptrace.h"

#define CLONE_VM		0x00000100u
#define CLONE_FS		0x00000200u
#define CLONE_FILES		0x00000400u
#define CLONE_SIGHAND		0x00000800u
#define CLONE_PIDFD		0x00001000u
#define CLONE_PARENT		0x00008000u
#define CLONE_THREAD		0x00010000u
#define CLONE_SETTLS		0x00080000u
#define CLONE_PARENT_SETTID	0x00100000u
#define CLONE_CHILD_CLEARTID	0x00200000u
#define CLONE_DETACHED		0x00400000u
#define CLONE_CHILD_SETTID	0x01000000u
#define CSIGNAL			0x000000ffu

#define WNOHANG			0x00000001u
#define WSTOPPED		0x00000002u
#define WEXITED			0x00000004u
#define WCONTINUED		0x00000008u
#define WNOWAIT			0x01000000u
#define WAIT_KINDS		0xe0000000u
#define P_PID			1u
#define P_PGID			2u

/* What a thread of ours shares; less would be a process, or half of one. */
#define THREAD_SHARES	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			 CLONE_THREAD)

/* clone3(2)'s argument; what we know of it, which is all up to Linux 5.7. */
struct clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal;
	u64 stack, stack_size, tls;
	u64 set_tid, set_tid_size, cgroup;
};

#define CLONE_ARGS_SIZE_VER0	64

asmlinkage long do_clone(u64 flags, u64 sp, s32 __user *parent_tid,
			 u32 __user *child_tid, u64 tls,
			 const struct callee_saved *kept);
asmlinkage long do_clone3(const void __user *uargs, size_t size, u64 unused3,
			  u64 unused4, u64 unused5,
			  const struct callee_saved *kept);

static long no_more_processes(const char *call)
{
	static bool said;

	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		pr_warn("%s called %s: there is one process and no other: EAGAIN; use threads",
			current->comm, call);
	return -EAGAIN;
}

static void copy_regs(struct task *child, u64 sp,
		      const struct callee_saved *kept)
{
	struct pt_regs *regs = task_pt_regs(child);

	*regs = *current_pt_regs();
	regs->rbx = kept->rbx;
	regs->rbp = kept->rbp;
	regs->r12 = kept->r12;
	regs->r13 = kept->r13;
	regs->r14 = kept->r14;
	regs->r15 = kept->r15;
	regs->rax = 0;
	regs->rcx = regs->rip;
	regs->r11 = regs->rflags;
	if (sp)
		regs->rsp = sp;
}

/* The child's first steps, in its own name. */
static void thread_entry(void *arg)
{
	u32 __user *set_tid = arg;

	if (set_tid)
		(void)put_user((u32)current->pid, set_tid);
	return_to_user(current_pt_regs());
}

/* The parent has a save area as soon as it is not alone. */
static int copy_fpu(struct task *child)
{
	int err = fpu_alloc(current);

	if (!err)
		err = fpu_alloc(child);
	if (!err)
		fpu_copy_to(child);
	return err;
}

static void share_process(struct task *child)
{
	struct task *task = current;

	child->tgid = task->tgid;
	child->mm = task->mm;
	child->files = task->files;
	process_ops->share_files(child->files);
	child->sighand = task->sighand;
	child->sig_blocked = task->sig_blocked;
	child->gs_base = task->gs_base;
	child->fs_base = task->fs_base;
}

/* False if the process comes to its end: then nobody joins it. */
static bool join_threads(struct task *child)
{
	struct sighand *sighand = child->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	bool exiting = sighand->exiting;

	if (!exiting) {
		list_add_tail(&child->thread_node, &sighand->threads);
		sighand->nr_threads++;
	}
	spin_unlock_irqrestore(&sighand->lock, irq);
	return !exiting;
}

static long start_thread(u64 flags, u64 sp, s32 __user *parent_tid,
			 u32 __user *child_tid, u64 tls,
			 const struct callee_saved *kept)
{
	u32 __user *set_tid = flags & CLONE_CHILD_SETTID ? child_tid : NULL;
	struct task *child = task_create(current->comm, thread_entry, set_tid);
	s32 pid;

	if (!child)
		return -ENOMEM;
	if (copy_fpu(child)) {
		put_task(child);
		return -ENOMEM;
	}
	pid = child->pid;
	child->nice = current->nice;
	if (flags & CLONE_PARENT_SETTID)
		(void)put_user(pid, parent_tid);
	share_process(child);
	copy_regs(child, sp, kept);
	if (flags & CLONE_SETTLS)
		child->fs_base = tls;
	if (flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = child_tid;
	if (!join_threads(child)) {
		process_ops->put_files(child->files);
		put_task(child);
		return -ERESTARTNOINTR;
	}
	wake_up_new_task(child);
	return pid;
}

/* Called by sys_clone() in entry.S with the registers that C keeps. */
long do_clone(u64 flags, u64 sp, s32 __user *parent_tid,
	      u32 __user *child_tid, u64 tls, const struct callee_saved *kept)
{
	if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) ||
	    (flags & CLONE_SIGHAND && !(flags & CLONE_VM)) ||
	    (flags & CLONE_THREAD && flags & CLONE_PIDFD))
		return -EINVAL;
	if ((flags & THREAD_SHARES) != THREAD_SHARES)
		return no_more_processes("clone");
	if (flags & CLONE_SETTLS && tls >= TASK_SIZE_MAX)
		return -EPERM;
	return start_thread(flags, sp, parent_tid, child_tid, tls, kept);
}

SYSCALL_ENTER(clone);

/* 0 with *@a filled, its missing end with zeroes, or what clone3(2) says. */
static int copy_clone_args(struct clone_args *a, const u8 __user *uargs,
			   size_t size)
{
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	*a = (struct clone_args){ 0 };
	if (copy_from_user(a, uargs, min(size, sizeof(*a))))
		return -EFAULT;
	/* A wish that we do not know must not go unheard. */
	for (size_t i = sizeof(*a); i < size; i++) {
		u8 byte;

		if (get_user(byte, uargs + i))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return 0;
}

static bool clone_args_valid(const struct clone_args *a)
{
	if (a->flags >> 34 || a->flags & (CLONE_DETACHED | CSIGNAL) ||
	    a->exit_signal & ~(u64)CSIGNAL || a->exit_signal > NSIG)
		return false;
	if (a->flags & (CLONE_THREAD | CLONE_PARENT) && a->exit_signal)
		return false;
	if (a->set_tid || a->set_tid_size)
		return false;
	return !a->stack == !a->stack_size &&
	       access_ok((void __user *)a->stack, a->stack_size);
}

/* As do_clone(); glibc's way to make a thread. */
long do_clone3(const void __user *uargs, size_t size, u64 unused3, u64 unused4,
	       u64 unused5, const struct callee_saved *kept)
{
	struct clone_args a;
	int err = copy_clone_args(&a, uargs, size);

	(void)unused3;
	(void)unused4;
	(void)unused5;
	if (err)
		return err;
	if (!clone_args_valid(&a))
		return -EINVAL;
	return do_clone(a.flags, a.stack + a.stack_size,
			(s32 __user *)a.parent_tid,
			(u32 __user *)a.child_tid, a.tls, kept);
}

SYSCALL_ENTER(clone3);

SYSCALL_DEFINE0(fork)
{
	return no_more_processes("fork");
}

SYSCALL_DEFINE0(vfork)
{
	return no_more_processes("vfork");
}

/* Nobody has children. */
SYSCALL_DEFINE4(wait4, s32, pid, void __user *, status, u32, options,
		void __user *, usage)
{
	(void)status;
	(void)usage;
	if (options & ~(WNOHANG | WSTOPPED | WCONTINUED | WAIT_KINDS))
		return -EINVAL;
	return pid == INT32_MIN ? -ESRCH : -ECHILD;
}

SYSCALL_DEFINE5(waitid, u32, type, s32, pid, void __user *, info,
		u32, options, void __user *, usage)
{
	const u32 states = WEXITED | WSTOPPED | WCONTINUED;

	(void)info;
	(void)usage;
	if (options & ~(states | WNOHANG | WNOWAIT | WAIT_KINDS) ||
	    !(options & states) || type > P_PGID ||
	    (type == P_PID && pid <= 0) || (type == P_PGID && pid < 0))
		return -EINVAL;
	return -ECHILD;
}

#define PTRACE_TRACEME	0
#define PTRACE_ATTACH	16
#define PTRACE_SEIZE	0x4206

/* Nobody is traced; nobody else is there to trace, or to be traced by. */
SYSCALL_DEFINE4(ptrace, s64, request, s64, pid, u64, addr, u64, data)
{
	bool attaches = request == PTRACE_ATTACH || request == PTRACE_SEIZE;

	(void)addr;
	(void)data;
	if (request == PTRACE_TRACEME || (attaches && pid == current->tgid))
		return -EPERM;
	return -ESRCH;
}
