/*
 * Mappings of files of mounted file systems. A page that was touched is kept
 * while the file is mapped, once for all who map it: read(2) shows what was
 * written to it, and write(2) changes it, too. A page is mapped read-only
 * until the first write, so what has to go to the file is known; msync, fsync,
 * sync, the last munmap and the end of the program take it there.
 *
 * LOCKING: mnt_inode.io guards pages and what is known of them; mm->lock is
 * outside it, and inode->lock, which is outside both, is not taken here.
 */
#include "fs/mmap.h"
#include "fs/mount.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/string.h"

/* Bits of page->written. */
#define NEW_BYTES	1u	/* may get more at any time */
#define WRITING		2u	/* what it has now goes to the file soon */

static bool of_mount(const struct inode *inode)
{
	return inode->dev >= DEV_MOUNT;
}

/* --- beside read(2), write(2) and truncate(2) --- */

void mnt_map_written(struct inode *inode, u64 pos, void *buf, size_t n)
{
	u64 i = pos / PAGE_SIZE;
	struct page *page;

	for (; (page = page_tree_next(&inode->pages, &i)); i++) {
		u64 from = max(pos, i * PAGE_SIZE);
		u64 end = min(pos + n, (i + 1) * PAGE_SIZE);
		u8 *at = (u8 *)page_address(page) + from % PAGE_SIZE;

		if (from >= end)
			break;
		if (buf)
			memcpy(at, (u8 *)buf + (from - pos), end - from);
		else
			memset(at, 0, end - from);
	}
}

void mnt_map_read(struct inode *inode, u64 pos, void *buf, size_t n)
{
	u64 i = pos / PAGE_SIZE;
	struct page *page;

	for (; (page = page_tree_next(&inode->pages, &i)); i++) {
		u64 from = max(pos, i * PAGE_SIZE);
		u64 end = min(pos + n, (i + 1) * PAGE_SIZE);

		if (from >= end)
			break;
		if (page->written)
			memcpy((u8 *)buf + (from - pos),
			       (u8 *)page_address(page) + from % PAGE_SIZE,
			       end - from);
	}
}

/* Forgets the pages from @first on. */
static void drop_pages(struct inode *inode, u64 first)
{
	struct page *page;

	while ((page = page_tree_next(&inode->pages, &first))) {
		(void)page_tree_take(&inode->pages, first);
		page->written = 0;
		put_page(page);
	}
}

void mnt_map_cut(struct inode *inode, u64 size)
{
	u64 end = ALIGN_UP(size, PAGE_SIZE);

	mnt_map_written(inode, size, NULL, end - size);
	drop_pages(inode, end / PAGE_SIZE);
}

void mnt_map_shrink(struct inode *inode, u64 size)
{
	if (current->mm)
		mm_zap_source(current->mm, inode,
			      DIV_ROUND_UP(size, PAGE_SIZE), UINT64_MAX,
			      MAP_SHARED | MAP_PRIVATE);
}

/* --- to the file --- */

/* Page @i, up to the file's end. */
static int write_page(struct mnt_inode *mi, struct page *page, u64 i)
{
	u64 pos = i * PAGE_SIZE, size = mi->inode.size;
	size_t n = pos < size ? min(size - pos, PAGE_SIZE) : 0;
	ssize_t put = 0;

	if (n)
		put = mi->mnt->type->pwrite(mi->mapped, pos,
					    page_address(page), n);
	return put < 0 ? (int)put : (size_t)put < n ? -ENOSPC : 0;
}

/* Takes those with one of @bits to the file; the others wait. */
static int write_pages(struct mnt_inode *mi, u16 bits)
{
	struct page *page;
	int err = 0;

	for (u64 i = 0; (page = page_tree_next(&mi->inode.pages, &i)); i++) {
		int one = 0;

		if (!(page->written & bits))
			continue;
		page->written &= (u16)~bits;
		one = write_page(mi, page, i);
		if (one) {
			page->written |= NEW_BYTES;
			err = one;
		}
	}
	return err;
}

/* Marks what is to go. False: nothing is. */
static bool begin_writing(struct mnt_inode *mi)
{
	struct page *page;
	bool any = false;

	for (u64 i = 0; (page = page_tree_next(&mi->inode.pages, &i)); i++) {
		if (page->written) {
			page->written = WRITING;
			any = true;
		}
	}
	return any;
}

