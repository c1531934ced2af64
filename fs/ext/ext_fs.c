/*
 * ext2 and ext4 as the VFS sees them: names, attributes, mounting, and the
 * task that commits what nobody has synced.
 *
 * LOCKING: ext_fs.lock is held over each operation with all its I/O; it is
 * inside tree_lock and inode->lock.
 */
#include "fs/ext/ext.h"

#include "fs/dev.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define COMMIT_NS	(5 * NSEC_PER_SEC)
#define EXT_MAGIC	0xef53
#define SLAB_MOST	(64u << 10)

static const struct inode_operations ext_dir_iops, ext_file_iops,
	ext_link_iops, ext_special_iops;

/* --- for the library's half --- */

/* In front of each piece of memory that the library has. */
struct ext_piece {
	size_t size;
	size_t in_slab;
};

void *ext_alloc(size_t n)
{
	size_t all = n + sizeof(struct ext_piece);
	struct ext_piece *p;

	if (all < n)
		return NULL;
	p = all <= SLAB_MOST ? kmalloc(all) : vmalloc(all);
	if (!p)
		return NULL;
	p->size = n;
	p->in_slab = all <= SLAB_MOST;
	return p + 1;
}

size_t ext_alloc_size(const void *mem)
{
	return ((const struct ext_piece *)mem - 1)->size;
}

void ext_free(void *mem)
{
	struct ext_piece *p = mem;

	if (!mem)
		return;
	if (p[-1].in_slab)
		kfree(p - 1);
	else
		vfree(p - 1);
}

u64 ext_now(void)
{
	return ktime_get_real_ns();
}

void ext_complain(const char *text)
{
	pr_err("ext: %s", text);
}

void ext_give_up(const char *where)
{
	panic("ext: a check of the library's own failed in %s", where);
}

static LIST_HEAD(all_ext);

/* One per disk: found by name when the library opens its channel. */
struct ext_entry {
	struct list_head list;
	struct ext_fs x;
};

struct ext_fs *ext_by_disk(const char *name)
{
	struct ext_entry *e;

	list_for_each_entry(e, &all_ext, list) {
		if (!strcmp(e->x.disk->name, name))
			return &e->x;
	}
	return NULL;
}

/* --- inodes --- */

static const struct inode_operations *ops_of(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return &ext_dir_iops;
	case S_IFREG:
		return &ext_file_iops;
	case S_IFLNK:
		return &ext_link_iops;
	default:
		return &ext_special_iops;
	}
}

/* What changes stays on the disk: the inode has only what the VFS asks. */
static int get_inode(struct ext_fs *x, u32 ino, struct inode **out)
{
	struct ext_attr a;
	bool fresh;
	int err = ext_lib_getattr(x->lib, ino, &a);

	if (err)
		return err;
	/* A name that leads to a file which is gone. */
	if (!a.nlink)
		return -EIO;
	*out = mnt_iget(x->m, ino, a.mode, ops_of(a.mode),
			sizeof(struct mnt_inode), &fresh);
	if (!*out)
		return -ENOMEM;
	(*out)->mode = a.mode;
	(*out)->rdev = a.rdev;
	if ((a.mode & S_IFMT) == S_IFCHR)
		(*out)->device = device_by_number(a.rdev);
	(*out)->size = a.size;
	return 0;
}

static void ext_evict(struct inode *inode)
{
	struct ext_fs *x = ext_of(inode);

	/* Its last name went while it was open. */
	if (!inode->nlink) {
		mutex_lock(&x->lock);
		if (!x->failed && ext_lib_delete(x->lib, (u32)inode->ino))
			pr_err("ext: %s: inode %llu could not be freed; run e2fsck on it",
			       x->disk->name, (unsigned long long)inode->ino);
		ext_changed(x);
		mutex_unlock(&x->lock);
	}
	mnt_evict(inode);
}

static int ext_getattr(struct dentry *d, struct kstat *st)
{
	struct ext_fs *x = ext_of(d->inode);
	struct ext_attr a;
	int err;

	mutex_lock(&x->lock);
	err = ext_lib_getattr(x->lib, (u32)d->inode->ino, &a);
	mutex_unlock(&x->lock);
	if (err)
		return err;
	*st = (struct kstat){
		.dev = d->inode->dev, .ino = d->inode->ino, .mode = a.mode,
		.nlink = a.nlink, .rdev = a.rdev, .uid = a.uid, .gid = a.gid,
		.size = a.size, .blocks = a.sectors, .atime = a.atime,
		.mtime = a.mtime, .ctime = a.ctime,
	};
	return 0;
}

