/* Locks on ranges of files: those of the process and of open files. */
#pragma once

#include "fs/inode.h"

/*
 * F_GETLK and its kin, F_OFD_GETLK and its kin (fcntl(2)). 0; -EINVAL (no such
 * command, or a bad range), -EBADF (not open for that), -EAGAIN, -ENOMEM,
 * -EFAULT, -ERESTARTSYS. Task.
 */
long record_lock(struct file *file, unsigned int cmd, unsigned long arg);

/* A descriptor is closed: the process's locks on that file go. Task. */
void record_lock_closed(struct file *file);
/* The open file goes, and its locks with it. Task. */
void record_lock_release(struct inode *inode, struct vfs_file *vf);
