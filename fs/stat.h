/* What a file is: the answer of stat(2), inside and as user space sees it. */
#pragma once

#include "kernel/time.h"
#include "kernel/types.h"

#define S_IFMT	 0170000
#define S_IFSOCK 0140000
#define S_IFLNK	 0120000
#define S_IFREG	 0100000
#define S_IFBLK	 0060000
#define S_IFDIR	 0040000
#define S_IFCHR	 0020000
#define S_IFIFO	 0010000
#define S_IALL	 0007777	/* permissions, set-id and sticky bits */

#define MKDEV(major, minor) ((u32)(major) << 8 | (u32)(minor))

/* Which file system a file is of: st_dev. */
#define DEV_TMPFS	1
#define DEV_ANON	2
#define DEV_PROC	3
#define DEV_SYSFS	4

#define DEV_MOUNT	16	/* the first of fs/mount.h */

#define SECTOR_SIZE	512u	/* what st_blocks counts */

struct kstat {
	u64 dev;
	u64 ino;
	u32 mode;		/* S_IF and permission bits */
	u32 nlink;
	u32 rdev;		/* MKDEV() of a device */
	u32 uid, gid;
	u64 size;		/* bytes */
	u64 blocks;		/* of SECTOR_SIZE */
	u64 atime, mtime, ctime;	/* ns since 1970 */
};

/* struct statfs of x86-64 Linux: how much room there is. */
struct kstatfs {
	s64 f_type, f_bsize;
	u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	s32 f_fsid[2];
	s64 f_namelen, f_frsize, f_flags, f_spare[4];
};

/* struct stat of x86-64 Linux. */
struct user_stat {
	u64 st_dev;
	u64 st_ino;
	u64 st_nlink;
	u32 st_mode;
	u32 st_uid;
	u32 st_gid;
	u32 pad0;
	u64 st_rdev;
	s64 st_size;
	s64 st_blksize;
	s64 st_blocks;
	struct timespec st_atim;
	struct timespec st_mtim;
	struct timespec st_ctim;
	s64 reserved[3];
};

_Static_assert(sizeof(struct user_stat) == 144, "Linux's struct stat");

struct file;

/* Asks the file's own stat; a file without one is an anonymous inode. */
int vfs_fstat(struct file *file, struct kstat *st);
