/*
 * Details of RFC 9293 that one line of code each is for: what the other
 * scripts did not notice when that line was taken out.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_info.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_rtt.h"
#include "net/tcp/tcp_user.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_KEEPIDLE	4
#define TCP_QUICKACK	12
#define TCP_USER_TIMEOUT 18
#define SO_KEEPALIVE_	9
#define SO_RCVLOWAT_	18

static char bytes[20000];
extern bool memory_pressed;

static u64 count(enum snmp_counter which)
{
	return snmp_counts[which];
}

/* ---- the window's right edge ---- */

/* The window is ten bytes and full: the FIN behind them still comes in. */
static void test_rfc9293_3_10_7_4_fin_at_a_full_window(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);

	tp->rcv_wnd = 10;
	tp->quick = 0;
	/* Bytes beyond the edge are cut off, and with them the FIN. */
	in(.flags = ACK | FIN, .seq = 1, .ack = 1, .wnd = 100, .len = 12);
	assert_int_equal(tp->rcv_nxt - tp->irs, 11);
	assert_int_equal(c.s->sk->sk_state, TCP_ESTABLISHED);
	th_flush();
	tp->rcv_wup = tp->rcv_nxt - 10;
	tp->rcv_wnd = 10;
	in(.flags = ACK | FIN, .seq = 11, .ack = 1, .wnd = 100);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSE_WAIT);
	/* And what is now just behind the edge has an ACK to be heard. */
	tp->rcv_wup = tp->irs + 1;
	tp->rcv_wnd = 10;
	assert_int_equal(th_send(c.s, bytes, 5, 0), 5);
	tp->rcv_wup = tp->irs + 1;
	tp->rcv_wnd = 10;
	in(.flags = ACK, .seq = 12, .ack = 6, .wnd = 100);
	assert_int_equal(tp->packets_out, 0);
	th_flush();
	th_conn_done(&c);
}

/* An edge that moves: by a full segment or half the buffer at a time. */
static void test_rfc9293_3_8_6_2_2_the_edge_moves_in_steps(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);

	c.s->sk->sk_rcvbuf = 20000;
	tp->rcv_mss = 1000;
	tp->rcv_wnd = 5000;
	c.s->sk->sk_rmem_alloc = 20000 - 2 * 5999;
	assert_int_equal(tcp_select_window(tp), 5000);
	c.s->sk->sk_rmem_alloc = 20000 - 2 * 6000;
	assert_int_equal(tcp_select_window(tp), 6000);
	/* A closed one opens by a sixteenth of all at least. */
	tp->rcv_mss = 100;
	tp->rcv_wnd = 0;
	c.s->sk->sk_rmem_alloc = 20000 - 2 * 624;
	assert_int_equal(tcp_select_window(tp), 0);
	c.s->sk->sk_rmem_alloc = 20000 - 2 * 625;
	assert_int_equal(tcp_select_window(tp), 625);
	c.s->sk->sk_rmem_alloc = 0;
	th_conn_done(&c);
}

/* ---- resets, SYNs ---- */

static void test_a_reset_after_the_fin_is_epipe(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK | FIN, .seq = 1, .ack = 1, .wnd = 100);
	in(.flags = RST, .seq = 2);
	assert_int_equal(c.s->sk->sk_err, EPIPE);
	th_conn_done(&c);
}

static struct socket *connecting(void)
{
	struct socket *s = th_socket();

	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	out(.flags = SYN);
	th_port = s->sk->sk_num;
	return s;
}

/* RFC 5961 section 4.2: only the SYN-ACK that crossed ours is believed. */
static void test_rfc5961_4_2_syn_ack_of_another_open(void **state)
{
	struct socket *s = connecting();
	u64 challenged = count(SNMP_TcpExt_TCPSYNChallenge);

	in(.flags = SYN, .wnd = 1000, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = SYN | ACK, .ack = 7, .wnd = 1000, .mss = 1000);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(count(SNMP_TcpExt_TCPSYNChallenge), challenged + 1);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 1000, .mss = 1000);
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	th_flush();
	th_close(s);
	th_flush();
	in(.flags = RST | ACK, .seq = 1, .ack = 1);
}

