/*
 * 9P2000.L messages: fields to bytes, bytes to fields, one request and its
 * answer at a time for each task; tags and fids.
 *
 * LOCKING: lock (tags), fid_lock (fids; held over allocations): leaves.
 */
#include "fs/p9.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#include <stdarg.h>

#define VERSION		"9P2000.L"
#define MSIZE_MIN	4096u
#define NOTAG		0xffffu
#define TAGS		64u	/* a Tflush has its victim's tag, plus this */
/* The longest messages but for a link's target: two names; attributes. */
#define OUT_ROOM	640u
#define IN_ROOM		256u
#define ERRNO_MAX	133u

static LIST_HEAD(transports);

void p9_register(struct p9_transport *t)
{
	list_add_tail(&t->list, &transports);
}

struct p9_transport *p9_find(const char *tag)
{
	struct p9_transport *t;

	list_for_each_entry(t, &transports, list) {
		if (!strcmp(t->tag, tag))
			return t;
	}
	return NULL;
}

/* --- fields --- */

/* Where the next field stands; @bad for good once one did not fit. */
struct cursor {
	u8 *at, *end;
	bool bad;
};

static u8 *field(struct cursor *c, size_t n)
{
	u8 *at = c->at;

	if (c->bad || n > (size_t)(c->end - at)) {
		c->bad = true;
		return NULL;
	}
	c->at += n;
	return at;
}

static void put(struct cursor *c, u64 v, size_t n)
{
	u8 *p = field(c, n);

	if (p)
		memcpy(p, &v, n);
}

static u64 take(struct cursor *c, size_t n)
{
	u8 *p = field(c, n);
	u64 v = 0;

	if (p)
		memcpy(&v, p, n);
	return v;
}

static void put_string(struct cursor *c, const char *s, size_t len)
{
	u8 *p;

	put(c, len, 2);
	p = field(c, len);
	if (p)
		memcpy(p, s, len);
}

static void take_string(struct cursor *c, char *to, size_t room, u32 *len)
{
	size_t n = take(c, 2);
	u8 *p = field(c, n);

	if (!p || n > room) {
		c->bad = true;
		return;
	}
	memcpy(to, p, n);
	*len = (u32)n;
}

static void take_qid(struct cursor *c, struct p9_qid *qid)
{
	qid->type = (u8)take(c, 1);
	qid->version = (u32)take(c, 4);
	qid->path = take(c, 8);
}

/* The fields of @fmt up to its '|' or end; where that is. */
static const char *put_fields(struct cursor *c, const char *fmt, va_list *ap)
{
	for (; *fmt && *fmt != '|'; fmt++) {
		switch (*fmt) {
		case 'b':
			put(c, va_arg(*ap, u32), 1);
			break;
		case 'w':
			put(c, va_arg(*ap, u32), 2);
			break;
		case 'd':
			put(c, va_arg(*ap, u32), 4);
			break;
		case 'q':
			put(c, va_arg(*ap, u64), 8);
			break;
		default: {
			const char *s = va_arg(*ap, const char *);

			put_string(c, s, va_arg(*ap, size_t));
		}
		}
	}
	return *fmt ? fmt + 1 : fmt;
}

static void take_fields(struct cursor *c, const char *fmt, va_list *ap)
{
	for (; *fmt; fmt++) {
		switch (*fmt) {
		case 'w':
			*va_arg(*ap, u16 *) = (u16)take(c, 2);
			break;
		case 'd':
			*va_arg(*ap, u32 *) = (u32)take(c, 4);
			break;
		case 'q':
			*va_arg(*ap, u64 *) = take(c, 8);
			break;
		case 'Q':
			take_qid(c, va_arg(*ap, struct p9_qid *));
			break;
		default: {
			char *to = va_arg(*ap, char *);
			size_t room = va_arg(*ap, size_t);

			take_string(c, to, room, va_arg(*ap, u32 *));
		}
		}
	}
}

/* --- tags --- */

static bool tag_try(struct p9_client *c, u32 *tag)
{
	bool got = false;

	spin_lock(&c->lock);
	if (~c->tags) {
		*tag = (u32)__builtin_ctzll(~c->tags);
		c->tags |= 1ull << *tag;
		got = true;
	}
	spin_unlock(&c->lock);
	return got;
}

