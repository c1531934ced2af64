/*
 * The parser of ip=, against what Linux's documentation says of it.
 * sources: net/lwip/ipconfig.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/compiler.h"
#include "net/lwip/ipconfig.h"

static struct ip_config c;

static const char *parse(const char *val)
{
	return ip_config_parse(val, &c);
}

static void test_words(void **state)
{
	static const char *const dhcp[] = { "dhcp", "on", "any", "both" };

	for (unsigned int i = 0; i < ARRAY_SIZE(dhcp); i++) {
		assert_null(parse(dhcp[i]));
		assert_int_equal(c.mode, IP_CONFIG_DHCP);
	}
	assert_null(parse("off"));
	assert_int_equal(c.mode, IP_CONFIG_OFF);
	assert_null(parse("none"));
	assert_int_equal(c.mode, IP_CONFIG_OFF);
	assert_non_null(parse("dchp"));
	assert_non_null(parse("rarp"));
	assert_non_null(parse(""));
	assert_non_null(parse(NULL));
}

static void test_full_static(void **state)
{
	assert_null(parse("10.1.2.3::10.1.2.1:255.255.255.0:web1:eth0:off"));
	assert_int_equal(c.mode, IP_CONFIG_STATIC);
	assert_int_equal(c.addr, cpu_to_be32(0x0a010203));
	assert_int_equal(c.gateway, cpu_to_be32(0x0a010201));
	assert_int_equal(c.mask, cpu_to_be32(0xffffff00));
	assert_string_equal(c.hostname, "web1");
	assert_string_equal(c.device, "eth0");
}

static void test_name_servers(void **state)
{
	assert_null(parse("10.1.2.3:::::eth0:off:10.0.2.3:127.0.0.1"));
	assert_int_equal(c.dns[0], cpu_to_be32(0x0a000203));
	assert_int_equal(c.dns[1], cpu_to_be32(0x7f000001));
	assert_null(parse("::::::dhcp:10.0.2.3"));
	assert_int_equal(c.dns[0], cpu_to_be32(0x0a000203));
	assert_int_equal(c.dns[1], 0);
	assert_non_null(parse("10.1.2.3:::::eth0:off:10.0.2"));
	assert_non_null(parse("10.1.2.3:::::eth0:off::x"));
}

static void test_fields_may_be_left_out(void **state)
{
	assert_null(parse("10.1.2.3"));
	assert_int_equal(c.mode, IP_CONFIG_STATIC);
	assert_int_equal(c.mask, cpu_to_be32(0xff000000));
	assert_int_equal(c.gateway, 0);
	assert_null(parse("172.16.0.1"));
	assert_int_equal(c.mask, cpu_to_be32(0xffff0000));
	assert_null(parse("192.168.0.1:::255.255.255.252"));
	assert_int_equal(c.mask, cpu_to_be32(0xfffffffc));
	assert_null(parse(":::::eth1:dhcp"));
	assert_int_equal(c.mode, IP_CONFIG_DHCP);
	assert_string_equal(c.device, "eth1");
	assert_null(parse("::::box::dhcp"));
	assert_string_equal(c.hostname, "box");
	assert_null(parse("10.0.0.1:::255.0.0.0:::off:1.1.1.1:2.2.2.2:3.3.3.3"));
}

static void test_nonsense_is_refused(void **state)
{
	static const char *const bad[] = {
		"10.1.2", "10.1.2.3.4", "10.1.2.256", "10.1.2.x", "10..2.3",
		"10.1.2.03", "1234.1.2.3", "0.0.0.0", "127.0.0.1", "224.0.0.1",
		"255.255.255.255", "10.1.2.3::10.1.2.1:255.0.255.0",
		"10.1.2.3::10.1.2.1:0.0.0.0", "10.1.2.3::11.1.2.1:255.0.0.0",
		"10.1.2.3::300.1.2.1", "10.1.2.3:::255.255.255.0:-x",
		"10.1.2.3:::255.255.255.0:a b",
		"10.1.2.3:::255.255.255.0::eth0123456789012345:off",
		"10.1.2.3:::255.255.255.0::eth0:maybe",
		"10.1.2.3:::::::::::", "::10.0.0.1::::off", "10.1.2.3 ",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!parse(bad[i]))
			fail_msg("taken: %s", bad[i]);
	}
}

static void test_host_names(void **state)
{
	char longest[HOSTNAME_MAX + 2];

	memset(longest, 'a', sizeof(longest));
	assert_true(hostname_valid(longest, HOSTNAME_MAX));
	assert_false(hostname_valid(longest, HOSTNAME_MAX + 1));
	assert_true(hostname_valid("a-1.b", 5));
	assert_false(hostname_valid("a_b", 3));
	assert_false(hostname_valid(".a", 2));
	assert_false(hostname_valid("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_full_static),
		cmocka_unit_test(test_name_servers),
		cmocka_unit_test(test_fields_may_be_left_out),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_host_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
