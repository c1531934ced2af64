/* The process's identity, its end, and the small calls about both. */
#include "kernel/process.h"

#include "kernel/errno.h"
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
#define ROBUST_LIST_SIZE 24
#define INIT_PID	1

int process_init(struct task *task)
{
	task->sighand = kzalloc(sizeof(*task->sighand));
	if (!task->sighand)
		return -ENOMEM;
	spin_lock_init(&task->sighand->lock);
	task->kthread = false;
	task->pid = INIT_PID;
	task->tgid = INIT_PID;
	start_user_state(task);
	return 0;
}

void do_exit_group(int code)
{
	machine_exit(code & 0xff);
}

SYSCALL_DEFINE1(exit_group, int, code)
{
	do_exit_group(code);
}

/* The last thread's end is the program's; there is only one so far. */
SYSCALL_DEFINE1(exit, int, code)
{
	do_exit_group(code);
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

SYSCALL_DEFINE2(set_robust_list, void __user *, head, size_t, len)
{
	if (len != ROBUST_LIST_SIZE)
		return -EINVAL;
	current->robust_list = head;
	return 0;
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
	static const struct utsname names = {
		.sysname = "Linux",
		.nodename = "pollux",
		.release = "6.1.0-pollux",
		.version = "#1 Pollux",
		.machine = "x86_64",
		.domainname = "(none)",
	};

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
