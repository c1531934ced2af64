/* The devices under /dev. */
#pragma once

#include "fs/file.h"
#include "kernel/types.h"

struct device {
	const char *name;		/* under /dev */
	u32 rdev;			/* MKDEV() */
	u32 mode;			/* permissions */
	const struct file_operations *fops;
	bool seekable;			/* lseek works and leads to 0 */
};

/* Its inode number, out of the way of the archive's. */
static inline u64 device_ino(const struct device *dev)
{
	return (1u << 24) + dev->rdev;
}

/* The device of that name (@len bytes), NULL if there is none. */
const struct device *device_find(const char *name, size_t len);
/* The @index-th device, NULL after the last. */
const struct device *device_entry(u64 index);
