/*
 * The log: levels, consoles that come late, a ring that is full, and panic's
 * text. sources: kernel/printk.c kernel/param.c
 */
#include "tests/unit/unit.h"

#include "kernel/boot_info.h"
#include "kernel/panic.h"
#include "kernel/param.h"

#include "kernel/printk.h"

struct boot_info boot_info;
bool panic_in_progress;
const struct kernel_param __start_kernel_param[1], __stop_kernel_param[1];

struct sink {
	struct console con;
	char text[20000];
	size_t len;
	/* Logs this from within write(), as an interrupt would. */
	const char *nested;
};

static void sink_write(struct console *con, const char *s, size_t len)
{
	struct sink *k = container_of(con, struct sink, con);
	const char *nested = k->nested;

	assert_true(k->len + len < sizeof(k->text));
	memcpy(k->text + k->len, s, len);
	k->len += len;
	k->text[k->len] = '\0';
	k->nested = NULL;
	if (nested)
		pr_err("%s", nested);
}

static struct sink early = { .con = { .write = sink_write, .early = true } };
static struct sink first = { .con = { .write = sink_write } };
static struct sink second = { .con = { .write = sink_write } };

static void expect(struct sink *k, const char *want)
{
	assert_string_equal(k->text, want);
	k->len = 0;
	k->text[0] = '\0';
}

/* The log is one for the process: the tests build on each other. */
static void test_before_any_console(void **state)
{
	pr_err("one");
	pr_notice("two\n");
	pr_info("hidden");
	pr_warn("a\nb\n");
	register_console(&early.con);
	expect(&early, "one\ntwo\na\nb\n");
}

static void test_early_console_gives_way(void **state)
{
	pr_err("three");
	expect(&early, "three\n");
	register_console(&first.con);
	expect(&first, "");
	pr_err("four");
	expect(&first, "four\n");
	expect(&early, "");
}

static void test_late_console_gets_all(void **state)
{
	register_console(&second.con);
	expect(&second, "one\ntwo\na\nb\nthree\nfour\n");
	pr_err("five");
	expect(&first, "five\n");
	expect(&second, "five\n");
}

static void test_levels(void **state)
{
	console_loglevel = LOG_DEBUG + 1;
	pr_debug("d");
	console_loglevel = 0;
	printk(LOG_EMERG, "e");
	console_loglevel = LOG_WARNING;
	pr_err("shown");
	pr_warn("not");
	console_loglevel = LOG_NOTICE + 1;
	expect(&first, "d\nshown\n");
	expect(&second, "d\nshown\n");
}

/* At `loglevel=3` and below what is not shown is not kept either. */
static void test_quiet(void **state)
{
	struct sink late = { .con = { .write = sink_write } };

	console_loglevel = LOG_WARNING;
	pr_warn("kept");
	console_loglevel = LOG_ERR;
	pr_err("left out");
	console_loglevel = LOG_NOTICE + 1;
	register_console(&late.con);
	assert_non_null(strstr(late.text, "kept"));
	assert_null(strstr(late.text, "left out"));
	list_del(&late.con.list);
}

static void test_format(void **state)
{
	char long_line[500];

	memset(long_line, 'x', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	pr_err("%d%%", 5);
	pr_err("%s", "");
	expect(&first, "5%\n\n");
	pr_err("%s", long_line);
	assert_int_equal(first.len, 320);
	first.len = second.len = 0;
}

/* A line logged while a console is being written to comes after it. */
static void test_nested(void **state)
{
	first.nested = "inner";
	pr_err("outer");
	expect(&first, "outer\ninner\n");
	assert_string_equal(second.text, "outer\ninner\n");
	second.len = 0;
}

/* What does not fit is lost whole, from the old end. */
static void test_full_ring(void **state)
{
	struct sink third = { .con = { .write = sink_write } };
	int i;

	first.len = second.len = 0;
	for (i = 0; i < 2000; i++) {
		pr_err("line %04d", i);
		first.len = second.len = 0;
	}
	register_console(&third.con);
	assert_memory_equal(third.text, "line ", 5);
	assert_string_equal(third.text + third.len - 10, "line 1999\n");
	assert_int_equal(third.len % 10, 0);
	assert_true(third.len > 4096);
	list_del(&third.con.list);
}

static void test_raw_output(void **state)
{
	first.len = second.len = 0;
	console_write("raw", 3);
	expect(&first, "raw");
	second.len = 0;
}

static void test_panic_needs_no_locks(void **state)
{
	panic_in_progress = true;
	pr_err("last words");
	expect(&first, "last words\n");
	panic_in_progress = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_any_console),
		cmocka_unit_test(test_early_console_gives_way),
		cmocka_unit_test(test_late_console_gets_all),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_raw_output),
		cmocka_unit_test(test_panic_needs_no_locks),
	};

	return cmocka_run_group_tests_name("printk", tests, NULL, NULL);
}
