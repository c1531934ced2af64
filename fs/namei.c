/*
 * Walking paths. A name is looked up whole, by its absolute path: first among
 * the devices, then in the initramfs, then as a directory that the archive
 * only implies by a file in it. The walk itself handles dots and symbolic
 * links, one component at a time.
 */
#include "fs/namei.h"

#include "fs/dev.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"

#define DEV_PREFIX	"dev/"
#define DEV_PREFIX_LEN	4u

/* Inode numbers of what no archive gave one. */
#define INO_ROOT	1u
#define INO_IMPLIED	(1u << 25)

static bool is_dir(const struct node *node)
{
	return (node->mode & S_IFMT) == S_IFDIR;
}

static struct node implied_dir(u64 ino)
{
	return (struct node){ .mode = S_IFDIR | 0755, .ino = ino };
}

static struct node device_node(const struct device *dev)
{
	return (struct node){
		.mode = S_IFCHR | dev->mode, .ino = device_ino(dev),
		.dev = dev,
	};
}

static struct node initramfs_node(const struct initramfs_file *file)
{
	return (struct node){
		.mode = file->mode, .ino = file->ino, .file = file,
	};
}

/* Does @name lie below directory @dir? Then what follows, else NULL. */
static const char *below(const char *name, const char *dir, size_t len)
{
	if (!len)
		return *name ? name : NULL;
	if (strncmp(name, dir, len) || name[len] != '/' || !name[len + 1])
		return NULL;
	return name + len + 1;
}

/* Has the archive a file in @path, without an entry for @path itself? */
static bool implied_by_archive(const char *path, size_t len)
{
	const struct initramfs_file *f;

	for (unsigned int i = 0; (f = initramfs_entry(i)) != NULL; i++) {
		if (below(f->path, path, len))
			return true;
	}
	return false;
}

/* Absolute @path (@len bytes, no leading "/"): true if there is such. */
static bool node_find(const char *path, size_t len, struct node *node)
{
	const struct initramfs_file *file;
	const struct device *dev;

	if (len > DEV_PREFIX_LEN &&
	    !strncmp(path, DEV_PREFIX, DEV_PREFIX_LEN)) {
		dev = device_find(path + DEV_PREFIX_LEN, len - DEV_PREFIX_LEN);
		if (dev) {
			*node = device_node(dev);
			return true;
		}
	}
	file = initramfs_find(path, len);
	if (file) {
		*node = initramfs_node(file);
		return true;
	}
	if (!len) {
		*node = implied_dir(INO_ROOT);
		return true;
	}
	if ((len == 3 && !strncmp(path, "dev", 3)) ||
	    implied_by_archive(path, len)) {
		*node = implied_dir(INO_IMPLIED + len);
		return true;
	}
	return false;
}

/* --- the walk --- */

/* Takes the last component off nd->path; the root stays the root. */
static void path_up(struct nameidata *nd)
{
	while (nd->len && nd->path[nd->len - 1] != '/')
		nd->len--;
	if (nd->len)
		nd->len--;
}

static int path_append(struct nameidata *nd, const char *name, size_t len)
{
	if (nd->len + len + 2 > sizeof(nd->path))
		return -ENAMETOOLONG;
	if (nd->len)
		nd->path[nd->len++] = '/';
	memcpy(nd->path + nd->len, name, len);
	nd->len += len;
	return 0;
}

/*
 * Puts the link's target in front of @rest, which is the end of nd->rest. The
 * link itself is the last component of nd->path.
 */
static int follow_link(struct nameidata *nd, const char *rest)
{
	const struct initramfs_file *link = nd->node.file;
	size_t rest_len = strlen(rest);

	if (++nd->links > MAX_SYMLINKS)
		return -ELOOP;
	if (!link->size)
		return -ENOENT;
	if (link->size + 1 + rest_len + 1 > sizeof(nd->rest))
		return -ENAMETOOLONG;
	memmove(nd->rest + link->size + 1, rest, rest_len + 1);
	memcpy(nd->rest, link->data, link->size);
	nd->rest[link->size] = '/';
	if (!rest_len)
		nd->rest[link->size] = '\0';
	path_up(nd);
	if (nd->rest[0] == '/')
		nd->len = 0;
	return 0;
}

static const char *skip_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return s;
}

/*
 * Takes one component off nd->rest. *@more stays true as long as there may be
 * another.
 */
