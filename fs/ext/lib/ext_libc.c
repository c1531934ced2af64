/*
 * What libext2fs wants of a C library and the kernel does not have under that
 * name. What it only seems to want (other disks, encryption, character sets)
 * is refused when a file system is opened, and never called.
 */
#include "fs/ext/ext_lib.h"

#include "fs/ext/lib/internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "uuid/uuid.h"

/* --- memory --- */

void *malloc(size_t n)
{
	return ext_alloc(n);
}

void free(void *p)
{
	ext_free(p);
}

void *calloc(size_t n, size_t size)
{
	void *p = size && n > SIZE_MAX / size ? NULL : ext_alloc(n * size);

	return p ? memset(p, 0, n * size) : NULL;
}

void *realloc(void *old, size_t n)
{
	void *p = ext_alloc(n);
	size_t had = old ? ext_alloc_size(old) : 0;

	if (p && old) {
		memcpy(p, old, had < n ? had : n);
		ext_free(old);
	}
	return p;
}

/* --- strings --- */

char *strcpy(char *to, const char *from)
{
	return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *to, const char *from, size_t n)
{
	size_t len = strnlen(from, n);

	memset(to, 0, n);
	return memcpy(to, from, len);
}

char *strcat(char *to, const char *more)
{
	strcpy(to + strlen(to), more);
	return to;
}

char *strdup(const char *s)
{
	char *copy = ext_alloc(strlen(s) + 1);

	return copy ? strcpy(copy, s) : NULL;
}

unsigned long strtoul(const char *s, char **end, int base)
{
	unsigned long v = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * (unsigned long)(base ? base : 10) +
		    (unsigned long)(*s - '0');
	if (end)
		*end = (char *)s;
	return v;
}

static void swap_bytes(char *a, char *b, size_t size)
{
	while (size--) {
		char c = *a;

		*a++ = *b;
		*b++ = c;
	}
}

/* The lists that are sorted here are short. */
void qsort(void *base, size_t n, size_t size,
	   int (*cmp)(const void *, const void *))
{
	char *p = base;

	for (size_t i = 1; i < n; i++) {
		for (size_t k = i; k && cmp(p + (k - 1) * size,
					    p + k * size) > 0; k--)
			swap_bytes(p + (k - 1) * size, p + k * size, size);
	}
}

uint32_t htonl(uint32_t v)
{
	return __builtin_bswap32(v);
}

uint32_t ntohl(uint32_t v)
{
	return __builtin_bswap32(v);
}

/* --- time, and the rest of a system --- */

time_t time(time_t *t)
{
	time_t now = (time_t)(ext_now() / 1000000000);

	if (t)
		*t = now;
	return now;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	(void)zone;
	tv->tv_sec = time(NULL);
	tv->tv_usec = 0;
	return 0;
}

int *__errno_location(void)
{
	static int nobody_reads;

	return &nobody_reads;
}

char *getenv(const char *name)
{
	(void)name;
	return NULL;
}

int printf(const char *restrict fmt, ...)
{
	/* The journal's replay reports what the mount then refuses. */
	ext_complain(fmt);
	return 0;
}

/* libext2fs's own checks of itself, not of the disk. */
_Noreturn void abort(void)
{
	ext_give_up("libext2fs");
}

_Noreturn void __assert_fail(const char *expr, const char *file, int line,
			     const char *func)
{
	(void)expr;
	(void)line;
	(void)func;
	ext_give_up(file);
}

void com_err(const char *whoami, errcode_t code, const char *fmt, ...)
{
	char text[120];

	(void)fmt;
	snprintf(text, sizeof(text), "%s: libext2fs says %ld", whoami, code);
	ext_complain(text);
}

int uuid_is_null(const unsigned char *uuid)
{
	for (int i = 0; i < 16; i++) {
		if (uuid[i])
			return 0;
	}
	return 1;
}

/* --- never called --- */

io_manager unix_io_manager;

void uuid_unparse(const unsigned char *uuid, char *out)
{
	(void)uuid;
	*out = '\0';
}

const struct ext2fs_nls_table *ext2fs_load_nls_table(int encoding)
{
	(void)encoding;
	return NULL;
}

errcode_t ext2fs_fallocate(ext2_filsys fs, int flags, ext2_ino_t ino,
			   struct ext2_inode *inode, blk64_t goal,
			   blk64_t start, blk64_t len)
{
	(void)fs;
	(void)flags;
	(void)ino;
	(void)inode;
	(void)goal;
	(void)start;
	(void)len;
	return EXT2_ET_UNIMPLEMENTED;
}

void ext2fs_sha512(const unsigned char *in, unsigned long in_size,
		   unsigned char out[64])
{
	(void)in;
	(void)in_size;
	memset(out, 0, 64);
}
