/* Opening by path, and the directory that paths start from. */
#pragma once

#include "fs/namei.h"

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100
#define AT_EACCESS		0x200
#define AT_EMPTY_PATH		0x1000
#define AT_NO_AUTOMOUNT		0x800

/*
 * Walks user path @upath as seen from directory descriptor @dfd. 0 with *@out,
 * which the caller kfree()s; -EFAULT, -ENAMETOOLONG, -ENOMEM, -EBADF,
 * -ENOTDIR and what path_walk() gives. Task context.
 */
int user_path_walk(int dfd, const char __user *upath, bool follow,
		   struct nameidata **out) __must_check;

/* The node behind an open file of a directory or the initramfs, or NULL. */
const struct node *file_node(struct file *file);
