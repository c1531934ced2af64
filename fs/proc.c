/* The root of /proc. */
#include "fs/pseudo.h"

#include "fs/exec.h"
#include "fs/namei.h"
#include "kernel/errno.h"
#include "kernel/string.h"

static ssize_t exe_readlink(struct dentry *link, char *buf, size_t size)
{
	size_t len = min(strlen(exec_path()), size);

	(void)link;
	memcpy(buf, exec_path(), len);
	return (ssize_t)len;
}

static const struct pseudo_node exe = {
	.name = "exe", .mode = S_IFLNK | 0777, .readlink = exe_readlink,
};

static const struct pseudo_node self = {
	.name = "self", .mode = S_IFDIR | 0555,
	.children = (const struct pseudo_node *const[]){ &exe, NULL },
};

const struct pseudo_node proc_root = {
	.name = "proc", .mode = S_IFDIR | 0555,
	.children = (const struct pseudo_node *const[]){ &self, NULL },
};

const struct pseudo_node sys_root = {
	.name = "sys", .mode = S_IFDIR | 0555,
};
