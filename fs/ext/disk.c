/* The disks there are, in the order they were found: vda, vdb, ... */
#include "fs/disk.h"

#include "kernel/printk.h"
#include "kernel/string.h"

static struct list_head disks = LIST_HEAD_INIT(disks);

void disk_register(struct disk *d)
{
	struct disk *other;
	char letter = 'a';

	list_for_each_entry(other, &disks, list)
		letter++;
	snprintf(d->name, sizeof(d->name), "vd%c", letter);
	list_add_tail(&d->list, &disks);
}

struct disk *disk_find(const char *name)
{
	struct disk *d;

	list_for_each_entry(d, &disks, list) {
		if (!strcmp(d->name, name) ||
		    (*name && !strcmp(d->serial, name)))
			return d;
	}
	return NULL;
}
