/*
 * Opening connections: RFC 9293 section 3.5 and 3.10.7.1 to .3, 5961, 7323,
 * 2018, one script per rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/ip/ip.h"
#include "net/snmp.h"
#include "net/tcp/tcp_info.h"
#include "net/tcp/tcp_isn.h"
#include "net/tcp/tcp_sysctl.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_INFO	11

static void accept_none(struct socket *l)
{
	int err;

	assert_null(th_accept(l, &err));
	assert_int_equal(err, -EAGAIN);
}

static void accept_one(struct socket *l)
{
	int err;
	struct socket *s = th_accept(l, &err);

	assert_non_null(s);
	th_close(s);
}

static void test_rfc9293_3_5_passive_open(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	unsigned long before = host_allocs_outstanding();

	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	/* A request is one small record; nothing else is kept. */
	assert_int_equal(host_allocs_outstanding(), before + 2);
	out(.flags = SYN | ACK, .ack = 1, .mss = 1460);
	assert_int_equal(th_poll(l), 0);
	accept_none(l);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	quiet();
	assert_int_equal(th_poll(l), EPOLLIN | EPOLLRDNORM);
	accept_one(l);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_poll(l), 0);
	th_close(l);
}

static void test_rfc7323_2_options_only_if_both_offer(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 100, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.wscale, 0);
	assert_int_equal(th_last.tsval, 0);
	assert_false(th_last.sack_ok);
	in(.flags = SYN, .wnd = 100, .mss = 1460, .wscale = 5, .tsval = 77,
	   .sack_ok = true, .sport = 1);
	out(.flags = SYN | ACK, .ack = 1, .wscale = 8);
	assert_int_equal(th_last.tsecr, 77);
	assert_true(th_last.sack_ok);
	th_close(l);
}

static void test_rfc9293_3_10_7_2_listen_rst_is_ignored(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = RST, .seq = 5);
	quiet();
	th_close(l);
}

static void test_rfc9293_3_10_7_2_listen_ack_gets_rst(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = ACK, .seq = 5, .ack = 999, .wnd = 10);
	out(.flags = RST, .seq = 999);
	th_close(l);
}

static void test_rfc9293_3_10_7_1_closed_port_gets_rst(void **state)
{
	in(.flags = SYN, .wnd = 10);
	out(.flags = RST | ACK, .seq = 0, .ack = 1);
	in(.flags = SYN, .wnd = 10, .len = 3);
	out(.flags = RST | ACK, .seq = 0, .ack = 4);
	in(.flags = RST, .seq = 3);
	quiet();
}

static void test_rfc6298_synack_is_repeated_with_backoff(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	th_sleep_ms(999);
	quiet();
	for (u32 wait = 1; wait <= 16; wait *= 2) {
		th_sleep_ms(2);
		out(.flags = SYN | ACK, .ack = 1);
		th_sleep_ms(wait * 2000 - 2);
		quiet();
	}
	/* Given up: the ACK comes too late. */
	th_sleep_ms(40000);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10);
	out(.flags = RST, .seq = 1);
	th_close(l);
}

static void test_rfc9293_repeated_syn_gets_synack_again(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	th_close(l);
}

static void test_rfc9293_3_10_7_4_syn_recv_wrong_ack_gets_rst(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 10);
	out(.flags = RST, .seq = 2);
	accept_none(l);
	/* The request survives it. */
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10);
	accept_one(l);
	th_flush();
	th_close(l);
}

static void test_rfc5961_3_2_rst_on_request(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = RST, .seq = 2);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10);
	accept_one(l);
	th_flush();
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = 2);
	th_flush();
	in(.flags = RST, .seq = 1, .sport = 2);
	in(.flags = ACK, .seq = 1, .ack = 1, .sport = 2);
	out(.flags = RST, .seq = 1);
	th_close(l);
}

static void test_data_with_the_third_segment(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	struct socket *s;
	char buf[10];
	int err;

	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK | PSH, .seq = 1, .ack = 1, .wnd = 65535, .len = 5,
	   .data = "hello");
	s = th_accept(l, &err);
	assert_int_equal(th_recv(s, buf, 10, 0), 5);
	assert_memory_equal(buf, "hello", 5);
	th_close(s);
	th_flush();
	th_close(l);
}

