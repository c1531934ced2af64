/*
 * Memory and string functions. The memory functions move 8-byte words and
 * finish with one overlapping word, never byte by byte: an emulator, and an
 * old CPU, run `rep movsb` one byte at a time. Any context.
 */
#include "kernel/string.h"
#include "kernel/compiler.h"
#include "kernel/x86/repstr.h"

/* Words that may lie anywhere and alias anything. */
struct word64 {
	u64 v;
} __packed __attribute__((may_alias));
struct word32 {
	u32 v;
} __packed __attribute__((may_alias));
struct word16 {
	u16 v;
} __packed __attribute__((may_alias));

#define W64(p) (((struct word64 *)(p))->v)
#define W32(p) (((struct word32 *)(p))->v)
#define W16(p) (((struct word16 *)(p))->v)
#define R64(p) (((const struct word64 *)(p))->v)
#define R32(p) (((const struct word32 *)(p))->v)
#define R16(p) (((const struct word16 *)(p))->v)

/* 0 to 7 bytes; every load comes before the first store (overlap). */
static __always_inline void copy_small(u8 *d, const u8 *s, size_t n)
{
	if (n >= 4) {
		u32 head = R32(s), tail = R32(s + n - 4);

		W32(d) = head;
		W32(d + n - 4) = tail;
	} else if (n >= 2) {
		u16 head = R16(s), tail = R16(s + n - 2);

		W16(d) = head;
		W16(d + n - 2) = tail;
	} else if (n) {
		*d = *s;
	}
}

void *(memcpy)(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;
	u64 tail;

	if (n < 8) {
		copy_small(d, s, n);
		return dst;
	}
	tail = R64(s + n - 8);
	copy_words(d, s, n / 8);
	W64(d + n - 8) = tail;
	return dst;
}

void *(memmove)(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;
	u64 head;

	/* Forward is safe unless @dst starts inside what is still unread. */
	if ((u64)d - (u64)s >= n)
		return (memcpy)(dst, src, n);
	if (n < 8) {
		copy_small(d, s, n);
		return dst;
	}
	head = R64(s);
	while (n > 8) {
		n -= 8;
		W64(d + n) = R64(s + n);
	}
	W64(d) = head;
	return dst;
}

void *(memset)(void *dst, int c, size_t n)
{
	u8 *d = dst;
	u64 word = (u8)c * 0x0101010101010101ull;

	if (n >= 8) {
		set_words(d, word, n / 8);
		W64(d + n - 8) = word;
	} else if (n >= 4) {
		W32(d) = (u32)word;
		W32(d + n - 4) = (u32)word;
	} else if (n) {
		d[0] = (u8)c;
		d[n / 2] = (u8)c;
		d[n - 1] = (u8)c;
	}
	return dst;
}

int (memcmp)(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	while (n >= 8 && R64(x) == R64(y)) {
		x += 8;
		y += 8;
		n -= 8;
	}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n; n--, p++)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	const char *end = memchr(s, 0, max);

	return end ? (size_t)(end - s) : max;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	while (n && *a && *a == *b) {
		a++;
		b++;
		n--;
	}
	return n ? (u8)*a - (u8)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)last;
	}
}

char *strstr(const char *s, const char *sub)
{
	size_t n = strlen(sub);

	for (; strncmp(s, sub, n); s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size) {
		size_t copy = min(n, size - 1);

		memcpy(dst, src, copy);
		dst[copy] = '\0';
	}
	return n;
}
