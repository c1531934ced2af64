/*
 * The journal of ext4 (JBD2's format, with CRC-32C of everything), written
 * one transaction at a time. Its two halves take turns: a transaction is not
 * overwritten before the one after the next, and by then its blocks are where
 * they belong, and flushed. So the journal's superblock always names one
 * whole transaction or none; e2fsck, Linux and our own mount replay it.
 * Under ext_fs.lock. docs/files.md has the argument.
 */
#include "fs/ext/ext.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/time.h"

#define MAGIC		0xc03b3998u
#define DESCRIPTOR	1u
#define COMMIT		2u
#define SUPER_V2	4u

#define F_64BIT		0x2u
#define F_CSUM_V3	0x10u
#define F_FAST_COMMIT	0x20u
#define CRC32C		4u

#define TAG_ESCAPE	1u
#define TAG_SAME_UUID	2u
#define TAG_LAST	8u

#define SUPER_SIZE	1024u
#define TAIL_SIZE	4u

struct journal_header {
	be32 magic, type, sequence;
};

/* The part of the superblock that is ours to know. */
struct journal_super {
	struct journal_header h;
	be32 block_size, max_len, first;
	be32 sequence, start, error;
	be32 compat, incompat, ro_compat;
	u8 uuid[16];
	be32 nr_users, dynamic, max_transaction, max_data;
	u8 checksum_type, pad[3];
	u8 pad2[0xfc - 0x54];
	be32 checksum;
};

_Static_assert(sizeof(struct journal_super) == 0x100, "JBD2's superblock");

struct journal_tag {
	be32 block, flags, block_high, checksum;
};

struct journal_commit {
	struct journal_header h;
	u8 type, size, pad[2];
	be32 checksum[8];
	be64 sec;
	be32 nsec;
};

static struct journal_super *super_of(struct ext_journal *j)
{
	return (void *)j->super;
}

static void put_header(void *block, u32 type, u32 sequence)
{
	struct journal_header *h = block;

	h->magic = cpu_to_be32(MAGIC);
	h->type = cpu_to_be32(type);
	h->sequence = cpu_to_be32(sequence);
}

/* --- writing a run of the journal's blocks --- */

/* Blocks that follow each other on the disk, not written yet. */
struct run {
	struct ext_fs *x;
	u64 first;		/* on the disk */
	u32 at;			/* the next block of the journal */
	unsigned int n;
	struct disk_piece pieces[DISK_PIECES_MAX];
};

static int run_write(struct run *r)
{
	int err = r->n ? ext_disk_rw(r->x, true, r->first, r->pieces, r->n) :
			 0;

	r->n = 0;
	return err;
}

static int run_add(struct run *r, void *data)
{
	u64 block = r->x->journal.map[r->at++];
	int err = 0;

	if (r->n == DISK_PIECES_MAX || (r->n && block != r->first + r->n))
		err = run_write(r);
	if (!r->n)
		r->first = block;
	r->pieces[r->n++] = (struct disk_piece){ data, r->x->block_size };
	return err;
}

/* --- a transaction --- */

static u32 tags_of_block(const struct ext_fs *x)
{
	return (x->block_size - sizeof(struct journal_header) - TAIL_SIZE -
		sizeof(super_of(NULL)->uuid)) / sizeof(struct journal_tag);
}

/* The journal's own checksum of a block whose field @sum is. */
static void seal(struct ext_fs *x, void *block, be32 *sum)
{
	*sum = 0;
	*sum = cpu_to_be32(ext_crc32c(x->journal.seed, block, x->block_size));
}

static int write_super(struct ext_fs *x, u32 start, u32 sequence)
{
	struct journal_super *s = super_of(&x->journal);
	struct disk_piece piece = { x->journal.super, x->block_size };

	s->start = cpu_to_be32(start);
	s->sequence = cpu_to_be32(sequence);
	s->checksum = 0;
	s->checksum = cpu_to_be32(ext_crc32c(~0u, s, SUPER_SIZE));
	return ext_disk_rw(x, true, x->journal.map[0], &piece, 1);
}

/* What the journal gets of @b: a copy at @spare if it looks like its own. */
static u8 *journal_copy(struct ext_fs *x, struct ext_buf *b, u8 *spare,
			bool *escaped)
{
	*escaped = get_be32(b->data) == MAGIC;
	if (!*escaped)
		return b->data;
	memcpy(spare, b->data, x->block_size);
	memset(spare, 0, 4);
	return spare;
}

static void put_tag(struct ext_fs *x, u8 *at, const struct ext_buf *b,
		    const u8 *copy, u32 flags)
{
	be32 sequence = cpu_to_be32(x->journal.sequence);
	u32 crc = ext_crc32c(x->journal.seed, &sequence, sizeof(sequence));
	struct journal_tag tag = {
		.block = cpu_to_be32((u32)b->block),
		.block_high = cpu_to_be32((u32)(b->block >> 32)),
		.flags = cpu_to_be32(flags),
		.checksum = cpu_to_be32(ext_crc32c(crc, copy, x->block_size)),
	};

	memcpy(at, &tag, sizeof(tag));
}

/*
 * One descriptor at @desc and up to as many blocks as it has room for, from
 * *@b on, which moves behind them.
 */
