/*
 * Disks: a driver registers each, a file system finds it by its name. Both
 * ways in task context; every call sleeps until the disk has answered.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/types.h"

#define DISK_SECTOR	512u	/* what positions count, whatever the disk */
#define DISK_PIECES_MAX	32u

/* Memory that has a physical address; whole sectors. */
struct disk_piece {
	void *mem;
	u32 len;
};

/* Locks: c const once registered. */
struct disk {
	struct list_head list;		/* c */
	char name[8];			/* c  "vda" */
	char serial[24];		/* c  what the host calls it; or "" */
	u64 sectors;			/* c */
	u32 block_size;			/* c  what it moves at once */
	bool read_only;			/* c */
	/*
	 * Moves @n pieces (at most DISK_PIECES_MAX) that lie in a row on the
	 * disk from @sector on. 0; -EIO, -ENOSPC (the host has no room),
	 * -EROFS, -EINVAL (outside the disk).
	 */
	int (*rw)(struct disk *d, bool write, u64 sector,
		  const struct disk_piece *pieces, unsigned int n);
	/* What was written stays, should the power fail. 0 or -EIO. */
	int (*flush)(struct disk *d);
};

/* Names it and makes it known, for good. Boot. */
void disk_register(struct disk *d);
/* The disk of that name or serial; NULL. */
struct disk *disk_find(const char *name);
