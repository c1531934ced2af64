/*
 * The path's MTU: what makes segments smaller, and the probes that make them
 * larger again (RFC 1191, 4821, 8201), by script and over a link that swallows
 * large packets.
 * sources: tcp tests/unit/tcp_link.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "net/snmp.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_recovery.h"
#include "tests/unit/tcp_link.h"

#define MINUTE	(60 * NSEC_PER_SEC)

static u8 bytes[65536];

/* ---- over a link ---- */

struct flow {
	struct socket *l, *a, *b;
	u64 got;
};

static void flow_open(struct flow *f, const struct th_link *link)
{
	int err;

	*f = (struct flow){ .l = th_listen(TH_PORT), .a = th_socket() };
	th_link_start(link, 1);
	th_connect(f->a, TH_PORT, true);
	while (!f->b && th_link_step())
		f->b = th_accept(f->l, &err);
	assert_non_null(f->b);
}

static void flow_move(struct flow *f, u64 n)
{
	u64 sent = 0, end = f->got + n;

	while (f->got < end) {
		ssize_t r;

		while (sent < n) {
			r = th_send(f->a, bytes, min(n - sent, 60000ull), 0);
			if (r < 0)
				break;
			sent += (u64)r;
		}
		while ((r = th_recv(f->b, bytes, sizeof(bytes), 0)) > 0)
			f->got += (u64)r;
		if (f->got < end)
			assert_true(th_link_step());
	}
	while (th_tp(f->a)->packets_out)
		assert_true(th_link_step());
}

static void flow_close(struct flow *f)
{
	th_close(f->a);
	th_close(f->b);
	th_close(f->l);
	while (th_link_step())
		;
	th_link_stop();
}

static u64 count(enum snmp_counter which)
{
	return snmp_counts[which];
}

static void black_hole_and_back(void)
{
	struct th_link link = { .delay_ns = 2 * MS };
	u64 good = count(SNMP_TcpExt_TCPMTUPSuccess);
	u32 cwnd, ssthresh;
	struct flow f;

	flow_open(&f, &link);
	flow_move(&f, 200000);
	assert_int_equal(th_tp(f.a)->mss_cache, 1448);
	link.mtu = 1300;
	th_link_start(&link, 2);
	flow_move(&f, 3000000);
	/* Found by probes, to within eight bytes. */
	assert_in_range(tcp_mtu_path(th_tp(f.a)), 1300 - 8, 1300);
	assert_true(count(SNMP_TcpExt_TCPMTUPSuccess) >= good + 2);
	/* The search is over: nothing is lost any more. */
	th_link_lost = 0;
	flow_move(&f, 1000000);
	assert_int_equal(th_link_lost, 0);
	/* Ten minutes later it begins again, fails, and costs no window. */
	host_advance(11 * MINUTE);
	flow_move(&f, 100000);
	cwnd = th_tp(f.a)->cwnd;
	ssthresh = th_tp(f.a)->ssthresh;
	flow_move(&f, 400000);
	assert_in_range(tcp_mtu_path(th_tp(f.a)), 1300 - 8, 1300);
	assert_true(th_tp(f.a)->cwnd >= cwnd);
	assert_true(th_tp(f.a)->ssthresh >= min(cwnd, ssthresh));
	/* And once more, when the path is whole. */
	link.mtu = 0;
	th_link_start(&link, 3);
	host_advance(11 * MINUTE);
	flow_move(&f, 2000000);
	assert_int_equal(tcp_mtu_path(th_tp(f.a)), 1500);
	assert_int_equal(th_tp(f.a)->mss_cache, 1448);
	assert_false(th_tp(f.a)->flags & TCP_F_MTU_LOW);
	flow_close(&f);
}

static void test_rfc4821_7_3_search_up_after_a_black_hole(void **state)
{
	black_hole_and_back();
}

/* Buffers larger than segments: the probe is cut from one. */
static void test_rfc4821_7_3_the_same_with_tso(void **state)
{
	th_dev_features = NETIF_F_TSO;
	black_hole_and_back();
}

/* ---- by script ---- */

