/*
 * Our TCP against itself over bad links: every byte arrives, in order, both
 * ways, and everything is given back.
 * sources: tcp tests/unit/tcp_link.c
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "tests/unit/tcp_link.h"

/* One side of the conversation: sends a pattern, checks the other's. */
struct side {
	struct socket *s;
	u64 to_send, sent;
	u64 to_get, got;
	u8 salt;
	bool shut, eof;
};

static u8 byte_at(u64 off, u8 salt)
{
	return (u8)(off * 31 + (off >> 9) + salt);
}

static void side_send(struct side *x)
{
	static u8 buf[20000];
	ssize_t n;

	while (x->sent < x->to_send) {
		size_t want = min(sizeof(buf), x->to_send - x->sent);

		for (size_t i = 0; i < want; i++)
			buf[i] = byte_at(x->sent + i, x->salt);
		n = th_send(x->s, buf, want, 0);
		if (n == -EAGAIN)
			return;
		assert_true(n > 0);
		x->sent += (u64)n;
	}
	if (!x->shut) {
		x->shut = true;
		assert_int_equal(x->s->ops->shutdown(x->s, SHUT_WR), 0);
	}
}

static void side_recv(struct side *x, u8 other_salt)
{
	static u8 buf[30000];
	ssize_t n;

	while (!x->eof) {
		n = th_recv(x->s, buf, sizeof(buf), 0);
		if (n == -EAGAIN)
			return;
		assert_true(n >= 0);
		x->eof = !n;
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(buf[i], byte_at(x->got + (u64)i,
							 other_salt));
		x->got += (u64)n;
	}
	assert_int_equal(x->got, x->to_get);
}

static void stuck(u64 seed, const struct side *a, const struct side *b)
{
	print_message("stuck: seed %lu a %lu/%lu %s b %lu/%lu %s\n", seed,
		      a->got, a->to_get, tcp_state_names[a->s->sk->sk_state],
		      b->got, b->to_get, tcp_state_names[b->s->sk->sk_state]);
	fail();
}

/* Moves @ab bytes one way and @ba the other; returns virtual ns it took. */
static u64 converse(const struct th_link *link, u64 seed, u64 ab, u64 ba)
{
	struct socket *listener = th_listen(TH_PORT);
	struct side a = { .to_send = ab, .to_get = ba, .salt = 1 };
	struct side b = { .to_send = ba, .to_get = ab, .salt = 2 };
	u64 start = host_now;
	u64 steps = 0;
	int err;

	th_link_start(link, seed);
	a.s = th_socket();
	assert_int_equal(th_connect(a.s, TH_PORT, true), -EINPROGRESS);
	while (!b.s) {
		if (!th_link_step())
			break;
		b.s = th_accept(listener, &err);
	}
	/* Seven SYNs lost in a row: possible on such links, and no fault. */
	if (!b.s) {
		assert_true(link->loss > 100);
		a.eof = true;
		b.eof = true;
	}
	while (!a.eof || !b.eof) {
		if (th_poll(a.s) & EPOLLOUT)
			side_send(&a);
		side_send(&b);
		if (th_poll(a.s) & EPOLLIN)
			side_recv(&a, b.salt);
		side_recv(&b, a.salt);
		if (a.eof && b.eof)
			break;
		if (!th_link_step() || ++steps > 3000000 ||
		    host_now - start > 7200 * NSEC_PER_SEC)
			stuck(seed, &a, &b);
	}
	start = host_now - start;
	th_close(a.s);
	if (b.s)
		th_close(b.s);
	th_close(listener);
	for (unsigned int i = 0; i < 100000 && th_link_step(); i++)
		;
	th_link_stop();
	return start;
}

static void test_clean_link(void **state)
{
	struct th_link link = { .delay_ns = 1 * MS };

	converse(&link, 1, 1, 1);
	converse(&link, 2, 1000, 100000);
	converse(&link, 3, 1 << 20, 1 << 20);
}

