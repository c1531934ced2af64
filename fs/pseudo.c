/*
 * Directories, files and links of /proc and /sys. A file's text is made in a
 * buffer of the open file, a piece at a time; reading goes on where the last
 * read ended, and a read from elsewhere makes the text again from its start.
 *
 * LOCKING: inode->lock guards an open file's buffer (its inode is nobody
 * else's).
 */
#include "fs/pseudo.h"

#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define BUF_FIRST	PAGE_SIZE
#define BUF_MAX		(1ul << 20)
#define WRITE_MAX	64u

static const struct pseudo_node *node_of(const struct inode *inode)
{
	return inode->private;
}

/* --- files --- */

/* What an open file keeps: vfs_file.state. */
struct seq_state {
	struct seq_file m;
	u64 cursor;
	u64 pos;		/* of m.buf[0] in the whole text */
	size_t used;		/* bytes of m.buf that were read */
	bool done;		/* there is no more behind m.buf */
};

static void seq_rewind(struct seq_state *s)
{
	s->m.len = 0;
	s->cursor = 0;
	s->pos = 0;
	s->used = 0;
	s->done = false;
}

static int seq_grow(struct seq_state *s)
{
	size_t size = s->m.size ? s->m.size * 2 : BUF_FIRST;
	char *buf = size > BUF_MAX ? NULL : vmalloc(size);

	if (!buf)
		return -ENOMEM;
	vfree(s->m.buf);
	s->m.buf = buf;
	s->m.size = size;
	return 0;
}

/* The next piece of the text, at least one record. */
static int seq_fill(struct seq_state *s, const struct pseudo_node *node)
{
	bool more = true;

	s->pos += s->m.len;
	s->m.len = 0;
	s->used = 0;
	while (more && s->m.len < s->m.size / 2 + !s->m.size) {
		u64 cursor = s->cursor;
		size_t len = s->m.len;

		s->m.overflow = !s->m.size;
		if (s->m.size)
			more = node->show(&s->m, &s->cursor);
		if (s->m.overflow) {
			s->m.len = len;
			s->cursor = cursor;
			more = true;
			if (len)
				break;
			if (seq_grow(s))
				return -ENOMEM;
		}
	}
	s->done = !more;
	return 0;
}

static ssize_t seq_read_locked(struct seq_state *s,
			       const struct pseudo_node *node,
			       struct iov_iter *to, loff_t *pos)
{
	ssize_t done = 0;

	if ((u64)*pos != s->pos + s->used)
		seq_rewind(s);
	while (to->count) {
		u64 at = s->pos + s->used;
		size_t n = s->m.len - s->used;

		if (!n) {
			int err = s->done ? 1 : seq_fill(s, node);

			if (err)
				return done || err > 0 ? done : err;
			if (!s->m.len && s->done)
				return done;
			continue;
		}
		if (at < (u64)*pos) {
			s->used += min(n, (u64)*pos - at);
			continue;
		}
		n = copy_to_iter(s->m.buf + s->used, min(n, to->count), to);
		if (!n)
			return done ? done : -EFAULT;
		s->used += n;
		*pos += (loff_t)n;
		done += (ssize_t)n;
	}
	return done;
}

static ssize_t text_read(const char *text, struct iov_iter *to, loff_t *pos)
{
	size_t len = strlen(text), n;

	if ((u64)*pos >= len || !to->count)
		return 0;
	n = copy_to_iter(text + *pos, min(len - (u64)*pos, to->count), to);
	*pos += (loff_t)n;
	return n ? (ssize_t)n : -EFAULT;
}

static ssize_t pseudo_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	struct vfs_file *vf = vfs_file(file);
	const struct pseudo_node *node = node_of(vf->inode);
	struct seq_state *s;
	ssize_t n = -ENOMEM;

	if (node->fixed)
		return text_read(node->text, to, pos);
	mutex_lock(&vf->inode->lock);
	if (!vf->state)
		vf->state = kzalloc(sizeof(*s));
	s = vf->state;
	if (s) {
		s->m.arg = vf->inode->private_nr;
		n = seq_read_locked(s, node, to, pos);
	}
	mutex_unlock(&vf->inode->lock);
	return n;
}

/* A mode may allow root to write what nobody takes. */
static ssize_t pseudo_write(struct file *file, struct iov_iter *from,
			    loff_t *pos)
{
	const struct inode *inode = vfs_file(file)->inode;
	size_t n = from->count;
	char text[WRITE_MAX];
	int err;

	(void)pos;
	if (!n)
		return 0;
	if (n >= sizeof(text) || !node_of(inode)->store)
		return -EINVAL;
	if (copy_from_iter(text, n, from) != n)
		return -EFAULT;
	text[n] = '\0';
	err = node_of(inode)->store(inode->private_nr, text);
	return err ? err : (ssize_t)n;
}

static void pseudo_release(struct file *file)
{
	struct seq_state *s = vfs_file(file)->state;

	if (s)
		vfree(s->m.buf);
	kfree(s);
	vfs_file_release(file);
}

