/*
 * Path names of AF_UNIX sockets: a node in the file system, made by bind(2)
 * and looked up by connect(2). What a name means is the node's inode, which
 * outlives the name: a socket is found by any path that leads there. Beside
 * net/socket.c one of the files that see fs/. Task context.
 */
#include "net/socket_internal.h"

#include "fs/inode.h"
#include "fs/namei.h"
#include "fs/tmpfs.h"
#include "kernel/string.h"

static struct inode *inode_of(u64 key)
{
	return (struct inode *)(uintptr_t)key;
}

int sock_path_make(const char *path, u64 *key)
{
	struct inode *inode = NULL;
	int err = vfs_make_socket(path, strlen(path), &inode);

	*key = (uintptr_t)inode;
	return err;
}

int sock_path_find(const char *path, u64 *key)
{
	struct inode *inode = NULL;
	int err = vfs_find_socket(path, strlen(path), &inode);

	*key = (uintptr_t)inode;
	return err;
}

/* Memory out only leaves the name behind, with nobody listening. */
void sock_path_remove(const char *path, u64 key)
{
	int err;
	struct nameidata *nd = kernel_path(path, &err);

	if (!nd)
		return;
	mutex_lock(&tree_lock);
	if (!path_walk(nd, true) && nd->dentry->inode == inode_of(key))
		(void)nd->dentry->parent->inode->i_op->unlink(nd->dentry);
	mutex_unlock(&tree_lock);
	nd_put(nd);
}

void sock_path_put(u64 key)
{
	iput(inode_of(key));
}