static void test_rate_limited(void **state)
{
	struct th_link link = { .delay_ns = 5 * MS, .ns_per_byte = 100 };
	u64 ns = converse(&link, 1, 2 << 20, 0);

	/* 2 MiB at 10 MB/s: a fifth of a second, and slow start. */
	assert_true(ns < 500 * MS);
}

/*
 * 100 Mbit/s over a tenth of a second there and back: 1.25 MB under way, ten
 * times what the buffers of both sides begin with.
 */
static void test_a_long_fat_link_is_filled(void **state)
{
	struct th_link link = { .delay_ns = 50 * MS, .ns_per_byte = 80 };
	u64 ns;

	th_dev_features = NETIF_F_TSO;
	ns = converse(&link, 1, 16 << 20, 0);
	/* 1.34 s at the link's rate, and some doublings before. */
	assert_in_range(ns / MS, 1342, 3000);
}

static void test_loss(void **state)
{
	for (u64 seed = 1; seed <= 40; seed++) {
		struct th_link link = {
			.delay_ns = 2 * MS,
			.loss = (u32)(seed % 8) * 20,
		};

		converse(&link, seed, 100000, 50000);
	}
}

static void test_reorder_and_dup(void **state)
{
	for (u64 seed = 1; seed <= 30; seed++) {
		struct th_link link = {
			.delay_ns = 2 * MS,
			.jitter_ns = (seed % 4) * MS,
			.reorder = 50,
			.dup = 30,
			.loss = (u32)(seed % 3) * 10,
		};

		converse(&link, seed, 60000, 60000);
	}
}

static void test_tso(void **state)
{
	struct th_link link = { .delay_ns = 2 * MS };

	th_dev_features = NETIF_F_TSO;
	converse(&link, 1, 1 << 20, 3 << 20);
	for (u64 seed = 1; seed <= 10; seed++) {
		link.loss = 30;
		converse(&link, seed, 200000, 200000);
	}
}

/* Links from good to awful, sizes, offload: all by the seed. */
static void one_seed(u64 seed)
{
	u64 r = seed * 0x9e3779b97f4a7c15ull;
	struct th_link link = {
		.delay_ns = (1 + (r >> 8) % 50) * MS,
		.jitter_ns = (r >> 16) % 3 * ((r >> 20) % 20) * MS,
		.reorder = (u32)((r >> 24) % 4) * 40,
		.dup = (u32)((r >> 28) % 3) * 30,
		.ns_per_byte = (r >> 32) % 3 * 200,
	};
	u32 kind = (u32)(r >> 36) % 8;

	/* Mostly some percent, at most a quarter: at forty, R2 is reached. */
	link.loss = kind < 2 ? 0 : kind < 6 ? (u32)(r >> 40) % 60
					    : (u32)(r >> 40) % 250;
	th_dev_features = (r >> 50) % 2 ? NETIF_F_TSO : 0;
	converse(&link, seed, (r >> 44) % 60000, (r >> 52) % 30000);
}

/* TCP_SIM_SEEDS=N in the environment runs more of them. */
static void test_random_links(void **state)
{
	const char *more = getenv("TCP_SIM_SEEDS");
	const char *from = getenv("TCP_SIM_FROM");
	u64 n = more ? strtoull(more, NULL, 10) : 100;
	u64 first = from ? strtoull(from, NULL, 10) : 1;

	for (u64 seed = first; seed < first + n; seed++)
		one_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clean_link, th_setup,
						th_teardown),
		cmocka_unit_test_setup_teardown(test_rate_limited, th_setup,
						th_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_long_fat_link_is_filled, th_setup, th_teardown),
		cmocka_unit_test_setup_teardown(test_loss, th_setup,
						th_teardown),
		cmocka_unit_test_setup_teardown(test_reorder_and_dup,
						th_setup, th_teardown),
		cmocka_unit_test_setup_teardown(test_tso, th_setup,
						th_teardown),
		cmocka_unit_test_setup_teardown(test_random_links, th_setup,
						th_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
