/*
 * The open-file table. Free numbers are found through two bitmaps: one bit
 * per descriptor, and one bit per full word of that, so that the lowest free
 * of a million costs at most a few hundred words. The arrays double as they
 * fill; growing allocates outside the lock and looks again.
 */
#include "fs/fdtable.h"

#include "kernel/context.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/process.h"
#include "kernel/rlimit.h"
#include "kernel/string.h"

#define BITS		64u
#define FIRST_FDS	64u

u32 max_files = UINT32_MAX;

static bool test_bit(const u64 *map, u32 n)
{
	return map[n / BITS] >> n % BITS & 1;
}

static void set_bit(u64 *map, u32 n)
{
	map[n / BITS] |= 1ull << n % BITS;
}

static void clear_bit(u64 *map, u32 n)
{
	map[n / BITS] &= ~(1ull << n % BITS);
}

/* The first clear bit of @map from @start on, @end if there is none. */
static u32 find_clear(const u64 *map, u32 start, u32 end)
{
	while (start < end) {
		u64 clear = ~map[start / BITS] >> start % BITS;

		if (clear)
			return min(start + (u32)__builtin_ctzll(clear), end);
		start = ALIGN_DOWN(start, BITS) + BITS;
	}
	return end;
}

/* The lowest free number >= @start, max_fds if the table is full. */
static u32 find_next_fd(const struct files_struct *files, u32 start)
{
	u32 word = start / BITS;

	if (start >= files->max_fds)
		return files->max_fds;
	if (~files->open_fds[word] >> start % BITS)
		return find_clear(files->open_fds, start, files->max_fds);
	word = find_clear(files->full_words, word + 1, files->max_fds / BITS);
	return find_clear(files->open_fds, word * BITS, files->max_fds);
}

/*
 * One zeroed block holds all four arrays of a table of @n descriptors (a
 * power of two >= FIRST_FDS): pointers first, then the bitmaps.
 */
static size_t table_size(u32 n)
{
	u32 words = n / BITS;

	return n * sizeof(struct file *) +
	       (2 * words + DIV_ROUND_UP(words, BITS)) * sizeof(u64);
}

static void *table_alloc(u32 n)
{
	size_t size = table_size(n);

	return size <= PAGE_SIZE ? kzalloc(size) : vmalloc(size);
}

static void table_free(void *table, u32 n)
{
	if (table_size(n) <= PAGE_SIZE)
		kfree(table);
	else
		vfree(table);
}

/* Moves over to the empty @table of @n descriptors, which is larger. */
static void table_adopt(struct files_struct *files, void *table, u32 n)
{
	u32 old_words = files->max_fds / BITS, words = n / BITS;
	struct file **fd = table;
	u64 *open_fds = (u64 *)(fd + n);
	u64 *close_on_exec = open_fds + words;
	u64 *full_words = close_on_exec + words;

	if (files->max_fds) {
		memcpy(fd, files->fd, files->max_fds * sizeof(fd[0]));
		memcpy(open_fds, files->open_fds, old_words * sizeof(u64));
		memcpy(close_on_exec, files->close_on_exec,
		       old_words * sizeof(u64));
		memcpy(full_words, files->full_words,
		       DIV_ROUND_UP(old_words, BITS) * sizeof(u64));
	}
	files->fd = fd;
	files->open_fds = open_fds;
	files->close_on_exec = close_on_exec;
	files->full_words = full_words;
	files->max_fds = n;
}

/*
 * Makes room for number @fd. Called and returns with files->lock held, but
 * gives it up meanwhile. 0 or -ENOMEM.
 */
static __cold int expand_files(struct files_struct *files, u32 fd)
	__must_hold(files->lock)
{
	u32 n = FIRST_FDS, old_n;
	void *table, *old;

	while (n <= fd)
		n *= 2;
	spin_unlock(&files->lock);
	table = table_alloc(n);
	spin_lock(&files->lock);
	if (!table)
		return -ENOMEM;
	if (files->max_fds >= n) {
		spin_unlock(&files->lock);
		table_free(table, n);
		spin_lock(&files->lock);
		return 0;
	}
	old = files->fd;
	old_n = files->max_fds;
	table_adopt(files, table, n);
	spin_unlock(&files->lock);
	table_free(old, old_n);
	spin_lock(&files->lock);
	return 0;
}

struct files_struct *files_create(void)
{
	struct files_struct *files = kzalloc(sizeof(*files));
	void *table = table_alloc(FIRST_FDS);

	if (!files || !table) {
		kfree(files);
		kfree(table);
		return NULL;
	}
	atomic_set(&files->users, 1);
	spin_lock_init(&files->lock);
	table_adopt(files, table, FIRST_FDS);
	return files;
}

static void close_files(struct files_struct *files)
{
	for (u32 word = 0; word < files->max_fds / BITS; word++) {
		u64 bits = files->open_fds[word];

		for (; bits; bits &= bits - 1) {
			u32 fd = word * BITS + (u32)__builtin_ctzll(bits);

			if (files->fd[fd])
				fput(files->fd[fd]);
		}
	}
}

