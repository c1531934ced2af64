/* The process's identity, its end, and the small calls about both. */
#include "kernel/process.h"

#include "kernel/errno.h"
#include "kernel/hostname.h"
#include "kernel/futex.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "kernel/mm/page.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/switch.h"

#define ARCH_SET_GS	0x1001
#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003
#define ARCH_GET_GS	0x1004
#define INIT_PID	1

const struct process_ops *process_ops;
void (*process_last_words)(void);

static struct sighand *program;	/* set once, when there is one */

int process_init(struct task *task)
{
	task->sighand = kmalloc(sizeof(*task->sighand));
	if (!task->sighand)
		return -ENOMEM;
	sighand_init(task->sighand);
	list_add_tail(&task->thread_node, &task->sighand->threads);
	task->sighand->nr_threads = 1;
	task->kthread = false;
	task->pid = INIT_PID;
	task->tgid = INIT_PID;
	start_user_state(task);
	__atomic_store_n(&program, task->sighand, __ATOMIC_RELEASE);
	return 0;
}

void signal_program(int sig)
{
	struct sighand *sighand = __atomic_load_n(&program, __ATOMIC_ACQUIRE);
	const struct siginfo info = { .si_signo = sig, .si_code = SI_KERNEL };

	if (sighand)
		(void)send_group_siginfo(&info, sighand);
}

struct task *find_get_thread(s32 tid)
{
	struct sighand *sighand = current->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	struct task *task, *found = NULL;

	list_for_each_entry(task, &sighand->threads, thread_node) {
		if (task->pid == tid) {
			found = task;
			get_task(task);
			break;
		}
	}
	spin_unlock_irqrestore(&sighand->lock, irq);
	return found;
}

/* True for the last: then *@code is the program's. */
static bool leave_threads(struct task *task, int *code)
{
	struct sighand *sighand = task->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	bool last;

	exit_signals(task);
	list_del(&task->thread_node);
	last = !--sighand->nr_threads;
	*code = sighand->exit_code;
	spin_unlock_irqrestore(&sighand->lock, irq);
	return last;
}

void do_exit(void)
{
	struct task *task = current;
	int code;
	bool last;

	futex_exit(task);
	last = leave_threads(task, &code);
	process_ops->put_files(task->files);
	task->files = NULL;
	if (last && process_last_words)
		process_last_words();
	if (last) {
		process_ops->sync();
		machine_exit(code & 0xff);
	}
	task_exit();
}

void do_exit_group(int code)
{
	struct sighand *sighand = current->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);

	if (!sighand->exiting) {
		sighand->exiting = true;
		sighand->exit_code = code;
		kill_other_threads(sighand);
	}
	spin_unlock_irqrestore(&sighand->lock, irq);
	do_exit();
}

SYSCALL_DEFINE1(exit_group, int, code)
{
	do_exit_group(code & 0xff);
}

/* The program's status is the first thread's, whenever the last one ends. */
SYSCALL_DEFINE1(exit, int, code)
{
	struct sighand *sighand = current->sighand;

	if (current->pid == current->tgid && !sighand->exiting)
		sighand->exit_code = code & 0xff;
	do_exit();
}

SYSCALL_DEFINE0(getpid)
{
	return current->tgid;
}

SYSCALL_DEFINE0(gettid)
{
	return current->pid;
}

/* Nobody is above process 1. */
SYSCALL_DEFINE0(getppid)
{
	return 0;
}

SYSCALL_DEFINE1(set_tid_address, u32 __user *, tidptr)
{
	current->clear_child_tid = tidptr;
	return current->pid;
}

SYSCALL_DEFINE0(sched_yield)
{
	schedule();
	return 0;
}

SYSCALL_DEFINE2(arch_prctl, int, code, u64, addr)
{
	struct task *task = current;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (addr >= TASK_SIZE_MAX)
			return -EPERM;
		if (code == ARCH_SET_FS) {
			task->fs_base = addr;
			user_fs_base(addr);
		} else {
			task->gs_base = addr;
			user_gs_base(addr);
		}
		return 0;
	case ARCH_GET_FS:
		return put_user(task->fs_base, (u64 __user *)addr);
	case ARCH_GET_GS:
		return put_user(task->gs_base, (u64 __user *)addr);
	default:
		return -EINVAL;
	}
}

/* As uname(2) lays it out. */
struct utsname {
	char sysname[65], nodename[65], release[65];
	char version[65], machine[65], domainname[65];
};

/* Programs look at the release to learn what the kernel can do. */
SYSCALL_DEFINE1(uname, struct utsname __user *, buf)
{
	struct utsname names = {
		.sysname = "Linux",
		.release = "6.1.0-pollux",
		.version = "#1 Pollux",
		.machine = "x86_64",
		.domainname = "(none)",
	};

	strlcpy(names.nodename, get_hostname(), sizeof(names.nodename));
	return copy_to_user(buf, &names, sizeof(names));
}

SYSCALL_DEFINE0(getpgrp)
{
	return current->tgid;
}

SYSCALL_DEFINE1(getpgid, s32, pid)
{
	if (pid < 0)
		return -ESRCH;
	return pid && pid != current->tgid ? -ESRCH : current->tgid;
}

SYSCALL_DEFINE1(getsid, s32, pid)
{
	return pid && pid != current->tgid ? -ESRCH : current->tgid;
}

/* The program leads its session and its group, and stays so. */
SYSCALL_DEFINE0(setsid)
{
	return -EPERM;
}

SYSCALL_DEFINE2(setpgid, s32, pid, s32, group)
{
	if (group < 0 || (!group && pid < 0))
		return -EINVAL;
	return pid && pid != current->tgid ? -ESRCH : -EPERM;
}

/* As sysinfo(2) lays it out. */
struct sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram, freeram, sharedram, bufferram;
	u64 totalswap, freeswap;
	u16 procs;
	u64 totalhigh, freehigh;
	u32 mem_unit;
};

_Static_assert(sizeof(struct sysinfo) == 112, "as user space has it");

SYSCALL_DEFINE1(sysinfo, struct sysinfo __user *, buf)
{
	struct sysinfo info;

	memset(&info, 0, sizeof(info));
	info.uptime = ktime_get_ns() / NSEC_PER_SEC;
	info.totalram = nr_total_pages() * PAGE_SIZE;
	info.freeram = nr_free_pages() * PAGE_SIZE;
	info.procs = 1;
	info.mem_unit = 1;
	return copy_to_user(buf, &info, sizeof(info));
}
