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

/* The device of that number, NULL if there is none. */
const struct device *device_by_number(u32 rdev);
/* The one that files of that kind are opened from, NULL if none is. */
const struct device *device_by_fops(const struct file_operations *fops);
/* The @index-th device, NULL after the last. */
const struct device *device_entry(u32 index);
