/*
 * Memory and string functions against the C library's, at every small size,
 * alignment and overlap. sources: none, they are included under other names.
 */
#include "tests/unit/unit.h"

#define memcpy px_memcpy
#define memmove px_memmove
#define memset px_memset
#define memcmp px_memcmp
#define memchr px_memchr
#define strlen px_strlen
#define strnlen px_strnlen
#define strcmp px_strcmp
#define strncmp px_strncmp
#define strchr px_strchr
#define strrchr px_strrchr
#define strstr px_strstr
#define strlcpy px_strlcpy
#include "kernel/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef strlcpy

#define AREA 160

static void fill(u8 *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (u8)(i * 37 + 11);
}

/* Exact-size buffers: the sanitiser sees a byte too many. */
static void test_memcpy(void **state)
{
	size_t n;

	for (n = 0; n < AREA; n++) {
		u8 *src = malloc(n), *dst = malloc(n);

		fill(src, n);
		assert_ptr_equal(px_memcpy(dst, src, n), dst);
		assert_memory_equal(dst, src, n);
		free(src);
		free(dst);
	}
}

static void test_memmove_overlaps(void **state)
{
	u8 got[AREA], want[AREA];
	size_t from, to, n;

	for (from = 0; from < 24; from++) {
		for (to = 0; to < 24; to++) {
			for (n = 0; n < AREA - 24; n++) {
				fill(got, AREA);
				fill(want, AREA);
				px_memmove(got + to, got + from, n);
				memmove(want + to, want + from, n);
				assert_memory_equal(got, want, AREA);
			}
		}
	}
}

static void test_memset(void **state)
{
	size_t n, i;

	for (n = 0; n < AREA; n++) {
		u8 *p = malloc(n);

		assert_ptr_equal(px_memset(p, 0x1a5, n), p);
		for (i = 0; i < n; i++)
			assert_int_equal(p[i], 0xa5);
		free(p);
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_memcmp(void **state)
{
	u8 a[40], b[40];
	size_t at, n;

	for (n = 0; n < 40; n++) {
		for (at = 0; at < 40; at++) {
			fill(a, 40);
			fill(b, 40);
			b[at] ^= 0x80;
			assert_int_equal(sign(px_memcmp(a, b, n)),
					 sign(memcmp(a, b, n)));
		}
	}
}

static void test_strings(void **state)
{
	const char *s = "one two one";

	assert_int_equal(px_strlen(""), 0);
	assert_int_equal(px_strlen(s), 11);
	assert_int_equal(px_strnlen(s, 3), 3);
	assert_int_equal(px_strnlen(s, 30), 11);
	assert_ptr_equal(px_memchr(s, 'w', 11), s + 5);
	assert_null(px_memchr(s, 'w', 5));
	assert_ptr_equal(px_strchr(s, 'o'), s);
	assert_ptr_equal(px_strchr(s, 0), s + 11);
	assert_null(px_strchr(s, 'z'));
	assert_ptr_equal(px_strrchr(s, 'o'), s + 8);
	assert_ptr_equal(px_strrchr(s, 0), s + 11);
	assert_null(px_strrchr(s, 'z'));
	assert_ptr_equal(px_strstr(s, "two"), s + 4);
	assert_ptr_equal(px_strstr(s, ""), s);
	assert_null(px_strstr(s, "ones"));
}

static void test_comparisons(void **state)
{
	assert_int_equal(px_strcmp("a", "a"), 0);
	assert_true(px_strcmp("a", "ab") < 0);
	assert_true(px_strcmp("\xff", "a") > 0);
	assert_int_equal(px_strncmp("abc", "abd", 2), 0);
	assert_true(px_strncmp("abc", "abd", 3) < 0);
	assert_int_equal(px_strncmp("a", "b", 0), 0);
}

static void test_strlcpy(void **state)
{
	char buf[4] = "zzz";

	assert_int_equal(px_strlcpy(buf, "ab", sizeof(buf)), 2);
	assert_string_equal(buf, "ab");
	assert_int_equal(px_strlcpy(buf, "abcdef", sizeof(buf)), 6);
	assert_string_equal(buf, "abc");
	assert_int_equal(px_strlcpy(buf, "x", 0), 1);
	assert_string_equal(buf, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memmove_overlaps),
		cmocka_unit_test(test_memset),
		cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_comparisons),
		cmocka_unit_test(test_strlcpy),
	};

	return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
