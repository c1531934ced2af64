/* Advisory locks: flock(2), and those of fcntl(2). */
#pragma once

#include "fs/inode.h"

/*
 * The lock, seal and pipe commands of fcntl(2). 0 or a value, -EINVAL (no such
 * command, or a bad range), -EBADF (not open for that), -EFAULT. Task.
 */
long fcntl_lock(struct file *file, unsigned int cmd, unsigned long arg);

/* The open file goes, and its lock with it. Task. */
void flock_release(struct vfs_file *vf);