static int walk_component(struct nameidata *nd, bool follow, bool *more)
{
	const char *name = skip_slashes(nd->rest), *end = name, *rest;
	size_t len;
	int err;

	*more = *name;
	if (!*more)
		return 0;
	if (!is_dir(&nd->node))
		return -ENOTDIR;
	while (*end && *end != '/')
		end++;
	len = (size_t)(end - name);
	rest = skip_slashes(end);
	if (len == 2 && !memcmp(name, "..", 2)) {
		path_up(nd);
	} else if (len != 1 || name[0] != '.') {
		err = path_append(nd, name, len);
		if (err)
			return err;
	}
	if (!node_find(nd->path, nd->len, &nd->node))
		return -ENOENT;
	if ((nd->node.mode & S_IFMT) == S_IFLNK && (*end || follow)) {
		err = follow_link(nd, rest);
		if (err)
			return err;
		return node_find(nd->path, nd->len, &nd->node) ? 0 : -ENOENT;
	}
	/* "file/" asks for a directory. */
	if (*end && !is_dir(&nd->node))
		return -ENOTDIR;
	memmove(nd->rest, rest, strlen(rest) + 1);
	return 0;
}

int path_walk(struct nameidata *nd, bool follow)
{
	bool more = true;
	int err = 0;

	nd->links = 0;
	if (!nd->rest[0])
		return -ENOENT;
	if (nd->rest[0] == '/')
		nd->len = 0;
	if (!node_find(nd->path, nd->len, &nd->node))
		return -ENOENT;
	while (more && !err)
		err = walk_component(nd, follow, &more);
	return err;
}

int namei_file(const char *path, const struct initramfs_file **file)
{
	struct nameidata *nd;
	int err = -ENAMETOOLONG;

	nd = kmalloc(sizeof(*nd));
	if (!nd)
		return -ENOMEM;
	nd->len = 0;
	if (strlcpy(nd->rest, path, sizeof(nd->rest)) < sizeof(nd->rest))
		err = path_walk(nd, true);
	*file = nd->node.file;
	if (!err && (!*file || ((*file)->mode & S_IFMT) != S_IFREG))
		err = -ENOENT;
	kfree(nd);
	return err;
}

void node_stat(const struct node *node, struct kstat *st)
{
	*st = (struct kstat){
		.dev = DEV_INITRAMFS, .ino = node->ino, .mode = node->mode,
		.nlink = is_dir(node) ? 2 : 1,
	};
	if (node->file) {
		st->size = node->file->size;
		st->nlink = max(node->file->nlink, 1u);
		st->mtime = node->file->mtime;
	}
	if (node->dev)
		st->rdev = node->dev->rdev;
}

/* --- directories --- */

/* Did an entry before @index show @name (@len bytes) of @dir already? */
static bool shown_before(const char *dir, size_t dir_len, unsigned int index,
			 const char *name, size_t len)
{
	const struct initramfs_file *f;

	for (unsigned int i = 0; i < index; i++) {
		const char *rest;

		f = initramfs_entry(i);
		rest = below(f->path, dir, dir_len);
		if (rest && !strncmp(rest, name, len) &&
		    (!rest[len] || rest[len] == '/'))
			return true;
	}
	return false;
}

/* What entry @index of the archive puts into @dir: a file or its directory. */
static bool archive_entry(const char *dir, size_t dir_len, unsigned int index,
			  const char **name, size_t *len, struct node *node)
{
	const struct initramfs_file *f = initramfs_entry(index);
	const char *rest = below(f->path, dir, dir_len);
	size_t path_len;

	if (!rest)
		return false;
	*name = rest;
	*len = 0;
	while (rest[*len] && rest[*len] != '/')
		(*len)++;
	path_len = (size_t)(rest - f->path) + *len;
	/* A directory that is implied here may have its own entry later. */
	return !shown_before(dir, dir_len, index, *name, *len) &&
	       node_find(f->path, path_len, node);
}

/* Places 0 and on are the archive's; the devices come behind, at DEV_PLACE. */
#define DEV_PLACE (1ull << 32)

static bool device_place(const char *dir, size_t len, u64 *index,
			 const char **name, size_t *name_len,
			 struct node *node)
{
	const struct device *dev;

	if (len == 0 && *index == DEV_PLACE && !initramfs_find("dev", 3)) {
		(*index)++;
		*name = "dev";
		*name_len = 3;
		return node_find("dev", 3, node);
	}
	if (len != 3 || strncmp(dir, "dev", 3))
		return false;
	dev = device_entry(*index - DEV_PLACE);
	if (!dev)
		return false;
	(*index)++;
	*name = dev->name;
	*name_len = strlen(dev->name);
	*node = device_node(dev);
	return true;
}

bool dir_entry(const char *dir, size_t len, u64 *index, const char **name,
	       size_t *name_len, struct node *node)
{
	while (*index < DEV_PLACE) {
		unsigned int i = (unsigned int)*index;

		if (!initramfs_entry(i)) {
			*index = DEV_PLACE;
			break;
		}
		(*index)++;
		if (archive_entry(dir, len, i, name, name_len, node))
			return true;
	}
	return device_place(dir, len, index, name, name_len, node);
}
