/*
 * What a connection tells of itself in numbers (TCP_INFO), that its ports and
 * sequence numbers cannot be guessed, and options: TCP_MAXSEG, IPV6_V6ONLY, how
 * much it takes that it cannot send yet (TCP_NOTSENT_LOWAT).
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/random.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_info.h"
#include "net/tcp/tcp_isn.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_user.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_MAXSEG	2
#define TCP_SYNCNT	7
#define TCP_NOTSENT_LOWAT 25
#define M		1000u	/* the peer's segments */

static char bytes[20000];

static struct tcp_info info_of(struct socket *s)
{
	struct tcp_info info;

	tcp_get_info(s->sk, &info, host_now);
	return info;
}

/* ---- TCP_INFO ---- */

static void test_info_counts_what_comes(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_info i = info_of(c.s);

	/* The ACK of the handshake; as on Linux its SYN was not yet ours. */
	assert_int_equal(i.tcpi_segs_in, 1);
	assert_int_equal(i.tcpi_data_segs_in, 0);
	assert_int_equal(i.tcpi_bytes_received, 0);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10);
	in(.flags = ACK, .seq = 21, .ack = 1, .wnd = 100, .len = 10);
	in(.flags = ACK, .seq = 31, .ack = 1, .wnd = 100);
	i = info_of(c.s);
	assert_int_equal(i.tcpi_segs_in, 5);
	assert_int_equal(i.tcpi_data_segs_in, 3);
	assert_int_equal(i.tcpi_rcv_ooopack, 1);
	assert_int_equal(i.tcpi_bytes_received, 10);
	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 100, .len = 10);
	in(.flags = ACK | FIN, .seq = 31, .ack = 1, .wnd = 100);
	i = info_of(c.s);
	assert_int_equal(i.tcpi_segs_in, 7);
	/* The FIN has a number, too. */
	assert_in_range(i.tcpi_bytes_received, 30, 31);
	th_conn_done(&c);
}

static void test_info_counts_what_goes(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_info i;

	assert_int_equal(th_send(c.s, bytes, 2500, 0), 2500);
	i = info_of(c.s);
	assert_int_equal(i.tcpi_segs_out, th_flush());
	assert_int_equal(i.tcpi_segs_out, 3);
	assert_int_equal(i.tcpi_data_segs_out, 3);
	assert_int_equal(i.tcpi_bytes_sent, 2500);
	assert_int_equal(i.tcpi_bytes_acked, 0);
	assert_int_equal(i.tcpi_bytes_retrans, 0);
	th_sleep_ms(1500);
	i = info_of(c.s);
	assert_int_equal(i.tcpi_segs_out, 3 + th_flush());
	assert_true(i.tcpi_bytes_retrans >= 1000);
	assert_int_equal(i.tcpi_bytes_sent, 2500 + i.tcpi_bytes_retrans);
	assert_int_equal(i.tcpi_data_segs_out, 3 + i.tcpi_total_retrans);
	in(.flags = ACK, .seq = 1, .ack = 2501, .wnd = 65535);
	assert_int_equal(info_of(c.s).tcpi_bytes_acked, 2500);
	th_conn_done(&c);
}

/* Two segments that the device has made one of (GRO, guest TSO). */
static void test_info_counts_the_parts(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);
	struct sk_buff *skb = alloc_skb(100);

	skb_put(skb, 50);
	tcp_seg(skb)->hdr_len = 20;
	skb->gso_segs = 2;
	tcp_count_in(tp, skb);
	assert_int_equal(info_of(c.s).tcpi_segs_in, 3);
	assert_int_equal(info_of(c.s).tcpi_data_segs_in, 1);
	kfree_skb(skb);
	th_conn_done(&c);
}

/* More than the sequence numbers can say. */
static void test_info_beyond_4_gib(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);
	const u64 gib = 1ull << 30;

	for (u32 n = 0; n < 6; n++) {
		tp->n.bytes_acked += gib;
		tp->n.bytes_received += gib;
		tp->iss -= (u32)gib;
		tp->irs -= (u32)gib;
	}
	assert_int_equal(info_of(c.s).tcpi_bytes_acked, 6 * gib);
	assert_int_equal(info_of(c.s).tcpi_bytes_sent, 6 * gib);
	assert_int_equal(info_of(c.s).tcpi_bytes_received, 6 * gib);
	th_conn_done(&c);
}