/* RFC 5681 section 3.1: a SYN-ACK that was lost begins with one segment. */
static void test_rfc5681_3_1_the_syn_ack_was_lost(void **state)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN, .wnd = 65535, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	th_sleep_ms(1100);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	assert_int_equal(th_tp(c.s)->cwnd, 1);
	/* RFC 6298 section 5.7. */
	assert_int_equal(th_tp(c.s)->rto, 3000000);
	th_conn_done(&c);
}

/* ---- the program's side ---- */

static unsigned int woken;

static void wake(struct sock *sk)
{
	woken++;
}

static void test_rcvlowat_wakes_at_the_mark(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, 1, SO_RCVLOWAT_, 10);
	c.s->sk->sk_data_ready = wake;
	woken = 0;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 9);
	assert_int_equal(woken, 0);
	in(.flags = ACK, .seq = 10, .ack = 1, .wnd = 100, .len = 1);
	assert_int_equal(woken, 1);
	/* A mark above the buffer: when that is nearly full, at the latest. */
	WRITE_ONCE(c.s->sk->sk_rcvlowat, 1000000);
	for (u32 i = 0; i < 1000 && woken == 1; i++)
		in(.flags = ACK, .seq = 11 + 1000 * i, .ack = 1, .wnd = 100,
		   .len = 1000);
	assert_int_equal(woken, 2);
	th_conn_done(&c);
}

/* What fits the room behind the last one, if it is small enough. */
static void test_small_segments_share_a_buffer(void **state)
{
	for (u32 len = 256; len < 258; len++) {
		struct th_conn c = th_established(true);
		struct sk_buff_head *q = &c.s->sk->sk_receive_queue;

		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 300);
		assert_true(skb_tailroom(skb_peek_tail(q)) > 257);
		in(.flags = ACK, .seq = 301, .ack = 1, .wnd = 100, .len = len);
		assert_int_equal(q->qlen, len == 256 ? 1 : 2);
		in(.flags = RST, .seq = 301 + len);
		th_conn_done(&c);
	}
}

static int quickack(struct socket *s)
{
	u32 len = sizeof(int);
	int val = -1;

	assert_int_equal(s->ops->getsockopt(s, SOL_TCP, TCP_QUICKACK,
					    (char *)&val, &len), 0);
	return val;
}

/* What makes a dialogue, in which answers carry the ACKs, and ends it. */
static void test_quickack_tells_of_a_dialogue(void **state)
{
	struct th_conn c = th_established(true);

	th_tp(c.s)->ack_state = 0;
	assert_int_equal(quickack(c.s), 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	assert_int_equal(quickack(c.s), 0);
	in(.flags = ACK, .seq = 11, .ack = 11, .wnd = 100, .len = 10);
	th_sleep_ms(60);
	assert_int_equal(quickack(c.s), 1);
	in(.flags = ACK | FIN, .seq = 21, .ack = 11, .wnd = 100);
	assert_int_equal(quickack(c.s), 0);
	th_conn_done(&c);
}

/* After a gap each full segment is acknowledged, as long as it may matter. */
static void test_rfc5681_4_2_acks_at_once_after_a_gap(void **state)
{
	struct th_conn c = th_established(true);

	th_tp(c.s)->quick = 0;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 600);
	quiet();
	th_sleep_ms(100);
	th_flush();
	in(.flags = ACK, .seq = 1201, .ack = 1, .wnd = 100, .len = 600);
	in(.flags = ACK, .seq = 601, .ack = 1, .wnd = 100, .len = 600);
	assert_int_equal(th_flush(), 2);
	in(.flags = ACK, .seq = 1801, .ack = 1, .wnd = 100, .len = 600);
	out(.flags = ACK, .seq = 1, .ack = 2401);
	th_conn_done(&c);
}