int mnt_map_sync(struct inode *inode)
{
	struct mnt_inode *mi = mnt_inode(inode);
	bool any;
	int err;

	mutex_lock(&mi->io);
	mi->written = false;
	any = begin_writing(mi);
	mutex_unlock(&mi->io);
	if (!any)
		return 0;
	/* A write after this is told to us, and one before it is in time. */
	if (current->mm)
		mm_zap_source(current->mm, inode, 0, UINT64_MAX, MAP_SHARED);
	mutex_lock(&mi->io);
	err = write_pages(mi, WRITING);
	mutex_unlock(&mi->io);
	return err;
}

/* A file of @m that has something to write, with a reference; NULL. */
static struct inode *next_written(struct mount *m)
{
	struct inode *found = NULL;
	struct mnt_inode *mi;

	spin_lock(&m->lock);
	list_for_each_entry(mi, &m->inodes, list) {
		if (READ_ONCE(mi->written) &&
		    atomic_inc_not_zero(&mi->inode.refs)) {
			found = &mi->inode;
			break;
		}
	}
	spin_unlock(&m->lock);
	return found;
}

int mnt_map_sync_all(struct mount *m)
{
	struct inode *inode;
	int err = 0;

	while ((inode = next_written(m))) {
		int one = mnt_map_sync(inode);

		if (one)
			err = one;
		iput(inode);
	}
	return err;
}

/* --- for kernel/mm --- */

/* An open file for the pages: one that does not append. */
static int open_pages(struct file *file, struct file **out)
{
	struct vfs_file *vf = vfs_file(file);
	u32 flags = file->f_flags & ~(u32)O_APPEND;
	int err;

	*out = file;
	if (!(file->f_flags & O_APPEND)) {
		get_file(file);
		return 0;
	}
	*out = vfs_file_open(vf->dentry, file->f_op, flags);
	if (!*out)
		return -ENOMEM;
	err = vf->inode->i_op->open(vf->dentry, flags, &vfs_file(*out)->state);
	if (err)
		fput(*out);
	return err;
}

/* One more area maps @file. */
static int add_map(struct file *file, bool writes)
{
	struct mnt_inode *mi = mnt_inode(vfs_file(file)->inode);
	struct file *put = NULL, *new;
	int err = 0;

	mutex_lock(&mi->io);
	if (!mi->maps || (writes && !file_writable(mi->mapped))) {
		err = open_pages(file, &new);
		if (!err) {
			put = mi->mapped;
			mi->mapped = new;
		}
	}
	mi->maps += !err;
	mutex_unlock(&mi->io);
	if (put)
		fput(put);
	return err;
}

static int map_file(struct file *file, u32 prot, void **source)
{
	int err = vfs_mmap_open(file, prot, source);
	struct vfs_file *vf = vfs_file(file);

	if (err != -ENODEV || !vf || !of_mount(vf->inode) ||
	    !is_reg(vf->inode))
		return err;
	err = add_map(file, prot & PROT_WRITE);
	if (err)
		return err;
	iget(vf->inode);
	*source = vf->inode;
	return 0;
}

static int map_open(int fd, u32 prot, void **source)
{
	return vfs_mmap_fd(fd, prot, source, map_file);
}

static void map_get(void *source)
{
	struct inode *inode = source;

	iget(inode);
	if (of_mount(inode)) {
		mutex_lock(&mnt_inode(inode)->io);
		mnt_inode(inode)->maps++;
		mutex_unlock(&mnt_inode(inode)->io);
	}
}

/* One area less; the last one writes all, and forgets it. */
static void remove_map(struct mnt_inode *mi)
{
	struct file *put = NULL;

	mutex_lock(&mi->io);
	if (!--mi->maps) {
		int err = write_pages(mi, NEW_BYTES | WRITING);

		if (err)
			pr_err("mmap: what was written to a mapping of %s is lost (error %d)",
			       mi->mnt->path, -err);
		drop_pages(&mi->inode, 0);
		put = mi->mapped;
		mi->mapped = NULL;
		mi->written = false;
	}
	mutex_unlock(&mi->io);
	if (put)
		fput(put);
}