__cold void files_put(struct files_struct *files)
{
	might_sleep();
	if (!atomic_dec_and_test(&files->users))
		return;
	close_files(files);
	table_free(files->fd, files->max_fds);
	kfree(files);
}

struct fd_ref fdget_shared(struct files_struct *files, u32 fd)
{
	struct fd_ref ref = { NULL, false };

	spin_lock(&files->lock);
	if (fd < files->max_fds && files->fd[fd]) {
		ref.file = files->fd[fd];
		ref.owned = true;
		get_file(ref.file);
	}
	spin_unlock(&files->lock);
	return ref;
}

/* Marks @fd taken. files->lock is held. */
static void take_fd(struct files_struct *files, u32 fd, u32 flags)
{
	set_bit(files->open_fds, fd);
	if (!~files->open_fds[fd / BITS])
		set_bit(files->full_words, fd / BITS);
	if (flags & O_CLOEXEC)
		set_bit(files->close_on_exec, fd);
	else
		clear_bit(files->close_on_exec, fd);
}

/* Makes @fd free again. files->lock is held. */
static void release_fd(struct files_struct *files, u32 fd)
{
	clear_bit(files->open_fds, fd);
	clear_bit(files->full_words, fd / BITS);
	files->next_fd = min(files->next_fd, fd);
}

int get_unused_fd_from(int start, u32 flags)
{
	struct files_struct *files = current->files;
	u32 fd;
	int err = 0;

	spin_lock(&files->lock);
	for (;;) {
		fd = find_next_fd(files, max((u32)start, files->next_fd));
		if (fd < (u32)start)
			fd = (u32)start;
		if (fd >= rlimit(RLIMIT_NOFILE)) {
			err = -EMFILE;
			break;
		}
		if (fd < files->max_fds)
			break;
		err = expand_files(files, fd);
		if (err)
			break;
	}
	if (!err) {
		take_fd(files, fd, flags);
		if ((u32)start <= files->next_fd)
			files->next_fd = fd + 1;
	}
	spin_unlock(&files->lock);
	return err ? err : (int)fd;
}

int get_unused_fd_flags(u32 flags)
{
	int fd = get_unused_fd_from(0, flags);

	if (unlikely((u32)atomic_read(&nr_files) >= READ_ONCE(max_files)) &&
	    fd >= 0 && !is_root()) {
		put_unused_fd(fd);
		fd = -ENFILE;
	}
	return fd;
}

void put_unused_fd(int fd)
{
	struct files_struct *files = current->files;

	spin_lock(&files->lock);
	release_fd(files, (u32)fd);
	spin_unlock(&files->lock);
}

void fd_install(int fd, struct file *file)
{
	struct files_struct *files = current->files;

	spin_lock(&files->lock);
	BUG_ON(files->fd[fd]);
	files->fd[fd] = file;
	spin_unlock(&files->lock);
}

int file_open_fd(const struct file_operations *ops, void *priv, u32 flags)
{
	int fd = get_unused_fd_flags(flags);
	struct file *file;

	if (fd < 0)
		return fd;
	file = file_alloc(ops, priv, flags);
	if (!file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, file);
	return fd;
}

int close_fd(int fd)
{
	struct files_struct *files = current->files;
	struct file *file = NULL;

	spin_lock(&files->lock);
	if ((u32)fd < files->max_fds)
		file = files->fd[fd];
	if (file) {
		files->fd[fd] = NULL;
		release_fd(files, (u32)fd);
	}
	spin_unlock(&files->lock);
	if (!file)
		return -EBADF;
	if (unlikely(file->f_op->closed))
		file->f_op->closed(file);
	fput(file);
	return 0;
}

int get_close_on_exec(int fd)
{
	struct files_struct *files = current->files;
	int on = -EBADF;

	spin_lock(&files->lock);
	if ((u32)fd < files->max_fds && files->fd[fd])
		on = test_bit(files->close_on_exec, (u32)fd);
	spin_unlock(&files->lock);
	return on;
}

__cold int set_close_on_exec(int fd, bool on)
{
	struct files_struct *files = current->files;
	int err = -EBADF;

	spin_lock(&files->lock);
	if ((u32)fd < files->max_fds && files->fd[fd]) {
		if (on)
			set_bit(files->close_on_exec, (u32)fd);
		else
			clear_bit(files->close_on_exec, (u32)fd);
		err = 0;
	}
	spin_unlock(&files->lock);
	return err;
}

__cold int replace_fd(int fd, struct file *file, u32 flags)
{
	struct files_struct *files = current->files;
	struct file *old = NULL;
	int err = 0;

	spin_lock(&files->lock);
	if ((u32)fd >= rlimit(RLIMIT_NOFILE))
		err = -EBADF;
	else if ((u32)fd >= files->max_fds)
		err = expand_files(files, (u32)fd);
	if (!err) {
		old = files->fd[fd];
		if (!old && test_bit(files->open_fds, (u32)fd))
			err = -EBUSY;
	}
	if (!err) {
		get_file(file);
		files->fd[fd] = file;
		take_fd(files, (u32)fd, flags);
	}
	spin_unlock(&files->lock);
	if (!err && old)
		fput(old);
	return err;
}