static void test_backlog_limits_the_accept_queue(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u64 before = snmp_counts[SNMP_TcpExt_ListenOverflows];
	u16 port;

	assert_int_equal(l->ops->listen(l, 1), 0);
	for (port = 1; port <= 2; port++) {
		in(.flags = SYN, .wnd = 100, .mss = 1460, .sport = port);
		out(.flags = SYN | ACK, .ack = 1);
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9, .sport = port);
	}
	in(.flags = SYN, .wnd = 100, .mss = 1460, .sport = 3);
	quiet();
	assert_int_equal(snmp_counts[SNMP_TcpExt_ListenOverflows], before + 1);
	accept_one(l);
	th_flush();
	in(.flags = SYN, .wnd = 100, .mss = 1460, .sport = 3);
	out(.flags = SYN | ACK, .ack = 1);
	th_close(l);
	th_flush();
}

static void test_full_accept_queue_keeps_the_request(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	assert_int_equal(l->ops->listen(l, 0), 0);
	in(.flags = SYN, .wnd = 100, .mss = 1460, .sport = 1);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = SYN, .wnd = 100, .mss = 1460, .sport = 2);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9, .sport = 2);
	in(.flags = SYN, .wnd = 100, .mss = 1460, .sport = 1);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9, .sport = 1);
	accept_one(l);
	th_flush();
	accept_none(l);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9, .sport = 1);
	th_close(l);
	th_flush();
}

static void test_no_memory_for_request_or_child(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u64 before = drop_counts[DROP_NO_MEMORY];

	/* The record can be had, the SYN-ACK's buffer cannot. */
	th_fail_next = 2;
	in(.flags = SYN, .wnd = 100, .mss = 1460);
	quiet();
	th_sleep_ms(1000);
	out(.flags = SYN | ACK, .ack = 1);
	th_fail_next = 1;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9);
	assert_int_equal(drop_counts[DROP_NO_MEMORY], before + 1);
	accept_none(l);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9);
	accept_one(l);
	th_flush();
	th_close(l);
}

/* ---- active ---- */

static struct socket *connecting(void)
{
	struct socket *s = th_socket();

	assert_int_equal(th_connect(s, TH_PORT, true), -EINPROGRESS);
	out(.flags = SYN, .mss = 1460, .wscale = 8);
	assert_true(th_last.sack_ok);
	assert_int_not_equal(th_last.tsval, 0);
	assert_int_equal(th_last.tsecr, 0);
	return s;
}

#define FROM(s)	.sport = TH_PORT, .dport = (s)->sk->sk_num

static void test_rfc9293_3_5_active_open(void **state)
{
	struct socket *s = connecting();

	assert_int_equal(th_poll(s), 0);
	assert_int_equal(th_connect(s, TH_PORT, true), -EALREADY);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 500, .mss = 1200, FROM(s));
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_poll(s), EPOLLOUT | EPOLLWRNORM);
	assert_int_equal(th_connect(s, TH_PORT, true), 0);
	assert_int_equal(th_connect(s, TH_PORT, true), -EISCONN);
	assert_int_equal(th_tp(s)->mss_cache, 500);
	th_close(s);
	th_flush();
}

static void test_rfc9293_3_10_7_3_refused(void **state)
{
	struct socket *s = connecting();
	int err;
	u32 len = 4;

	in(.flags = RST | ACK, .ack = 1, FROM(s));
	quiet();
	assert_int_equal(th_poll(s), EPOLLIN | EPOLLRDNORM | EPOLLRDHUP |
			 EPOLLHUP | EPOLLERR | EPOLLOUT | EPOLLWRNORM);
	assert_int_equal(sock_getsockopt(s->sk, 4, &err, &len), 0);
	assert_int_equal(err, ECONNREFUSED);
	assert_int_equal(sock_getsockopt(s->sk, 4, &err, &len), 0);
	assert_int_equal(err, 0);
	th_close(s);
}