static void map_put(void *source)
{
	struct inode *inode = source;

	if (of_mount(inode))
		remove_map(mnt_inode(inode));
	iput(inode);
}

/* Page @index from the file; a reference is the tree's, one the caller's. */
static struct page *fill_page(struct mnt_inode *mi, u64 index, int *err)
{
	struct page *page = alloc_pages(0);
	u64 pos = index * PAGE_SIZE;
	ssize_t got;

	*err = -ENOMEM;
	if (!page)
		return NULL;
	got = mi->mnt->type->pread(mi->mapped, pos, page_address(page),
				   PAGE_SIZE);
	if (got > 0) {
		memset((u8 *)page_address(page) + got, 0,
		       PAGE_SIZE - (size_t)got);
		page->written = 0;
		if (!page_tree_set(&mi->inode.pages, index, page)) {
			/* A host may have made it longer. */
			if (pos + (u64)got > mi->inode.size)
				WRITE_ONCE(mi->inode.size, pos + (u64)got);
			get_page(page);
			return page;
		}
	} else {
		/* Beyond the end, or it cannot be read: SIGBUS. */
		*err = -ENXIO;
	}
	put_page(page);
	return NULL;
}

static struct page *map_page(void *source, u64 index, int *err)
{
	struct mnt_inode *mi = mnt_inode(source);
	struct page *page;

	if (!of_mount(source))
		return vfs_mmap_sources.page(source, index, err);
	mutex_lock(&mi->io);
	page = page_tree_get(&mi->inode.pages, index);
	if (page)
		get_page(page);
	else
		page = fill_page(mi, index, err);
	mutex_unlock(&mi->io);
	return page;
}

static int map_dirty(void *source, u64 index)
{
	struct mnt_inode *mi = mnt_inode(source);
	struct page *page;
	int err = 0;

	if (!of_mount(source))
		return 0;
	mutex_lock(&mi->io);
	page = page_tree_get(&mi->inode.pages, index);
	/* Not there: it was cut off just now, and will be unmapped. */
	if (!file_writable(mi->mapped)) {
		err = -EACCES;
	} else if (page) {
		page->written |= NEW_BYTES;
		mi->written = true;
	}
	mutex_unlock(&mi->io);
	return err;
}

static phys_addr_t map_constant(void *source, u64 index)
{
	return of_mount(source) ? 0 :
				  vfs_mmap_sources.constant(source, index);
}

/* Holes are made in the root's files only. */
static int map_remove(void *source, u64 first, u64 nr)
{
	return of_mount(source) ? -EOPNOTSUPP :
				  vfs_mmap_sources.remove(source, first, nr);
}

/* --- msync(2) --- */

struct search {
	u64 from, end;
	struct inode *found;
};

/* The first shared mapping of a mount's file from @from on. */
static void look(const struct vm_area *area, void *arg)
{
	struct search *s = arg;

	if (s->found || area->end <= s->from || area->start >= s->end ||
	    !(area->flags & MAP_SHARED) || !area->source ||
	    !of_mount(area->source))
		return;
	s->found = area->source;
	s->from = area->end;
	iget(s->found);
}

/* What was written to @inode by mapping stays, whatever happens. */
static int sync_file(struct inode *inode)
{
	struct mnt_inode *mi = mnt_inode(inode);
	struct file *file;
	int err = 0;

	mutex_lock(&mi->io);
	file = mi->mapped;
	if (file)
		get_file(file);
	mutex_unlock(&mi->io);
	if (file) {
		err = file->f_op->fsync(file, true);
		fput(file);
	}
	return err;
}

static long map_sync(u64 start, u64 end)
{
	struct search s = { start, end, NULL };
	int err = 0;

	for (;;) {
		s.found = NULL;
		mm_for_each_area(current->mm, look, &s);
		if (!s.found)
			return err;
		err = sync_file(s.found) ?: err;
		iput(s.found);
	}
}

static const struct mmap_source_ops map_sources = {
	.open = map_open,
	.get = map_get,
	.put = map_put,
	.page = map_page,
	.dirty = map_dirty,
	.constant = map_constant,
	.sync = map_sync,
	.remove = map_remove,
};

void mnt_map_init(void)
{
	mmap_sources = &map_sources;
}
