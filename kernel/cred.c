/*
 * Who the program is: root at first, with every capability. It is alone, so
 * nothing but a file beyond file-max is ever refused to it: servers that give
 * up their rights are told that it worked, and what they asked for is kept.
 *
 * LOCKING: cred.lock guards the numbers.
 */
#include "kernel/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define NO_ID		0xffffffffu
#define NR_GROUPS	64u
#define CAP_VERSION_1	0x19980330u
#define CAP_VERSION_2	0x20071026u
#define CAP_VERSION_3	0x20080522u
#define CAP_ALL_LOW	0xffffffffu
#define CAP_ALL_HIGH	0x1ffu
#define HOST_NAME_MAX	64

/* Real, effective and saved. */
struct ids {
	u32 real, effective, saved;
};

static struct {
	struct spinlock lock;
	struct ids uid, gid;
	u32 fsuid, fsgid;
	u32 groups[NR_GROUPS];
	u32 nr_groups;
} cred;

bool is_root(void)
{
	return READ_ONCE(cred.uid.effective) == 0;
}

/* Each that is not NO_ID takes its place. */
static long set_ids(struct ids *ids, u32 *fs, u32 real, u32 effective,
		    u32 saved)
{
	spin_lock(&cred.lock);
	if (real != NO_ID)
		ids->real = real;
	if (effective != NO_ID) {
		ids->effective = effective;
		*fs = effective;
	}
	if (saved != NO_ID)
		ids->saved = saved;
	spin_unlock(&cred.lock);
	return 0;
}

static long get_ids(const struct ids *ids, u32 __user *real,
		    u32 __user *effective, u32 __user *saved)
{
	struct ids now;

	spin_lock(&cred.lock);
	now = *ids;
	spin_unlock(&cred.lock);
	if (put_user(now.real, real) || put_user(now.effective, effective) ||
	    put_user(now.saved, saved))
		return -EFAULT;
	return 0;
}

static long set_fs_id(u32 *fs, u32 id)
{
	u32 old;

	spin_lock(&cred.lock);
	old = *fs;
	if (id != NO_ID)
		*fs = id;
	spin_unlock(&cred.lock);
	return old;
}

SYSCALL_DEFINE0(getuid)
{
	return READ_ONCE(cred.uid.real);
}

SYSCALL_DEFINE0(geteuid)
{
	return READ_ONCE(cred.uid.effective);
}

SYSCALL_DEFINE0(getgid)
{
	return READ_ONCE(cred.gid.real);
}

SYSCALL_DEFINE0(getegid)
{
	return READ_ONCE(cred.gid.effective);
}

SYSCALL_DEFINE1(setuid, u32, id)
{
	if (id == NO_ID)
		return -EINVAL;
	return set_ids(&cred.uid, &cred.fsuid, id, id, id);
}

SYSCALL_DEFINE1(setgid, u32, id)
{
	if (id == NO_ID)
		return -EINVAL;
	return set_ids(&cred.gid, &cred.fsgid, id, id, id);
}

SYSCALL_DEFINE2(setreuid, u32, real, u32, effective)
{
	return set_ids(&cred.uid, &cred.fsuid, real, effective, effective);
}

SYSCALL_DEFINE2(setregid, u32, real, u32, effective)
{
	return set_ids(&cred.gid, &cred.fsgid, real, effective, effective);
}

SYSCALL_DEFINE3(setresuid, u32, real, u32, effective, u32, saved)
{
	return set_ids(&cred.uid, &cred.fsuid, real, effective, saved);
}

SYSCALL_DEFINE3(setresgid, u32, real, u32, effective, u32, saved)
{
	return set_ids(&cred.gid, &cred.fsgid, real, effective, saved);
}

SYSCALL_DEFINE3(getresuid, u32 __user *, real, u32 __user *, effective,
		u32 __user *, saved)
{
	return get_ids(&cred.uid, real, effective, saved);
}

SYSCALL_DEFINE3(getresgid, u32 __user *, real, u32 __user *, effective,
		u32 __user *, saved)
{
	return get_ids(&cred.gid, real, effective, saved);
}