static void test_refused_is_told_by_connect_once(void **state)
{
	struct socket *s = connecting();

	in(.flags = RST | ACK, .ack = 1, FROM(s));
	assert_int_equal(th_connect(s, TH_PORT, true), -ECONNREFUSED);
	/* The socket can try again. */
	assert_int_equal(th_connect(s, TH_PORT, true), -EINPROGRESS);
	out(.flags = SYN);
	th_close(s);
}

static void test_rfc9293_3_10_7_3_rst_without_ack_is_ignored(void **state)
{
	struct socket *s = connecting();

	in(.flags = RST, FROM(s));
	assert_int_equal(th_poll(s), 0);
	th_close(s);
}

static void test_rfc9293_3_10_7_3_wrong_ack_gets_rst(void **state)
{
	struct socket *s = connecting();

	in(.flags = SYN | ACK, .ack = 7, .wnd = 500, FROM(s));
	out(.flags = RST, .seq = 7);
	in(.flags = ACK, .ack = 0, FROM(s));
	out(.flags = RST, .seq = 0);
	assert_int_equal(th_poll(s), 0);
	th_close(s);
}

static void test_rfc9293_3_5_simultaneous_open(void **state)
{
	struct socket *s = connecting();

	in(.flags = SYN, .wnd = 500, .mss = 1200, FROM(s));
	out(.flags = SYN | ACK, .seq = 0, .ack = 1);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 500, FROM(s));
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	assert_int_equal(th_connect(s, TH_PORT, true), 0);
	th_flush();
	th_close(s);
	th_flush();
}

static void test_rfc7323_2_2_window_of_a_crossing_syn_ack(void **state)
{
	struct socket *s = connecting();

	in(.flags = SYN, .wnd = 1200, .mss = 1200, .wscale = 8, FROM(s));
	out(.flags = SYN | ACK, .seq = 0, .ack = 1);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 1200, .mss = 1200,
	   .wscale = 8, FROM(s));
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	assert_in_range(th_tp(s)->snd_wnd, 1200 - 127, 1200);
	th_flush();
	th_close(s);
	th_flush();
}

static void test_rfc6298_syn_is_repeated_then_times_out(void **state)
{
	struct socket *s = connecting();
	char c;

	for (u32 i = 0, wait = 1000; i < 6; i++, wait *= 2) {
		th_sleep_ms(wait - 2);
		quiet();
		th_sleep_ms(2);
		out(.flags = SYN);
	}
	th_sleep_ms(64000 - 2);
	assert_int_equal(th_poll(s), 0);
	th_sleep_ms(10);
	assert_true(th_poll(s) & EPOLLERR);
	assert_int_equal(th_recv(s, &c, 1, 0), -ETIMEDOUT);
	assert_int_equal(th_recv(s, &c, 1, 0), 0);
	th_close(s);
}

static void test_no_route(void **state)
{
	struct socket *s = th_socket();

	th_route_err = -ENETUNREACH;
	assert_int_equal(th_connect(s, TH_PORT, true), -ENETUNREACH);
	th_route_err = 0;
	host_fail_alloc(2);
	assert_int_equal(th_connect(s, TH_PORT, true), -ENOBUFS);
	assert_int_equal(s->sk->sk_num, 0);
	host_fail_alloc(1);
	assert_int_equal(th_connect(s, TH_PORT, true), -ENOMEM);
	assert_int_equal(th_connect(s, TH_PORT, true), -EINPROGRESS);
	th_close(s);
	th_flush();
}

static void test_rfc6056_ports_and_rfc6528_isn_differ(void **state)
{
	struct socket *a = connecting(), *b;
	u32 iss = th_tp(a)->iss;

	b = th_socket();
	assert_int_equal(th_connect(b, TH_PORT, true), -EINPROGRESS);
	assert_int_not_equal(a->sk->sk_num, b->sk->sk_num);
	assert_int_not_equal(iss, th_tp(b)->iss);
	assert_in_range(a->sk->sk_num, 32768, 60999);
	th_close(a);
	th_close(b);
	th_flush();
}

