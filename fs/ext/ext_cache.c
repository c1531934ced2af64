/*
 * Metadata blocks in memory. What libext2fs writes stays here until a commit;
 * with a journal the commit writes all of it there first, so that after a
 * crash either all or nothing of it has happened. Under ext_fs.lock.
 */
#include "fs/ext/ext.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/string.h"

int ext_fail(struct ext_fs *x, int err)
{
	if (!x->failed)
		pr_err("ext: %s: cannot be written (error %d); from now on its files can only be read",
		       x->disk->name, -err);
	x->failed = err;
	return err;
}

int ext_disk_rw(struct ext_fs *x, bool write, u64 block,
		const struct disk_piece *pieces, unsigned int n)
{
	if (block > UINT64_MAX / x->block_size)
		return -EIO;
	if (write)
		x->unflushed = true;
	return x->disk->rw(x->disk, write, ext_sector(x, block), pieces, n);
}

/* --- the tree of blocks --- */

static struct ext_buf *buf_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct ext_buf, node) : NULL;
}

static struct ext_buf *find(struct ext_fs *x, u64 block)
{
	struct rb_node *node = x->bufs.node;

	while (node && buf_of(node)->block != block)
		node = block < buf_of(node)->block ? node->left : node->right;
	return buf_of(node);
}

static void insert(struct ext_fs *x, struct ext_buf *b)
{
	struct rb_node **link = &x->bufs.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (b->block < buf_of(parent)->block) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_insert(&x->bufs, &b->node, parent, link, leftmost);
}

static void forget(struct ext_fs *x, struct ext_buf *b)
{
	rb_erase(&x->bufs, &b->node);
	list_del(&b->list);
	if (b->dirty)
		x->nr_dirty--;
	else
		x->nr_clean--;
	kfree(b->data);
	kfree(b);
}

static void trim(struct ext_fs *x)
{
	while (x->nr_clean > EXT_CLEAN_MAX)
		forget(x, list_last_entry(&x->clean, struct ext_buf, list));
}

void ext_cache_empty(struct ext_fs *x)
{
	struct rb_node *node;

	while ((node = rb_first(&x->bufs)) != NULL)
		forget(x, buf_of(node));
}

/* A new, unchanged block with undefined contents. NULL: no memory. */
static struct ext_buf *add(struct ext_fs *x, u64 block)
{
	struct ext_buf *b = kzalloc(sizeof(*b));

	if (!b)
		return NULL;
	b->data = kmalloc(x->block_size);
	if (!b->data) {
		kfree(b);
		return NULL;
	}
	b->block = block;
	insert(x, b);
	list_add(&b->list, &x->clean);
	x->nr_clean++;
	return b;
}

static void set_dirty(struct ext_fs *x, struct ext_buf *b)
{
	if (b->dirty)
		return;
	b->dirty = true;
	x->nr_clean--;
	list_del(&b->list);
	list_add(&b->list, &x->dirty);
	/* The first change since the last commit: its time runs. */
	if (!x->nr_dirty++)
		wake_up(&x->wait);
}

static void set_clean(struct ext_fs *x, struct ext_buf *b)
{
	if (!b->dirty)
		return;
	b->dirty = false;
	x->nr_dirty--;
	list_del(&b->list);
	list_add(&b->list, &x->clean);
	x->nr_clean++;
}

/* --- what libext2fs asks for --- */

int ext_cache_read(struct ext_fs *x, u64 block, void *buf)
{
	struct disk_piece piece = { .len = x->block_size };
	struct ext_buf *b = find(x, block);
	int err;

	if (!b) {
		b = add(x, block);
		if (!b)
			return -ENOMEM;
		piece.mem = b->data;
		err = ext_disk_rw(x, false, block, &piece, 1);
		if (err) {
			forget(x, b);
			return err == -EINVAL ? -EIO : err;
		}
	} else if (!b->dirty) {
		list_del(&b->list);
		list_add(&b->list, &x->clean);
	}
	memcpy(buf, b->data, x->block_size);
	trim(x);
	return 0;
}

