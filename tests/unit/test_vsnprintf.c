/*
 * vsnprintf and the symbol table behind %pS.
 * sources: kernel/kallsyms.c kernel/unpack.c
 */
#include "tests/unit/unit.h"

/* The kernel's own, beside the C library's of the same names. */
#define vsnprintf px_vsnprintf
#define snprintf px_snprintf
#include "kernel/vsnprintf.c"
#include "kernel/kallsyms_internal.h"

/*
 * Two functions, "abab" at +0x10 and "a" at +0x120, as the tools write them
 * (tests/tools/test_tools.py asks them). The code is never looked at.
 */
const char __text_start[0x1000] = { 0 };
__asm__(".globl __init_text_end\n"
	".set __init_text_end, __text_start + 0x1000\n");

const u8 kallsyms_table[] = {
	215, 251, 223, 186, 248, 58, 23, 75, 69, 101, 0,
};

static void expect(const char *want, const char *fmt, ...)
{
	char got[256], exact[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = px_vsnprintf(got, sizeof(got), fmt, args);
	va_end(args);
	assert_string_equal(got, want);
	assert_int_equal(n, strlen(want));
	/* One byte short: cut, terminated, the same length reported. */
	va_start(args, fmt);
	n = px_vsnprintf(exact, strlen(want), fmt, args);
	va_end(args);
	assert_int_equal(n, strlen(want));
	if (*want) {
		assert_int_equal(strlen(exact), strlen(want) - 1);
		assert_memory_equal(exact, want, strlen(want) - 1);
	}
}

static void test_integers(void **state)
{
	expect("0", "%d", 0);
	expect("-1", "%d", -1);
	expect("-2147483648", "%d", INT32_MIN);
	expect("-9223372036854775808", "%lld", (long long)INT64_MIN);
	expect("18446744073709551615", "%llu", ~0ull);
	expect("4294967295", "%u", ~0u);
	expect("deadbeef DEADBEEF", "%x %X", 0xdeadbeef, 0xdeadbeef);
	expect("755", "%o", 0755);
	expect("-1 255", "%hhd %hhu", 0x1ff, 0x1ff);
	expect("-2 65534", "%hd %hu", 0xfffe, 0xfffe);
	expect("1 2 3 4", "%zu %zd %ld %lu", (size_t)1, (ssize_t)2, 3l, 4ul);
}

static void test_flags(void **state)
{
	expect("   42", "%5d", 42);
	expect("42   |", "%-5d|", 42);
	expect("00042", "%05d", 42);
	expect("-0042", "%05d", -42);
	expect("+42", "%+d", 42);
	expect(" 42", "% d", 42);
	expect("0x2a", "%#x", 42);
	expect("0", "%#x", 0);
	expect("052", "%#o", 42);
	expect("0x000000002a", "%#012x", 42);
	expect("  007", "%5.3d", 7);
	expect("", "%.0d", 0);
	expect("   7", "%*d", 4, 7);
	expect("7   |", "%*d|", -4, 7);
}

static void test_text(void **state)
{
	expect("a string", "%s", "a string");
	expect("(null)", "%s", (char *)NULL);
	expect("abc", "%.3s", "abcdef");
	expect("abc", "%.*s", 3, "abc");
	expect("  abc", "%5s", "abc");
	expect("abc  |", "%-5s|", "abc");
	expect("x", "%c", 'x');
	expect("100%", "100%%");
	expect("%q", "%q");
}

/* A precision that ends before the terminator: nothing past it is read. */
static void test_unterminated(void **state)
{
	char *four = malloc(4);

	memcpy(four, "wxyz", 4);
	expect("wxyz", "%.4s", four);
	free(four);
}

static void test_pointers(void **state)
{
	u8 ip[] = { 192, 168, 0, 255 };
	u8 mac[] = { 0x52, 0x54, 0, 0x12, 0xab, 0xff };

	expect("192.168.0.255", "%pI4", ip);
	expect("52:54:00:12:ab:ff", "%pM", mac);
	expect("0x1234", "%p", (void *)0x1234);
	expect("[10.1.2.3       ]", "[%-15pI4]", (u8[]){ 10, 1, 2, 3 });
}

static void test_symbols(void **state)
{
	char bare[32];

	expect("abab+0", "%pS", __text_start + 0x10);
	expect("abab+0x10f", "%pS", __text_start + 0x11f);
	expect("a+0x5", "%pS", __text_start + 0x125);
	sprintf(bare, "%p", (void *)(__text_start + 5));
	expect(bare, "%pS", __text_start + 5);
	expect("0x1234", "%pS", (void *)0x1234);
	sprintf(bare, "%p", (void *)(__text_start + 0x1000));
	expect(bare, "%pS", __text_start + 0x1000);
}

static void test_symbol_name_is_cut(void **state)
{
	char name[4] = "zzz";
	u64 offset;

	u64 addr = (u64)__text_start + 0x10;

	assert_true(kallsyms_lookup(addr, name, 3, &offset));
	assert_string_equal(name, "ab");
	assert_int_equal(name[3], 0);
	assert_false(kallsyms_lookup(addr, name, 0, &offset));
}

static void test_no_room(void **state)
{
	char byte = 'x';

	assert_int_equal(px_snprintf(NULL, 0, "%d", 12345), 5);
	assert_int_equal(px_snprintf(&byte, 1, "%d", 12345), 5);
	assert_int_equal(byte, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_unterminated),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_symbol_name_is_cut),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("vsnprintf", tests, NULL, NULL);
}
