/* statfs(2): what kind of file system, and how much room. Task context. */
#include "fs/fdtable.h"
#include "fs/namei.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define TMPFS_MAGIC	0x01021994
#define PROC_MAGIC	0x9fa0
#define SYSFS_MAGIC	0x62656572
#define ANON_MAGIC	0x09041934
#define ST_VALID	0x20		/* f_flags is filled in */

/* struct statfs of x86-64 Linux. */
struct user_statfs {
	s64 f_type, f_bsize;
	u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	s32 f_fsid[2];
	s64 f_namelen, f_frsize, f_flags, f_spare[4];
};

_Static_assert(sizeof(struct user_statfs) == 120, "Linux's struct statfs");

static long put_statfs(struct user_statfs __user *to, u32 dev)
{
	struct user_statfs s = {
		.f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX,
		.f_frsize = PAGE_SIZE, .f_fsid = { (s32)dev, 0 },
		.f_flags = ST_VALID,
	};

	switch (dev) {
	case DEV_TMPFS:
		/* A file takes an inode and a name: well under a page. */
		s.f_type = TMPFS_MAGIC;
		s.f_blocks = nr_total_pages();
		s.f_bfree = nr_free_pages();
		s.f_bavail = s.f_bfree;
		s.f_files = s.f_blocks;
		s.f_ffree = s.f_bfree;
		break;
	case DEV_PROC:
		s.f_type = PROC_MAGIC;
		break;
	case DEV_SYSFS:
		s.f_type = SYSFS_MAGIC;
		break;
	default:
		s.f_type = ANON_MAGIC;
		break;
	}
	return copy_to_user(to, &s, sizeof(s));
}

SYSCALL_DEFINE2(statfs, const char __user *, path, struct user_statfs __user *,
		to)
{
	struct nameidata *nd;
	u32 dev;
	int err = user_path_walk(AT_FDCWD, path, true, &nd);

	if (err)
		return err;
	dev = nd->dentry->inode->dev;
	nd_put(nd);
	return put_statfs(to, dev);
}

SYSCALL_DEFINE2(fstatfs, int, fd, struct user_statfs __user *, to)
{
	struct fd_ref f = fdget(fd);
	struct vfs_file *vf = f.file ? vfs_file(f.file) : NULL;
	u32 dev = vf ? vf->inode->dev : DEV_ANON;
	bool open = f.file;

	fdput(f);
	return open ? put_statfs(to, dev) : -EBADF;
}