SYSCALL_DEFINE1(setfsuid, u32, id)
{
	return set_fs_id(&cred.fsuid, id);
}

SYSCALL_DEFINE1(setfsgid, u32, id)
{
	return set_fs_id(&cred.fsgid, id);
}

__stackprotect
SYSCALL_DEFINE2(getgroups, int, size, u32 __user *, list)
{
	u32 groups[NR_GROUPS], n;

	if (size < 0)
		return -EINVAL;
	spin_lock(&cred.lock);
	n = cred.nr_groups;
	memcpy(groups, cred.groups, sizeof(groups));
	spin_unlock(&cred.lock);
	if (!size)
		return n;
	if ((u32)size < n)
		return -EINVAL;
	return copy_to_user(list, groups, n * sizeof(u32)) ? -EFAULT : (long)n;
}

__stackprotect
SYSCALL_DEFINE2(setgroups, u32, size, const u32 __user *, list)
{
	u32 groups[NR_GROUPS];

	if (size > NR_GROUPS)
		return size > 65536 ? -EINVAL : -ENOMEM;
	if (copy_from_user(groups, list, size * sizeof(u32)))
		return -EFAULT;
	spin_lock(&cred.lock);
	memcpy(cred.groups, groups, size * sizeof(u32));
	cred.nr_groups = size;
	spin_unlock(&cred.lock);
	return 0;
}

/* --- capabilities --- */

struct cap_header {
	u32 version;
	s32 pid;
};

struct cap_data {
	u32 effective, permitted, inheritable;
};

/* How many data records go with a version; 0: none we know. */
static u32 cap_records(u32 version)
{
	switch (version) {
	case CAP_VERSION_1:
		return 1;
	case CAP_VERSION_2:
	case CAP_VERSION_3:
		return 2;
	default:
		return 0;
	}
}

/* 0 with *@n records, or -errno; an unknown version is answered with ours. */
static long check_cap_header(struct cap_header __user *uhead, u32 *n)
{
	struct cap_header head;

	if (copy_from_user(&head, uhead, sizeof(head)))
		return -EFAULT;
	*n = cap_records(head.version);
	if (!*n)
		return put_user(CAP_VERSION_3, &uhead->version) ? -EFAULT :
								   -EINVAL;
	return head.pid < 0 ? -EINVAL :
	       head.pid && head.pid != current->tgid ? -ESRCH : 0;
}

SYSCALL_DEFINE2(capget, struct cap_header __user *, head,
		struct cap_data __user *, data)
{
	static const struct cap_data all[2] = {
		{ CAP_ALL_LOW, CAP_ALL_LOW, 0 },
		{ CAP_ALL_HIGH, CAP_ALL_HIGH, 0 },
	};
	u32 n;
	long err = check_cap_header(head, &n);

	/* Asking with no data is how libraries learn the version. */
	if (!data)
		return err == -EINVAL ? 0 : err;
	if (err)
		return err;
	return copy_to_user(data, all, n * sizeof(all[0]));
}

SYSCALL_DEFINE2(capset, struct cap_header __user *, head,
		const struct cap_data __user *, data)
{
	struct cap_data want[2];
	u32 n;
	long err = check_cap_header(head, &n);

	/* Of nobody else, be there such a process or not. */
	if (err == -ESRCH)
		return -EPERM;
	if (!err && copy_from_user(want, data, n * sizeof(want[0])))
		err = -EFAULT;
	return err;
}

/* --- names of the machine: the command line's, for good --- */

static long refuse_name(const char __user *name, int len)
{
	char buf[HOST_NAME_MAX];

	if (len < 0 || len > HOST_NAME_MAX)
		return -EINVAL;
	return copy_from_user(buf, name, (size_t)len) ? -EFAULT : -EPERM;
}

SYSCALL_DEFINE2(sethostname, const char __user *, name, int, len)
{
	return refuse_name(name, len);
}

SYSCALL_DEFINE2(setdomainname, const char __user *, name, int, len)
{
	return refuse_name(name, len);
}
