/*
 * Packet buffers against a byte array that says what they should hold.
 * sources: net/skbuff.c net/drop.c net/ip/checksum.c kernel/uio.c
 */
#include "tests/unit/unit.h"

#include "kernel/random.h"
#include "kernel/uio.h"
#include "net/ip/ip.h"
#include "net/skbuff.h"
#include "tests/host/host.h"

static int group_setup(void **state)
{
	host_reset();
	skb_init();
	return 0;
}

static int setup(void **state)
{
	host_reset();
	memset(drop_counts, 0, sizeof(drop_counts));
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static struct sk_buff *packet(u32 headroom, const void *data, u32 n)
{
	struct sk_buff *skb = alloc_skb(headroom + n);

	assert_non_null(skb);
	skb_reserve(skb, headroom);
	memcpy(skb_put(skb, n), data, n);
	return skb;
}

static void assert_holds(const struct sk_buff *skb, const u8 *data, u32 n)
{
	u8 *copy = malloc(n + 1);

	assert_int_equal(skb->len, n);
	skb_copy_bits(skb, 0, copy, n);
	assert_memory_equal(copy, data, n);
	free(copy);
}

static void test_room_is_as_asked(void **state)
{
	const u32 sizes[] = { 0, 1, 130, 184, 185, 1514, 1864, 3800, 4000,
			      9000, 65000 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sk_buff *skb = alloc_skb(sizes[i]);

		assert_non_null(skb);
		assert_true(skb_tailroom(skb) >= sizes[i]);
		assert_int_equal(skb_headroom(skb), 0);
		assert_true(skb->truesize >= sizes[i] + sizeof(*skb));
		memset(skb_put(skb, sizes[i]), 1, sizes[i]);
		kfree_skb(skb);
	}
	assert_null(alloc_skb(70000));
	host_fail_alloc(1);
	assert_null(alloc_skb(100));
	host_fail_alloc(1);
	assert_null(alloc_skb(10000));
	kfree_skb(NULL);
}

/* IP_MAX_HEADER and the longest TCP header fit in the smallest object. */
static void test_headers_fit_in_the_smallest(void **state)
{
	struct sk_buff *skb = alloc_skb(IP_MAX_HEADER + 60);

	assert_true(skb->truesize <= 384);
	kfree_skb(skb);
}

static void test_no_room_is_a_bug(void **state)
{
	struct sk_buff *skb = packet(4, "abcd", 4);

	host_expect_panic(skb_push(skb, 5));
	assert_true(host_panic_caught);
	host_expect_panic(skb_put(skb, skb_tailroom(skb) + 1));
	assert_true(host_panic_caught);
	assert_memory_equal(skb_push(skb, 4) + 4, "abcd", 4);
	kfree_skb(skb);
}

static void test_references(void **state)
{
	struct sk_buff *skb = packet(0, "x", 1);

	assert_false(skb_shared(skb));
	skb_get(skb);
	assert_true(skb_shared(skb));
	kfree_skb(skb);
	assert_int_equal(host_allocs_outstanding(), 1);
	kfree_skb(skb);
}

static int freed;

static void count_free(struct sk_buff *skb)
{
	freed++;
}

static void test_callbacks_run_once(void **state)
{
	struct sk_buff *skb = packet(0, "x", 1);
	struct sk_buff *piece = packet(0, "y", 1);

	freed = 0;
	piece->free_data = count_free;
	skb_add_frag(skb, piece);
	skb->destructor = count_free;
	skb_orphan(skb);
	assert_int_equal(freed, 1);
	skb->destructor = count_free;
	skb_get(skb);
	kfree_skb(skb);
	assert_int_equal(freed, 1);
	kfree_skb(skb);
	assert_int_equal(freed, 3);
}

static void test_drops_are_counted(void **state)
{
	kfree_skb_reason(packet(0, "x", 1), DROP_IP_HDR);
	kfree_skb_reason(NULL, DROP_IP_HDR);
	assert_int_equal(drop_counts[DROP_IP_HDR], 1);
	assert_string_equal(drop_name(DROP_IP_HDR), "IP_HDR");
}

static struct sk_buff *three_pieces(void)
{
	struct sk_buff *skb = packet(10, "abc", 3);

	skb_add_frag(skb, packet(0, "defg", 4));
	skb_add_frag(skb, packet(0, "hi", 2));
	return skb;
}

static void test_pull_copies_up(void **state)
{
	struct sk_buff *skb = three_pieces();

	assert_true(pskb_may_pull(skb, 3));
	assert_int_equal(skb_headlen(skb), 3);
	assert_true(pskb_may_pull(skb, 8));
	assert_int_equal(skb_headlen(skb), 8);
	assert_memory_equal(skb->data, "abcdefgh", 8);
	assert_holds(skb, (const u8 *)"abcdefghi", 9);
	assert_false(pskb_may_pull(skb, 10));
	assert_true(pskb_may_pull(skb, 9));
	assert_null(skb->frag_list);
	kfree_skb(skb);
}

/* No tailroom: the head moves to larger memory, or the call fails whole. */
static void test_pull_expands_the_head(void **state)
{
	struct sk_buff *skb = three_pieces();

	skb->network_header = 10;
	skb->end = skb->data + skb_headlen(skb);
	host_fail_alloc(1);
	assert_false(pskb_may_pull(skb, 5));
	assert_holds(skb, (const u8 *)"abcdefghi", 9);
	assert_true(pskb_may_pull(skb, 5));
	assert_memory_equal(skb_network_header(skb), "abcde", 5);
	assert_holds(skb, (const u8 *)"abcdefghi", 9);
	skb->end = skb->data + skb_headlen(skb);
	assert_true(pskb_may_pull(skb, 9));
	assert_holds(skb, (const u8 *)"abcdefghi", 9);
	kfree_skb(skb);
}

static void test_frag_with_frags_is_flattened(void **state)
{
	struct sk_buff *skb = packet(0, "12", 2);
	u32 truesize;

	skb_add_frag(skb, three_pieces());
	truesize = skb->truesize;
	skb_add_frag(skb, packet(0, "z", 1));
	assert_true(skb->truesize > truesize);
	assert_int_equal(skb->data_len, 10);
	assert_holds(skb, (const u8 *)"12abcdefghiz", 12);
	skb_trim(skb, 6);
	assert_holds(skb, (const u8 *)"12abcd", 6);
	skb_add_frag(skb, packet(0, "!", 1));
	assert_holds(skb, (const u8 *)"12abcd!", 7);
	kfree_skb(skb);
}

static void test_copies(void **state)
{
	struct sk_buff *skb = three_pieces();
	struct sk_buff *copy = skb_copy_range(skb, 2, 6, 20);
	u8 *big = malloc(20000);

	assert_holds(copy, (const u8 *)"cdefgh", 6);
	assert_int_equal(skb_headroom(copy), 20);
	kfree_skb(copy);
	host_fail_alloc(1);
	assert_null(skb_copy_range(skb, 2, 6, 20));
	for (u32 i = 0; i < 20000; i++)
		big[i] = (u8)(i * 7);
	for (u32 off = 0; off < 20000; off += 2500)
		skb_add_frag(skb, packet(0, big + off, 2500));
	skb_consume(skb, 9);
	copy = skb_copy(skb, 64);
	assert_int_equal(skb_headroom(copy), 64);
	assert_holds(copy, big, 20000);
	kfree_skb(copy);
	for (u32 i = 1; i <= 6; i++) {
		host_fail_alloc(i);
		assert_null(skb_copy(skb, 64));
		assert_true(host_alloc_failed());
	}
	host_fail_alloc(0);
	kfree_skb(skb);
	free(big);
}

static void test_copies_to_the_user(void **state)
{
	struct sk_buff *skb = three_pieces();
	char out[16] = "";
	struct iov_iter it;

	for (u32 off = 0; off < 9; off++) {
		for (u32 n = 0; off + n <= 9; n++) {
			iov_iter_ubuf(&it, out, sizeof(out));
			assert_int_equal(skb_copy_to_iter(skb, off, n, &it),
					 n);
			assert_memory_equal(out, &"abcdefghi"[off], n);
			assert_int_equal(it.count, sizeof(out) - n);
		}
	}
	/* The user's memory ends in the middle of the second piece. */
	host_bad_user(out + 5, 10);
	iov_iter_ubuf(&it, out, sizeof(out));
	assert_int_equal(skb_copy_to_iter(skb, 0, 9, &it), 5);
	host_good_user();
	kfree_skb(skb);
}

static void test_queue(void **state)
{
	struct sk_buff_head q;
	struct sk_buff *a = packet(0, "a", 1), *b = packet(0, "b", 1);

	skb_queue_head_init(&q);
	assert_null(skb_peek(&q));
	assert_null(skb_dequeue(&q));
	skb_queue_tail(&q, a);
	skb_queue_tail(&q, b);
	assert_ptr_equal(skb_peek(&q), a);
	assert_ptr_equal(skb_peek_tail(&q), b);
	assert_ptr_equal(skb_dequeue(&q), a);
	skb_queue_tail(&q, a);
	assert_int_equal(q.qlen, 2);
	skb_queue_purge(&q);
	assert_int_equal(q.qlen, 0);
	assert_true(skb_queue_empty(&q));
}

/* ---- random operations against the model ---- */

#define MODEL_MAX 60000

struct model {
	struct sk_buff *skb;
	u8 *bytes;		/* MODEL_MAX, packet in the middle */
	u32 start, len;
};

static void random_bytes(u8 *p, u32 n)
{
	for (u32 i = 0; i < n; i++)
		p[i] = (u8)get_random_u32();
}

static void op_put(struct model *m)
{
	u32 n = get_random_below(64);

	if (m->skb->frag_list || n > skb_tailroom(m->skb))
		return;
	random_bytes(m->bytes + m->start + m->len, n);
	memcpy(skb_put(m->skb, n), m->bytes + m->start + m->len, n);
	m->len += n;
}

static void op_push(struct model *m)
{
	u32 n = get_random_below(32);

	if (n > skb_headroom(m->skb))
		return;
	m->start -= n;
	m->len += n;
	random_bytes(m->bytes + m->start, n);
	memcpy(skb_push(m->skb, n), m->bytes + m->start, n);
}

static void op_frag(struct model *m)
{
	u32 n = get_random_below(300);
	struct sk_buff *frag;

	random_bytes(m->bytes + m->start + m->len, n);
	frag = packet(get_random_below(16), m->bytes + m->start + m->len, n);
	m->len += n;
	if (get_random_below(3) == 0) {
		n = get_random_below(300);
		random_bytes(m->bytes + m->start + m->len, n);
		skb_add_frag(frag, packet(0, m->bytes + m->start + m->len,
					  n));
		m->len += n;
	}
	skb_add_frag(m->skb, frag);
}

static void op_pull(struct model *m)
{
	u32 n = get_random_below(m->len + 10);
	bool ok = pskb_may_pull(m->skb, n);

	assert_int_equal(ok, n <= m->len);
	if (ok)
		assert_true(skb_headlen(m->skb) >= n);
}

static void op_consume(struct model *m)
{
	u32 n = get_random_below(m->len + 1) / (1 + get_random_below(4));

	skb_consume(m->skb, n);
	m->start += n;
	m->len -= n;
}

static void op_trim(struct model *m)
{
	u32 cut = get_random_below(m->len + 1) / (1 + get_random_below(4));

	skb_trim(m->skb, m->len - cut);
	m->len -= cut;
}

static void op_checksum(struct model *m)
{
	u32 off = get_random_below(m->len + 1);
	u32 n = get_random_below(m->len - off + 1);
	u16 want = csum_fold(csum_partial(m->bytes + m->start + off, n, 0));

	assert_int_equal(csum_fold(skb_checksum(m->skb, off, n, 0)), want);
}

static void assert_model(const struct model *m)
{
	u32 n = 0;
	const struct sk_buff *piece;

	assert_holds(m->skb, m->bytes + m->start, m->len);
	skb_for_each_piece(piece, m->skb)
		n += skb_headlen(piece);
	assert_int_equal(n, m->len);
}

static void test_random_operations(void **state)
{
	static void (*const ops[])(struct model *m) = {
		op_put, op_push, op_frag, op_frag, op_pull, op_consume,
		op_trim, op_checksum,
	};
	struct model m = { .bytes = malloc(MODEL_MAX) };

	for (u32 round = 0; round < 300; round++) {
		m.start = MODEL_MAX / 2;
		m.len = 0;
		m.skb = alloc_skb(200);
		skb_reserve(m.skb, get_random_below(100));
		for (u32 i = 0; i < 40; i++) {
			ops[get_random_below(ARRAY_SIZE(ops))](&m);
			assert_model(&m);
		}
		kfree_skb(m.skb);
		assert_int_equal(host_allocs_outstanding(), 0);
	}
	free(m.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_room_is_as_asked),
		T(test_headers_fit_in_the_smallest),
		T(test_no_room_is_a_bug),
		T(test_references),
		T(test_callbacks_run_once),
		T(test_drops_are_counted),
		T(test_pull_copies_up),
		T(test_pull_expands_the_head),
		T(test_frag_with_frags_is_flattened),
		T(test_copies),
		T(test_copies_to_the_user),
		T(test_queue),
		T(test_random_operations),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
