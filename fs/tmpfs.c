/*
 * Directories of the tmpfs: each keeps its names in a tree by their hash, so
 * that finding one is O(log n) and a listing goes on where it stopped, no
 * matter what was added or removed meanwhile. All under tree_lock.
 */
#include "fs/tmpfs.h"

#include "fs/dev.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"

static struct dentry *dentry_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct dentry, node) : NULL;
}

/* Order of names: by hash, then whatever tells them apart. */
static int name_cmp(const struct dentry *d, u64 hash, const char *name,
		    size_t len)
{
	if (d->hash != hash)
		return hash < d->hash ? -1 : 1;
	if (d->len != len)
		return len < d->len ? -1 : 1;
	return memcmp(name, d->name, len);
}

static struct dentry *find_child(const struct inode *dir, const char *name,
				 size_t len)
{
	struct rb_node *node = dir->children.node;
	u64 hash = name_hash(name, len);

	while (node) {
		int cmp = name_cmp(dentry_of(node), hash, name, len);

		if (!cmp)
			return dentry_of(node);
		node = cmp < 0 ? node->left : node->right;
	}
	return NULL;
}

static int tmpfs_lookup(struct dentry *dir, const char *name, size_t len,
			struct dentry **out)
{
	struct dentry *d = find_child(dir->inode, name, len);

	if (!d)
		return -ENOENT;
	*out = dget(d);
	return 0;
}

