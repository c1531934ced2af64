/* sources: kernel/chacha20.c kernel/siphash.c kernel/string.c */
#include "tests/unit/unit.h"

#include "kernel/chacha20.h"
#include "kernel/siphash.h"

/* RFC 8439, section 2.3.2. */
static void test_chacha20_block_of_the_rfc(void **state)
{
	static const u8 want[CHACHA20_BLOCK] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15,
		0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
		0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03,
		0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
		0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09,
		0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
		0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9,
		0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
	};
	struct chacha20_state s;
	u8 key[CHACHA20_KEY], out[CHACHA20_BLOCK];

	for (int i = 0; i < CHACHA20_KEY; i++)
		key[i] = i;
	chacha20_init(&s, key);
	s.word[12] = 1;
	s.word[13] = 0x09000000;
	s.word[14] = 0x4a000000;
	s.word[15] = 0;
	chacha20_block(&s, out);
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(s.word[12], 2);
}

/* RFC 8439, appendix A.1, vectors 1 and 2: all zero, counter 0 and 1. */
static void test_chacha20_counts_its_blocks(void **state)
{
	static const u8 first[8] = { 0x76, 0xb8, 0xe0, 0xad,
				     0xa0, 0xf1, 0x3d, 0x90 };
	static const u8 second[8] = { 0x9f, 0x07, 0xe7, 0xbe,
				      0x55, 0x51, 0x38, 0x7a };
	struct chacha20_state s;
	u8 key[CHACHA20_KEY] = { 0 }, out[CHACHA20_BLOCK];

	chacha20_init(&s, key);
	chacha20_block(&s, out);
	assert_memory_equal(out, first, sizeof(first));
	chacha20_block(&s, out);
	assert_memory_equal(out, second, sizeof(second));
}

/* From the authors' reference: key 00..0f, message 00, 01, 02, ... */
static void test_siphash_reference_vectors(void **state)
{
	static const struct {
		size_t len;
		u64 hash;
	} want[] = {
		{ 0, 0x726fdb47dd0e0e31ull },
		{ 1, 0x74f839c593dc67fdull },
		{ 2, 0x0d6c8009d9a94f5aull },
		{ 7, 0xab0200f58b01d137ull },
		{ 8, 0x93f5f5799a932462ull },
		{ 15, 0xa129ca6149be45e5ull },
		{ 63, 0x958a324ceb064572ull },
	};
	struct siphash_key key;
	u8 bytes[64];

	for (int i = 0; i < 64; i++)
		bytes[i] = i;
	memcpy(&key, bytes, sizeof(key));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(siphash(bytes, want[i].len, &key),
				 want[i].hash);
}

static void test_siphash_of_words_is_that_of_bytes(void **state)
{
	const struct siphash_key key = { { 0x123, 0x456 } };
	const u64 word[2] = { 0x1122334455667788ull, 42 };

	assert_int_equal(siphash_3u32(word[0], (u32)word[1], &key),
			 siphash(word, 12, &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chacha20_block_of_the_rfc),
		cmocka_unit_test(test_chacha20_counts_its_blocks),
		cmocka_unit_test(test_siphash_reference_vectors),
		cmocka_unit_test(test_siphash_of_words_is_that_of_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
