/*
 * The kernel command line, and the log that unknown words go to.
 * sources: kernel/param.c
 */
#include "tests/unit/unit.h"

#include "kernel/boot_info.h"
#include "kernel/param.h"
#include "tests/host/host.h"

struct boot_info boot_info;

static char got[256];

static int set_alpha(const char *val)
{
	if (val && !strcmp(val, "bad"))
		return -EINVAL;
	snprintf(got + strlen(got), sizeof(got) - strlen(got), "alpha(%s)",
		 val ? val : "-");
	return 0;
}

static int set_beta(const char *val)
{
	snprintf(got + strlen(got), sizeof(got) - strlen(got), "beta(%s)",
		 val ? val : "-");
	return 0;
}

/* What the linker script gathers in the kernel. */
const struct kernel_param __start_kernel_param[] = {
	{ .name = "alpha", .set = set_alpha, .help = "anything good" },
	{ .name = "beta", .set = set_beta, .help = "a word" },
};
__asm__(".globl __stop_kernel_param\n"
	".set __stop_kernel_param, __start_kernel_param + 48\n");

static void cmdline(const char *s)
{
	host_reset();
	got[0] = '\0';
	snprintf(boot_info.cmdline, sizeof(boot_info.cmdline), "%s", s);
}

static void parsed(const char *line, const char *want)
{
	cmdline(line);
	parse_params();
	assert_string_equal(got, want);
}

static void test_words(void **state)
{
	parsed("", "");
	parsed("   ", "");
	parsed("alpha", "alpha(-)");
	parsed("alpha=", "alpha()");
	parsed("  alpha=1   beta=2 ", "alpha(1)beta(2)");
	parsed("alpha=1 alpha=2", "alpha(1)alpha(2)");
	parsed("alpha=a=b", "alpha(a=b)");
	parsed("alpha=\"a b\" beta", "alpha(a b)beta(-)");
	parsed("\"alpha=a b\"", "alpha(a b)");
	parsed("alpha=\"open", "alpha(open)");
	parsed("alpha=1 -- beta=2", "alpha(1)");
	parsed("alpha=-- beta", "alpha(--)beta(-)");
	parsed("--", "");
}

static void test_unknown_words_are_reported(void **state)
{
	parsed("gamma=1 alpha", "alpha(-)");
	assert_non_null(strstr(host_log(), "gamma"));
	assert_non_null(strstr(host_log(), "anything good"));
	parsed("alpha=bad beta", "beta(-)");
	assert_non_null(strstr(host_log(), "alpha=bad refused"));
	assert_non_null(strstr(host_log(), "anything good"));
	parsed("alpha=1", "alpha(1)");
	assert_string_equal(host_log(), "");
}

static void test_long_word(void **state)
{
	char line[1200] = "alpha=";

	memset(line + 6, 'x', 1000);
	strcpy(line + 1006, " beta");
	cmdline(line);
	parse_params();
	assert_true(strlen(got) > 200);
}

static void test_init_args(void **state)
{
	char buf[64], *words[4];

	cmdline("alpha=1");
	assert_null(param_init_args());
	assert_int_equal(param_init_words(buf, 64, words, 4), 0);
	assert_null(words[0]);
	cmdline("alpha=1 --");
	assert_null(param_init_args());
	cmdline("alpha=1 -- -v  \"two words\"");
	assert_string_equal(param_init_args(), "-v  \"two words\"");
	assert_int_equal(param_init_words(buf, 64, words, 4), 2);
	assert_string_equal(words[0], "-v");
	assert_string_equal(words[1], "two words");
	assert_null(words[2]);
	/* A second -- is the program's own. */
	cmdline("-- a -- b");
	assert_int_equal(param_init_words(buf, 64, words, 4), 3);
	assert_string_equal(words[1], "--");
}

static void test_too_many_words(void **state)
{
	char buf[64], *words[4];

	cmdline("-- a b c");
	assert_int_equal(param_init_words(buf, 64, words, 4), 3);
	assert_int_equal(param_init_words(buf, 64, words, 3), -E2BIG);
	assert_int_equal(param_init_words(buf, 7, words, 4), 3);
	assert_int_equal(param_init_words(buf, 6, words, 4), -E2BIG);
	assert_int_equal(param_init_words(buf, 4, words, 4), -E2BIG);
	assert_int_equal(param_init_words(buf, 0, words, 4), -E2BIG);
}

static void test_environment(void **state)
{
	char buf[64], *words[8];

	cmdline("HOME=/x alpha=1 PATH2=\"a b\" 2X=y Low=1 A -- LATE=1");
	parse_params();
	assert_string_equal(got, "alpha(1)");
	assert_non_null(strstr(host_log(), "2X"));
	assert_non_null(strstr(host_log(), "Low"));
	assert_null(strstr(host_log(), "HOME"));
	assert_int_equal(param_env_words(buf, 64, words, 8), 2);
	assert_string_equal(words[0], "HOME=/x");
	assert_string_equal(words[1], "PATH2=a b");
	assert_null(words[2]);
}

static void test_numbers(void **state)
{
	u64 v = 1;

	assert_int_equal(parse_u64("0", &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(parse_u64("18446744073709551615", &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(parse_u64("0xFFff", &v), 0);
	assert_int_equal(v, 0xffff);
	assert_int_equal(parse_u64("18446744073709551616", &v), -EINVAL);
	assert_int_equal(parse_u64("", &v), -EINVAL);
	assert_int_equal(parse_u64("0x", &v), -EINVAL);
	assert_int_equal(parse_u64("12a", &v), -EINVAL);
	assert_int_equal(parse_u64("-1", &v), -EINVAL);
	assert_int_equal(parse_u64(" 1", &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_unknown_words_are_reported),
		cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_init_args),
		cmocka_unit_test(test_too_many_words),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