int ext_cache_write(struct ext_fs *x, u64 block, const void *buf)
{
	struct disk_piece piece = { .len = x->block_size };
	struct ext_buf *b = find(x, block);

	if (x->failed)
		return -EIO;
	if (ext_sector(x, block + 1) > x->disk->sectors)
		return -EIO;
	if (!b)
		b = add(x, block);
	if (!b)
		return -ENOMEM;
	memcpy(b->data, buf, x->block_size);
	if (!x->through) {
		set_dirty(x, b);
		return 0;
	}
	piece.mem = b->data;
	return ext_disk_rw(x, true, block, &piece, 1);
}

void ext_cache_drop(struct ext_fs *x, u64 block)
{
	struct ext_buf *b = find(x, block);

	if (b)
		forget(x, b);
}

void ext_cache_block_size(struct ext_fs *x, u32 size)
{
	if (size == x->block_size)
		return;
	ext_cache_empty(x);
	x->block_size = size;
}

int ext_read_bytes(struct ext_fs *x, u64 pos, void *buf, u32 len)
{
	u64 first = pos / DISK_SECTOR;
	u32 off = pos % DISK_SECTOR;
	struct disk_piece piece = {
		.len = ALIGN_UP(off + len, x->disk->block_size),
	};
	int err;

	piece.mem = kmalloc(piece.len);
	if (!piece.mem)
		return -ENOMEM;
	err = x->disk->rw(x->disk, false, first, &piece, 1);
	if (!err)
		memcpy(buf, (u8 *)piece.mem + off, len);
	kfree(piece.mem);
	return err;
}

int ext_flush(struct ext_fs *x)
{
	int err = 0;

	if (x->unflushed)
		err = x->disk->flush(x->disk);
	if (!err)
		x->unflushed = false;
	return err;
}

/* --- the commit --- */

/* The changed blocks to where they belong, in the disk's order. */
static int write_home(struct ext_fs *x)
{
	struct disk_piece pieces[DISK_PIECES_MAX];
	struct rb_node *node = rb_first(&x->bufs), *next;
	unsigned int n = 0;
	u64 first = 0;
	int err = 0;

	for (; node && !err; node = next) {
		struct ext_buf *b = buf_of(node), *after;

		next = rb_next(node);
		if (!b->dirty)
			continue;
		if (!n)
			first = b->block;
		pieces[n++] = (struct disk_piece){ b->data, x->block_size };
		after = buf_of(next);
		if (after && after->dirty && after->block == b->block + 1 &&
		    n < DISK_PIECES_MAX)
			continue;
		err = ext_disk_rw(x, true, first, pieces, n);
		n = 0;
	}
	return err;
}

static void all_clean(struct ext_fs *x)
{
	struct ext_buf *b, *tmp;

	list_for_each_entry_safe(b, tmp, &x->dirty, list)
		set_clean(x, b);
	trim(x);
}

int ext_commit(struct ext_fs *x)
{
	bool journaled;
	int err;

	if (x->failed)
		return -EIO;
	if (x->nr_dirty) {
		err = ext_lib_prepare_commit(x->lib);
		if (err)
			return ext_fail(x, err);
	}
	/* The data that changes lead to comes before them. */
	err = x->journal.blocks && x->nr_dirty ? ext_journal_write(x) :
						 ext_flush(x);
	journaled = x->journal.blocks && !err;
	if (err >= 0)
		err = write_home(x);
	/* Without a journal they are safe only now. */
	if (!err && !journaled)
		err = ext_flush(x);
	if (err)
		return ext_fail(x, err);
	all_clean(x);
	return 0;
}

void ext_changed(struct ext_fs *x)
{
	if (x->nr_dirty > EXT_DIRTY_MAX)
		(void)ext_commit(x);
}
