/*
 * Names and attributes of a 9P share. Nothing is remembered: what a name
 * leads to and what a file is, the server is asked each time, so a change
 * made on its side is seen at once. Each dentry has a fid of its own.
 *
 * LOCKING: as fs/inode.h has it; none of its own.
 */
#include "fs/p9.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/time.h"

#define GETATTR_BASIC	0x7ffull
#define SET_MODE	0x1u
#define SET_UID		0x2u
#define SET_GID		0x4u
#define SET_SIZE	0x8u
#define SET_ATIME	0x90u	/* and to what we say */
#define SET_MTIME	0x120u
#define REMOVE_DIR	0x200u
/* All but O_NOFOLLOW and what open(2) has done by now. */
#define OPEN_FLAGS	(O_ACCMODE | O_APPEND | O_DIRECTORY)

static const struct inode_operations p9_dir_iops, p9_file_iops, p9_link_iops,
	p9_special_iops;

static bool read_only(const struct inode *inode)
{
	return mount_of(inode)->read_only;
}

/* --- attributes --- */

/* Time as the wire has it; what no clock of ours says becomes 0. */
static u64 wire_time(u64 sec, u64 nsec)
{
	if (sec >= UINT64_MAX / NSEC_PER_SEC / 2 || nsec >= NSEC_PER_SEC)
		return 0;
	return sec * NSEC_PER_SEC + nsec;
}

static int ask_attr(struct p9_client *c, u32 fid, struct kstat *st)
{
	u64 valid, nlink, rdev, blksize, as, an, ms, mn, cs, cn;
	struct p9_qid qid;
	int err;

	err = p9_rpc(c, P9_TGETATTR, NULL, "dq|qQdddqqqqqqqqqqq", fid,
		     GETATTR_BASIC, &valid, &qid, &st->mode, &st->uid,
		     &st->gid, &nlink, &rdev, &st->size, &blksize,
		     &st->blocks, &as, &an, &ms, &mn, &cs, &cn);
	if (err)
		return err;
	if (st->size > MAX_FILE_SIZE)
		return -EIO;
	st->ino = qid.path;
	st->nlink = (u32)nlink;
	st->rdev = MKDEV(rdev >> 8 & 0xfff, rdev & 0xff);
	st->atime = wire_time(as, an);
	st->mtime = wire_time(ms, mn);
	st->ctime = wire_time(cs, cn);
	return 0;
}

/* What the server said last, for when the file has no name there any more. */
static void note_attr(struct inode *inode, const struct kstat *st)
{
	spin_lock(&inode->data_lock);
	inode->mode = (inode->mode & S_IFMT) | (st->mode & S_IALL);
	inode->uid = st->uid;
	inode->gid = st->gid;
	inode->size = st->size;
	inode->atime = st->atime;
	inode->mtime = st->mtime;
	inode->ctime = st->ctime;
	spin_unlock(&inode->data_lock);
}

int p9_getattr(struct dentry *d, struct kstat *st)
{
	struct inode *inode = d->inode;
	int err = ask_attr(p9_client_of(inode), d->fid, st);

	if (!err)
		note_attr(inode, st);
	if (err == -ENOENT) {
		/* Removed, and still open: QEMU knows files by their names. */
		*st = (struct kstat){
			.mode = inode->mode, .uid = inode->uid,
			.gid = inode->gid, .size = inode->size,
			.blocks = DIV_ROUND_UP(inode->size, SECTOR_SIZE),
			.atime = inode->atime, .mtime = inode->mtime,
			.ctime = inode->ctime,
		};
		err = 0;
	}
	st->dev = inode->dev;
	st->ino = inode->ino;
	return err;
}

static int p9_setattr(struct dentry *d, const struct iattr *a)
{
	u32 what = (a->set_mode ? SET_MODE : 0) | (a->set_uid ? SET_UID : 0) |
		   (a->set_gid ? SET_GID : 0) | (a->set_size ? SET_SIZE : 0) |
		   (a->set_atime ? SET_ATIME : 0) |
		   (a->set_mtime ? SET_MTIME : 0);
	int err;

	if (read_only(d->inode))
		return -EROFS;
	mutex_lock(&d->inode->lock);
	mutex_lock(&mnt_inode(d->inode)->io);
	err = p9_rpc(p9_client_of(d->inode), P9_TSETATTR, NULL,
		     "ddddd" "q" "qqqq", d->fid, what, a->mode & S_IALL,
		     a->uid, a->gid, a->size, a->atime / NSEC_PER_SEC,
		     a->atime % NSEC_PER_SEC, a->mtime / NSEC_PER_SEC,
		     a->mtime % NSEC_PER_SEC);
	if (!err && a->set_size) {
		WRITE_ONCE(d->inode->size, a->size);
		mnt_map_cut(d->inode, a->size);
	}
	mutex_unlock(&mnt_inode(d->inode)->io);
	mutex_unlock(&d->inode->lock);
	if (!err && a->set_size)
		mnt_map_shrink(d->inode, a->size);
	return err;
}