static void test_rfc2883_4_a_copy_of_the_head(void **state)
{
	struct th_conn c = th_established(false);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 100,
	   .tsval = 1002);
	th_sleep_ms(60);
	th_flush();
	in(.flags = ACK, .seq = 51, .ack = 1, .wnd = 100, .len = 100,
	   .tsval = 1002);
	th_sleep_ms(60);
	out(.flags = ACK, .seq = 1, .ack = 151, .nr_sacks = 1,
	    .sacks = { { 51, 101 } });
	th_conn_done(&c);
}

/* ---- sending ---- */

/* Minshall: the tail of a large packet is a short segment, too. */
static void test_rfc9293_3_7_4_the_tail_of_a_large_packet(void **state)
{
	struct th_conn c = th_established(true);

	th_dev_features = NETIF_F_TSO;
	tcp_sync_mss(th_tp(c.s));
	c.s->sk->sk_route.dev->features = NETIF_F_TSO;
	assert_int_equal(th_send(c.s, bytes, 1500, 0), 1500);
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1500);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1501, .wnd = 65535);
	out(.flags = ACK | PSH, .seq = 1501, .ack = 1, .len = 10);
	th_dev_features = 0;
	c.s->sk->sk_route.dev->features = 0;
	th_conn_done(&c);
}

/* A FIN is behind the short tail: no more can come that would fill it. */
static void test_rfc9293_3_7_4_a_fin_waits_for_nobody(void **state)
{
	struct th_conn c = th_established(true);

	th_tp(c.s)->cwnd = 1;
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	assert_int_equal(c.s->ops->shutdown(c.s, SHUT_WR), 0);
	quiet();
	th_tp(c.s)->cwnd = 2;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 60000);
	out(.flags = ACK | PSH | FIN, .seq = 11, .ack = 1, .len = 10);
	th_conn_done(&c);
}

/* RFC 9293 section 3.8.6.2.1: in the end, what fits a small window goes. */
static void test_rfc9293_3_8_6_2_1_the_override_pushes(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 5);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	quiet();
	th_sleep_ms(1100);
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 5);
	assert_true(th_last.flags & PSH);
	th_conn_done(&c);
}

static void test_scarce_memory_grows_no_send_buffer(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);
	s32 was = c.s->sk->sk_sndbuf;

	tp->cwnd = 1000;
	tp->packets_out = 1000;
	memory_pressed = true;
	tcp_cong_acked(tp, 1, 1000, 0);
	assert_int_equal(c.s->sk->sk_sndbuf, was);
	memory_pressed = false;
	tcp_cong_acked(tp, 1, 1000, 0);
	assert_true(c.s->sk->sk_sndbuf > was);
	tp->packets_out = 0;
	th_conn_done(&c);
}

/* ---- timers ---- */

/* RFC 5482: the time counts from the data, however long it was quiet. */
static void test_rfc5482_the_time_begins_with_the_data(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_USER_TIMEOUT, 3000);
	th_sleep_ms(10000);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	th_sleep_ms(2000);
	assert_int_equal(c.s->sk->sk_state, TCP_ESTABLISHED);
	th_sleep_ms(6000);
	assert_int_equal(c.s->sk->sk_err, ETIMEDOUT);
	th_conn_done(&c);
}

/* What is under way is a probe itself. */
static void test_rfc9293_3_8_4_no_keepalive_beside_data(void **state)
{
	struct th_conn c = th_established(true);
	u64 probes = count(SNMP_TcpExt_TCPKeepAlive);

	th_setopt(c.s, SOL_TCP, TCP_KEEPIDLE, 1);
	th_setopt(c.s, 1, SO_KEEPALIVE_, 1);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	th_sleep_ms(5000);
	assert_int_equal(count(SNMP_TcpExt_TCPKeepAlive), probes);
	th_conn_done(&c);
}

