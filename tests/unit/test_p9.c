/*
 * The 9P client against a server that is part of the test: an honest one, one
 * that is slow to answer until it is told to stop, and one that lies.
 * sources: vfs fs/fcntl.c fs/read_write.c fs/names.c fs/attr.c fs/statfs.c
 *          fs/p9_client.c fs/p9_fs.c fs/p9_file.c fs/mnt_file.c
 *          fs/mnt_map.c
 */
#include "tests/unit/cpio_fixture.h"

#include "fs/exec.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/p9.h"
#include "fs/rootfs.h"
#include "kernel/errno.h"
#include "tests/unit/fs_fixture.h"

long sys_open(const char *path, u32 flags, u32 mode);
long sys_close(int fd);
long sys_read(int fd, void *buf, size_t n);
long sys_write(int fd, const void *buf, size_t n);
long sys_stat(const char *path, struct user_stat *to);
long sys_readlink(const char *path, char *to, int size);
long sys_getdents64(int fd, char *to, u32 count);
long sys_mkdir(const char *path, u32 mode);
long sys_unlink(const char *path);
long sys_rename(const char *from, const char *to);
long sys_statfs(const char *path, struct kstatfs *to);
long sys_fsync(int fd);
long sys_truncate(const char *path, loff_t size);

const char *exec_path(void)
{
	return "/init";
}

/* What the server is to do, and what it saw. */
static struct {
	bool lies;		/* answers are changed at random */
	u8 silent;		/* answers this kind only when flushed */
	int error;		/* answers so, if not 0 */
	u32 flushes, clunks, fids;
	u8 written[64];
} server;

static struct p9_io *pending;

