/*
 * From path names to what they name: the initramfs, with /dev and a little of
 * /proc above it. Nothing can be created or changed.
 */
#pragma once

#include "fs/initramfs.h"
#include "fs/stat.h"
#include "kernel/compiler.h"
#include "kernel/types.h"

struct device;			/* fs/dev.h */

#define PATH_MAX	4096u
#define MAX_SYMLINKS	40

/* What a path led to. */
struct node {
	u32 mode;				/* S_IF and permissions */
	u64 ino;
	const struct initramfs_file *file;	/* NULL: not from there */
	const struct device *dev;		/* NULL unless a device */
};

/*
 * A walk under way; too big for the stack. @path holds, after the walk, the
 * absolute name without leading "/" and without links or dots.
 */
struct nameidata {
	struct node node;
	size_t len;			/* of @path */
	int links;			/* symbolic links followed */
	char path[PATH_MAX];
	char rest[PATH_MAX];		/* what is still to walk */
};

/*
 * Walks nd->rest from the directory nd->path (nd->len bytes) or, if it begins
 * with "/", from the root; @follow: a link at the end is followed. 0, -ENOENT,
 * -ENOTDIR, -ELOOP, -ENAMETOOLONG. Task context.
 */
int path_walk(struct nameidata *nd, bool follow) __must_check;

/* The file that absolute @path leads to, for the kernel. Also -ENOMEM. */
int namei_file(const char *path, const struct initramfs_file **file)
	__must_check;

/*
 * The name of what stands at place @index in directory @dir (@len bytes, no
 * leading "/"), and its node; *@name_len bytes are its length. False if there
 * is nothing at or after *@index, which moves past what was found.
 */
bool dir_entry(const char *dir, size_t len, u64 *index, const char **name,
	       size_t *name_len, struct node *node);

void node_stat(const struct node *node, struct kstat *st);