/* Rule 2.3, at the end: the timeout stays a clock tick above. */
static void test_rfc6298_2_3_granularity(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);

	for (u32 i = 0; i < 200; i++)
		tcp_rtt_sample(tp, 300000);
	assert_true(tp->rttvar < 1000);
	assert_int_equal(tp->rto, tp->srtt / 8 + 1000);
	th_conn_done(&c);
}

static void test_info_tells_the_least_round_trip(void **state)
{
	static const u32 rtts[] = { 50, 20, 80 }, least[] = { 50, 20, 20 };
	struct th_conn c = th_established(true);
	struct tcp_info info;

	tcp_get_info(c.s->sk, &info, host_now);
	assert_int_equal(info.tcpi_min_rtt, 0);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
		th_sleep_ms(rtts[i]);
		in(.flags = ACK, .seq = 1, .ack = 11 + 10 * i, .wnd = 60000);
		tcp_get_info(c.s->sk, &info, host_now);
		assert_int_equal(info.tcpi_min_rtt, 1000 * least[i]);
	}
	th_conn_done(&c);
}

/* RFC 7323 section 4.1: an echo older than any of ours says nothing. */
static void test_rfc7323_4_1_an_echo_from_nowhere(void **state)
{
	struct th_conn c = th_established(false);
	u32 srtt;

	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	th_sleep_ms(1500);
	th_flush();
	srtt = th_tp(c.s)->srtt;
	in(.flags = ACK, .seq = 1, .ack = 11, .wnd = 512, .tsval = 1003,
	   .tsecr = th_last.tsval - 700000);
	assert_int_equal(th_tp(c.s)->srtt, srtt);
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	th_conn_done(&c);
}

/* ---- shutdown, disconnect ---- */

static void test_no_memory_for_the_fin_is_no_fin(void **state)
{
	struct th_conn c = th_established(true);

	host_fail_alloc(1);
	assert_int_equal(c.s->ops->shutdown(c.s, SHUT_WR), 0);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 60000);
	assert_int_equal(c.s->sk->sk_state, TCP_FIN_WAIT1);
	th_sleep_ms(1001);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	th_conn_done(&c);
}

static void test_shutdown_of_a_failed_connect(void **state)
{
	struct socket *s = connecting();

	in(.flags = RST | ACK, .seq = 0, .ack = 1);
	assert_int_equal(s->ops->shutdown(s, SHUT_WR), -ENOTCONN);
	assert_int_equal(s->state, SS_DISCONNECTING);
	th_close(s);
}

static void test_disconnect_forgets_port_and_peer(void **state)
{
	struct th_conn c = th_established(true);
	struct socket *s;

	lock_sock(c.s->sk);
	assert_int_equal(tcp_disconnect(c.s->sk, host_now), 0);
	release_sock(c.s->sk);
	out(.flags = RST | ACK, .seq = 1, .ack = 1);
	assert_int_equal(c.s->sk->sk_err, ECONNRESET);
	assert_int_equal(c.s->sk->sk_dport, 0);
	th_conn_done(&c);
	s = connecting();
	lock_sock(s->sk);
	assert_int_equal(tcp_disconnect(s->sk, host_now), 0);
	release_sock(s->sk);
	assert_int_equal(s->sk->sk_num, 0);
	assert_int_equal(s->sk->sk_err, ECONNRESET);
	th_close(s);
}

/* ---- who gets it ---- */