static u32 tag_get(struct p9_client *c)
{
	struct wait_queue_entry wait;
	u32 tag = 0;

	init_wait(&wait);
	for (;;) {
		prepare_to_wait_exclusive(&c->tag_wait, &wait,
					  TASK_UNINTERRUPTIBLE);
		if (tag_try(c, &tag))
			break;
		schedule();
	}
	finish_wait(&c->tag_wait, &wait);
	return tag;
}

/* The tag is free before anybody is woken to look for one. */
static void tag_put(struct p9_client *c, u32 tag)
{
	spin_lock(&c->lock);
	c->tags &= ~(1ull << tag);
	spin_unlock(&c->lock);
	wake_up(&c->tag_wait);
}

/* --- a request and its answer --- */

static void put_head(struct p9_io *io, u32 type, u32 tag)
{
	struct cursor c = { .at = io->out, .end = (u8 *)io->out + P9_HEAD };

	put(&c, io->out_len + io->out2_len, 4);
	put(&c, type, 1);
	put(&c, tag, 2);
}

/*
 * Asks the server to drop request @tag. Its buffers are the server's until
 * it has answered one of the two, so there is no giving up on that.
 */
static void flush(struct p9_client *c, u32 tag, u8 *mem)
{
	struct p9_io io = { .out = mem, .out_len = P9_HEAD + 2,
			    .in = mem + 16, .in_len = IN_ROOM / 2 };
	struct cursor cur = { .at = mem + P9_HEAD, .end = mem + 16 };

	put(&cur, tag, 2);
	put_head(&io, P9_TFLUSH, tag + TAGS);
	if (!c->t->send(c->t, &io))
		(void)c->t->wait(c->t, &io, false);
}

static int exchange(struct p9_client *c, struct p9_io *io, u32 tag)
{
	u8 *spare = kmalloc(16 + IN_ROOM / 2);
	int err = spare ? c->t->send(c->t, io) : -ENOMEM;

	if (!err && c->t->wait(c->t, io, true)) {
		flush(c, tag, spare);
		(void)c->t->wait(c->t, io, false);
		/* Dropped in time: an empty answer, or an error. */
		if (io->call.got < (int)P9_HEAD)
			err = -EINTR;
	}
	kfree(spare);
	if (!err && io->call.got < 0)
		err = io->call.got;
	return err;
}

/* The answer's head. 0 with *@cur behind it, or -errno as it says. */
static int check_answer(const struct p9_io *io, u32 type, u32 tag,
			struct cursor *cur)
{
	u32 len = (u32)io->call.got, size, got_type, got_tag, error;

	*cur = (struct cursor){ .at = io->in,
				.end = (u8 *)io->in + min(io->in_len, len) };
	size = (u32)take(cur, 4);
	got_type = (u32)take(cur, 1);
	got_tag = (u32)take(cur, 2);
	if (cur->bad || size < P9_HEAD || size > len || got_tag != tag)
		return -EIO;
	cur->end = (u8 *)io->in + min(io->in_len, size);
	if (got_type == type + 1)
		return 0;
	error = (u32)take(cur, 4);
	if (got_type != P9_RLERROR || cur->bad || !error ||
	    error > ERRNO_MAX)
		return -EIO;
	return -(int)error;
}

int p9_rpc(struct p9_client *c, enum p9_type type,
	   struct p9_data *data, const char *fmt, ...)
{
	size_t out_room = OUT_ROOM, in_room = IN_ROOM;
	struct p9_io io = { 0 };
	struct cursor cur;
	u32 tag;
	va_list ap;
	int err;