static int change_attr(struct ext_fs *x, struct inode *inode,
		       const struct iattr *ia)
{
	struct ext_attr a;
	int err;

	err = ext_lib_getattr(x->lib, (u32)inode->ino, &a);
	if (err)
		return err;
	if (ia->set_mode)
		a.mode = (a.mode & S_IFMT) | (ia->mode & S_IALL);
	if (ia->set_uid)
		a.uid = ia->uid;
	if (ia->set_gid)
		a.gid = ia->gid;
	if (ia->set_atime)
		a.atime = ia->atime;
	if (ia->set_mtime)
		a.mtime = ia->mtime;
	err = ext_lib_setattr(x->lib, (u32)inode->ino, &a);
	if (!err)
		inode->mode = a.mode;
	return err;
}

/* Begins a change: the lock is held if it says 0. */
static int begin(struct ext_fs *x) __no_lock_check
{
	if (x->m->read_only)
		return -EROFS;
	mutex_lock(&x->lock);
	if (!x->failed)
		return 0;
	mutex_unlock(&x->lock);
	return -EIO;
}

/*
 * After a change came out as @err. True: there was no room, but what was
 * given up is free now, so it may be tried again.
 */
static bool again(struct ext_fs *x, int err)
{
	return err == -ENOSPC && ext_lib_gave_up(x->lib) && !ext_commit(x);
}

static int end(struct ext_fs *x, int err) __no_lock_check
{
	ext_changed(x);
	mutex_unlock(&x->lock);
	return err;
}

static int set_size(struct ext_fs *x, struct inode *inode, u64 size)
{
	int err;

	mutex_lock(&mnt_inode(inode)->io);
	err = begin(x);
	if (!err)
		err = end(x, ext_truncate(inode, size));
	if (!err)
		mnt_map_cut(inode, size);
	mutex_unlock(&mnt_inode(inode)->io);
	if (!err)
		mnt_map_shrink(inode, size);
	return err;
}

static int ext_setattr(struct dentry *d, const struct iattr *ia)
{
	struct ext_fs *x = ext_of(d->inode);
	int err;

	if (ia->set_size)
		return set_size(x, d->inode, ia->size);
	err = begin(x);
	return err ? err : end(x, change_attr(x, d->inode, ia));
}

static int ext_statfs(struct dentry *d, struct kstatfs *st)
{
	struct ext_fs *x = ext_of(d->inode);
	struct ext_room r;

	mutex_lock(&x->lock);
	ext_lib_room(x->lib, &r);
	mutex_unlock(&x->lock);
	st->f_type = EXT_MAGIC;
	st->f_bsize = x->g.block_size;
	st->f_frsize = st->f_bsize;
	st->f_blocks = r.blocks;
	st->f_bfree = r.free_blocks;
	st->f_bavail = r.free_blocks;
	st->f_files = r.inodes;
	st->f_ffree = r.free_inodes;
	return 0;
}

/* --- names --- */

/* A name with an end; at most NAME_MAX long. */
struct ext_name {
	char text[NAME_MAX + 1];
};

static const char *set_name(struct ext_name *n, const char *name, size_t len)
{
	memcpy(n->text, name, len);
	n->text[len] = '\0';
	return n->text;
}

/* The dentry of @ino as @name; lock held. */
static int make_dentry(struct ext_fs *x, struct dentry *dir, const char *name,
		       size_t len, u32 ino, struct dentry **out)
{
	struct inode *inode;
	int err = get_inode(x, ino, &inode);

	if (err)
		return err;
	*out = mnt_dentry(dir, name, len, inode, 0);
	return *out ? 0 : -ENOMEM;
}

static int ext_lookup(struct dentry *dir, const char *name, size_t len,
		      struct dentry **out)
{
	struct ext_fs *x = ext_of(dir->inode);
	struct ext_name n;
	u32 ino;
	int err;

	mutex_lock(&x->lock);
	err = ext_lib_lookup(x->lib, (u32)dir->inode->ino,
			     set_name(&n, name, len), &ino);
	if (!err)
		err = make_dentry(x, dir, name, len, ino, out);
	mutex_unlock(&x->lock);
	return err;
}

