/*
 * /proc and /sys: trees of constant nodes. Inodes and dentries for them are
 * made when a path leads there and go with their last user, so a tree costs
 * no memory until it is looked at.
 */
#pragma once

#include "fs/inode.h"
#include "kernel/seq_file.h"

/* Names that a directory looks up, behind the constant ones. */
struct pseudo_names {
	int (*lookup)(struct dentry *dir, const char *name, size_t len,
		      struct dentry **out);
	/* As inode_operations.readdir, for the places behind @children. */
	bool (*readdir)(struct dentry *dir, u64 *pos, struct dir_entry *e);
};

/* One name. What it is, and so which members count, @mode says. */
struct pseudo_node {
	const char *name;
	u32 mode;				/* S_IF and permissions */
	bool fixed;				/* a file or link with @text */
	union {
		const struct pseudo_node *const *children; /* NULL ends */
		const char *text;
		seq_show_t show;		/* a file's, not fixed */
		/* A link's, not fixed; as in inode_operations. */
		ssize_t (*readlink)(struct dentry *link, char *buf,
				    size_t size);
	};
	union {
		const struct pseudo_names *names;	/* or NULL */
		/* Takes all that one write(2) to the file brings. 0, -errno. */
		int (*store)(u64 nr, const char *text);
		/* A link's, as in inode_operations, or NULL. */
		int (*jump)(struct dentry *link, struct dentry **out);
	};
};

extern const struct pseudo_node proc_root, sys_root;

/* The inode of a tree's root. NULL: no memory. */
struct inode *pseudo_root(const struct pseudo_node *node, u32 dev);

/*
 * For a node's lookup: the dentry of @node as @name in @dir, about number
 * @nr. 0 or -ENOMEM.
 */
int pseudo_dentry(struct dentry *dir, const char *name, size_t len,
		  const struct pseudo_node *node, u64 nr,
		  struct dentry **out) __must_check;

/* Decimal @name (@len bytes) as a number; false if it is none. */
bool parse_decimal(const char *name, size_t len, u64 *nr);

/* Fills @e with number @nr as its name. */
void number_entry(struct dir_entry *e, u64 nr, u32 mode);