static void too_big(struct th_conn *c, u32 mtu)
{
	th_icmp(TH_PORT, TH_PEER_PORT, th_tp(c->s)->snd_una, EMSGSIZE, mtu);
}

static u32 acked;		/* by the script's peer, relative */

static void ack(u32 n)
{
	acked += n;
	in(.flags = ACK, .seq = 1, .ack = 1 + acked, .wnd = 60000);
}

/* MSS 1000 and a window of a dozen segments; nothing is out. */
static struct th_conn wide(void)
{
	struct th_conn c = th_established(true);

	acked = 0;
	th_send(c.s, bytes, 10000, 0);
	assert_int_equal(th_flush(), 10);
	for (u32 i = 0; i < 10; i++)
		ack(1000);
	assert_true(th_tp(c.s)->cwnd >= 12);
	return c;
}

/* All of what was too large goes again at once, whatever was lost. */
static void test_rfc1191_6_3_large_segments_go_again(void **state)
{
	struct th_conn c = wide();
	u32 cwnd = th_tp(c.s)->cwnd;

	th_send(c.s, bytes, 3000, 0);
	assert_int_equal(th_flush(), 3);
	too_big(&c, 640);
	/* In their buffers, which IP cuts by the new size. */
	for (u32 i = 0; i < 3; i++)
		out(.flags = i == 2 ? ACK | PSH : ACK, .ack = 1, .len = 1000,
		    .seq = 1 + acked + i * 1000);
	assert_int_equal(th_tp(c.s)->packets_out, 6);
	quiet();
	assert_int_equal(th_tp(c.s)->cwnd, cwnd);
	assert_int_equal(tcp_mtu_path(th_tp(c.s)), 640);
	/* The least that IPv4 is believed; more than now is no news. */
	too_big(&c, 100);
	assert_int_equal(tcp_mtu_path(th_tp(c.s)), 552);
	too_big(&c, 700);
	assert_int_equal(tcp_mtu_path(th_tp(c.s)), 552);
	ack(3000);
	th_conn_done(&c);
}

/* Acknowledges all; what waited goes and is acknowledged, too. */
static void ack_rest(struct th_conn *c)
{
	struct tcp_sock *tp = th_tp(c->s);

	while (tp->snd_una != tp->write_seq) {
		th_flush();
		ack(tp->snd_nxt - tp->snd_una);
	}
	th_flush();
}

/*
 * More than the window takes, then room for two: if there is a probe, all
 * before it is acknowledged. What it is for, 0: there is none.
 */
static u32 send_probe(struct th_conn *c)
{
	struct tcp_sock *tp = th_tp(c->s);
	u32 n = (tp->cwnd + 9) * tp->mss_cache;

	assert_int_equal(th_send(c->s, bytes, n, 0), n);
	th_flush();
	while (!(tp->flags & TCP_F_MTU_PROBE) &&
	       tp->write_seq - tp->snd_nxt > 5u * tp->mss_cache)
		ack(tp->mss_cache);
	if (!(tp->flags & TCP_F_MTU_PROBE))
		return 0;
	ack(tp->ext->probe_end - tp->ext->mss_probe - tp->snd_una);
	return tp->ext->mss_probe;
}

/* What a router has said is not doubted for ten minutes. */
static void test_rfc1191_6_3_not_raised_too_soon(void **state)
{
	struct th_conn c = wide();

	too_big(&c, 640);
	assert_int_equal(send_probe(&c), 0);
	ack_rest(&c);
	th_sleep_ms(500000);
	assert_int_equal(send_probe(&c), 0);
	ack_rest(&c);
	assert_int_equal(th_tp(c.s)->mss_cache, 600);
	th_conn_done(&c);
}

static struct th_conn low(void)
{
	struct th_conn c = wide();

	too_big(&c, 640);
	host_advance(11 * MINUTE);
	/* Idle that long, the window starts small. */
	th_send(c.s, bytes, 6000, 0);
	assert_int_equal(th_flush(), 10);
	for (u32 i = 0; i < 10; i++)
		ack(600);
	assert_true(th_tp(c.s)->cwnd >= 11);
	return c;
}