static int write_part(struct run *r, u8 *desc, u8 *spare, struct ext_buf **b)
{
	struct ext_fs *x = r->x;
	u32 room = tags_of_block(x);
	u8 *at = desc + sizeof(struct journal_header);
	struct ext_buf *e = *b;
	u32 flags = 0, nr = 0;
	int err;

	memset(desc, 0, x->block_size);
	put_header(desc, DESCRIPTOR, x->journal.sequence);
	/* All tags first: the descriptor goes to the disk before its blocks. */
	for (; &e->list != &x->dirty && nr < room; nr++) {
		struct ext_buf *next = list_next_entry(e, list);
		bool escaped, last = &next->list == &x->dirty ||
				     nr + 1 == room;
		u8 *copy = journal_copy(x, e, spare, &escaped);

		put_tag(x, at, e, copy, flags | (escaped ? TAG_ESCAPE : 0) |
					(last ? TAG_LAST : 0));
		at += sizeof(struct journal_tag);
		if (!nr)
			at += sizeof(super_of(NULL)->uuid);
		flags = TAG_SAME_UUID;
		e = next;
	}
	seal(x, desc, (be32 *)(void *)(desc + x->block_size - TAIL_SIZE));
	err = run_add(r, desc);
	for (e = *b; nr-- && !err; e = list_next_entry(e, list)) {
		bool escaped;
		u8 *copy = journal_copy(x, e, spare, &escaped);

		err = run_add(r, copy);
		/* @desc and @spare are used again. */
		if (!err && escaped)
			err = run_write(r);
	}
	*b = e;
	return err ? err : run_write(r);
}

static int write_blocks(struct ext_fs *x, struct run *r, u8 *mem)
{
	struct ext_buf *b = list_first_entry(&x->dirty, struct ext_buf, list);
	int err = 0;

	while (!err && &b->list != &x->dirty)
		err = write_part(r, mem, mem + x->block_size, &b);
	return err;
}

/* The record that makes all before it valid. */
static int write_commit(struct ext_fs *x, struct run *r, u8 *mem)
{
	u64 now = ext_now();
	struct journal_commit *c = (void *)mem;
	int err;

	memset(mem, 0, x->block_size);
	put_header(mem, COMMIT, x->journal.sequence);
	c->sec = __builtin_bswap64(now / NSEC_PER_SEC);
	c->nsec = cpu_to_be32((u32)(now % NSEC_PER_SEC));
	seal(x, mem, &c->checksum[0]);
	err = run_add(r, mem);
	return err ? err : run_write(r);
}

int ext_journal_write(struct ext_fs *x)
{
	struct ext_journal *j = &x->journal;
	struct run r = { .x = x,
			 .at = j->first + (j->sequence & 1 ? j->half : 0) };
	u32 start = r.at;
	u8 *mem;
	int err;

	/* What does not fit goes straight home; e2fsck -p can mend that. */
	if (x->nr_dirty + x->nr_dirty / tags_of_block(x) + 2 > j->half)
		return ext_journal_clear(x) ?: 1;
	mem = kmalloc(2 * x->block_size);
	if (!mem)
		return -ENOMEM;
	err = write_blocks(x, &r, mem);
	/*
	 * They are there, and the data that they lead to, and what the last
	 * transaction wrote to its places, before this one is named.
	 */
	if (!err)
		err = ext_flush(x);
	if (!err)
		err = write_super(x, start, j->sequence);
	if (!err)
		err = write_commit(x, &r, mem);
	if (!err)
		err = ext_flush(x);
	kfree(mem);
	j->sequence++;
	return err;
}

int ext_journal_clear(struct ext_fs *x)
{
	int err = ext_flush(x);

	if (!err)
		err = write_super(x, 0, x->journal.sequence);
	return err ? err : ext_flush(x);
}

/* --- opening --- */

static const char *check_super(const struct ext_fs *x,
			       const struct journal_super *s)
{
	u32 first = be32_to_cpu(s->first), len = be32_to_cpu(s->max_len);

	if (be32_to_cpu(s->h.magic) != MAGIC ||
	    be32_to_cpu(s->h.type) != SUPER_V2 ||
	    be32_to_cpu(s->block_size) != x->block_size)
		return "is not of the kind that mke2fs -t ext4 makes";
	if (be32_to_cpu(s->incompat) & F_FAST_COMMIT)
		return "has fast commits; tune2fs -O ^fast_commit";
	if (!first || first >= len || len - first < 64 ||
	    x->journal.blocks < 64 || first >= x->journal.blocks / 2)
		return "is too short or corrupt; run e2fsck -f";
	return be32_to_cpu(s->start) ? "was not replayed; run e2fsck" : NULL;
}

int ext_journal_open(struct ext_fs *x)
{
	struct ext_journal *j = &x->journal;
	struct journal_super *s;
	const char *wrong;
	int err;

	j->super = kmalloc(x->block_size);
	if (!j->super)
		return -ENOMEM;
	s = super_of(j);
	err = ext_read_bytes(x, j->map[0] * x->block_size, s, x->block_size);
	if (err)
		return err;
	wrong = check_super(x, s);
	if (wrong) {
		pr_err("ext: %s: its journal %s", x->disk->name, wrong);
		return -EINVAL;
	}
	j->first = be32_to_cpu(s->first);
	j->half = (min(be32_to_cpu(s->max_len), j->blocks) - j->first) / 2;
	j->sequence = be32_to_cpu(s->sequence);
	j->seed = ext_crc32c(~0u, s->uuid, sizeof(s->uuid));
	/* It is empty: from here on it is written in our way. */
	s->compat = 0;
	s->incompat = cpu_to_be32((be32_to_cpu(s->incompat) & F_64BIT) |
				  F_64BIT | F_CSUM_V3);
	s->checksum_type = CRC32C;
	return ext_journal_clear(x);
}
