/*
 * select(2) and pselect6(2), on the same waiting as poll(2): three bitmaps
 * in, three out. Task context.
 */
#include "fs/fdtable.h"
#include "fs/poll_internal.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define BITS 64u

/* What each of the three sets means, as select(2) lists it. */
#define READ_SET (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define WRITE_SET (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define EXCEPT_SET EPOLLPRI

enum { SET_READ, SET_WRITE, SET_EXCEPT, NR_SETS };

static const u32 set_bits[NR_SETS] = { READ_SET, WRITE_SET, EXCEPT_SET };

#define FAST_WORDS 2u		/* 128 descriptors without an allocation */

struct select_sets {
	u32 words;		/* of each map */
	u64 *in[NR_SETS], *out[NR_SETS];
	u64 fast[2 * NR_SETS * FAST_WORDS];
	void *maps;		/* the memory behind, @fast if that is enough */
};

static size_t maps_size(const struct select_sets *s)
{
	return 2 * NR_SETS * s->words * sizeof(u64);
}

static void sets_free(struct select_sets *s)
{
	if (s->maps == s->fast)
		return;
	if (maps_size(s) <= PAGE_SIZE)
		kfree(s->maps);
	else
		vfree(s->maps);
}

/* Copies the sets in; a missing one is empty. 0, -ENOMEM, -EFAULT. */
static int sets_get(struct select_sets *s, u32 n,
		    u64 __user *const user[NR_SETS])
{
	u64 *map;

	s->words = DIV_ROUND_UP(n, BITS);
	s->maps = s->fast;
	if (s->words > FAST_WORDS)
		s->maps = maps_size(s) <= PAGE_SIZE ? kmalloc(maps_size(s)) :
						      vmalloc(maps_size(s));
	if (!s->maps)
		return -ENOMEM;
	memset(s->maps, 0, maps_size(s));
	map = s->maps;
	for (int i = 0; i < NR_SETS; i++) {
		s->in[i] = map;
		s->out[i] = map + s->words;
		map += 2 * s->words;
		if (user[i] && copy_from_user(s->in[i], user[i],
					      s->words * sizeof(u64))) {
			sets_free(s);
			return -EFAULT;
		}
		/* Bits from @n on do not count. */
		if (n % BITS)
			s->in[i][s->words - 1] &= (1ull << n % BITS) - 1;
	}
	return 0;
}

static int sets_put(const struct select_sets *s,
		    u64 __user *const user[NR_SETS])
{
	for (int i = 0; i < NR_SETS; i++) {
		if (user[i] && copy_to_user(user[i], s->out[i],
					    s->words * sizeof(u64)))
			return -EFAULT;
	}
	return 0;
}

/* Asks one descriptor; how many of its bits are set in the result. */
static int select_fd(struct poll_wqueues *pwq, struct select_sets *s, u32 fd)
{
	u64 bit = 1ull << fd % BITS;
	u32 word = fd / BITS, want = 0, got;
	struct fd_ref f = fdget((int)fd);
	int n = 0;

	if (!f.file)
		return -EBADF;
	for (int i = 0; i < NR_SETS; i++) {
		if (s->in[i][word] & bit)
			want |= set_bits[i];
	}
	got = poll_one(pwq, f.file, want | EPOLLERR | EPOLLHUP);
	fdput(f);
	for (int i = 0; i < NR_SETS; i++) {
		if (s->in[i][word] & bit && got & set_bits[i]) {
			s->out[i][word] |= bit;
			n++;
		}
	}
	if (n)
		poll_ready_found(pwq);
	return n;
}

static int select_round(struct poll_wqueues *pwq, struct select_sets *s)
{
	int ready = 0;

	for (u32 w = 0; w < s->words; w++) {
		u64 all = s->in[SET_READ][w] | s->in[SET_WRITE][w] |
			  s->in[SET_EXCEPT][w];

		for (; all; all &= all - 1) {
			u32 bit = (u32)__builtin_ctzll(all);
			int n = select_fd(pwq, s, w * BITS + bit);

			if (n < 0)
				return n;
			ready += n;
		}
	}
	return ready;
}

static int select_loop(struct select_sets *s, u64 timeout, u64 deadline)
{
	struct poll_wqueues pwq;
	int n, err = 0;

	poll_initwait(&pwq);
	if (!timeout)
		poll_ready_found(&pwq);
	for (;;) {
		n = select_round(&pwq, s);
		if (n || !timeout || err == -ETIME)
			break;
		err = poll_sleep(&pwq, deadline);
		if (err && err != -ETIME) {
			n = err;
			break;
		}
	}
	poll_freewait(&pwq);
	return n;
}

__stackprotect static int do_select(int n, u64 __user *const user[NR_SETS],
				    u64 timeout, u64 deadline)
{
	struct select_sets s;
	int ret;

	if (n < 0)
		return -EINVAL;
	/* What lies beyond the table cannot be open: Linux looks no further. */
	ret = sets_get(&s, min((u32)n, current->files->max_fds), user);
	if (ret)
		return ret;
	ret = select_loop(&s, timeout, deadline);
	if (ret >= 0 && sets_put(&s, user))
		ret = -EFAULT;
	sets_free(&s);
	return ret;
}

SYSCALL_DEFINE5(select, int, n, u64 __user *, in, u64 __user *, out,
		u64 __user *, ex, struct timeval __user *, utv)
{
	u64 __user *const user[NR_SETS] = { in, out, ex };
	u64 timeout = KTIME_MAX, deadline, left;
	struct timespec ts;
	struct timeval tv;
	int ret;

	if (utv) {
		if (get_user(tv, utv))
			return -EFAULT;
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return -EINVAL;
		/* Linux takes more than a second of microseconds. */
		if (__builtin_add_overflow(tv.tv_sec, tv.tv_usec / 1000000,
					   &ts.tv_sec))
			return -EINVAL;
		ts.tv_nsec = tv.tv_usec % 1000000 * 1000;
		timeout = timespec_to_ns(&ts);
	}
	deadline = poll_deadline(timeout);
	ret = do_select(n, user, timeout, deadline);
	if (utv) {
		left = poll_remaining(deadline);
		tv.tv_sec = (s64)(left / NSEC_PER_SEC);
		tv.tv_usec = (s64)(left % NSEC_PER_SEC / 1000);
		/* As on Linux, a read-only timeout is no error. */
		(void)raw_copy_to_user(utv, &tv, sizeof(tv));
	}
	return ret;
}

/* What the sixth argument of pselect6 points to. */
struct sigset_arg {
	const u64 __user *mask;
	size_t size;
};

SYSCALL_DEFINE6(pselect6, int, n, u64 __user *, in, u64 __user *, out,
		u64 __user *, ex, struct timespec __user *, uts,
		const struct sigset_arg __user *, usig)
{
	u64 __user *const user[NR_SETS] = { in, out, ex };
	struct sigset_arg sig = { NULL, 0 };
	u64 timeout = KTIME_MAX, deadline;
	struct timespec ts;
	int ret;

	if (usig && get_user(sig, usig))
		return -EFAULT;
	if (uts) {
		if (get_user(ts, uts))
			return -EFAULT;
		if (!timespec_valid(&ts))
			return -EINVAL;
		timeout = timespec_to_ns(&ts);
	}
	ret = set_user_sigmask(sig.mask, sig.size);
	if (ret)
		return ret;
	deadline = poll_deadline(timeout);
	ret = do_select(n, user, timeout, deadline);
	restore_user_sigmask(ret == -EINTR);
	if (uts)
		poll_put_remaining(uts, deadline);
	return ret;
}
