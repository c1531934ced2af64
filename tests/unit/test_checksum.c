/*
 * The internet checksum against the textbook's loop, at every alignment.
 * sources: net/ip/checksum.c
 */
#include "tests/unit/unit.h"

#include "kernel/random.h"
#include "net/ip/ip.h"
#include "tests/host/host.h"

/* RFC 1071 section 4.1, byte by byte; network order in, network order out. */
static u16 naive(const u8 *p, u32 len, u32 sum)
{
	for (u32 i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (u32)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return cpu_to_be16((u16)~sum);
}

static void test_all_alignments_and_lengths(void **state)
{
	u8 buf[400];

	for (u32 i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)get_random_u32();
	for (u32 off = 0; off < 9; off++) {
		for (u32 len = 0; len <= 300; len++)
			assert_int_equal(csum_fold(csum_partial(buf + off, len,
								0)),
					 naive(buf + off, len, 0));
	}
}

static void test_carries(void **state)
{
	u8 buf[128];

	memset(buf, 0xff, sizeof(buf));
	for (u32 len = 0; len <= sizeof(buf); len++) {
		u16 sum = csum_fold(csum_partial(buf, len, 0xffffffff));

		/* ffff and 0 are the same number: both fold to 0 here. */
		assert_int_equal(sum, len & 1 ? naive(buf, 1, 0) : 0);
	}
}

static void test_sums_chain(void **state)
{
	u8 buf[256];
	u32 sum;

	for (u32 i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)get_random_u32();
	for (u32 cut = 0; cut <= 256; cut += 2) {
		sum = csum_partial(buf, cut, 0);
		sum = csum_partial(buf + cut, 256 - cut, sum);
		assert_int_equal(csum_fold(sum), naive(buf, 256, 0));
	}
}

static void test_pseudo_header_v4(void **state)
{
	struct ip_addr s = ip_addr_v4(cpu_to_be32(0xc0a80001));
	struct ip_addr d = ip_addr_v4(cpu_to_be32(0xfffefdfc));
	const u8 pseudo[] = { 192, 168, 0, 1, 255, 254, 253, 252,
			      0, 6, 0xab, 0xcd };

	assert_int_equal(csum_fold(csum_pseudo(&s, &d, 6, 0xabcd)),
			 naive(pseudo, sizeof(pseudo), 0));
}

static void test_pseudo_header_v6(void **state)
{
	u8 pseudo[40];
	struct ip_addr s, d;

	for (u32 i = 0; i < 32; i++)
		pseudo[i] = (u8)get_random_u32();
	memcpy(s.a, pseudo, 16);
	memcpy(d.a, pseudo + 16, 16);
	put_be32(0x12345, pseudo + 32);
	put_be32(17, pseudo + 36);
	assert_int_equal(csum_fold(csum_pseudo(&s, &d, 17, 0x12345)),
			 naive(pseudo, sizeof(pseudo), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_alignments_and_lengths),
		cmocka_unit_test(test_carries),
		cmocka_unit_test(test_sums_chain),
		cmocka_unit_test(test_pseudo_header_v4),
		cmocka_unit_test(test_pseudo_header_v6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