static bool tmpfs_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	struct rb_node *node = dir->inode->children.node;
	struct dentry *found = NULL;

	while (node) {
		struct dentry *d = dentry_of(node);

		if (d->hash >= *pos) {
			found = d;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	if (!found)
		return false;
	*pos = found->hash + 1;
	e->name = found->name;
	e->len = found->len;
	e->ino = found->inode->ino;
	e->mode = found->inode->mode;
	return true;
}

static ssize_t tmpfs_readlink(struct dentry *link, char *buf, size_t size)
{
	const struct inode *inode = link->inode;
	const char *target = inode->link ? inode->link : inode->base;
	size_t n = min(inode->size, size);

	memcpy(buf, target, n);
	return (ssize_t)n;
}

/* Puts @d among the children of @dir, whose reference it holds already. */
static void attach(struct dentry *d, struct inode *dir)
{
	struct rb_node **link = &dir->children.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (name_cmp(dentry_of(parent), d->hash, d->name, d->len) < 0) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_insert(&dir->children, &d->node, parent, link, leftmost);
	d->linked = true;
	if (is_dir(d->inode))
		dir->nlink++;
	touch(&dir->mtime, &dir->ctime);
}

static void detach(struct dentry *d)
{
	struct inode *dir = d->parent->inode;

	rb_erase(&dir->children, &d->node);
	d->linked = false;
	if (is_dir(d->inode))
		dir->nlink--;
	touch(&dir->mtime, &dir->ctime);
}

struct dentry *tmpfs_link(struct dentry *dir, const char *name, size_t len,
			  bool copy, struct inode *inode)
{
	struct dentry *d = dentry_new(dir, name, len, copy, inode);

	if (!d)
		return NULL;
	iget(inode);
	/* A directory's own "." counts as a link to it. */
	inode->nlink += is_dir(inode) ? 2 : 1;
	touch(&inode->ctime, NULL);
	attach(d, dir->inode);
	return d;
}

void tmpfs_unlink(struct dentry *dentry)
{
	struct inode *inode = dentry->inode;

	detach(dentry);
	inode->nlink -= is_dir(inode) ? inode->nlink : 1;
	touch(&inode->ctime, NULL);
	dput(dentry);
}

bool tmpfs_dir_empty(const struct inode *dir)
{
	return rb_empty(&dir->children);
}

void tmpfs_remove_tree(struct dentry *dentry)
{
	struct rb_node *node;

	while ((node = rb_first(&dentry->inode->children)) != NULL)
		tmpfs_remove_tree(dentry_of(node));
	if (dentry->linked)
		tmpfs_unlink(dentry);
}

/*
 * Puts @dentry into @dir under another name, in place of @old, which has it;
 * NULL: nobody has. 0 or -ENOMEM, and nothing has changed.
 */
static int tmpfs_move(struct dentry *dentry, struct dentry *dir,
		      const char *name, size_t len, struct dentry *old)
	__must_hold(tree_lock)
{
	struct dentry *from = dentry->parent;
	char *own = kmalloc(len + 1);

	if (!own)
		return -ENOMEM;
	memcpy(own, name, len);
	if (old)
		tmpfs_unlink(old);
	detach(dentry);
	if (dentry->own_name)
		kfree(dentry->name);
	dentry->name = own;
	dentry->own_name = true;
	dentry->len = (u8)len;
	dentry->hash = name_hash(name, len);
	dentry->parent = dget(dir);
	attach(dentry, dir->inode);
	dput(from);
	touch(&dentry->inode->ctime, NULL);
	return 0;
}

#define SWAP(x, y)							\
	do {								\
		__typeof__(x) swap_tmp = (x);				\
		(x) = (y);						\
		(y) = swap_tmp;						\
	} while (0)

/* Two names change places. */
static void tmpfs_exchange(struct dentry *a, struct dentry *b)
	__must_hold(tree_lock)
{
	detach(a);
	detach(b);
	SWAP(a->name, b->name);
	SWAP(a->own_name, b->own_name);
	SWAP(a->len, b->len);
	SWAP(a->hash, b->hash);
	SWAP(a->parent, b->parent);
	attach(a, a->parent->inode);
	attach(b, b->parent->inode);
	touch(&a->inode->ctime, &b->inode->ctime);
}

/* --- what the system calls ask for --- */

static int tmpfs_setattr(struct dentry *d, const struct iattr *a)
{
	struct inode *inode = d->inode;

	if (a->set_size)
		return tmpfs_truncate(inode, a->size);
	mutex_lock(&tree_lock);
	if (a->set_mode)
		inode->mode = (inode->mode & S_IFMT) | (a->mode & S_IALL);
	if (a->set_uid)
		inode->uid = a->uid;
	if (a->set_gid)
		inode->gid = a->gid;
	if (a->set_atime)
		inode->atime = a->atime;
	if (a->set_mtime)
		inode->mtime = a->mtime;
	touch(&inode->ctime, NULL);
	mutex_unlock(&tree_lock);
	return 0;
}

static int tmpfs_make(struct dentry *dir, const char *name, size_t len,
		      const struct new_inode *what, struct dentry **out)
	__must_hold(tree_lock)
{
	struct inode *inode = what->target ?
		tmpfs_symlink_inode(what->target, what->target_len) :
		tmpfs_inode(what->mode);
	struct dentry *d;

	if (!inode)
		return -ENOSPC;
	inode->rdev = what->rdev;
	if ((what->mode & S_IFMT) == S_IFCHR)
		inode->device = device_by_number(what->rdev);
	d = tmpfs_link(dir, name, len, true, inode);
	iput(inode);
	if (!d)
		return -ENOSPC;
	*out = dget(d);
	return 0;
}

static int tmpfs_add_link(struct dentry *dir, const char *name, size_t len,
			  struct dentry *old)
	__must_hold(tree_lock)
{
	return tmpfs_link(dir, name, len, true, old->inode) ? 0 : -ENOSPC;
}

static int tmpfs_remove(struct dentry *d)
	__must_hold(tree_lock)
{
	if (!tmpfs_dir_empty(d->inode))
		return -ENOTEMPTY;
	tmpfs_unlink(d);
	return 0;
}

static int tmpfs_rename(struct dentry *d, struct dentry *dir, const char *name,
			size_t len, struct dentry *old, bool exchange)
	__must_hold(tree_lock)
{
	if (exchange) {
		tmpfs_exchange(d, old);
		return 0;
	}
	if (old && !tmpfs_dir_empty(old->inode))
		return -ENOTEMPTY;
	return tmpfs_move(d, dir, name, len, old);
}

static const struct inode_operations tmpfs_dir_iops = {
	.lookup = tmpfs_lookup,
	.readdir = tmpfs_readdir,
	.fops = &vfs_dir_fops,
	.writable = true,
	.setattr = tmpfs_setattr,
	.make = tmpfs_make,
	.link = tmpfs_add_link,
	.unlink = tmpfs_remove,
	.rename = tmpfs_rename,
};

static const struct inode_operations tmpfs_file_iops = {
	.fops = &tmpfs_file_fops,
	.writable = true,
	.setattr = tmpfs_setattr,
};

static const struct inode_operations tmpfs_link_iops = {
	.readlink = tmpfs_readlink,
	.writable = true,
	.setattr = tmpfs_setattr,
};

/* Devices are opened by what stands behind them; sockets and pipes not. */
static const struct inode_operations tmpfs_special_iops = {
	.writable = true,
	.setattr = tmpfs_setattr,
};

/* Only what memfd_create() makes may be sealed. */
static struct inode *regular_inode(u32 mode)
{
	struct inode *inode = inode_new(&tmpfs_file_iops, mode);

	if (inode)
		inode->seals = F_SEAL_SEAL;
	return inode;
}

struct inode *tmpfs_inode(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return inode_new(&tmpfs_dir_iops, mode);
	case S_IFREG:
		return regular_inode(mode);
	case S_IFLNK:
		return inode_new(&tmpfs_link_iops, mode);
	default:
		return inode_new(&tmpfs_special_iops, mode);
	}
}

struct inode *tmpfs_symlink_inode(const char *target, size_t len)
{
	struct inode *inode = tmpfs_inode(S_IFLNK | 0777);

	if (!inode)
		return NULL;
	inode->link = kmalloc(len + 1);
	if (!inode->link) {
		iput(inode);
		return NULL;
	}
	memcpy(inode->link, target, len);
	inode->size = len;
	return inode;
}