/* A listener of the device comes before one of the address. */
static void test_bindtodevice_wins(void **state)
{
	struct socket *a = th_listen(TH_PORT), *b = th_socket();
	struct tcp_tuple t = { .lport = TH_PORT };
	struct sock *found;

	t.local = (struct ip_addr){ { 0, 0, IP_MAPPED_WORD, 0x0100000a } };
	t.remote = t.local;
	a->sk->sk_bound_dev_if = 7;
	b->sk->sk_num = TH_PORT;
	b->sk->sk_rcv_saddr = t.local;
	tcp_listener_add(b->sk);
	local_bh_disable();
	found = tcp_listener_lookup(&t, 7);
	assert_ptr_equal(found, a->sk);
	sock_put(found);
	found = tcp_listener_lookup(&t, 8);
	assert_ptr_equal(found, b->sk);
	sock_put(found);
	local_bh_enable();
	tcp_listener_del(b->sk);
	b->sk->sk_num = 0;
	th_close(a);
	th_close(b);
}

/* Neighbours in a bucket are no listeners of the port. */
static void test_nobody_listens_beside_others(void **state)
{
	struct socket *a = th_listen(TH_PORT), *b;
	struct tcp_tuple t = { .lport = TH_PORT + 128 };

	b = th_listen(TH_PORT + 64);
	t.local = (struct ip_addr){ { 0, 0, IP_MAPPED_WORD, 0x0100000a } };
	t.remote = t.local;
	local_bh_disable();
	assert_null(tcp_listener_lookup(&t, 0));
	local_bh_enable();
	th_close(a);
	th_close(b);
}

/* IPv4 goes to its own listener before one of both families. */
static void test_own_family_comes_first(void **state)
{
	struct socket *a = th_listen(TH_PORT), *b = th_socket();
	struct tcp_tuple t = { .lport = TH_PORT };
	struct sock *found;

	t.local = (struct ip_addr){ { 0, 0, IP_MAPPED_WORD, 0x0100000a } };
	t.remote = t.local;
	b->sk->sk_num = TH_PORT;
	b->sk->sk_family = AF_INET6;
	tcp_listener_add(b->sk);
	local_bh_disable();
	for (u32 i = 0; i < 8; i++) {
		t.hash = i << 29;
		found = tcp_listener_lookup(&t, 0);
		assert_ptr_equal(found, a->sk);
		sock_put(found);
	}
	local_bh_enable();
	tcp_listener_del(b->sk);
	b->sk->sk_family = AF_INET;
	b->sk->sk_num = 0;
	th_close(a);
	th_close(b);
}

/* Two old connections at two addresses: neither address is free. */
static void test_ports_of_several_addresses(void **state)
{
	static const struct ip_addr at[2] = {
		{ { 0, 0, IP_MAPPED_WORD, 0x0100000a } },
		{ { 0, 0, IP_MAPPED_WORD, 0x0200000a } },
	};
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct socket *s = th_socket();
	struct sockaddr_storage addr;

	in4.sin_port = cpu_to_be16(TH_PORT);
	in4.sin_addr = at[1].a[3];
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, &in4, sizeof(in4));
	assert_int_equal(tcp_port_hold(TH_PORT, &at[0], false), 0);
	assert_int_equal(tcp_port_hold(TH_PORT, &at[1], false), 0);
	assert_int_equal(s->ops->bind(s, &addr, 16), -EADDRINUSE);
	tcp_port_drop(TH_PORT, false);
	tcp_port_drop(TH_PORT, false);
	assert_int_equal(tcp_port_hold(TH_PORT, &at[0], false), 0);
	assert_int_equal(s->ops->bind(s, &addr, 16), 0);
	tcp_port_drop(TH_PORT, false);
	th_close(s);
}

/* ---- ICMP about MTUs ---- */

static void too_big(u32 seq, u32 mtu)
{
	th_icmp(TH_PORT, TH_PEER_PORT, seq, EMSGSIZE, mtu);
}

/* A SYN-ACK that was too large for somebody: no reason to give up. */
static void test_rfc1191_does_not_end_a_request(void **state)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN, .wnd = 65535, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	too_big(th_iss(), 1000);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	th_conn_done(&c);
}