/* connect(2): a port may serve several peers, but each only once. */
static void test_no_port_is_left(void **state)
{
	struct socket *s[5];

	ip_local_port_range[0] = 40000;
	ip_local_port_range[1] = 40002;
	for (int i = 0; i < 5; i++)
		s[i] = th_socket();
	for (int i = 0; i < 3; i++)
		assert_int_equal(th_connect(s[i], TH_PORT, true),
				 -EINPROGRESS);
	assert_int_equal(th_connect(s[3], TH_PORT, true), -EADDRNOTAVAIL);
	assert_int_equal(th_connect(s[3], TH_PORT + 1, true), -EINPROGRESS);
	/* bind(2) wants one that is all its own. */
	assert_int_equal(s[4]->ops->listen(s[4], 1), -EADDRINUSE);
	th_close(s[0]);
	assert_int_equal(th_connect(s[4], TH_PORT, true), -EINPROGRESS);
	for (int i = 1; i < 5; i++)
		th_close(s[i]);
	ip_local_port_range[0] = 32768;
	ip_local_port_range[1] = 60999;
	th_flush();
}

/* SO_BINDTODEVICE: what comes by another is not for it. */
static void test_listener_of_another_device(void **state)
{
	struct socket *l = th_listen(TH_PORT), *more;

	l->sk->sk_bound_dev_if = 7;
	in(.flags = SYN, .wnd = 65535, .mss = 1000);
	out(.flags = RST | ACK, .ack = 1);
	l->sk->sk_bound_dev_if = 0;
	in(.flags = SYN, .wnd = 65535, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = RST, .seq = 1);
	th_close(l);
	more = th_socket();
	more->sk->sk_bound_dev_if = 7;
	assert_int_equal(th_connect(more, TH_PORT, true), -ENETUNREACH);
	th_close(more);
}

/* One hash makes both; RFC 6191 compares stamps of the same four only. */
static void test_rfc7323_5_4_timestamp_offset_by_connection(void **state)
{
	struct tcp_tuple t = { .local = ip_addr_v4(1), .remote = ip_addr_v4(2),
			       .lport = 80, .rport = 1000 };
	struct tcp_start a = tcp_new_start(&t, 0);
	struct tcp_start b = tcp_new_start(&t, 4096 * 250ull), c;

	assert_int_equal(a.ts_off, b.ts_off);
	assert_int_equal(b.isn - a.isn, 250);
	t.rport++;
	c = tcp_new_start(&t, 0);
	assert_int_not_equal(c.ts_off, a.ts_off);
	assert_int_not_equal(c.isn, a.isn);
	/* IPv6: every word counts. */
	t.local.a[0] = t.remote.a[0] = 5;
	a = tcp_new_start(&t, 0);
	t.remote.a[1] = 6;
	b = tcp_new_start(&t, 0);
	assert_int_not_equal(a.isn, b.isn);
	assert_int_not_equal(a.ts_off, b.ts_off);
}

static void test_icmp_error_ends_a_connect(void **state)
{
	struct socket *s = connecting();
	struct msghdr msg = { .msg_flags = MSG_ERRQUEUE };
	char buf[32];
	int on = 1;
	u8 quoted[8];
	struct icmp_error e = {
		.saddr = s->sk->sk_rcv_saddr,
		.daddr = s->sk->sk_daddr,
		.error = EHOSTUNREACH,
		.quoted = quoted,
		.len = sizeof(quoted),
	};

	assert_int_equal(s->ops->setsockopt(s, IPPROTO_IP, 11, &on,
					    sizeof(on)), 0);
	put_be16(s->sk->sk_num, quoted);
	put_be16(TH_PORT, quoted + 2);
	put_be32(th_tp(s)->iss + 5, quoted + 4);
	tcp_icmp_error(&e);
	assert_int_equal(th_poll(s), 0);
	put_be32(th_tp(s)->iss, quoted + 4);
	tcp_icmp_error(&e);
	assert_int_equal(th_connect(s, TH_PORT, true), -EHOSTUNREACH);
	/* With what it was about, for who asked. */
	iov_iter_ubuf(&msg.msg_iter, buf, sizeof(buf));
	assert_int_equal(s->ops->recvmsg(s, &msg, true), sizeof(quoted));
	assert_memory_equal(buf, quoted, sizeof(quoted));
	th_close(s);
}