static int p9_statfs(struct dentry *d, struct kstatfs *st)
{
	u32 type, bsize, namelen;
	u64 fsid;
	int err = p9_rpc(p9_client_of(d->inode), P9_TSTATFS, NULL,
			 "d|ddqqqqqqd", d->fid, &type, &bsize, &st->f_blocks,
			 &st->f_bfree, &st->f_bavail, &st->f_files,
			 &st->f_ffree, &fsid, &namelen);

	if (err)
		return err;
	st->f_type = type;
	st->f_bsize = bsize;
	st->f_frsize = bsize;
	st->f_namelen = min(namelen, NAME_MAX);
	return 0;
}

/* --- finding --- */

/* A fid for @name in the directory @dir, or for that itself (@name NULL). */
static int walk(struct p9_client *c, u32 dir, const char *name, size_t len,
		u32 *fid)
{
	struct p9_qid qid;
	u16 nr = 0;
	int err;

	*fid = p9_fid_get(c);
	if (*fid == P9_NOFID)
		return -ENOMEM;
	if (name)
		err = p9_rpc(c, P9_TWALK, NULL, "ddws|wQ", dir, *fid, 1u, name,
			     len, &nr, &qid);
	else
		err = p9_rpc(c, P9_TWALK, NULL, "ddw|w", dir, *fid, 0u, &nr);
	if (!err && nr != (name ? 1 : 0))
		err = -EIO;
	if (err)
		p9_fid_put(c, *fid, err == -EIO || err == -EINTR);
	return err;
}

int p9_clone(struct dentry *d, u32 *fid)
{
	return walk(p9_client_of(d->inode), d->fid, NULL, 0, fid);
}

static const struct inode_operations *ops_of(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return &p9_dir_iops;
	case S_IFREG:
		return &p9_file_iops;
	case S_IFLNK:
		return &p9_link_iops;
	default:
		return &p9_special_iops;
	}
}

/* The inode of what @fid is. */
static int inode_of_fid(struct mount *m, u32 fid, struct inode **out)
{
	struct kstat st;
	bool fresh;
	int err = ask_attr(m->fs, fid, &st);

	if (err)
		return err;
	*out = mnt_iget(m, st.ino, st.mode, ops_of(st.mode),
			sizeof(struct mnt_inode), &fresh);
	if (!*out)
		return -ENOMEM;
	(*out)->rdev = st.rdev;
	note_attr(*out, &st);
	return 0;
}

static int p9_lookup(struct dentry *dir, const char *name, size_t len,
		     struct dentry **out)
{
	struct mount *m = mount_of(dir->inode);
	struct inode *inode;
	u32 fid;
	int err = walk(m->fs, dir->fid, name, len, &fid);

	if (err)
		return err;
	err = inode_of_fid(m, fid, &inode);
	if (!err) {
		*out = mnt_dentry(dir, name, len, inode, fid);
		err = *out ? 0 : -ENOMEM;
	}
	if (err)
		p9_fid_put(m->fs, fid, true);
	return err;
}

static void p9_forget(struct dentry *d)
{
	p9_fid_put(p9_client_of(d->inode), d->fid, true);
}

static ssize_t p9_readlink(struct dentry *link, char *buf, size_t size)
{
	u32 len = 0;
	int err = p9_rpc(p9_client_of(link->inode), P9_TREADLINK, NULL, "d|s",
			 link->fid, buf, size, &len);

	return err ? err : (ssize_t)len;
}

/* --- changing names --- */

/* A regular file, which is made by opening it. */
static int make_file(struct p9_client *c, u32 dir, const char *name,
		     size_t len, u32 mode)
{
	struct p9_qid qid;
	u32 fid, iounit;
	int err = walk(c, dir, NULL, 0, &fid);

	if (err)
		return err;
	err = p9_rpc(c, P9_TLCREATE, NULL, "dsddd|Qd", fid, name, len,
		     (u32)(O_CREAT | O_EXCL | O_WRONLY), mode, 0u, &qid,
		     &iounit);
	p9_fid_put(c, fid, true);
	return err;
}

