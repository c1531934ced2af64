/* Inodes and dentries: birth, references and death; names of what is open. */
#include "fs/inode.h"

#include "fs/flock.h"
#include "fs/namei.h"
#include "fs/record_lock.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/string.h"
#include "kernel/time.h"

#define DELETED		" (deleted)"

struct mutex tree_lock = {
	.wait = WAIT_QUEUE_HEAD_INIT(tree_lock.wait),
};
struct dentry *root_dentry;

/* The last inode number that was given away; atomic. */
static u64 last_ino;

void touch(u64 *a, u64 *b)
{
	u64 now = ktime_get_real_ns();

	WRITE_ONCE(*a, now);
	if (b)
		WRITE_ONCE(*b, now);
}

struct inode *inode_new(const struct inode_operations *ops, u32 mode)
{
	struct inode *inode = kzalloc(sizeof(*inode));

	if (inode)
		inode_init(inode, ops, mode);
	return inode;
}

void inode_init(struct inode *inode, const struct inode_operations *ops,
		u32 mode)
{
	inode->i_op = ops;
	atomic_set(&inode->refs, 1);
	inode->mode = mode;
	inode->dev = DEV_TMPFS;
	inode->ino = __atomic_add_fetch(&last_ino, 1, __ATOMIC_RELAXED);
	touch(&inode->atime, NULL);
	inode->mtime = inode->atime;
	inode->ctime = inode->atime;
	mutex_init(&inode->lock);
	spin_lock_init(&inode->data_lock);
}

void iget(struct inode *inode)
{
	atomic_inc(&inode->refs);
}

void iput(struct inode *inode)
{
	u64 i = 0;

	if (!atomic_dec_and_test(&inode->refs))
		return;
	if (inode->i_op->evict) {
		inode->i_op->evict(inode);
		return;
	}
	BUG_ON(!rb_empty(&inode->children));
	while (page_tree_next(&inode->pages, &i))
		put_page(page_tree_take(&inode->pages, i));
	kfree(inode->link);
	kfree(inode);
}

/* FNV-1a. Two bits are left for "." and "..", one for the sign. */
u64 name_hash(const char *name, size_t len)
{
	u64 h = 14695981039346656037ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (u8)name[i]) * 1099511628211ull;
	return h >> 3;
}

struct dentry *dentry_new(struct dentry *parent, const char *name, size_t len,
			  bool copy, struct inode *inode)
{
	struct dentry *d = kzalloc(sizeof(*d));
	char *own = NULL;

	if (d && copy)
		own = kmalloc(len + 1);
	if (!d || (copy && !own)) {
		kfree(d);
		return NULL;
	}
	if (own)
		memcpy(own, name, len);
	atomic_set(&d->refs, 1);
	d->name = own ? own : name;
	d->own_name = own;
	d->len = (u8)len;
	d->hash = name_hash(name, len);
	d->inode = inode;
	d->parent = parent ? dget(parent) : NULL;
	return d;
}

struct dentry *dget(struct dentry *dentry)
{
	atomic_inc(&dentry->refs);
	return dentry;
}

void dput(struct dentry *dentry)
{
	/* A name's end may be the end of the directory that it was in. */
	while (dentry && atomic_dec_and_test(&dentry->refs)) {
		struct dentry *parent = dentry->parent;

		if (dentry->inode->i_op->forget)
			dentry->inode->i_op->forget(dentry);
		iput(dentry->inode);
		if (dentry->own_name)
			kfree(dentry->name);
		kfree(dentry);
		dentry = parent;
	}
}

/* A name that never was in a tree is as good as one that is (/proc). */
static bool d_deleted(const struct dentry *d)
{
	return d->inode->i_op->writable && d->parent && !d->linked;
}

bool d_reachable(const struct dentry *dentry)
{
	for (; dentry->parent; dentry = dentry->parent) {
		if (d_deleted(dentry))
			return false;
	}
	return dentry == root_dentry;
}

static char *put_before(char *at, const char *buf, const char *s, size_t len)
{
	if (!at || (size_t)(at - buf) < len)
		return NULL;
	return memcpy(at - len, s, len);
}

char *d_path(const struct dentry *dentry, char *buf, size_t size)
{
	const struct dentry *d = dentry, *root = current_root();
	char *at = put_before(buf + size, buf, "", 1);

	if (at && d_deleted(d))
		at = put_before(at, buf, DELETED, strlen(DELETED));
	if (d == root)
		return put_before(at, buf, "/", 1);
	for (; d->parent && d != root; d = d->parent) {
		at = put_before(at, buf, d->name, d->len);
		at = put_before(at, buf, "/", 1);
	}
	/* What never had a directory (memfd) brings its own slash. */
	if (d != root && d != root_dentry)
		at = put_before(at, buf, d->name, d->len);
	return at;
}

char *d_path_lock(const struct dentry *dentry, char *buf, size_t size)
{
	char *at;

	mutex_lock(&tree_lock);
	at = d_path(dentry, buf, size);
	mutex_unlock(&tree_lock);
	return at;
}

static void inode_stat(struct inode *inode, struct kstat *st)
{
	mutex_lock(&tree_lock);
	spin_lock(&inode->data_lock);
	*st = (struct kstat){
		.dev = inode->dev, .ino = inode->ino, .mode = inode->mode,
		.nlink = inode->nlink, .uid = inode->uid, .gid = inode->gid,
		.rdev = inode->rdev, .size = inode->size,
		.blocks = inode->nr_pages * (PAGE_SIZE / SECTOR_SIZE) +
			  DIV_ROUND_UP(inode->base_size, SECTOR_SIZE),
		.atime = inode->atime, .mtime = inode->mtime,
		.ctime = inode->ctime,
	};
	spin_unlock(&inode->data_lock);
	mutex_unlock(&tree_lock);
}

int dentry_stat(struct dentry *dentry, struct kstat *st)
{
	if (dentry->inode->i_op->getattr)
		return dentry->inode->i_op->getattr(dentry, st);
	inode_stat(dentry->inode, st);
	return 0;
}

struct file *vfs_file_open(struct dentry *dentry,
			   const struct file_operations *fops, u32 flags)
{
	struct vfs_file *vf = kmalloc(sizeof(*vf));
	struct file *file = vf ? file_alloc(fops, vf, flags) : NULL;

	if (!file) {
		kfree(vf);
		return NULL;
	}
	vf->dentry = dget(dentry);
	vf->inode = dentry->inode;
	vf->state = NULL;
	vf->flock = 0;
	file->f_seekable = true;
	return file;
}

int vfs_file_stat(struct file *file, struct kstat *st)
{
	return dentry_stat(vfs_file(file)->dentry, st);
}

void vfs_file_release(struct file *file)
{
	struct vfs_file *vf = vfs_file(file);

	flock_release(vf);
	record_lock_release(vf->inode, vf);
	dput(vf->dentry);
	kfree(vf);
}
