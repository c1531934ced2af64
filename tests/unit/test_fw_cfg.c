/*
 * QEMU's fw_cfg against made-up ports.
 * sources: drivers/fw_cfg.c
 */
#include "tests/unit/unit.h"

#include "drivers/fw_cfg.h"
#include "kernel/x86/io.h"
#include "tests/host/host.h"

/* Items by selector; the directory has two names. */
static u8 directory[4 + 2 * 64];
static const char *signature, *item;
static u32 selected, at;

static u32 port_in(u16 port, unsigned int size)
{
	assert_int_equal(port, 0x511);
	assert_int_equal(size, 1);
	at++;
	if (selected == 0)
		return at <= 4 ? (u8)signature[at - 1] : 0;
	if (selected == 0x19)
		return at <= sizeof(directory) ? directory[at - 1] : 0;
	assert_int_equal(selected, 0x21);
	return at <= strlen(item) ? (u8)item[at - 1] : 0;
}

static void port_out(u16 port, u32 v, unsigned int size)
{
	assert_int_equal(port, 0x510);
	assert_int_equal(size, 2);
	selected = v;
	at = 0;
}

static void put_entry(unsigned int nr, const char *name, u8 size, u8 select)
{
	u8 *e = directory + 4 + nr * 64;

	e[3] = size;
	e[5] = select;
	memcpy(e + 8, name, strlen(name));
	directory[3] = (u8)(nr + 1);
}

static int setup(void **state)
{
	host_reset();
	host_port_in = port_in;
	host_port_out = port_out;
	memset(directory, 0, sizeof(directory));
	signature = "QEMU";
	item = "words";
	put_entry(0, "etc/other", 9, 0x20);
	put_entry(1, "opt/pollux/warm", 5, 0x21);
	return 0;
}

static int teardown(void **state)
{
	host_port_in = NULL;
	host_port_out = NULL;
	return 0;
}

static void test_found_by_name(void **state)
{
	char buf[8] = "-------";

	assert_int_equal(fw_cfg_read("opt/pollux/warm", buf, sizeof(buf)), 5);
	assert_string_equal(buf, "words--");
	/* What is longer than there is room is cut; its length is said. */
	memset(buf, '-', 7);
	assert_int_equal(fw_cfg_read("opt/pollux/warm", buf, 2), 5);
	assert_string_equal(buf, "wo-----");
	assert_int_equal(fw_cfg_read("opt/pollux/war", buf, 2), 0);
}

static void test_no_qemu(void **state)
{
	char buf[8];

	signature = "\xff\xff\xff\xff";
	assert_int_equal(fw_cfg_read("opt/pollux/warm", buf, 8), 0);
}

static void test_a_directory_without_end(void **state)
{
	char buf[8];

	memset(directory, 0xff, sizeof(directory));
	assert_int_equal(fw_cfg_read("opt/pollux/warm", buf, 8), 0);
	assert_true(at <= 4 + 256 * 64);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_found_by_name),
		T(test_no_qemu),
		T(test_a_directory_without_end),
	};

	return cmocka_run_group_tests_name("fw_cfg", tests, NULL, NULL);
}
