/* /proc/net: a directory of what the network registered at boot. */
#include "fs/proc.h"

#include "fs/proc_internal.h"
#include "kernel/errno.h"
#include "kernel/string.h"

static const struct seq_entry *net_entries;	/* written once, at boot */

void proc_net_register(const struct seq_entry *entries)
{
	net_entries = entries;
}

static const struct seq_entry *net_entry(u64 index)
{
	if (!net_entries || !net_entries[index].name)
		return NULL;
	return &net_entries[index];
}

static u64 nr_net_entries(void)
{
	u64 n = 0;

	while (net_entry(n))
		n++;
	return n;
}

static bool net_show(struct seq_file *m, u64 *cursor)
{
	return net_entries[m->arg].show(m, cursor);
}

static const struct pseudo_node net_file = {
	.mode = S_IFREG | 0444, .show = net_show,
};

static int net_lookup(struct dentry *dir, const char *name, size_t len,
		      struct dentry **out)
{
	const struct seq_entry *e;

	for (u64 i = 0; (e = net_entry(i)) != NULL; i++) {
		if (!strncmp(e->name, name, len) && !e->name[len])
			return pseudo_dentry(dir, name, len, &net_file, i,
					     out);
	}
	return -ENOENT;
}

static bool net_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	(void)dir;
	if (*pos >= nr_net_entries())
		return false;
	e->name = net_entry(*pos)->name;
	e->len = strlen(e->name);
	e->mode = net_file.mode;
	(*pos)++;
	return true;
}

const struct pseudo_node proc_net = {
	.name = "net", .mode = S_IFDIR | 0555,
	.names = NAMES(net_lookup, net_readdir),
};
