/*
 * The 9P2000.L client, inside: messages (p9_client.c), names and attributes
 * (p9_fs.c), open files (p9_file.c). The protocol is the one that QEMU's
 * virtio-9p speaks. Whatever the server says is checked before it is used.
 */
#pragma once

#include "fs/mount.h"
#include "fs/p9_transport.h"
#include "kernel/mutex.h"

/* Requests; the answer's number is one more. */
enum p9_type {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
};

#define P9_NOFID	0xffffffffu
#define P9_HEAD		7u	/* size[4] type[1] tag[2] */
#define P9_IO_HEAD	24u	/* what Tread, Twrite have beside the data */
#define P9_DATA_MAX	(64u << 10)

/* What a server calls a file. */
struct p9_qid {
	u8 type;
	u32 version;
	u64 path;
};

/* Bytes that go with a message beside its fields. */
struct p9_data {
	void *buf;		/* has a physical address */
	u32 len;		/* then: how many it brought */
	bool in;		/* the answer brings them */
};

/* Locks: c const once mounted, l lock, f fid_lock. */
struct p9_client {
	struct p9_transport *t;		/* c */
	u32 data_max;			/* c  of one read or write */
	struct spinlock lock;
	u64 tags;			/* l  in use, a bit each */
	struct wait_queue_head tag_wait;
	struct mutex fid_lock;
	u64 *fids;			/* f  in use, a bit each */
	u32 nr_fids;			/* f */
};

/*
 * Asks: @fmt has the fields sent, then '|' and those of the answer. Sent: b w
 * d q numbers of 1 to 8 bytes (as u32, q as u64), s a string (const char *,
 * size_t). In the answer: pointers to the same, Q to a p9_qid; s (char *,
 * size_t room, u32 *len). 0; the server's -errno; -EIO (its answer is wrong,
 * or it is gone), -ENOMEM, -EINTR (the program is to end). Task.
 */
int p9_rpc(struct p9_client *c, enum p9_type type,
	   struct p9_data *data, const char *fmt, ...) __must_check;

/* Numbers for files that are in use. P9_NOFID: no memory. Task. */
u32 p9_fid_get(struct p9_client *c);
/* Tells the server, too, unless it never had it (@clunk). */
void p9_fid_put(struct p9_client *c, u32 fid, bool clunk);

/*
 * Greets the server on @t and lets *@fid be its root, described by *@qid.
 * The client, or NULL after saying why.
 */
struct p9_client *p9_connect(struct p9_transport *t, u32 *fid,
			     struct p9_qid *qid);
/* The transport registered as @tag, or NULL. */
struct p9_transport *p9_find(const char *tag);

static inline struct p9_client *p9_client_of(const struct inode *inode)
{
	return mount_of(inode)->fs;
}

/* A fid of its own for the file that @d names: *@fid; 0 or -errno. */
int p9_clone(struct dentry *d, u32 *fid) __must_check;
int p9_getattr(struct dentry *d, struct kstat *st) __must_check;
int p9_open(struct dentry *d, u32 flags, void **state) __must_check;

/* For fs_type. */
ssize_t p9_pread(struct file *file, u64 pos, void *buf, size_t n);
ssize_t p9_pwrite(struct file *file, u64 pos, void *buf, size_t n);

extern const struct file_operations p9_file_fops, p9_dir_fops;
