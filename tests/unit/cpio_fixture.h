/* Builds newc archives in memory, for the tests that need an initramfs. */
#pragma once

#include "tests/unit/unit.h"

#include "fs/initramfs.h"
#include "fs/stat.h"

/* The archive under test, in memory of just its size. */
static char buf[1 << 18];
static size_t len;
static u32 next_ino;

static inline void pad(void)
{
	while (len % 4)
		buf[len++] = 0;
}

static inline void put_header(u32 ino, u32 mode, u32 nlink, u32 size,
			      u32 namesize)
{
	u32 f[13] = { ino, mode, 0, 0, nlink, 1234567, size, 0, 0, 0, 0,
		      namesize, 0 };

	memcpy(buf + len, "070701", 6);
	len += 6;
	for (int i = 0; i < 13; i++, len += 8) {
		char hex[9];

		snprintf(hex, sizeof(hex), "%08X", f[i]);
		memcpy(buf + len, hex, 8);
	}
}

static inline void put_name(const char *name)
{
	memcpy(buf + len, name, strlen(name) + 1);
	len += strlen(name) + 1;
	pad();
}

static inline void put_bytes(const char *name, const void *data, size_t size,
			     u32 mode)
{
	put_header(++next_ino, mode, 1, (u32)size, (u32)strlen(name) + 1);
	put_name(name);
	memcpy(buf + len, data, size);
	len += size;
	pad();
}

static inline void put_full(const char *name, const char *data, u32 mode,
			    u32 ino, u32 nlink)
{
	put_header(ino, mode, nlink, (u32)strlen(data),
		   (u32)strlen(name) + 1);
	put_name(name);
	memcpy(buf + len, data, strlen(data));
	len += strlen(data);
	pad();
}

static inline void put(const char *name, const char *data)
{
	put_full(name, data, S_IFREG | 0755, ++next_ino, 1);
}

static inline void trailer(void)
{
	put_full("TRAILER!!!", "", 0, 0, 1);
}