static int p9_make(struct dentry *dir, const char *name, size_t len,
		   const struct new_inode *what, struct dentry **out)
{
	struct p9_client *c = p9_client_of(dir->inode);
	struct p9_qid qid;
	int err;

	if (read_only(dir->inode))
		return -EROFS;
	switch (what->mode & S_IFMT) {
	case S_IFREG:
		err = make_file(c, dir->fid, name, len, what->mode & S_IALL);
		break;
	case S_IFDIR:
		err = p9_rpc(c, P9_TMKDIR, NULL, "dsdd|Q", dir->fid, name, len,
			     what->mode & S_IALL, 0u, &qid);
		break;
	case S_IFLNK:
		err = p9_rpc(c, P9_TSYMLINK, NULL, "dssd|Q", dir->fid, name,
			     len, what->target, what->target_len, 0u, &qid);
		break;
	default:
		err = p9_rpc(c, P9_TMKNOD, NULL, "dsdddd|Q", dir->fid, name,
			     len, what->mode, what->rdev >> 8,
			     what->rdev & 0xff, 0u, &qid);
		break;
	}
	return err ? err : p9_lookup(dir, name, len, out);
}

static int p9_link(struct dentry *dir, const char *name, size_t len,
		   struct dentry *old)
{
	if (read_only(dir->inode))
		return -EROFS;
	return p9_rpc(p9_client_of(dir->inode), P9_TLINK, NULL, "dds",
		      dir->fid, old->fid, name, len);
}

static int p9_unlink(struct dentry *d)
{
	int err;

	if (read_only(d->inode))
		return -EROFS;
	err = p9_rpc(p9_client_of(d->inode), P9_TUNLINKAT, NULL, "dsd",
		     d->parent->fid, d->name, (size_t)d->len,
		     is_dir(d->inode) ? REMOVE_DIR : 0u);
	if (!err)
		d->linked = false;
	return err;
}

static int p9_rename(struct dentry *d, struct dentry *dir, const char *name,
		     size_t len, struct dentry *old, bool exchange)
{
	(void)old;
	if (read_only(d->inode))
		return -EROFS;
	/* The protocol has no such thing. */
	if (exchange)
		return -EINVAL;
	return p9_rpc(p9_client_of(d->inode), P9_TRENAMEAT, NULL, "dsds",
		      d->parent->fid, d->name, (size_t)d->len, dir->fid, name,
		      len);
}

int p9_open(struct dentry *d, u32 flags, void **state)
{
	struct p9_client *c = p9_client_of(d->inode);
	struct p9_qid qid;
	u32 fid, iounit;
	int err;

	if (read_only(d->inode) && (flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	err = p9_clone(d, &fid);
	if (err)
		return err;
	err = p9_rpc(c, P9_TLOPEN, NULL, "dd|Qd", fid, flags & OPEN_FLAGS,
		     &qid, &iounit);
	if (err) {
		p9_fid_put(c, fid, true);
		return err;
	}
	*state = (void *)((uintptr_t)fid + 1);
	return 0;
}

#define P9_COMMON							\
	.writable = true,						\
	.getattr = p9_getattr,						\
	.setattr = p9_setattr,						\
	.statfs = p9_statfs,						\
	.forget = p9_forget,						\
	.evict = mnt_evict

static const struct inode_operations p9_dir_iops = {
	P9_COMMON,
	.lookup = p9_lookup,
	.make = p9_make,
	.link = p9_link,
	.unlink = p9_unlink,
	.rename = p9_rename,
	.open = p9_open,
	.fops = &p9_dir_fops,
};

static const struct inode_operations p9_file_iops = {
	P9_COMMON,
	.open = p9_open,
	.fops = &p9_file_fops,
};

static const struct inode_operations p9_link_iops = {
	P9_COMMON,
	.readlink = p9_readlink,
};

static const struct inode_operations p9_special_iops = {
	P9_COMMON,
};

/* --- mounting --- */

static void p9_forget_client(struct mount *m)
{
	struct p9_client *c = m->fs;

	kfree(c->fids);
	kfree(c);
}

static int p9_mount(struct mount *m, struct inode **root, u32 *fid)
{
	struct p9_transport *t = p9_find(m->source);
	struct p9_qid qid;
	int err;

	if (!t) {
		pr_err("9p: no share '%s'; with QEMU: -fsdev local,id=f0,path=DIR,security_model=none -device virtio-9p-pci,fsdev=f0,mount_tag=%s",
		       m->source, m->source);
		return -ENODEV;
	}
	mnt_map_init();
	m->fs = p9_connect(t, fid, &qid);
	if (!m->fs)
		return -EIO;
	err = inode_of_fid(m, *fid, root);
	if (!err && !is_dir(*root)) {
		iput(*root);
		err = -ENOTDIR;
	}
	if (err) {
		pr_err("9p: the root of share '%s' is no directory to be had (error %d)",
		       m->source, -err);
		p9_forget_client(m);
	}
	return err;
}

static const struct fs_type p9_type = {
	.name = "9p",
	.mount = p9_mount,
	.pread = p9_pread,
	.pwrite = p9_pwrite,
	.sync = mnt_map_sync_all,
	.forget = p9_forget_client,
};
FS_TYPE(p9_type);
