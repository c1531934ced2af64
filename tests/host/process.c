/* What a process has on the host: a signal mask, a limit of descriptors. */
#include "tests/host/host.h"

#include "kernel/errno.h"
#include "kernel/rlimit.h"
#include "kernel/signal.h"
#include "kernel/uaccess.h"

u64 host_nofile = HOST_NOFILE;

__weak u64 rlimit(unsigned int which)
{
	return which == RLIMIT_NOFILE ? host_nofile : RLIM_INFINITY;
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
