/* Shared mappings of files. */
#pragma once

#include "kernel/mm/mm.h"

/* For kernel/mm/mm.h's mmap_sources: the sources are inodes. */
extern const struct mmap_source_ops vfs_mmap_sources;

struct file;

/* Their open(), for an open file: -ENODEV if it is none of the tmpfs. */
int vfs_mmap_open(struct file *file, u32 prot, void **source);

/* @open of what @fd is: its error, or -EBADF. Task context, may sleep. */
int vfs_mmap_fd(int fd, u32 prot, void **source,
		int (*open)(struct file *file, u32 prot, void **source));
