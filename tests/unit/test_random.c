/* sources: kernel/random.c kernel/chacha20.c */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "kernel/random.h"
#include "kernel/x86/entropy.h"
#include "tests/host/host.h"

static unsigned int cpu_words;	/* how many the CPU has to give */
static unsigned int jitter_calls;

unsigned int cpu_random(u64 *word, unsigned int n)
{
	for (unsigned int i = 0; i < n && i < cpu_words; i++)
		word[i] = 0x1234 + i;
	return min(n, cpu_words);
}

static u64 counter = 7;

u64 entropy_counter(void)
{
	return counter;
}

/* Each is worth one bit of 256 at most, and only some are it. */
u64 entropy_jitter(void)
{
	if (jitter_calls < 200)
		assert_false(random_ready());
	return jitter_calls++;
}

/* The state of the generator lives as long as the program: one order. */
static void test_refuses_until_seeded(void **state)
{
	u8 byte;

	host_reset();
	assert_false(random_ready());
	host_expect_panic(get_random_bytes(&byte, 1));
	assert_true(host_panic_caught);
	add_entropy("x", 1, 1000);
	assert_false(random_ready());
}

static void test_timing_seeds_a_cpu_without_rdrand(void **state)
{
	cpu_words = 0;
	random_init();
	assert_true(random_ready());
	assert_true(jitter_calls >= 256);
}

static void test_rdrand_is_enough(void **state)
{
	jitter_calls = 0;
	cpu_words = 8;
	random_init();
	assert_int_equal(jitter_calls, 0);
}

static void test_output_does_not_repeat(void **state)
{
	static u64 seen[3000];
	u8 a[300], b[300];

	for (int i = 0; i < 3000; i++)
		seen[i] = i % 3 ? get_random_u64()
				: (u64)get_random_u32() << 32 |
				  get_random_u32();
	for (int i = 0; i < 3000; i++)
		for (int k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
	get_random_bytes(a, sizeof(a));
	get_random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	/* Nothing of the first block comes again in later ones. */
	assert_memory_not_equal(a, a + 64, 64);
}

static void test_bits_are_even(void **state)
{
	unsigned int ones = 0;
	u8 buf[4096];

	get_random_bytes(buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		ones += __builtin_popcount(buf[i]);
	/* Six standard deviations of 32768 coin flips. */
	assert_in_range(ones, 16384 - 543, 16384 + 543);
}

static void test_below_covers_its_range(void **state)
{
	unsigned int count[6] = { 0 };

	for (int i = 0; i < 6000; i++) {
		u32 v = get_random_below(6);

		assert_true(v < 6);
		count[v]++;
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(count[i], 820, 1180);
	assert_int_equal(get_random_below(1), 0);
	assert_true(get_random_below(0x80000001u) <= 0x80000000u);
}

/* Rejection: else every third number would come twice as often. */
static void test_below_is_even(void **state)
{
	unsigned int threes = 0;

	for (int i = 0; i < 3000; i++)
		threes += get_random_below(3u << 30) % 3 == 0;
	assert_in_range(threes, 1000 - 155, 1000 + 155);
}

/* What a child of this process draws after @before. */
static u64 drawn_after(void (*before)(void))
{
	int ends[2];
	u64 v = 0;

	assert_int_equal(pipe(ends), 0);
	if (!fork()) {
		if (before)
			before();
		v = get_random_u64();
		_exit(write(ends[1], &v, sizeof(v)) != sizeof(v));
	}
	assert_int_equal(read(ends[0], &v, sizeof(v)), sizeof(v));
	close(ends[0]);
	close(ends[1]);
	return v;
}

static void feed(void)
{
	add_entropy("x", 1, 0);
}

static void start_now(void)
{
	random_init();
}

static void start_later(void)
{
	counter++;
	random_init();
}

/* Also what lies ready was drawn without it, and is not used. */
static void test_what_is_fed_counts_at_once(void **state)
{
	(void)get_random_u64();
	assert_true(drawn_after(NULL) == drawn_after(NULL));
	assert_true(drawn_after(NULL) != drawn_after(feed));
	/* One source that lies is not the only one. */
	assert_true(drawn_after(start_now) == drawn_after(start_now));
	assert_true(drawn_after(start_now) != drawn_after(start_later));
}

/* All of the program's variables; their red zones, too. */
__attribute__((no_sanitize("address")))
static bool lies_somewhere(u64 v)
{
	extern char __data_start[], _end[];

	for (char *p = __data_start; p + sizeof(v) <= _end; p++) {
		if (((struct { u64 v; } __attribute__((packed)) *)p)->v == v)
			return true;
	}
	return false;
}

static volatile u64 kept;

static void test_what_was_given_out_is_wiped(void **state)
{
	u64 v = get_random_u64();

	assert_false(lies_somewhere(v));
	kept = v;
	assert_true(lies_somewhere(v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_until_seeded),
		cmocka_unit_test(test_timing_seeds_a_cpu_without_rdrand),
		cmocka_unit_test(test_rdrand_is_enough),
		cmocka_unit_test(test_output_does_not_repeat),
		cmocka_unit_test(test_bits_are_even),
		cmocka_unit_test(test_below_covers_its_range),
		cmocka_unit_test(test_below_is_even),
		cmocka_unit_test(test_what_is_fed_counts_at_once),
		cmocka_unit_test(test_what_was_given_out_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
