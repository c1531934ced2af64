/* What a process has on the host: a signal mask, a limit of descriptors. */
#include "tests/host/host.h"

#include "fs/eventpoll_internal.h"
#include "fs/flock.h"
#include "kernel/errno.h"
#include "kernel/list.h"
#include "kernel/mm/mm.h"
#include "kernel/process.h"
#include "kernel/rlimit.h"
#include "kernel/signal.h"
#include "kernel/uaccess.h"

u64 host_nofile = HOST_NOFILE;
bool host_not_root;
__weak const struct process_ops *process_ops;

__weak u64 rlimit(unsigned int which)
{
	return which == RLIMIT_NOFILE ? host_nofile : RLIM_INFINITY;
}

__weak bool is_root(void)
{
	return !host_not_root;
}

__weak u64 rlimit_max(unsigned int which)
{
	return rlimit(which);
}

__weak int set_user_sigmask(const u64 __user *mask, size_t size)
{
	u64 bits;

	if (!mask)
		return 0;
	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(bits, mask))
		return -EFAULT;
	current->sig_saved = current->sig_blocked;
	current->sig_restore = true;
	current->sig_blocked = bits;
	return 0;
}

__weak void restore_user_sigmask(bool interrupted)
{
	if (!current->sig_restore || interrupted)
		return;
	current->sig_restore = false;
	current->sig_blocked = current->sig_saved;
}

__weak u32 ep_max_user_watches;

/* Who lists tasks and memory finds none, unless a test links the real one. */
__weak struct spinlock tasklist_lock;
__weak struct list_head task_list = LIST_HEAD_INIT(task_list);

__weak void get_task(struct task *task)
{
}

__weak void put_task(struct task *task)
{
}

__weak void mm_for_each_area(struct mm_struct *mm,
			     void (*fn)(const struct vm_area *area, void *arg),
			     void *arg)
{
}

__weak void ep_show_fdinfo(struct file *file, struct seq_file *m)
{
}

__weak long fcntl_lock(struct file *file, unsigned int cmd, unsigned long arg)
{
	return -EINVAL;
}

__weak const struct mmap_source_ops *mmap_sources;

/* Without a vDSO, programs make system calls. */
__weak u64 vdso_map(struct mm_struct *mm)
{
	return 0;
}

__weak struct page *vdso_page(u64 index)
{
	return NULL;
}

/* For tests that write to nothing that breaks; others bring their own. */
__attribute__((weak)) int send_sig(int sig, struct task *task)
{
	(void)sig;
	(void)task;
	return 0;
}

__attribute__((weak)) void mm_zap_source(struct mm_struct *mm,
					 const void *source, u64 first,
					 u64 end, u32 flags)
{
}

__weak int mm_pin(struct mm_struct *mm, u64 addr, struct page_run *run)
{
	return -EFAULT;
}
