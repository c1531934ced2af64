/*
 * The small devices of every Unix: null, zero, full, random; and the console
 * under its names. Task context.
 */
#include "fs/dev.h"

#include "fs/console.h"
#include "fs/stat.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/random.h"
#include "kernel/string.h"

#define CHUNK 256u

static ssize_t null_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	(void)file;
	(void)to;
	(void)pos;
	return 0;
}

static ssize_t null_write(struct file *file, struct iov_iter *from,
			  loff_t *pos)
{
	size_t n = from->count;

	(void)file;
	(void)pos;
	iov_iter_advance(from, n);
	return (ssize_t)n;
}

static ssize_t full_write(struct file *file, struct iov_iter *from,
			  loff_t *pos)
{
	(void)file;
	(void)from;
	(void)pos;
	return -ENOSPC;
}

/* Fills @to by pieces that @next makes. Bytes, or -EFAULT if none. */
static ssize_t read_pieces(struct iov_iter *to,
			   void (*next)(void *buf, size_t len))
{
	size_t done = 0;
	char buf[CHUNK];

	while (to->count) {
		size_t want = min(to->count, sizeof(buf));
		size_t n;

		next(buf, want);
		n = copy_to_iter(buf, want, to);
		done += n;
		if (n < want)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

static void next_zeroes(void *buf, size_t len)
{
	memset(buf, 0, len);
}

static ssize_t zero_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	(void)file;
	(void)pos;
	return read_pieces(to, next_zeroes);
}

static ssize_t random_read(struct file *file, struct iov_iter *to,
			   loff_t *pos)
{
	(void)file;
	(void)pos;
	return read_pieces(to, get_random_bytes);
}

/* What a program writes is mixed in, and not believed. */
static ssize_t random_write(struct file *file, struct iov_iter *from,
			    loff_t *pos)
{
	size_t done = 0, n;
	char buf[CHUNK];

	(void)file;
	(void)pos;
	while (from->count) {
		n = copy_from_iter(buf, min(from->count, sizeof(buf)), from);
		if (!n)
			return done ? (ssize_t)done : -EFAULT;
		add_entropy(buf, n, 0);
		done += n;
	}
	return (ssize_t)done;
}

static int dev_stat(struct file *file, struct kstat *st)
{
	const struct device *dev = file->private_data;

	*st = (struct kstat){
		.dev = DEV_TMPFS, .ino = dev->rdev, .nlink = 1,
		.mode = S_IFCHR | dev->mode, .rdev = dev->rdev,
	};
	return 0;
}

static const struct file_operations null_fops = {
	.read_iter = null_read,
	.write_iter = null_write,
	.stat = dev_stat,
	.name = "/dev/null",
};

static const struct file_operations zero_fops = {
	.read_iter = zero_read,
	.write_iter = null_write,
	.stat = dev_stat,
	.name = "/dev/zero",
};

static const struct file_operations full_fops = {
	.read_iter = zero_read,
	.write_iter = full_write,
	.stat = dev_stat,
	.name = "/dev/full",
};

static const struct file_operations random_fops = {
	.read_iter = random_read,
	.write_iter = random_write,
	.stat = dev_stat,
	.name = "/dev/urandom",
};

static const struct device devices[] = {
	{ "console", MKDEV(5, 1), 0600, &console_fops, false },
	{ "full", MKDEV(1, 7), 0666, &full_fops, true },
	{ "null", MKDEV(1, 3), 0666, &null_fops, true },
	{ "random", MKDEV(1, 8), 0666, &random_fops, true },
	/* There is no controlling terminal: it is there, and does not open. */
	{ "tty", MKDEV(5, 0), 0666, NULL, false },
	{ "urandom", MKDEV(1, 9), 0666, &random_fops, true },
	{ "zero", MKDEV(1, 5), 0666, &zero_fops, true },
};

const struct device *device_by_number(u32 rdev)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i].rdev == rdev)
			return &devices[i];
	}
	return NULL;
}

const struct device *device_by_fops(const struct file_operations *fops)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i].fops == fops)
			return &devices[i];
	}
	return NULL;
}

const struct device *device_entry(u32 index)
{
	return index < ARRAY_SIZE(devices) ? &devices[index] : NULL;
}
