/*
 * A SYN's options: what they say does not depend on how they are laid out,
 * and the usual layout, which is read at once, obeys the same rules.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/tcp/tcp_header.h"
#include "tests/unit/tcp_harness.h"

#define SYN TCP_SYN
#define LEN 20

/* MSS, SACK-permitted, timestamps, NOP, window scale: as Linux has them. */
static const u8 usual[LEN] = {
	2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 77, 0, 0, 0, 0, 1, 3, 3, 7,
};
static const u8 other[LEN] = {
	2, 4, 0x05, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 77, 0, 0, 0, 0,
};

/* The segment that @flags, options and nothing behind them make. */
static struct tcp_segment decode(u8 flags, const u8 *options, u32 len)
{
	struct sk_buff *skb = alloc_skb(TCP_HDR_LEN + len);
	struct tcphdr *th = skb_put(skb, TCP_HDR_LEN);
	struct tcp_segment seg;

	memset(th, 0, sizeof(*th));
	th->doff = (u8)((TCP_HDR_LEN + len) / 4 << 4);
	th->flags = flags;
	memcpy(skb_put(skb, len), options, len);
	memset(skb->cb, 0, sizeof(skb->cb));
	assert_int_equal(tcp_decode(skb), 0);
	seg = *tcp_seg(skb);
	kfree_skb(skb);
	return seg;
}

/* An option that ends behind the header is none, whatever follows. */
static void test_rfc9293_3_1_an_option_beyond_the_header(void **state)
{
	static const u8 cut[8] = { 1, 2, 4, 0x05, 0xb4, 0, 0, 0 };
	struct sk_buff *skb = alloc_skb(TCP_HDR_LEN + sizeof(cut));
	struct tcphdr *th = skb_put(skb, TCP_HDR_LEN);

	memset(th, 0, sizeof(*th));
	th->doff = (TCP_HDR_LEN + 4) / 4 << 4;
	th->flags = SYN;
	memcpy(skb_put(skb, sizeof(cut)), cut, sizeof(cut));
	assert_int_equal(tcp_decode(skb), 0);
	assert_int_equal(tcp_seg(skb)->opts, 0);
	kfree_skb(skb);
}

static void test_layouts_say_the_same(void **state)
{
	struct tcp_segment a = decode(SYN, usual, LEN);
	struct tcp_segment b = decode(SYN, other, LEN);

	assert_memory_equal(&a, &b, offsetof(struct tcp_segment, nr_sacks));
	assert_int_equal(a.mss, 1460);
	assert_int_equal(a.wscale, 7);
	assert_int_equal(a.tsval, 77);
	assert_int_equal(a.opts, TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS |
			 TCP_OPT_WSCALE);
	assert_int_equal(a.end_seq, a.seq + 1);
}

/* One byte of the usual layout changed, and what is then read. */
static void test_the_usual_layout_obeys_the_rules(void **state)
{
	static const struct {
		u8 at, to, opts, wscale;
	} rows[] = {
		{ 19, 15, 15, 14 },	/* RFC 7323 section 2.3 */
		{ 0, 9, 14, 7 },	/* not MSS */
		{ 1, 3, 0, 0 },		/* MSS of a wrong length, and behind */
		{ 5, 3, 1, 0 },
		{ 7, 9, 5, 0 },
		{ 16, 0, 13, 0 },	/* the end before the scale */
		{ 17, 5, 13, 0 },
		{ 18, 2, 13, 0 },
	};
	struct tcp_segment seg;
	u8 options[LEN];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(options, usual, LEN);
		options[rows[i].at] = rows[i].to;
		seg = decode(SYN, options, LEN);
		assert_int_equal(seg.opts, rows[i].opts);
		assert_int_equal(seg.wscale, rows[i].wscale);
	}
	memcpy(options, usual, LEN);
	memset(options + 2, 0, 2);
	assert_int_equal(decode(SYN, options, LEN).opts, 14);
	/* Only a SYN has them. */
	assert_int_equal(decode(TCP_ACK, usual, LEN).opts, TCP_OPT_TS);
	/* Cut short: nothing behind the header is read. */
	assert_int_equal(decode(SYN, usual, 4).opts, TCP_OPT_MSS);
}

/* SEG.LEN counts SYN and FIN (RFC 9293 section 3.3.1). */
static void test_flags_have_a_length(void **state)
{
	static const u8 rows[][2] = {
		{ TCP_ACK, 0 }, { TCP_FIN | TCP_ACK, 1 }, { TCP_SYN, 1 },
		{ TCP_SYN | TCP_FIN, 2 }, { TCP_RST, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tcp_segment seg = decode(rows[i][0], usual, 0);

		assert_int_equal(seg.end_seq - seg.seq, rows[i][1]);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_layouts_say_the_same),
		T(test_rfc9293_3_1_an_option_beyond_the_header),
		T(test_the_usual_layout_obeys_the_rules),
		T(test_flags_have_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