/* The peer takes more than our own link: that link's MTU is no news. */
static void test_rfc1191_our_own_mtu_is_no_news(void **state)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN, .wnd = 65535, .mss = 8960);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	assert_int_equal(th_tp(c.s)->mss_cache, 1460);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	too_big(th_tp(c.s)->snd_una, 1500);
	assert_false(th_tp(c.s)->flags & TCP_F_MTU_LOW);
	too_big(th_tp(c.s)->snd_una, 1400);
	assert_true(th_tp(c.s)->flags & TCP_F_MTU_LOW);
	assert_int_equal(th_tp(c.s)->mss_cache, 1360);
	th_conn_done(&c);
}

/* ---- urgent data ---- */

/* One mark, announced by two segments, is one signal. */
static void test_rfc6093_a_mark_is_news_once(void **state)
{
	struct th_conn c = th_established(true);
	unsigned int was = th_sigurg;

	in(.flags = ACK | URG, .seq = 1, .ack = 1, .wnd = 100, .len = 10,
	   .urg = 20);
	assert_int_equal(th_sigurg, was + 1);
	in(.flags = ACK | URG, .seq = 11, .ack = 1, .wnd = 100, .len = 5,
	   .urg = 10);
	assert_int_equal(th_sigurg, was + 1);
	th_conn_done(&c);
}

/* What was appended behind the urgent byte and then cut off has no mark. */
static void test_rfc9293_3_8_5_no_mark_behind_the_byte(void **state)
{
	struct th_conn c = th_established(true);

	th_tp(c.s)->cwnd = 1;
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	assert_int_equal(th_send(c.s, bytes, 10, MSG_OOB), 10);
	assert_int_equal(th_send(c.s, bytes, 900, 0), 900);
	quiet();
	th_tp(c.s)->mss_cache = 300;
	in(.flags = ACK, .seq = 1, .ack = 11, .wnd = 60000);
	out(.flags = ACK | URG, .seq = 11, .ack = 1, .len = 600, .urg = 10);
	in(.flags = ACK, .seq = 1, .ack = 611, .wnd = 60000);
	out(.flags = ACK | PSH, .seq = 611, .ack = 1, .len = 310);
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_rfc9293_3_10_7_4_fin_at_a_full_window),
		T(test_rfc9293_3_8_6_2_2_the_edge_moves_in_steps),
		T(test_a_reset_after_the_fin_is_epipe),
		T(test_rfc5961_4_2_syn_ack_of_another_open),
		T(test_rfc5681_3_1_the_syn_ack_was_lost),
		T(test_rcvlowat_wakes_at_the_mark),
		T(test_small_segments_share_a_buffer),
		T(test_quickack_tells_of_a_dialogue),
		T(test_rfc5681_4_2_acks_at_once_after_a_gap),
		T(test_rfc2883_4_a_copy_of_the_head),
		T(test_rfc9293_3_7_4_the_tail_of_a_large_packet),
		T(test_rfc9293_3_7_4_a_fin_waits_for_nobody),
		T(test_rfc9293_3_8_6_2_1_the_override_pushes),
		T(test_scarce_memory_grows_no_send_buffer),
		T(test_rfc5482_the_time_begins_with_the_data),
		T(test_rfc9293_3_8_4_no_keepalive_beside_data),
		T(test_rfc6298_2_3_granularity),
		T(test_info_tells_the_least_round_trip),
		T(test_rfc7323_4_1_an_echo_from_nowhere),
		T(test_no_memory_for_the_fin_is_no_fin),
		T(test_shutdown_of_a_failed_connect),
		T(test_disconnect_forgets_port_and_peer),
		T(test_bindtodevice_wins),
		T(test_nobody_listens_beside_others),
		T(test_own_family_comes_first),
		T(test_ports_of_several_addresses),
		T(test_rfc1191_does_not_end_a_request),
		T(test_rfc1191_our_own_mtu_is_no_news),
		T(test_rfc6093_a_mark_is_news_once),
		T(test_rfc9293_3_8_5_no_mark_behind_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