static u64 rnd(void)
{
	static u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static u32 le32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

/* Puts @n bytes of @v at @p, little end first; what follows. */
static u8 *le(u8 *p, u64 v, size_t n)
{
	memcpy(p, &v, n);
	return p + n;
}

static u8 *qid(u8 *p, u8 type, u64 path)
{
	return le(le(le(p, type, 1), 7, 4), path, 8);
}

/* The root is fid 0; every other fid is a file, a link if 3 modulo 4. */
static u8 *answer(const struct p9_io *io, u8 *p)
{
	const u8 *q = io->out;
	u32 fid = le32(q + 7), count;

	switch (q[4]) {
	case P9_TVERSION:
		p = le(p, 8192 + 24, 4);
		p = le(p, 8, 2);
		memcpy(p, "9P2000.L", 8);
		return p + 8;
	case P9_TATTACH:
		return qid(p, 0x80, 1);
	case P9_TWALK:
		server.fids++;
		return q[15] ? qid(le(p, 1, 2), 0, 5) : le(p, 0, 2);
	case P9_TCLUNK:
		server.clunks++;
		server.fids--;
		return p;
	case P9_TGETATTR:
		p = qid(le(p, 0x7ff, 8), 0, fid ? 4 + fid % 4 : 1);
		p = le(p, !fid ? 0040755 : fid % 4 == 3 ? 0120777 : 0100644, 4);
		p = le(le(le(le(p, 0, 4), 0, 4), 1, 8), 0, 8);
		p = le(le(le(p, 11, 8), 4096, 8), 8, 8);
		for (int i = 0; i < 10; i++)
			p = le(p, (u64)i, 8);
		return p;
	case P9_TREADLINK:
		memcpy(le(p, 4, 2), "file", 4);
		return p + 6;
	case P9_TREAD:
		count = le32(q + 11) ? 0 : min(le32(q + 19), 11u);
		memcpy(le(p, count, 4), "hello world", 11);
		return p + 4 + count;
	case P9_TREADDIR:
		p = le(p, le32(q + 11) ? 0 : 2 * 29, 4);
		for (u64 i = 1; i <= 2 && !le32(q + 11); i++) {
			p = le(le(qid(p, 0, 4 + i), i, 8), 8, 1);
			memcpy(le(p, 5, 2), i == 1 ? "one__" : "two__", 5);
			p += 7;
		}
		return p;
	case P9_TWRITE:
		memcpy(server.written, io->out2, min(io->out2_len, 64u));
		return le(p, io->out2_len, 4);
	case P9_TLOPEN:
	case P9_TLCREATE:
		return le(qid(p, 0, 5), 0, 4);
	case P9_TMKDIR:
		return qid(p, 0x80, 9);
	case P9_TSTATFS:
		memset(p, 0, 60);
		le(p + 4, 512, 4);
		return p + 60;
	default:
		return p;
	}
}

/* Anything at all, in a way that a device could. */
static size_t lie(u8 *reply, size_t n)
{
	switch (rnd() % 4) {
	case 0:
		for (u64 i = rnd() % 4 + 1; i--;)
			reply[rnd() % n] = (u8)rnd();
		break;
	case 1:
		n = rnd() % (n + 1);
		break;
	case 2:
		/* The head is right, the rest is not. */
		for (size_t i = 7; i < n; i++)
			reply[i] = (u8)(rnd() % 3 ? rnd() : 0xff);
		break;
	default:
		n = rnd() % 300;
		le(reply, rnd() % 2 ? n : rnd(), 4);
	}
	return n;
}

static void reply_to(struct p9_io *io)
{
	static u8 reply[8192 + 512];
	const u8 *q = io->out;
	size_t n;

	memset(reply, 0xee, sizeof(reply));
	if (server.error && q[4] != P9_TCLUNK) {
		le(reply + 7, (u64)server.error, 4);
		reply[4] = P9_RLERROR;
		n = 11;
	} else {
		n = (size_t)(answer(io, reply + 7) - reply);
		reply[4] = (u8)(q[4] + 1);
	}
	le(reply, n, 4);
	memcpy(reply + 5, q + 5, 2);
	if (server.lies && rnd() % 3 == 0)
		n = lie(reply, n);
	n = min(n, (size_t)io->in_len + io->in2_len);
	memcpy(io->in, reply, min(n, (size_t)io->in_len));
	if (n > io->in_len)
		memcpy(io->in2, reply + io->in_len, n - io->in_len);
	io->call.got = server.lies && rnd() % 40 == 0 ? -EIO : (int)n;
	io->call.done = true;
}

static int server_send(struct p9_transport *t, struct p9_io *io)
{
	const u8 *q = io->out;

	assert_int_equal(le32(q), io->out_len + io->out2_len);
	io->call.done = false;
	if (q[4] == P9_TFLUSH) {
		server.flushes++;
		/* Dropped: it comes back empty. */
		pending->call.got = 0;
		pending->call.done = true;
	} else if (server.silent && q[4] == server.silent) {
		pending = io;
		return 0;
	}
	reply_to(io);
	return 0;
}

static int server_wait(struct p9_transport *t, struct p9_io *io, bool killable)
{
	assert_true(io->call.done || killable);
	return io->call.done ? 0 : -EINTR;
}

static struct p9_transport transport = {
	.tag = "t", .send = server_send, .wait = server_wait,
};

static int setup(void **state)
{
	static bool once;

	fs_setup();
	memset(&server, 0, sizeof(server));
	len = 0;
	put("init", "x");
	trailer();
	assert_int_equal(initramfs_init(buf, len), 0);
	assert_int_equal(rootfs_init(), 0);
	if (!once)
		p9_register(&transport);
	once = true;
	assert_int_equal(mount_param("9p:t:/mnt/data"), 0);
	return 0;
}

static int teardown(void **state)
{
	files_put(current->files);
	current->files = files_create();
	rootfs_forget();
	mounts_forget();
	initramfs_forget();
	fs_teardown();
	return 0;
}

static void test_honest_server(void **state)
{
	struct user_stat st;
	struct kstatfs fs;
	char text[256];
	long fd;

	assert_int_equal(mount_all(), 0);
	assert_int_equal(sys_stat("/mnt/data", &st), 0);
	assert_int_equal(st.st_mode, 0040755);
	/* Fids 1 and 2 are files. */
	fd = sys_open("/mnt/data/file", O_RDWR, 0);
	assert_true(fd >= 0);
	assert_int_equal(sys_read((int)fd, text, sizeof(text)), 11);
	assert_memory_equal(text, "hello world", 11);
	assert_int_equal(sys_read((int)fd, text, sizeof(text)), 0);
	assert_int_equal(sys_write((int)fd, "bytes", 5), 5);
	assert_memory_equal(server.written, "bytes", 5);
	assert_int_equal(sys_fsync((int)fd), 0);
	assert_int_equal(sys_close((int)fd), 0);
	assert_int_equal(server.fids, 0);
	fd = sys_open("/mnt/data", O_RDONLY | O_DIRECTORY, 0);
	assert_true(fd >= 0);
	assert_int_equal(sys_getdents64((int)fd, text, sizeof(text)), 64);
	assert_string_equal(text + 19, "one__");
	assert_int_equal(sys_getdents64((int)fd, text, sizeof(text)), 0);
	assert_int_equal(sys_close((int)fd), 0);
	assert_int_equal(sys_statfs("/mnt/data", &fs), 0);
	assert_int_equal(fs.f_bsize, 512);
	assert_int_equal(server.fids, 0);
}

static void test_errors_are_the_servers(void **state)
{
	struct user_stat st;

	assert_int_equal(mount_all(), 0);
	server.error = ENOENT;
	assert_int_equal(sys_stat("/mnt/data/x", &st), -ENOENT);
	server.error = EACCES;
	assert_int_equal(sys_unlink("/mnt/data/x"), -EACCES);
	/* No such errno: the caller must not take it for a pointer. */
	server.error = 100000;
	assert_int_equal(sys_stat("/mnt/data/x", &st), -EIO);
	server.error = 0;
}

static void test_flush_when_killed(void **state)
{
	long fd;
	char c;

	assert_int_equal(mount_all(), 0);
	fd = sys_open("/mnt/data/file", O_RDONLY, 0);
	server.silent = P9_TREAD;
	assert_int_equal(sys_read((int)fd, &c, 1), -EINTR);
	assert_int_equal(server.flushes, 1);
	server.silent = 0;
	assert_int_equal(sys_read((int)fd, &c, 1), 1);
	assert_int_equal(sys_close((int)fd), 0);
}

static void test_out_of_memory(void **state)
{
	assert_int_equal(mount_all(), 0);
	for (int i = 1; i < 40; i++) {
		long fd;

		host_fail_alloc((unsigned int)i);
		fd = sys_open("/mnt/data/file", O_RDONLY, 0);
		if (fd >= 0)
			sys_close((int)fd);
		else
			assert_true(fd == -ENOMEM || fd == -EMFILE);
		host_fail_alloc(0);
	}
}

static void test_read_only(void **state)
{
	mounts_forget();
	assert_int_equal(mount_param("9p:t:/ro:ro"), 0);
	assert_int_equal(mount_all(), 0);
	assert_int_equal(sys_mkdir("/ro/x", 0755), -EEXIST);
	assert_int_equal(sys_unlink("/ro/x"), -EROFS);
	assert_int_equal(sys_open("/ro/file", O_RDWR, 0), -EROFS);
	assert_int_equal(sys_truncate("/ro/file", 0), -EROFS);
}

static void test_bad_mounts(void **state)
{
	static const char *const bad[] = {
		"9p", "9p:t", "9p:t:data", "9p:nobody:/data", "nofs:t:/data",
		"9p:t:/", "9p:t:/x:rw", "9p:t:/init/x", "9p:t:/proc",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		mounts_forget();
		assert_int_equal(mount_param(bad[i]), 0);
		assert_true(mount_all() < 0);
	}
}

/* Whatever a server says: an error or nonsense, never a crash or a leak. */
static void test_lies(void **state)
{
	struct user_stat st;
	struct kstatfs fs;
	static char text[8192];
	long fd;

	assert_int_equal(mount_all(), 0);
	server.lies = true;
	for (int i = 0; i < 3000; i++) {
		sys_stat("/mnt/data/a/b", &st);
		sys_readlink("/mnt/data/link", text, sizeof(text));
		sys_mkdir("/mnt/data/dir", 0755);
		sys_rename("/mnt/data/a", "/mnt/data/b");
		sys_statfs("/mnt/data", &fs);
		fd = sys_open("/mnt/data/file", O_RDWR, 0);
		if (fd >= 0) {
			long n = sys_read((int)fd, text, sizeof(text));

			assert_true(n <= (long)sizeof(text));
			sys_write((int)fd, text, 5000);
			sys_close((int)fd);
		}
		fd = sys_open("/mnt/data", O_RDONLY, 0);
		if (fd >= 0) {
			sys_getdents64((int)fd, text, sizeof(text));
			sys_close((int)fd);
		}
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_honest_server), T(test_errors_are_the_servers),
		T(test_flush_when_killed), T(test_out_of_memory),
		T(test_read_only), T(test_bad_mounts), T(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