static int ext_make(struct dentry *dir, const char *name, size_t len,
		    const struct new_inode *what, struct dentry **out)
{
	struct ext_fs *x = ext_of(dir->inode);
	char *target = NULL;
	struct ext_name n;
	u32 ino;
	int err;

	if (what->target) {
		target = kmalloc(what->target_len + 1);
		if (!target)
			return -ENOMEM;
		memcpy(target, what->target, what->target_len);
		target[what->target_len] = '\0';
	}
	err = begin(x);
	if (err)
		goto out;
	do {
		err = ext_lib_make(x->lib, (u32)dir->inode->ino,
				   set_name(&n, name, len), what->mode,
				   what->rdev, target, &ino);
	} while (again(x, err));
	if (!err)
		err = make_dentry(x, dir, name, len, ino, out);
	end(x, err);
out:
	kfree(target);
	return err;
}

/* After names changed: does @inode have one? Lock held. */
static void note_links(struct ext_fs *x, struct inode *inode)
{
	struct ext_attr a;

	if (!ext_lib_getattr(x->lib, (u32)inode->ino, &a))
		inode->nlink = a.nlink;
}

static int ext_link(struct dentry *dir, const char *name, size_t len,
		    struct dentry *old)
{
	struct ext_fs *x = ext_of(dir->inode);
	struct ext_name n;
	int err = begin(x);

	if (err)
		return err;
	do {
		err = ext_lib_link(x->lib, (u32)dir->inode->ino,
				   set_name(&n, name, len),
				   (u32)old->inode->ino);
	} while (again(x, err));
	note_links(x, old->inode);
	return end(x, err);
}

static int ext_unlink(struct dentry *d)
{
	struct ext_fs *x = ext_of(d->inode);
	struct ext_name n;
	int err = begin(x);

	if (err)
		return err;
	err = ext_lib_unlink(x->lib, (u32)d->parent->inode->ino,
			     set_name(&n, d->name, d->len),
			     (u32)d->inode->ino);
	if (!err) {
		d->linked = false;
		note_links(x, d->inode);
	}
	return end(x, err);
}

static int ext_rename(struct dentry *d, struct dentry *dir, const char *name,
		      size_t len, struct dentry *old, bool exchange)
{
	struct ext_fs *x = ext_of(d->inode);
	struct ext_name from, to;
	int err;

	if (exchange)
		return -EINVAL;
	err = begin(x);
	if (err)
		return err;
	err = ext_lib_rename(x->lib, (u32)d->parent->inode->ino,
			     set_name(&from, d->name, d->len),
			     (u32)dir->inode->ino, set_name(&to, name, len),
			     (u32)d->inode->ino,
			     old ? (u32)old->inode->ino : 0);
	if (old)
		note_links(x, old->inode);
	return end(x, err);
}

static ssize_t ext_readlink(struct dentry *link, char *buf, size_t size)
{
	struct ext_fs *x = ext_of(link->inode);
	int len;

	mutex_lock(&x->lock);
	len = ext_lib_readlink(x->lib, (u32)link->inode->ino, buf, size);
	mutex_unlock(&x->lock);
	return len;
}

static int ext_open(struct dentry *d, u32 flags, void **state)
{
	(void)state;
	return mount_of(d->inode)->read_only &&
	       (flags & O_ACCMODE) != O_RDONLY ? -EROFS : 0;
}

#define EXT_COMMON							\
	.writable = true,						\
	.getattr = ext_getattr,						\
	.setattr = ext_setattr,						\
	.statfs = ext_statfs,						\
	.evict = ext_evict

static const struct inode_operations ext_dir_iops = {
	EXT_COMMON,
	.nameless = true,
	.lookup = ext_lookup,
	.make = ext_make,
	.link = ext_link,
	.unlink = ext_unlink,
	.rename = ext_rename,
	.fops = &ext_dir_fops,
};

static const struct inode_operations ext_file_iops = {
	EXT_COMMON,
	.open = ext_open,
	.fops = &ext_file_fops,
};

static const struct inode_operations ext_link_iops = {
	EXT_COMMON,
	.readlink = ext_readlink,
};

static const struct inode_operations ext_special_iops = {
	EXT_COMMON,
};

/* --- mounting --- */

/* What nobody syncs is on the disk some seconds later all the same. */
static void ext_commit_task(void *arg)
{
	struct ext_fs *x = arg;
	struct wait_queue_entry wait;

	init_wait(&wait);
	for (;;) {
		prepare_to_wait(&x->wait, &wait, TASK_UNINTERRUPTIBLE);
		if (!READ_ONCE(x->nr_dirty) || x->failed)
			schedule();
		finish_wait(&x->wait, &wait);
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_hrtimeout_range(ktime_get_ns() + COMMIT_NS,
					 NSEC_PER_SEC);
		mutex_lock(&x->lock);
		if (!x->failed)
			(void)ext_commit(x);
		mutex_unlock(&x->lock);
	}
}

