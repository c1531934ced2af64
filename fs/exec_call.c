/*
 * execve(2) and execveat(2) on a machine with one program: what is wrong with
 * the path is told as ever, and what could be run is on a mount with noexec.
 */
#include "fs/inode.h"
#include "fs/namei.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"

static long no_other_program(int dfd, const char __user *path, u32 flags,
			     const char *call)
{
	static bool said;
	bool link;
	struct nameidata *nd;
	int err;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = user_path_walk(dfd, path, flags, &nd);
	if (err)
		return err;
	link = is_link(nd->dentry->inode);
	nd_put(nd);
	if (link)
		return -ELOOP;
	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		pr_warn("%s called %s: there is one program and no other: EACCES",
			current->comm, call);
	return -EACCES;
}

SYSCALL_DEFINE3(execve, const char __user *, path, void __user *, argv,
		void __user *, envp)
{
	(void)argv;
	(void)envp;
	return no_other_program(AT_FDCWD, path, 0, "execve");
}

SYSCALL_DEFINE5(execveat, int, fd, const char __user *, path,
		void __user *, argv, void __user *, envp, u32, flags)
{
	(void)argv;
	(void)envp;
	return no_other_program(fd, path, flags, "execveat");
}
