/*
 * The files the boot loader brought: a newc cpio archive, read in place and
 * never written. Finding a name costs one hash probe; walking paths with
 * symbolic links is fs/namei.h's work.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* One entry; borrowed for good. */
struct initramfs_file {
	const char *path;	/* without leading "/" or "./"; "" is the root */
	const void *data;	/* of a symbolic link: its target, no end */
	size_t size;
	u32 mode;		/* as stat(2) */
	u32 nlink;
	u64 ino;
	u64 mtime;		/* seconds since 1970 */
};

/*
 * Checks and indexes the archive. 0; -EINVAL: not a newc cpio or damaged (the
 * log says at which byte and what to do); -ENOENT: none was given; -ENOMEM.
 * @data is borrowed for good. Boot, task context.
 */
int initramfs_init(const void *data, size_t len) __must_check;

/* Do [@p, @p + @len) lie in the archive, which nobody changes? Any context. */
bool initramfs_holds(const void *p, size_t len);

/* Drops the index again: for those who try several archives. */
void initramfs_forget(void);

/*
 * The entry of that very name (@len bytes of @path, no leading "/"), NULL if
 * there is none. Any context.
 */
const struct initramfs_file *initramfs_find(const char *path, size_t len);

/* As initramfs_find() with a leading "/" allowed and a string's end. */
const struct initramfs_file *initramfs_lookup(const char *path);

/* Every entry in the archive's order, for listing: NULL ends. */
const struct initramfs_file *initramfs_entry(unsigned int index);