	if (type == P9_TSYMLINK)
		out_room += PATH_MAX;
	if (type == P9_TREADLINK)
		in_room += PATH_MAX;
	io.out = kmalloc(out_room + in_room);
	if (!io.out)
		return -ENOMEM;
	io.in = (u8 *)io.out + out_room;
	io.in_len = (u32)in_room;
	if (data && data->in) {
		/* The data begins right behind head and count. */
		io.in_len = P9_HEAD + 4;
		io.in2 = data->buf;
		io.in2_len = data->len;
	} else if (data) {
		io.out2 = data->buf;
		io.out2_len = data->len;
	}
	cur = (struct cursor){ .at = (u8 *)io.out + P9_HEAD,
			       .end = (u8 *)io.out + out_room };
	va_start(ap, fmt);
	fmt = put_fields(&cur, fmt, &ap);
	io.out_len = (u32)(cur.at - (u8 *)io.out);
	err = cur.bad ? -ENAMETOOLONG : 0;
	if (!err) {
		tag = tag_get(c);
		put_head(&io, type, type == P9_TVERSION ? NOTAG : tag);
		err = exchange(c, &io, tag);
		if (!err)
			err = check_answer(&io, type, type == P9_TVERSION ?
					   NOTAG : tag, &cur);
		/* What it says it wrote behind the fields. */
		if (!err && data && data->in)
			data->len = min((u32)io.call.got, io.in_len +
					data->len) - io.in_len;
		tag_put(c, tag);
	}
	if (!err)
		take_fields(&cur, fmt, &ap);
	va_end(ap);
	kfree(io.out);
	return err ? err : cur.bad ? -EIO : 0;
}

/* --- fids --- */

u32 p9_fid_get(struct p9_client *c)
{
	u32 fid = P9_NOFID;
	u64 *more;

	mutex_lock(&c->fid_lock);
	for (u32 i = 0; i < c->nr_fids && fid == P9_NOFID; i += 64) {
		if (~c->fids[i / 64])
			fid = i + (u32)__builtin_ctzll(~c->fids[i / 64]);
	}
	if (fid == P9_NOFID) {
		u32 nr = c->nr_fids ? c->nr_fids * 2 : 256;

		more = kzalloc(nr / 8);
		if (more) {
			if (c->fids)
				memcpy(more, c->fids, c->nr_fids / 8);
			kfree(c->fids);
			c->fids = more;
			fid = c->nr_fids;
			c->nr_fids = nr;
		}
	}
	if (fid != P9_NOFID)
		c->fids[fid / 64] |= 1ull << fid % 64;
	mutex_unlock(&c->fid_lock);
	return fid;
}

void p9_fid_put(struct p9_client *c, u32 fid, bool clunk)
{
	/* One that the server keeps all the same must not be used again. */
	if (clunk && p9_rpc(c, P9_TCLUNK, NULL, "d", fid) == -ENOMEM)
		return;
	mutex_lock(&c->fid_lock);
	c->fids[fid / 64] &= ~(1ull << fid % 64);
	mutex_unlock(&c->fid_lock);
}

/* --- the beginning --- */

static int greet(struct p9_client *c, u32 *fid, struct p9_qid *qid)
{
	u32 msize = P9_DATA_MAX + P9_IO_HEAD, len = 0;
	char version[16];
	int err = p9_rpc(c, P9_TVERSION, NULL, "ds|ds", msize, VERSION,
			 strlen(VERSION), &c->data_max, version,
			 sizeof(version), &len);

	if (!err && (len != strlen(VERSION) || memcmp(version, VERSION, len) ||
		     c->data_max < MSIZE_MIN || c->data_max > msize))
		err = -EIO;
	if (err)
		return err;
	c->data_max = ALIGN_DOWN(c->data_max - P9_IO_HEAD, 512u);
	*fid = p9_fid_get(c);
	if (*fid == P9_NOFID)
		return -ENOMEM;
	return p9_rpc(c, P9_TATTACH, NULL, "ddssd|Q", *fid, P9_NOFID, "root",
		      (size_t)4, "", (size_t)0, 0u, qid);
}

struct p9_client *p9_connect(struct p9_transport *t, u32 *fid,
			     struct p9_qid *qid)
{
	struct p9_client *c = kzalloc(sizeof(*c));
	int err = -ENOMEM;

	if (c) {
		c->t = t;
		spin_lock_init(&c->lock);
		init_waitqueue_head(&c->tag_wait);
		mutex_init(&c->fid_lock);
		err = greet(c, fid, qid);
		if (!err)
			return c;
		kfree(c->fids);
	}
	kfree(c);
	pr_err("9p: no share '%s' to be had (error %d); the server must speak %s, as QEMU's virtio-9p does",
	       t->tag, -err, VERSION);
	return NULL;
}
