/*
 * /proc/sys/net/ipv4: the numbers of TCP that can be set. A write gives all
 * numbers of a file or fewer, in decimal; one that is out of range changes
 * nothing. Task context.
 */
#include "fs/proc.h"

#include "fs/proc_internal.h"
#include "kernel/errno.h"
#include "kernel/string.h"

static const struct sysctl_entry *entries;	/* written once, at boot */

void proc_sysctl_register(const struct sysctl_entry *table)
{
	entries = table;
}

static bool number_show(struct seq_file *m, u64 *cursor)
{
	const struct sysctl_entry *e = &entries[m->arg];

	(void)cursor;
	for (u32 i = 0; i < e->nr; i++)
		seq_printf(m, "%s%u", i ? "\t" : "", READ_ONCE(e->value[i]));
	seq_puts(m, "\n");
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The number at *@s, which moves behind it. 0, -EINVAL. */
static int next_number(const char **s, const struct sysctl_entry *e, u32 *v)
{
	const char *end = *s;
	u64 n;

	while (*end && !is_space(*end))
		end++;
	if (!parse_decimal(*s, (size_t)(end - *s), &n) || n < e->least ||
	    n > e->most)
		return -EINVAL;
	*v = (u32)n;
	*s = end;
	return 0;
}

__stackprotect int proc_sysctl_store(const struct sysctl_entry *e,
				     const char *text)
{
	u32 v[SYSCTL_MOST], n = 0;

	while (*text) {
		if (is_space(*text)) {
			text++;
			continue;
		}
		if (n == e->nr || next_number(&text, e, &v[n++]))
			return -EINVAL;
	}
	for (u32 i = 0; i < n; i++)
		WRITE_ONCE(e->value[i], v[i]);
	return n ? 0 : -EINVAL;
}

static int number_store(u64 nr, const char *text)
{
	return proc_sysctl_store(&entries[nr], text);
}

static const struct pseudo_node number_file = {
	.mode = S_IFREG | 0644, .show = number_show, .store = number_store,
};

int proc_sysctl_lookup(struct dentry *dir, const char *name, size_t len,
		       struct dentry **out)
{
	for (u64 i = 0; entries && entries[i].name; i++) {
		const char *n = entries[i].name;

		if (!strncmp(n, name, len) && !n[len])
			return pseudo_dentry(dir, name, len, &number_file, i,
					     out);
	}
	return -ENOENT;
}

bool proc_sysctl_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	(void)dir;
	if (!entries || !entries[*pos].name)
		return false;
	e->name = entries[(*pos)++].name;
	e->len = strlen(e->name);
	e->mode = number_file.mode;
	return true;
}
