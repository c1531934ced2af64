/*
 * The initramfs: a parser for newc cpio archives (cpio(5), "New ASCII
 * Format") that trusts no number in them, and a hash table over the names.
 * Several archives may follow one another, with zeroes between, as boot
 * loaders and early-microcode tools leave them. Runs once at boot; afterwards
 * everything here is constant.
 */
#include "fs/initramfs.h"

#include "fs/stat.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define HEADER_LEN	110u	/* magic and 13 fields of 8 hex digits */
#define MAX_NAME	4096u
#define TRAILER		"TRAILER!!!"

enum cpio_field {
	CPIO_INO,
	CPIO_MODE,
	CPIO_UID,
	CPIO_GID,
	CPIO_NLINK,
	CPIO_MTIME,
	CPIO_FILESIZE,
	CPIO_DEVMAJOR,
	CPIO_DEVMINOR,
	CPIO_RDEVMAJOR,
	CPIO_RDEVMINOR,
	CPIO_NAMESIZE,
	CPIO_CHECK,
	CPIO_NR_FIELDS,
};

/* A cursor over the archive, and why it stopped. */
struct cpio {
	const char *base;
	size_t len;
	size_t off;
	const char *error;	/* NULL: none */
};

static struct {
	struct initramfs_file *files;
	u32 count;
	u32 *slots;		/* open addressing: index + 1, 0 is free */
	u32 mask;
	u32 room;		/* entries that @files has room for */
	const char *data;	/* the archive */
	size_t len;
} initramfs;

/* --- parsing --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False if @p is not eight hex digits. */
static bool parse_hex8(const char *p, u32 *out)
{
	u32 v = 0;

	for (int i = 0; i < 8; i++) {
		int d = hex_digit(p[i]);

		if (d < 0)
			return false;
		v = v << 4 | (u32)d;
	}
	*out = v;
	return true;
}

static bool cpio_fail(struct cpio *c, const char *why)
{
	c->error = why;
	return false;
}

/* The header at the cursor, every number checked for being one. */
static bool cpio_header(struct cpio *c, u32 field[CPIO_NR_FIELDS])
{
	const char *p = c->base + c->off;

	if (c->len - c->off < HEADER_LEN)
		return cpio_fail(c, "cut off inside a header");
	if (memcmp(p, "070701", 6) && memcmp(p, "070702", 6))
		return cpio_fail(c, "no newc header");
	for (int i = 0; i < CPIO_NR_FIELDS; i++) {
		if (!parse_hex8(p + 6 + 8 * i, &field[i]))
			return cpio_fail(c, "a number that is not hex");
	}
	return true;
}

/* The name without what says nothing; "" for the root. */
static const char *strip_name(const char *name)
{
	for (;;) {
		if (name[0] == '/')
			name++;
		else if (name[0] == '.' && name[1] == '/')
			name += 2;
		else if (name[0] == '.' && !name[1])
			name++;
		else
			return name;
	}
}

/*
 * Reads the entry at the cursor and moves past it. All sizes are 32-bit and
 * checked against what is left before they are added to anything.
 */
__stackprotect
static bool cpio_entry(struct cpio *c, struct initramfs_file *file)
{
	u32 field[CPIO_NR_FIELDS];
	const char *name;
	size_t off, namesize, size;

	if (!cpio_header(c, field))
		return false;
	namesize = field[CPIO_NAMESIZE];
	size = field[CPIO_FILESIZE];
	off = c->off + HEADER_LEN;
	if (!namesize || namesize > MAX_NAME)
		return cpio_fail(c, "a name of impossible length");
	if (namesize > c->len - off)
		return cpio_fail(c, "cut off inside a name");
	name = c->base + off;
	if (strnlen(name, namesize) != namesize - 1)
		return cpio_fail(c, "a name without its end");
	off = ALIGN_UP(off + namesize, 4ul);
	if (size && (off > c->len || size > c->len - off))
		return cpio_fail(c, "cut off inside a file");
	file->path = strip_name(name);
	file->data = c->base + off;
	file->size = size;
	file->mode = field[CPIO_MODE];
	file->nlink = field[CPIO_NLINK];
	file->ino = field[CPIO_INO];
	file->mtime = field[CPIO_MTIME];
	/* The padding of the last entry may be missing. */
	c->off = min(ALIGN_UP(off + size, 4ul), c->len);
	return true;
}

/* Past the zeroes that may follow a trailer. */
static void cpio_skip_zeroes(struct cpio *c)
{
	u64 word = 0;

	/* Pages of them lie in front of what begins on a page. */
	while (c->off + sizeof(word) <= c->len && !word) {
		memcpy(&word, c->base + c->off, sizeof(word));
		c->off += word ? 0 : sizeof(word);
	}
	while (c->off < c->len && !c->base[c->off])
		c->off++;
}

/* The next entry that is a file; false at the end or on an error. */
static bool cpio_next(struct cpio *c, struct initramfs_file *file)
{
	while (c->off < c->len) {
		if (!cpio_entry(c, file))
			return false;
		if (strcmp(file->path, TRAILER))
			return true;
		cpio_skip_zeroes(c);
	}
	return false;
}