static void test_info_of_who_connects(void **state)
{
	struct socket *s = th_socket();

	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	th_flush();
	th_port = s->sk->sk_num;
	assert_int_equal(info_of(s).tcpi_segs_out, 1);
	assert_int_equal(info_of(s).tcpi_bytes_sent, 0);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 1000, .mss = 1000);
	assert_int_equal(info_of(s).tcpi_bytes_acked, 0);
	assert_int_equal(info_of(s).tcpi_segs_in, 1);
	assert_int_equal(info_of(s).tcpi_segs_out, 2);
	assert_int_equal(info_of(s).tcpi_data_segs_out, 0);
	th_flush();
	th_close(s);
	th_flush();
	in(.flags = RST, .seq = 1);
}

/* ---- RFC 6056 section 3.3.4 ---- */

#define DESTINATIONS	4096u

/* The port for a connection to a peer that nobody has called yet. */
static u16 port_to(u32 n)
{
	struct socket *s = th_socket();
	struct sock *sk = s->sk;
	u16 port;

	sk->sk_rcv_saddr = ip_addr_v4(0x0100000a);
	sk->sk_daddr = ip_addr_v4(0x0000640a + (n << 16));
	sk->sk_dport = 80;
	assert_int_equal(tcp_port_connect(sk, host_now), 0);
	port = sk->sk_num;
	tcp_unhash(sk);
	tcp_port_release(sk);
	th_close(s);
	return port;
}

/*
 * Where calls to one destination begin says nothing about another's: with
 * counters alone (256 of them) those that share one get a run of ports.
 */
static void test_rfc6056_3_3_4_no_runs_over_destinations(void **state)
{
	static u8 taken[65536];
	u32 distinct = 0, neighbours = 0;

	for (u32 i = 0; i < DESTINATIONS; i++)
		taken[port_to(i)] = 1;
	for (u32 p = 32768; p < 61000; p++) {
		distinct += taken[p];
		neighbours += taken[p] && taken[p + 1];
	}
	/* Drawn evenly from 28,232: 3,811 and 514 on average. */
	assert_in_range(distinct, 3700, 3920);
	assert_in_range(neighbours, 350, 700);
}

/* To one destination they come in turn, so that none comes again soon. */
static void test_rfc6056_3_3_4_in_turn_to_one(void **state)
{
	u16 first = port_to(1);

	for (u16 i = 1; i < 100; i++)
		assert_int_equal((port_to(1) - 32768 + 28232 -
				  (first - 32768)) % 28232, i);
}

/* Nor does it say how often others were called in between. */
static void test_rfc6056_3_3_4_no_common_counter(void **state)
{
	u32 alone = 0;

	for (u32 i = 0; i < 64; i++) {
		u16 before = port_to(i);

		for (u32 other = 1; other < 6; other++)
			port_to(100 * other + i);
		alone += port_to(i) - before == 1;
	}
	/* 2 % share one of the 256. */
	assert_true(alone > 40);
}

/*
 * Another boot, other ports: all secrets are drawn. Were it the counters
 * alone, those that share one would move together.
 */
static void test_rfc6056_3_3_4_secrets(void **state)
{
	static u8 shifts[65536];
	static u16 before[2048];
	u32 same = 0, distinct = 0;

	for (u32 i = 0; i < ARRAY_SIZE(before); i++)
		before[i] = port_to(i);
	tcp_port_init();
	for (u32 i = 0; i < ARRAY_SIZE(before); i++) {
		u32 shift = (port_to(i) + 28232u - before[i]) % 28232;

		same += shift < 10;
		distinct += !shifts[shift];
		shifts[shift] = 1;
	}
	assert_true(same < 20);
	assert_true(distinct > 1500);
}

/* ---- RFC 6528 section 3 ---- */

/* Where the numbers of one connection begin is another at each boot. */
static void test_rfc6528_3_a_secret_is_drawn(void **state)
{
	struct tcp_tuple t = {
		.local = ip_addr_v4(0x0100000a), .remote = ip_addr_v4(1),
		.lport = 1, .rport = 2,
	};
	struct tcp_start a = tcp_new_start(&t, host_now), b;

	tcp_isn_init();
	b = tcp_new_start(&t, host_now);
	assert_int_not_equal(a.isn, b.isn);
	assert_int_not_equal(a.ts_off, b.ts_off);
}

/* ---- TCP_MAXSEG, IPV6_V6ONLY ---- */

/* RFC 9293 section 3.7.1: what we ask for is in the SYN. */
static void test_maxseg_is_in_the_syn(void **state)
{
	struct socket *s = th_socket();

	assert_int_equal(th_setopt(s, SOL_TCP, TCP_MAXSEG, 700), 0);
	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.mss, 700);
	th_close(s);
	th_flush();
}