/* Section 7.6.2: the loss of a probe is not congestion. */
static void test_rfc4821_7_6_2_a_lost_probe_costs_no_window(void **state)
{
	struct th_conn c = low();
	u64 failed = count(SNMP_TcpExt_TCPMTUPFail);
	u32 probe = send_probe(&c), cwnd = th_tp(c.s)->cwnd;

	assert_int_equal(probe, 801);
	assert_true(th_flush() > 4);
	for (int i = 0; i < 3; i++)
		ack(0);
	assert_false(th_tp(c.s)->flags & TCP_F_MTU_PROBE);
	assert_int_equal(count(SNMP_TcpExt_TCPMTUPFail), failed + 1);
	assert_int_equal(th_tp(c.s)->ssthresh, cwnd);
	/* Again in segments that get through; the next probe is smaller. */
	assert_true(th_flush() > 0);
	ack_rest(&c);
	th_flush();
	assert_int_equal(th_tp(c.s)->ext->mss_high, 801);
	assert_int_equal(send_probe(&c), 701);
	th_flush();
	ack_rest(&c);
	assert_int_equal(th_tp(c.s)->mss_cache, 701);
	th_conn_done(&c);
}

/* Section 7.5: as many bytes as before are as few more segments less. */
static void test_rfc4821_7_5_the_window_stays_in_bytes(void **state)
{
	struct th_conn c = low();
	u32 probe = send_probe(&c), cwnd = th_tp(c.s)->cwnd;

	assert_int_equal(probe, 801);
	th_flush();
	ack(801);
	assert_int_equal(th_tp(c.s)->mss_cache, 801);
	assert_in_range(th_tp(c.s)->cwnd, cwnd * 600 / 801,
			cwnd * 600 / 801 + 1);
	th_flush();
	ack_rest(&c);
	th_conn_done(&c);
}

/* The segments that it is made of may announce an urgent byte. */
static void test_rfc9293_3_8_5_a_probe_keeps_the_mark(void **state)
{
	struct th_conn c = low();
	struct tcp_sock *tp = th_tp(c.s);
	struct sk_buff *skb;
	u32 n = (tp->cwnd + 9) * tp->mss_cache;

	assert_int_equal(th_send(c.s, bytes, n, MSG_OOB), n);
	th_flush();
	while (!(tp->flags & TCP_F_MTU_PROBE))
		ack(tp->mss_cache);
	for (skb = tcp_rtx_head(tp); skb; skb = tcp_rtx_next(tp, skb)) {
		if (tcp_tx(skb)->end_seq == tp->ext->probe_end)
			break;
	}
	assert_non_null(skb);
	assert_true(tcp_tx(skb)->flags & TCP_URG);
	ack_rest(&c);
	th_conn_done(&c);
}

/* A timeout tells the same about a probe that was the first lost. */
static void test_rfc4821_7_6_2_timeout_of_a_probe(void **state)
{
	struct th_conn c = low();

	assert_int_equal(send_probe(&c), 801);
	th_flush();
	th_sleep_ms(300);
	assert_int_equal(th_tp(c.s)->ext->mss_high, 801);
	th_flush();
	ack_rest(&c);
	th_conn_done(&c);
}

/* Others were lost before it: the probe proves nothing, either way. */
static void test_rfc4821_7_6_3_inconclusive(void **state)
{
	struct th_conn c = low();
	u32 fails = (u32)count(SNMP_TcpExt_TCPMTUPFail);

	th_send(c.s, bytes, 15000, 0);
	while (!(th_tp(c.s)->flags & TCP_F_MTU_PROBE))
		ack(600);
	th_flush();
	for (int i = 0; i < 3; i++)
		ack(0);
	assert_int_equal(count(SNMP_TcpExt_TCPMTUPFail), fails);
	assert_false(th_tp(c.s)->flags & TCP_F_MTU_PROBE);
	assert_true(th_tp(c.s)->ssthresh < th_tp(c.s)->undo_cwnd);
	th_flush();
	ack_rest(&c);
	assert_int_equal(th_tp(c.s)->mss_cache, 600);
	th_conn_done(&c);
}

