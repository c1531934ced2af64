/*
 * Between the kernel's half (ext_fs.c, ext_file.c, ext_cache.c) and the half
 * that is written against libext2fs and a C library's headers (ext_lib.c,
 * ext_libc.c). Only plain types here: the two worlds' headers do not mix.
 * All functions return 0 or -errno unless said otherwise, may sleep, and are
 * called with ext_fs.lock held. -EIO also means that the disk holds nonsense.
 */
#pragma once

#include "kernel/types.h"

struct ext_fs;			/* the kernel's half */

/* --- the kernel's half, called by the library's --- */

/* Metadata blocks: read, changed in memory (ext_cache.c), dropped. */
int ext_cache_read(struct ext_fs *x, u64 block, void *buf);
int ext_cache_write(struct ext_fs *x, u64 block, const void *buf);
void ext_cache_drop(struct ext_fs *x, u64 block);
/* From here on blocks are of that size; forgets the others. */
void ext_cache_block_size(struct ext_fs *x, u32 size);
/* Bytes straight from the disk, for what lies before the first block. */
int ext_read_bytes(struct ext_fs *x, u64 pos, void *buf, u32 len);
int ext_flush(struct ext_fs *x);
/* Real time, ns since 1970. */
u64 ext_now(void);
/* The file system on that disk; NULL. */
struct ext_fs *ext_by_disk(const char *name);
void *ext_alloc(size_t n);
void ext_free(void *p);
size_t ext_alloc_size(const void *p);
void ext_complain(const char *text);
void ext_give_up(const char *where) __attribute__((noreturn));

/* --- the library's half --- */

/* What the kernel's half has to know of a file system that was opened. */
struct ext_geometry {
	u32 block_size;
	u64 blocks;
	u64 *journal;		/* its blocks, ext_alloc()ed; NULL: none */
	u32 journal_blocks;
	u32 root;		/* inode number */
};

/*
 * Opens what is on the disk of @x, after replaying its journal if @rw. Says
 * itself what is wrong. The handle goes to all others; NULL: it failed.
 */
void *ext_lib_open(struct ext_fs *x, const char *name, bool rw,
		   struct ext_geometry *g);
void ext_lib_free(void *lib);
/* Marks the file system as in use, or as left in good order. */
int ext_lib_mark(void *lib, bool in_use);
/* Frees what was removed while open when the machine stopped. */
int ext_lib_orphans(void *lib);

/* Puts bitmaps, group descriptors and superblock among the changed blocks. */
int ext_lib_prepare_commit(void *lib);
/* Blocks that were given up and are not free until the next commit? */
bool ext_lib_gave_up(void *lib);

struct ext_attr {
	u32 mode, nlink, uid, gid, rdev;
	u64 size, sectors;
	u64 atime, mtime, ctime;	/* ns since 1970 */
};

struct ext_room {
	u64 blocks, free_blocks, inodes, free_inodes;
};

int ext_lib_getattr(void *lib, u32 ino, struct ext_attr *a);
/* Mode, owners and times; a->ctime becomes now. */
int ext_lib_setattr(void *lib, u32 ino, const struct ext_attr *a);
void ext_lib_room(void *lib, struct ext_room *r);

/* Names end with a 0. @ino is the directory. */
int ext_lib_lookup(void *lib, u32 dir, const char *name, u32 *ino);
int ext_lib_make(void *lib, u32 dir, const char *name, u32 mode, u32 rdev,
		 const char *target, u32 *ino);
int ext_lib_link(void *lib, u32 dir, const char *name, u32 ino);
/*
 * Takes @name, which is @ino, away. With its last name a file goes to the
 * list of orphans: ext_lib_delete() frees it when nobody has it open.
 */
int ext_lib_unlink(void *lib, u32 dir, const char *name, u32 ino);
int ext_lib_delete(void *lib, u32 ino);
/* @old: the inode whose place @ino takes, 0: none. */
int ext_lib_rename(void *lib, u32 from, const char *name, u32 to,
		   const char *new_name, u32 ino, u32 old);
/* A link's target, without an end: its length, or -errno. */
int ext_lib_readlink(void *lib, u32 ino, char *buf, size_t size);

/* A directory's entries from @pos on; @emit says false when it has enough. */
int ext_lib_iterate(void *lib, u32 ino, u64 pos,
		    bool (*emit)(void *arg, const char *name, size_t len,
				 u32 ino, u32 type, u64 next),
		    void *arg);

/*
 * Where block @index of a file is: *@block, 0 for a hole. With @alloc a hole
 * is filled, and *@fresh tells that its contents are undefined.
 */
int ext_lib_map(void *lib, u32 ino, u64 index, bool alloc, u64 *block,
		bool *fresh);
/* The file was written to up to @end. */
int ext_lib_written(void *lib, u32 ino, u64 end);
/* Cuts or grows it; the rest of the last block is the caller's to zero. */
int ext_lib_truncate(void *lib, u32 ino, u64 size);
/* Blocks @first to @last become a hole. */
int ext_lib_punch(void *lib, u32 ino, u64 first, u64 last);

/* CRC-32C, the journal's. */
u32 ext_crc32c(u32 crc, const void *data, size_t n);