/* --- the index --- */

/* FNV-1a: names are not chosen by an attacker. */
static u32 hash_name(const char *s, size_t len)
{
	u32 h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (u8)s[i]) * 16777619u;
	return h;
}

/* The slot where the name is, or the free one where it belongs. */
static u32 *find_slot(const char *path, size_t len)
{
	u32 i = hash_name(path, len);

	for (;; i++) {
		u32 *slot = &initramfs.slots[i & initramfs.mask];
		const char *have;

		if (!*slot)
			return slot;
		have = initramfs.files[*slot - 1].path;
		if (!strncmp(have, path, len) && !have[len])
			return slot;
	}
}

static void *index_alloc(size_t size)
{
	return size <= PAGE_SIZE ? kzalloc(size) : vmalloc(size);
}

static void index_free(void *p, size_t size)
{
	if (size <= PAGE_SIZE)
		kfree(p);
	else
		vfree(p);
}

void initramfs_forget(void)
{
	index_free(initramfs.files,
		   initramfs.room * sizeof(initramfs.files[0]));
	index_free(initramfs.slots,
		   (initramfs.mask + 1) * sizeof(initramfs.slots[0]));
	initramfs.files = NULL;
	initramfs.slots = NULL;
	initramfs.count = 0;
	initramfs.len = 0;
}

/* Room for @count entries, at most half of the slots taken. */
static int index_create(u32 count)
{
	u32 slots = 16;

	while (slots < 2 * (u64)count)
		slots *= 2;
	initramfs.files = index_alloc(count * sizeof(initramfs.files[0]));
	initramfs.slots = index_alloc(slots * sizeof(initramfs.slots[0]));
	initramfs.mask = slots - 1;
	initramfs.room = count;
	if (initramfs.files && initramfs.slots)
		return 0;
	initramfs_forget();
	return -ENOMEM;
}

/* A name that comes twice means its last entry, as when Linux unpacks. */
static void index_add(const struct initramfs_file *file)
{
	u32 *slot = find_slot(file->path, strlen(file->path));

	if (!*slot)
		*slot = ++initramfs.count;
	initramfs.files[*slot - 1] = *file;
}

/*
 * Of hard links, cpio(1) gives the data to the last name only: find it for
 * the others by the inode number.
 */
static void resolve_hard_link(struct initramfs_file *file)
{
	if (file->nlink < 2 || file->size || (file->mode & S_IFMT) != S_IFREG)
		return;
	for (u32 i = 0; i < initramfs.count; i++) {
		const struct initramfs_file *other = &initramfs.files[i];

		if (other->ino == file->ino && other->size) {
			file->data = other->data;
			file->size = other->size;
			return;
		}
	}
}

static void report_damage(const struct cpio *c)
{
	const u8 *p = (const u8 *)c->base;

	if (!c->off && c->len > 1 && p[0] == 0x1f && p[1] == 0x8b) {
		pr_err("initramfs: it is compressed; give the plain cpio "
		       "archive (gunzip it first)");
		return;
	}
	pr_err("initramfs: %s at byte %zu of %zu; make it with "
	       "`find . | cpio -o -H newc`", c->error, c->off, c->len);
}

int initramfs_init(const void *data, size_t len)
{
	struct cpio c = { .base = data, .len = len };
	struct initramfs_file file;
	u32 count = 0;
	int err;

	if (!data || !len) {
		pr_err("initramfs: none was given; pass one with -initrd, or "
		       "as a module2 line in grub.cfg");
		return -ENOENT;
	}
	cpio_skip_zeroes(&c);
	while (cpio_next(&c, &file))
		count++;
	if (!c.error && !count)
		c.error = "no file in it";
	if (c.error) {
		report_damage(&c);
		return -EINVAL;
	}
	err = index_create(count);
	if (err) {
		pr_err("initramfs: no memory to index %u files; give the "
		       "machine more", count);
		return err;
	}
	initramfs.data = data;
	initramfs.len = len;
	c.off = 0;
	cpio_skip_zeroes(&c);
	while (cpio_next(&c, &file))
		index_add(&file);
	for (u32 i = 0; i < initramfs.count; i++)
		resolve_hard_link(&initramfs.files[i]);
	return 0;
}

bool initramfs_holds(const void *p, size_t len)
{
	size_t at = (size_t)((const char *)p - initramfs.data);

	return at < initramfs.len && len <= initramfs.len - at;
}

const struct initramfs_file *initramfs_find(const char *path, size_t len)
{
	u32 *slot;

	if (!initramfs.files)
		return NULL;
	slot = find_slot(path, len);
	return *slot ? &initramfs.files[*slot - 1] : NULL;
}

const struct initramfs_file *initramfs_lookup(const char *path)
{
	path = strip_name(path);
	return initramfs_find(path, strlen(path));
}

const struct initramfs_file *initramfs_entry(unsigned int index)
{
	return index < initramfs.count ? &initramfs.files[index] : NULL;
}
