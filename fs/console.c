/*
 * The console file. Writing goes straight to the consoles, past the log;
 * reading takes what was typed, waiting for it, with Enter as a newline. It
 * answers as a terminal, so that a program's output is line-buffered. Task
 * context.
 */
#include "fs/console.h"

#include "fs/stat.h"
#include "kernel/console_input.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/uaccess.h"
#include "kernel/wait.h"

#define CHUNK 256u

#define TCGETS		0x5401
#define TCSETS		0x5402
#define TCSETSW		0x5403
#define TCSETSF		0x5404
#define TIOCGPGRP	0x540f
#define TIOCSPGRP	0x5410
#define TIOCGWINSZ	0x5413
#define TIOCSWINSZ	0x5414
#define FIONREAD	0x541b

/* What the kernel gives for TCGETS; shorter than the C library's. */
struct ktermios {
	u32 c_iflag, c_oflag, c_cflag, c_lflag;
	u8 c_line;
	u8 c_cc[19];
};

struct winsize {
	u16 ws_row, ws_col, ws_xpixel, ws_ypixel;
};

/* A terminal as Linux sets one up: cooked, echoing, 38400 8N1. */
static const struct ktermios default_termios = {
	.c_iflag = 0x500, .c_oflag = 0x5, .c_cflag = 0xbf, .c_lflag = 0x8a3b,
	.c_cc = { 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22 },
};

static ssize_t console_write_iter(struct file *file, struct iov_iter *from,
				  loff_t *pos)
{
	size_t done = 0;
	char buf[CHUNK];

	(void)file;
	(void)pos;
	while (from->count) {
		size_t want = min(from->count, sizeof(buf));
		size_t n = copy_from_iter(buf, want, from);

		console_write(buf, n);
		done += n;
		if (n < want)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

static bool input_pending(const void *arg)
{
	(void)arg;
	return console_input_pending();
}

static ssize_t console_read_iter(struct file *file, struct iov_iter *to,
				 loff_t *pos)
{
	char buf[CHUNK];
	size_t n = 0;

	(void)pos;
	if (!to->count)
		return 0;
	while (!n) {
		int err = file_wait(file, &console_input_wait, input_pending,
				    NULL);

		if (err)
			return err;
		/* Another reader may have been faster. */
		n = console_input_read(buf, min(to->count, sizeof(buf)));
	}
	for (size_t i = 0; i < n; i++) {
		if (buf[i] == '\r')
			buf[i] = '\n';
	}
	n = copy_to_iter(buf, n, to);
	return n ? (ssize_t)n : -EFAULT;
}

static u32 console_poll(struct file *file, struct poll_table *pt)
{
	u32 ready = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &console_input_wait, pt);
	if (console_input_pending())
		ready |= EPOLLIN | EPOLLRDNORM;
	return ready;
}

static long console_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };
	void __user *to = (void __user *)arg;

	(void)file;
	switch (cmd) {
	case TCGETS:
		return copy_to_user(to, &default_termios,
				    sizeof(default_termios));
	case TIOCGWINSZ:
		return copy_to_user(to, &ws, sizeof(ws));
	case TIOCGPGRP:
		return put_user(current->tgid, (s32 __user *)arg);
	case FIONREAD:
		return put_user((s32)console_input_pending(),
				(s32 __user *)arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TIOCSPGRP:
	case TIOCSWINSZ:	/* taken, and without effect */
		return 0;
	default:
		return -ENOTTY;
	}
}

static int console_stat(struct file *file, struct kstat *st)
{
	(void)file;
	*st = (struct kstat){
		.dev = DEV_ANON, .ino = 1, .mode = S_IFCHR | 0620, .nlink = 1,
		.rdev = MKDEV(5, 1),
	};
	return 0;
}

const struct file_operations console_fops = {
	.read_iter = console_read_iter,
	.write_iter = console_write_iter,
	.poll = console_poll,
	.ioctl = console_ioctl,
	.stat = console_stat,
	.name = "/dev/console",
};

struct file *console_file(void)
{
	return file_alloc(&console_fops, NULL, O_RDWR);
}
