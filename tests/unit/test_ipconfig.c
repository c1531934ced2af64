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

/* Each time it is given, it adds. */
static void test_more_addresses(void **state)
{
	memset(&c, 0, sizeof(c));
	assert_null(parse("10.0.0.3/24"));
	assert_null(parse("2001:db8::5/64"));
	assert_false(c.given);
	assert_null(parse("10.0.0.2::10.0.0.1:255.255.255.0"));
	assert_null(parse("[2001:db8:1::6]::[fe80::1]:64::eth0:off"));
	assert_true(c.given);
	assert_int_equal(c.nr_more, 3);
	assert_int_equal(c.more[0].addr.a[3], cpu_to_be32(0x0a000003));
	assert_int_equal(c.more[0].bits, 24);
	assert_int_equal(c.more[1].addr.a[0], cpu_to_be32(0x20010db8));
	assert_int_equal(c.more[1].addr.a[3], cpu_to_be32(5));
	assert_int_equal(c.more[2].addr.a[1], cpu_to_be32(0x00010000));
	assert_int_equal(c.gateway6.a[0], cpu_to_be32(0xfe800000));
	assert_int_equal(c.gateway6.a[3], cpu_to_be32(1));
	assert_null(parse("[2001:db8:2::7]/64"));
	assert_null(parse("10.0.0.4/32"));
	assert_null(parse("10.0.0.5/1"));
	assert_non_null(parse("10.0.0.6/24"));
	memset(&c, 0, sizeof(c));
	assert_null(parse("[2001:db8:1::6]:::64"));
	assert_true(ip_addr_any(&c.gateway6));
}

static void test_more_nonsense(void **state)
{
	static const char *const bad[] = {
		"10.0.0.3/", "10.0.0.3/0", "10.0.0.3/33", "10.0.0.3/x",
		"10.0.0.3/99999999999", "10.0.0/24", "224.0.0.1/24", "/24",
		"::/64", "ff02::1/64", "::ffff:0:1/64", "2001:db8::1/48",
		"2001:db8::1/128", "[2001:db8::1/64", "2001:db8::1::/64",
		"[]:::64", "[2001:db8::1]::[x]:64", "[2001:db8::1]",
		"[2001:db8::1]:::", "x/64",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&c, 0, sizeof(c));
		if (!parse(bad[i]))
			fail_msg("%s is taken", bad[i]);
	}
}

static void test_ipv6_text(void **state)
{
	static const struct {
		const char *text;
		u32 a[4];
	} good[] = {
		{ "::", { 0, 0, 0, 0 } },
		{ "::1", { 0, 0, 0, 1 } },
		{ "1::", { 0x10000, 0, 0, 0 } },
		{ "1:2:3:4:5:6:7:8", { 0x10002, 0x30004, 0x50006, 0x70008 } },
		{ "2001:DB8::a:b", { 0x20010db8, 0, 0, 0xa000b } },
		{ "1:2:3:4:5:6:7::", { 0x10002, 0x30004, 0x50006, 0x70000 } },
		{ "::2:3:4:5:6:7:8", { 2, 0x30004, 0x50006, 0x70008 } },
	};
	static const char *const bad[] = {
		"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1::2::3", "12345::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
		"1:", ":1", "g::", "1::2:", "::1.2.3.4", "1:2:3:4::5:6:7:8",
	};
	struct ip_addr ip;

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(ip_parse_v6(good[i].text, strlen(good[i].text),
					&ip));
		for (int w = 0; w < 4; w++)
			assert_int_equal(be32_to_cpu(ip.a[w]), good[i].a[w]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		if (ip_parse_v6(bad[i], strlen(bad[i]), &ip))
			fail_msg("%s is taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_more_addresses),
		cmocka_unit_test(test_more_nonsense),
		cmocka_unit_test(test_ipv6_text),
		cmocka_unit_test(test_full_static),
		cmocka_unit_test(test_name_servers),
		cmocka_unit_test(test_fields_may_be_left_out),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_host_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