/* tcp(7): and what we send is no larger, whatever the peer would take. */
static void test_maxseg_limits_what_we_send(void **state)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	th_setopt(c.listener, SOL_TCP, TCP_MAXSEG, 700);
	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.mss, 700);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	assert_int_equal(th_send(c.s, bytes, 1400, 0), 1400);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 700);
	out(.flags = ACK | PSH, .seq = 701, .ack = 1, .len = 700);
	th_conn_done(&c);
}

/* tcp(7): so many repetitions of the SYN, after 1, 2, 4 s. */
static void test_syncnt(void **state)
{
	struct socket *s = th_socket();

	assert_int_equal(th_setopt(s, SOL_TCP, TCP_SYNCNT, 2), 0);
	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	assert_int_equal(th_flush(), 1);
	th_sleep_ms(3500);
	assert_int_equal(th_flush(), 2);
	assert_int_equal(s->sk->sk_state, TCP_SYN_SENT);
	th_sleep_ms(4000);
	quiet();
	assert_int_equal(s->sk->sk_state, TCP_CLOSE);
	assert_int_equal(s->sk->sk_err, ETIMEDOUT);
	th_close(s);
}

/* ipv6(7): only an address that is not for both leaves the port to IPv4. */
static void test_v6only_leaves_the_port(void **state)
{
	for (int only = 0; only < 2; only++) {
		struct socket *four = th_socket(), *six = th_socket();

		six->sk->sk_family = AF_INET6;
		if (only)
			sock_set_flag(six->sk, SOCK_V6ONLY);
		assert_int_equal(tcp_port_bind(six->sk, 999), 0);
		assert_int_equal(tcp_port_bind(four->sk, 999),
				 only ? 0 : -EADDRINUSE);
		th_close(four);
		th_close(six);
	}
}

/* ---- TCP_NOTSENT_LOWAT ---- */

static u32 unsent(struct socket *s)
{
	return info_of(s).tcpi_notsent_bytes;
}

static void lowat(struct socket *s, int n)
{
	u32 len = sizeof(int);
	int is = -1;

	assert_int_equal(th_setopt(s, SOL_TCP, TCP_NOTSENT_LOWAT, n), 0);
	assert_int_equal(s->ops->getsockopt(s, SOL_TCP, TCP_NOTSENT_LOWAT, &is,
					    &len), 0);
	assert_int_equal(is, n);
}

static void test_notsent_lowat(void **state)
{
	struct th_conn c = th_established(true);
	u32 taken;

	lowat(c.s, 4 * M);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = M);
	while (th_send(c.s, bytes, M, 0) == (ssize_t)M)
		;
	assert_int_equal(th_send(c.s, bytes, 1, 0), -EAGAIN);
	assert_in_range(unsent(c.s), 4 * M, 5 * M);
	taken = M + unsent(c.s);
	assert_false(th_poll(c.s) & EPOLLOUT);
	th_flush();
	/* Not at once, but when half of it is gone. */
	in(.flags = ACK, .seq = 1, .ack = 1 + M, .wnd = M);
	th_flush();
	assert_in_range(unsent(c.s), 2 * M, 4 * M);
	assert_false(th_poll(c.s) & EPOLLOUT);
	in(.flags = ACK, .seq = 1, .ack = 1 + 2 * M, .wnd = 2 * M);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 1 + 4 * M, .wnd = M);
	th_flush();
	assert_true(unsent(c.s) < 2 * M);
	assert_true(th_poll(c.s) & EPOLLOUT);
	assert_true(taken < 7 * M);
	th_conn_done(&c);
}

static void test_notsent_lowat_taken_back(void **state)
{
	struct th_conn c = th_established(true);

	lowat(c.s, 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10);
	while (th_send(c.s, bytes, M, 0) > 0)
		;
	assert_false(th_poll(c.s) & EPOLLOUT);
	lowat(c.s, 0);
	assert_true(th_poll(c.s) & EPOLLOUT);
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	th_conn_done(&c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_info_counts_what_comes),
		T(test_info_counts_what_goes),
		T(test_info_counts_the_parts),
		T(test_info_beyond_4_gib),
		T(test_info_of_who_connects),
		T(test_rfc6056_3_3_4_no_runs_over_destinations),
		T(test_rfc6056_3_3_4_in_turn_to_one),
		T(test_rfc6056_3_3_4_no_common_counter),
		T(test_rfc6056_3_3_4_secrets),
		T(test_rfc6528_3_a_secret_is_drawn),
		T(test_maxseg_is_in_the_syn),
		T(test_maxseg_limits_what_we_send),
		T(test_syncnt),
		T(test_v6only_leaves_the_port),
		T(test_notsent_lowat),
		T(test_notsent_lowat_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