/* From now on there are changes: the journal, the mark, the orphans. */
static int start_writing(struct ext_fs *x)
{
	int err = ext_lib_mark(x->lib, true);

	/* It must say that there is a journal to replay before there is. */
	if (!err)
		err = ext_commit(x);
	if (!err && x->g.journal) {
		x->journal.map = x->g.journal;
		x->journal.blocks = x->g.journal_blocks;
		err = ext_journal_open(x);
	}
	if (!err)
		err = ext_lib_orphans(x->lib);
	if (err)
		return err;
	return kthread_run(ext_commit_task, x, "ext-commit") ? 0 : -ENOMEM;
}

static int open_disk(struct mount *m, struct ext_fs *x)
{
	x->disk = disk_find(m->source);
	if (!x->disk) {
		pr_err("ext: no disk '%s'; with QEMU: -drive if=none,id=d0,format=raw,file=IMG -device virtio-blk-pci,drive=d0 is vda, the next vdb",
		       m->source);
		return -ENODEV;
	}
	if (ext_by_disk(x->disk->name)) {
		pr_err("ext: %s is mounted already", m->source);
		return -EBUSY;
	}
	if (x->disk->read_only && !m->read_only) {
		pr_err("ext: %s cannot be written; mount=ext:%s:%s:ro", m->source,
		       m->source, m->path);
		return -EROFS;
	}
	return 0;
}

static int ext_mount(struct mount *m, struct inode **root, u32 *fid)
{
	struct ext_entry *e = kzalloc(sizeof(*e));
	struct ext_fs *x = e ? &e->x : NULL;
	int err;

	*fid = 0;
	if (!e)
		return -ENOMEM;
	mnt_map_init();
	x->m = m;
	mutex_init(&x->lock);
	INIT_LIST_HEAD(&x->dirty);
	INIT_LIST_HEAD(&x->clean);
	init_waitqueue_head(&x->wait);
	x->block_size = 1024;
	err = open_disk(m, x);
	if (err) {
		kfree(e);
		return err;
	}
	list_add(&e->list, &all_ext);
	mutex_lock(&x->lock);
	/* A replay puts blocks where they belong, and is then read again. */
	x->through = true;
	x->lib = ext_lib_open(x, x->disk->name, !m->read_only, &x->g);
	x->through = false;
	err = x->lib ? 0 : -EINVAL;
	x->scratch = kmalloc(x->block_size);
	if (!err && !x->scratch)
		err = -ENOMEM;
	if (!err && !m->read_only)
		err = start_writing(x);
	m->fs = x;
	if (!err)
		err = get_inode(x, x->g.root, root);
	if (!err && !is_dir(*root))
		err = -EIO;
	mutex_unlock(&x->lock);
	if (err && x->lib)
		pr_err("ext: %s cannot be mounted (error %d); e2fsck may mend it",
		       m->source, -err);
	return err;
}

static int ext_sync(struct mount *m)
{
	struct ext_fs *x = m->fs;
	int err = mnt_map_sync_all(m), there;

	if (m->read_only)
		return 0;
	mutex_lock(&x->lock);
	there = ext_commit(x);
	mutex_unlock(&x->lock);
	return err ? err : there;
}

/* Leaves it as somebody who never crashed would. */
static void ext_unmount(struct mount *m)
{
	struct ext_fs *x = m->fs;
	int err;

	/* What was removed while it was mapped is freed, too. */
	if (current->mm)
		(void)mm_unmap(current->mm, 0, TASK_SIZE_MAX);
	if (m->read_only || x->failed)
		return;
	mutex_lock(&x->lock);
	err = ext_commit(x);
	if (!err && x->journal.blocks)
		err = ext_journal_clear(x);
	if (!err)
		err = ext_lib_mark(x->lib, false);
	/* The journal is empty, and the mark needs none. */
	x->journal.blocks = 0;
	if (!err)
		err = ext_commit(x);
	if (err)
		ext_fail(x, err);
	x->failed = -EROFS;
	mutex_unlock(&x->lock);
}

static const struct fs_type ext_type = {
	.name = "ext",
	.mount = ext_mount,
	.pread = ext_pread,
	.pwrite = ext_pwrite,
	.sync = ext_sync,
	.unmount = ext_unmount,
};
FS_TYPE(ext_type);