/* Little to send, or a program that wants small segments: no probe. */
static void test_rfc4821_7_4_when_not_to_probe(void **state)
{
	struct th_conn c = low();

	th_send(c.s, bytes, 3000, 0);
	assert_false(th_tp(c.s)->flags & TCP_F_MTU_PROBE);
	ack_rest(&c);
	th_tp(c.s)->user_mss = 600;
	assert_int_equal(send_probe(&c), 0);
	th_tp(c.s)->user_mss = 0;
	ack_rest(&c);
	/* No memory for it: it waits for a better time. */
	th_send(c.s, bytes, (th_tp(c.s)->cwnd + 9) * 600, 0);
	assert_int_equal(tcp_mtu_probe(th_tp(c.s), host_now), TCP_MTU_WAIT);
	th_tp(c.s)->cwnd += 2;
	host_fail_all_allocs(true);
	assert_int_equal(tcp_mtu_probe(th_tp(c.s), host_now), 0);
	host_fail_all_allocs(false);
	th_tp(c.s)->cwnd -= 2;
	ack_rest(&c);
	assert_int_equal(th_tp(c.s)->mss_cache, 801);
	ack_rest(&c);
	th_conn_done(&c);
}

/* Counted as two while segments were small, now less than one: sent whole. */
static void test_lost_after_segments_have_grown(void **state)
{
	struct th_conn c;

	th_dev_features = NETIF_F_TSO;
	c = th_established(true);
	acked = 0;
	th_setopt(c.s, 6, 1, 1);	/* TCP_NODELAY */
	too_big(&c, 640);
	for (int i = 0; i < 5; i++)
		assert_int_equal(th_send(c.s, bytes, 700, 0), 700);
	assert_int_equal(th_flush(), 5);
	assert_int_equal(th_tp(c.s)->packets_out, 10);
	th_tp(c.s)->mss_clamp = 1000;
	tcp_sync_mss(th_tp(c.s));
	for (int i = 0; i < 4; i++)
		ack(0);
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 700);
	ack(3500);
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	th_conn_done(&c);
	th_dev_features = 0;
}

/* A router says how large while a probe is out: so far and no further. */
static void test_a_router_answers_a_probe(void **state)
{
	struct th_conn c = low();

	assert_int_equal(send_probe(&c), 801);
	th_flush();
	too_big(&c, 740);
	assert_int_equal(th_tp(c.s)->ext->mss_high, 701);
	ack(0);
	ack(0);
	ack(0);
	th_flush();
	ack_rest(&c);
	assert_int_equal(send_probe(&c), 651);
	th_flush();
	ack_rest(&c);
	th_conn_done(&c);
}

/* Section 4: no IPv6 path is narrower than 1280; who says so is not heard. */
static void test_rfc8201_4_the_least_mtu(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);
	struct ip_addr v4 = tp->sk.sk_daddr;

	tp->mss_clamp = 1440;
	tp->sk.sk_daddr = (struct ip_addr){ { 0x20, 0, 0, 1 } };
	tcp_mtu_too_big(tp, 1279, host_now);
	assert_int_equal(tp->mss_clamp, 1440);
	tcp_mtu_too_big(tp, 1280, host_now);
	assert_int_equal(tp->mss_clamp, 1220);
	tp->sk.sk_daddr = v4;
	th_conn_close(&c);
	th_flush();
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc4821_7_3_search_up_after_a_black_hole),
		T(test_rfc4821_7_3_the_same_with_tso),
		T(test_rfc1191_6_3_large_segments_go_again),
		T(test_rfc1191_6_3_not_raised_too_soon),
		T(test_rfc4821_7_6_2_a_lost_probe_costs_no_window),
		T(test_rfc4821_7_6_2_timeout_of_a_probe),
		T(test_rfc4821_7_5_the_window_stays_in_bytes),
		T(test_rfc9293_3_8_5_a_probe_keeps_the_mark),
		T(test_rfc4821_7_6_3_inconclusive),
		T(test_rfc4821_7_4_when_not_to_probe),
		T(test_lost_after_segments_have_grown),
		T(test_a_router_answers_a_probe),
		T(test_rfc8201_4_the_least_mtu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