static const struct file_operations pseudo_fops = {
	.read_iter = pseudo_read,
	.write_iter = pseudo_write,
	.stat = vfs_file_stat,
	.release = pseudo_release,
	.vfs = true,
	.name = "proc",
};

static const struct inode_operations pseudo_file_iops = {
	.fops = &pseudo_fops,
};

/* --- links --- */

static ssize_t link_readlink(struct dentry *link, char *buf, size_t size)
{
	const struct pseudo_node *node = node_of(link->inode);
	size_t len;

	if (!node->fixed)
		return node->readlink(link, buf, size);
	len = min(strlen(node->text), size);
	memcpy(buf, node->text, len);
	return (ssize_t)len;
}

static int link_jump(struct dentry *link, struct dentry **out)
{
	return node_of(link->inode)->jump(link, out);
}

static const struct inode_operations pseudo_link_iops = {
	.readlink = link_readlink,
};

static const struct inode_operations pseudo_jump_iops = {
	.readlink = link_readlink,
	.jump = link_jump,
};

/* --- directories --- */

static int dir_lookup(struct dentry *dir, const char *name, size_t len,
		      struct dentry **out)
{
	const struct pseudo_node *node = node_of(dir->inode);

	for (u32 i = 0; node->children && node->children[i]; i++) {
		const struct pseudo_node *c = node->children[i];

		if (!strncmp(c->name, name, len) && !c->name[len])
			return pseudo_dentry(dir, name, len, c,
					     dir->inode->private_nr, out);
	}
	return node->names ? node->names->lookup(dir, name, len, out) :
			     -ENOENT;
}

/* The same each time, whoever asks, and small enough for old programs. */
static u64 pseudo_ino(const struct inode *dir, const char *name, size_t len)
{
	return (dir->ino * 31 + name_hash(name, len)) & 0x7fffffff;
}

static u32 nr_children(const struct pseudo_node *node)
{
	u32 n = 0;

	while (node->children && node->children[n])
		n++;
	return n;
}

static bool dir_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	const struct pseudo_node *node = node_of(dir->inode), *c;
	u32 n = nr_children(node);
	u64 rest;
	bool found;

	if (*pos < n) {
		c = node->children[(*pos)++];
		e->name = c->name;
		e->len = strlen(c->name);
		e->ino = pseudo_ino(dir->inode, e->name, e->len);
		e->mode = c->mode;
		return true;
	}
	if (!node->names)
		return false;
	rest = *pos - n;
	found = node->names->readdir(dir, &rest, e);
	e->ino = found ? pseudo_ino(dir->inode, e->name, e->len) : 0;
	*pos = rest + n;
	return found;
}

static const struct inode_operations pseudo_dir_iops = {
	.lookup = dir_lookup,
	.readdir = dir_readdir,
	.fops = &vfs_dir_fops,
};

static struct inode *pseudo_inode(const struct pseudo_node *node, u32 dev,
				  u64 nr)
{
	const struct inode_operations *ops = &pseudo_file_iops;
	struct inode *inode;

	if ((node->mode & S_IFMT) == S_IFDIR)
		ops = &pseudo_dir_iops;
	else if ((node->mode & S_IFMT) == S_IFLNK)
		ops = node->jump ? &pseudo_jump_iops : &pseudo_link_iops;
	inode = inode_new(ops, node->mode);
	if (!inode)
		return NULL;
	inode->dev = dev;
	inode->nlink = ops == &pseudo_dir_iops ? 2 : 1;
	inode->private = node;
	inode->private_nr = nr;
	return inode;
}

struct inode *pseudo_root(const struct pseudo_node *node, u32 dev)
{
	struct inode *inode = pseudo_inode(node, dev, 0);

	/* Linking it adds what a directory counts. */
	if (inode) {
		inode->nlink = 0;
		inode->ino = 1;
	}
	return inode;
}

int pseudo_dentry(struct dentry *dir, const char *name, size_t len,
		  const struct pseudo_node *node, u64 nr, struct dentry **out)
{
	struct inode *inode = pseudo_inode(node, dir->inode->dev, nr);

	*out = NULL;
	if (inode)
		inode->ino = pseudo_ino(dir->inode, name, len);
	if (inode)
		*out = dentry_new(dir, name, len, true, inode);
	if (*out)
		return 0;
	if (inode)
		iput(inode);
	return -ENOMEM;
}

bool parse_decimal(const char *name, size_t len, u64 *nr)
{
	u64 v = 0;

	if (!len || len > 10 || (name[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		v = v * 10 + (u64)(name[i] - '0');
	}
	*nr = v;
	return true;
}

void number_entry(struct dir_entry *e, u64 nr, u32 mode)
{
	e->len = (size_t)snprintf(e->buf, sizeof(e->buf), "%llu",
				  (unsigned long long)nr);
	e->name = e->buf;
	e->mode = mode;
}