static void test_tcp_info(void **state)
{
	struct th_conn c = th_established(false);
	struct tcp_info info;
	u32 len = sizeof(info);

	assert_int_equal(c.s->ops->getsockopt(c.s, SOL_TCP, TCP_INFO, &info,
					      &len), 0);
	assert_int_equal(len, 232);
	assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(info.tcpi_options, 7);
	assert_int_equal(info.tcpi_snd_mss, 1448);
	assert_int_equal(info.tcpi_snd_cwnd, 10);
	th_conn_close(&c);
	th_flush();
}

static void test_malformed_headers_are_counted(void **state)
{
	struct ip_addr a = ip_addr_v4(0x0200000a);
	u8 tcp[60] = { 0 };
	u64 hdr = drop_counts[DROP_TCP_HDR];
	u64 flags = drop_counts[DROP_TCP_FLAGS];
	u64 csum = drop_counts[DROP_TCP_CSUM];
	struct sk_buff *skb;

	th_receive(th_packet(&a, &a, tcp, 19));
	tcp[12] = 4 << 4;
	th_receive(th_packet(&a, &a, tcp, 20));
	tcp[12] = 15 << 4;
	th_receive(th_packet(&a, &a, tcp, 40));
	assert_int_equal(drop_counts[DROP_TCP_HDR], hdr + 3);
	tcp[12] = 5 << 4;
	tcp[13] = SYN | FIN;
	th_receive(th_packet(&a, &a, tcp, 20));
	tcp[13] = SYN | RST;
	th_receive(th_packet(&a, &a, tcp, 20));
	assert_int_equal(drop_counts[DROP_TCP_FLAGS], flags + 2);
	tcp[13] = RST;
	skb = th_packet(&a, &a, tcp, 20);
	skb->ip_summed = CHECKSUM_NONE;
	th_receive(skb);
	assert_int_equal(drop_counts[DROP_TCP_CSUM], csum + 1);
	quiet();
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc9293_3_5_passive_open),
		T(test_rfc7323_2_options_only_if_both_offer),
		T(test_rfc9293_3_10_7_2_listen_rst_is_ignored),
		T(test_rfc9293_3_10_7_2_listen_ack_gets_rst),
		T(test_rfc9293_3_10_7_1_closed_port_gets_rst),
		T(test_rfc6298_synack_is_repeated_with_backoff),
		T(test_rfc9293_repeated_syn_gets_synack_again),
		T(test_rfc9293_3_10_7_4_syn_recv_wrong_ack_gets_rst),
		T(test_rfc5961_3_2_rst_on_request),
		T(test_data_with_the_third_segment),
		T(test_backlog_limits_the_accept_queue),
		T(test_full_accept_queue_keeps_the_request),
		T(test_no_memory_for_request_or_child),
		T(test_rfc9293_3_5_active_open),
		T(test_rfc9293_3_10_7_3_refused),
		T(test_refused_is_told_by_connect_once),
		T(test_rfc9293_3_10_7_3_rst_without_ack_is_ignored),
		T(test_rfc9293_3_10_7_3_wrong_ack_gets_rst),
		T(test_rfc9293_3_5_simultaneous_open),
		T(test_rfc7323_2_2_window_of_a_crossing_syn_ack),
		T(test_rfc6298_syn_is_repeated_then_times_out),
		T(test_no_route),
		T(test_rfc6056_ports_and_rfc6528_isn_differ),
		T(test_no_port_is_left),
		T(test_listener_of_another_device),
		T(test_rfc7323_5_4_timestamp_offset_by_connection),
		T(test_icmp_error_ends_a_connect),
		T(test_tcp_info),
		T(test_malformed_headers_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
