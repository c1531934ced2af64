/*
 * The files the boot loader brought: a newc cpio archive, read in place and
 * never written. Lookups by path give the file's bytes where they lie.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* One entry; borrowed for good. */
struct initramfs_file {
	const char *path;	/* without leading "/" or "./" */
	const void *data;
	size_t size;
	u32 mode;		/* as stat(2) */
	u64 ino;
	u64 mtime;		/* seconds since 1970 */
};

/*
 * Checks and indexes the archive. 0; -EINVAL: not a newc cpio or damaged (the
 * log says at which byte); -ENOENT: none was given; -ENOMEM. Boot.
 */
int initramfs_init(const void *data, size_t len) __must_check;

/* NULL if there is no such file. Follows symbolic links. */
const struct initramfs_file *initramfs_lookup(const char *path);

/* Every entry in order, for listing: NULL ends. */
const struct initramfs_file *initramfs_entry(unsigned int index);
