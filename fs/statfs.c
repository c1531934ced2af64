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

_Static_assert(sizeof(struct kstatfs) == 120, "Linux's struct statfs");

/* @d NULL: a file without a name. */
static long put_statfs(struct kstatfs __user *to, struct dentry *d)
{
	u32 dev = d ? d->inode->dev : DEV_ANON;
	struct kstatfs s = {
		.f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX,
		.f_frsize = PAGE_SIZE, .f_fsid = { (s32)dev, 0 },
		.f_flags = ST_VALID,
	};
	int err;

	if (d && d->inode->i_op->statfs) {
		err = d->inode->i_op->statfs(d, &s);
		return err ? err : copy_to_user(to, &s, sizeof(s));
	}
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

SYSCALL_DEFINE2(statfs, const char __user *, path, struct kstatfs __user *, to)
{
	struct nameidata *nd;
	long err = user_path_walk(AT_FDCWD, path, 0, &nd);

	if (err)
		return err;
	err = put_statfs(to, nd->dentry);
	nd_put(nd);
	return err;
}

SYSCALL_DEFINE2(fstatfs, int, fd, struct kstatfs __user *, to)
{
	struct fd_ref f = fdget(fd);
	struct vfs_file *vf = f.file ? vfs_file(f.file) : NULL;
	long err = f.file ? put_statfs(to, vf ? vf->dentry : NULL) : -EBADF;

	fdput(f);
	return err;
}
