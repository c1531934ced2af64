/*
 * Scripts of what hardly ever happens: errors by ICMP, TIME-WAIT that is
 * reused or overflows, orphans, closing at odd moments, memory that runs out.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/inet.h"
#include "net/ip/ip.h"
#include "net/snmp.h"
#include "net/tcp/tcp_info.h"
#include "net/tcp/tcp_sysctl.h"
#include "tests/unit/tcp_harness.h"

#define SIOCOUTQNSD	0x894b
#define TIOCOUTQ	0x5411
#define FIONREAD	0x541b

static u8 bytes[40000];

static u64 count(enum snmp_counter which)
{
	return snmp_counts[which];
}

/* ---- ICMP ---- */

/* RFC 5927 section 4: of a connection it is a hint, told if all else fails. */
static void test_rfc5927_errors_are_soft(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);
	u64 outside = count(SNMP_TcpExt_OutOfWindowIcmps);

	th_icmp(TH_PORT, TH_PEER_PORT, tp->snd_una - 1, EHOSTUNREACH, 0);
	assert_int_equal(count(SNMP_TcpExt_OutOfWindowIcmps), outside + 1);
	assert_int_equal(tp->err_soft, 0);
	th_send(c.s, bytes, 10, 0);
	th_flush();
	th_icmp(TH_PORT, TH_PEER_PORT, tp->snd_una, EHOSTUNREACH, 0);
	assert_false(th_poll(c.s) & EPOLLERR);
	th_setopt(c.s, IPPROTO_TCP, 18, 3000);
	th_sleep_ms(20000);
	assert_int_equal(th_recv(c.s, bytes, 1, 0), -EHOSTUNREACH);
	th_conn_done(&c);
}

/* IP_RECVERR: at once, but the connection lives on. */
static void test_errors_for_who_asked(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, IPPROTO_IP, 11, 1);
	th_send(c.s, bytes, 10, 0);
	th_flush();
	th_icmp(TH_PORT, TH_PEER_PORT, th_tp(c.s)->snd_una,
	     ECONNREFUSED, 0);
	assert_true(th_poll(c.s) & EPOLLERR);
	assert_int_equal(th_recv(c.s, bytes, 1, 0), -ECONNREFUSED);
	in(.flags = ACK, .seq = 1, .ack = 11, .wnd = 60000, .len = 3);
	assert_int_equal(th_recv(c.s, bytes, 10, 0), 3);
	th_conn_done(&c);
}

/* About nobody, about a half-open connection, while the sock is busy. */
static void test_errors_about_others(void **state)
{
	struct th_conn c = th_established(true);
	u64 busy = count(SNMP_TcpExt_LockDroppedIcmps);
	u32 iss;

	th_icmp(TH_PORT, 9, 0, EHOSTUNREACH, 0);
	lock_sock(c.s->sk);
	th_icmp(TH_PORT, TH_PEER_PORT, th_tp(c.s)->snd_una,
	     EHOSTUNREACH, 0);
	release_sock(c.s->sk);
	assert_int_equal(count(SNMP_TcpExt_LockDroppedIcmps), busy + 1);
	in(.flags = SYN, .sport = 5, .wnd = 65535, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1, .dport = 5);
	iss = th_last.seq;
	(void)iss;
	/* Only one about its own SYN-ACK ends a request. */
	th_icmp(TH_PORT, 5, 12345, EHOSTUNREACH, 0);
	th_sleep_ms(1100);
	assert_int_equal(th_flush(), 1);
	in(.flags = RST, .sport = 5, .seq = 1);
	th_sleep_ms(2100);
	quiet();
	th_close(c.s);
	th_close(c.listener);
	th_flush();
}

/* ---- TIME-WAIT ---- */

/* Closes @c from our side; its record waits in TIME-WAIT. */
static void to_time_wait(struct th_conn *c, u32 tsval)
{
	th_close(c->s);
	c->s = NULL;
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = tsval);
	th_flush();
}

/* A client goes over its own old connection, above all that it sent. */
static void test_rfc6191_active_open_over_time_wait(void **state)
{
	struct socket *s;
	u32 last;

	ip_local_port_range[0] = 40000;
	ip_local_port_range[1] = 40000;
	s = th_socket();
	assert_int_equal(th_connect(s, TH_PORT, true), -EINPROGRESS);
	out(.flags = SYN);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 500, .mss = 1000,
	   .tsval = 5000, .sport = TH_PORT, .dport = s->sk->sk_num);
	th_flush();
	last = th_tp(s)->snd_nxt;
	th_close(s);
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 5001,
	   .sport = TH_PORT, .dport = 40000);
	th_flush();
	/* Not within a second of the last stamp. */
	s = th_socket();
	assert_int_equal(th_connect(s, TH_PORT, true), -EADDRNOTAVAIL);
	th_sleep_ms(1500);
	assert_int_equal(th_connect(s, TH_PORT, true), -EINPROGRESS);
	/* Above all that the old one, its FIN and a window may have sent. */
	assert_int_equal(th_tp(s)->iss - last, 1 + 65535 + 2);
	assert_int_equal(th_tp(s)->ts_recent, 5001);
	th_close(s);
	th_flush();
	ip_local_port_range[0] = 32768;
	ip_local_port_range[1] = 60999;
}

/* Without timestamps nothing tells old segments from new: the port is taken. */
static void test_time_wait_without_stamps_stays(void **state)
{
	struct socket *s;

	ip_local_port_range[0] = 40000;
	ip_local_port_range[1] = 40000;
	s = th_socket();
	th_connect(s, TH_PORT, true);
	out(.flags = SYN);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 500, .mss = 1000,
	   .sport = TH_PORT, .dport = s->sk->sk_num);
	th_flush();
	th_close(s);
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500,
	   .sport = TH_PORT, .dport = 40000);
	th_flush();
	th_sleep_ms(5000);
	s = th_socket();
	assert_int_equal(th_connect(s, TH_PORT, true), -EADDRNOTAVAIL);
	th_sleep_ms(60000);
	assert_int_equal(th_connect(s, TH_PORT, true), -EINPROGRESS);
	th_close(s);
	th_flush();
	ip_local_port_range[0] = 32768;
	ip_local_port_range[1] = 60999;
}

/* An old segment by its stamp neither answers nor opens. */
static void test_paws_in_time_wait(void **state)
{
	struct th_conn c = th_established(false);

	to_time_wait(&c, 5000);
	in(.flags = SYN, .seq = 90000, .wnd = 500, .mss = 1000, .tsval = 400);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_sleep_ms(520);
	in(.flags = SYN, .seq = 0u - 90000, .wnd = 500, .mss = 1000,
	   .tsval = 400);
	out(.flags = ACK, .seq = 2, .ack = 2);
	in(.flags = RST, .seq = 2);
	quiet();
	/* A newer stamp opens, even below the old numbers (RFC 6191). */
	in(.flags = SYN, .seq = 0u - 90000, .wnd = 500, .mss = 1000,
	   .tsval = 6000);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.flags, SYN | ACK);
	in(.flags = RST, .seq = 0u - 90000 + 1);
	th_close(c.listener);
	th_sleep_ms(70000);
}

/* No memory for the record: the connection just ends. */
static void test_no_memory_for_time_wait(void **state)
{
	for (unsigned long nth = 1; nth < 4; nth++) {
		struct th_conn c = th_established(true);
		u64 over = count(SNMP_TcpExt_TCPTimeWaitOverflow);

		th_close(c.s);
		th_flush();
		th_fail_next = nth;
		in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500);
		th_flush();
		assert_in_range(count(SNMP_TcpExt_TCPTimeWaitOverflow), over,
				over + 1);
		th_close(c.listener);
		th_sleep_ms(70000);
		th_flush();
	}
}

/* The peer resets the record that waits for its FIN, or sends on. */
static void test_fin_wait2_record(void **state)
{
	struct th_conn c = th_established(false);

	th_close(c.s);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 2000);
	/* Too old, too far: an answer, no more. */
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 10,
	   .len = 5);
	out(.flags = ACK, .seq = 2, .ack = 1);
	in(.flags = ACK, .seq = 900000, .ack = 2, .wnd = 500, .tsval = 2001);
	out(.flags = ACK, .seq = 2, .ack = 1);
	/* Data for nobody. */
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 2002,
	   .len = 5);
	out(.flags = RST, .seq = 2);
	th_close(c.listener);
	c = th_established(false);
	th_close(c.s);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 2000);
	in(.flags = RST, .seq = 1);
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 2000);
	out(.flags = RST, .seq = 2);
	th_close(c.listener);
}

/* Its FIN comes, stamped: TIME-WAIT, which remembers the stamp. */
static void test_fin_wait2_record_gets_its_fin(void **state)
{
	struct th_conn c = th_established(false);

	th_close(c.s);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 2000);
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 2100);
	out(.flags = ACK, .seq = 2, .ack = 2);
	assert_int_equal(th_last.tsecr, 2100);
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500, .tsval = 2101);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_close(c.listener);
	th_sleep_ms(70000);
	quiet();
}

/* A peer that sends into a full window after the reader has slept. */
static void test_reader_opens_a_small_window(void **state)
{
	struct th_conn c = th_established(true);
	u32 seq = 1;

	th_setopt(c.s, 1, 8, 8000);
	for (int i = 0; i < 20; i++, seq += 100)
		in(.flags = ACK, .seq = seq, .ack = 1, .wnd = 500, .len = 100);
	th_flush();
	/* Delayed ACKs of more than a segment go when the reader comes. */
	th_tp(c.s)->ack_state |= TCP_ACK_SCHED;
	th_tp(c.s)->rcv_wup = th_tp(c.s)->rcv_nxt - 1500;
	th_recv(c.s, bytes, sizeof(bytes), 0);
	assert_int_equal(th_flush(), 1);
	th_conn_done(&c);
}

/* ---- closing ---- */

/* tcp(7), TCP_LINGER2: how long FIN-WAIT-2 may last; < 0: not at all. */
static void test_linger2(void **state)
{
	struct th_conn c = th_established(true);

	/* In FIN-WAIT-2 already when it is closed. */
	th_setopt(c.s, IPPROTO_TCP, 8, -1);
	c.s->ops->shutdown(c.s, SHUT_WR);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500);
	th_close(c.s);
	out(.flags = RST | ACK, .seq = 2, .ack = 1);
	th_close(c.listener);
	/* Before: then the ACK of the FIN is the end. */
	c = th_established(true);
	th_setopt(c.s, IPPROTO_TCP, 8, -1);
	th_close(c.s);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500);
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500);
	out(.flags = RST, .seq = 2);
	th_close(c.listener);
	/* Longer than TIME-WAIT: the block waits, and gives up. */
	c = th_established(true);
	th_setopt(c.s, IPPROTO_TCP, 8, 100);
	c.s->ops->shutdown(c.s, SHUT_WR);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 500);
	th_close(c.s);
	th_sleep_ms(90000);
	quiet();
	th_sleep_ms(11000);
	out(.flags = RST | ACK, .seq = 2, .ack = 1);
	th_close(c.listener);
}

static void test_shutdown_while_connecting(void **state)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	struct socket *s = th_socket();

	th_connect(s, TH_PORT, true);
	th_flush();
	s->ops->shutdown(s, SHUT_RDWR);
	assert_int_equal(s->sk->sk_state, TCP_CLOSE);
	assert_int_equal(s->state, SS_UNCONNECTED);
	/* The handshake is over, but connect(2) has not said so yet. */
	th_connect(s, TH_PORT, true);
	out(.flags = SYN);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 500, .mss = 1000,
	   .sport = TH_PORT, .dport = s->sk->sk_num);
	th_flush();
	assert_int_equal(s->state, SS_CONNECTING);
	assert_int_equal(s->ops->shutdown(s, SHUT_WR), 0);
	assert_int_equal(s->state, SS_CONNECTED);
	th_flush();
	assert_int_equal(s->ops->connect(s, &none, 1, true), -EINVAL);
	/* AF_UNSPEC: the peer hears of it. */
	assert_int_equal(s->ops->connect(s, &none, sizeof(none), true), 0);
	assert_int_equal(th_flush(), 1);
	assert_true(th_last.flags & RST);
	th_close(s);
}

static void test_listener_is_disconnected(void **state)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	struct socket *l = th_listen(TH_PORT);
	struct sockaddr_storage a;
	int v;

	assert_int_equal(l->ops->ioctl(l, FIONREAD, &v), -EINVAL);
	assert_int_equal(l->ops->ioctl(l, 1, &v), -ENOTTY);
	assert_int_equal(l->ops->getname(l, &a, true), -ENOTCONN);
	in(.flags = SYN, .wnd = 65535, .mss = 1000);
	th_flush();
	assert_int_equal(l->ops->connect(l, &none, sizeof(none), true), 0);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
	out(.flags = RST, .seq = 1);
	th_close(l);
	th_sleep_ms(70000);
	th_flush();
}

static void test_queues_are_told(void **state)
{
	struct th_conn c = th_established(true);
	struct sockaddr_storage a;
	int v;

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 5, .len = 9);
	th_flush();
	th_send(c.s, bytes, 20, 0);
	assert_int_equal(c.s->ops->ioctl(c.s, FIONREAD, &v), 0);
	assert_int_equal(v, 9);
	c.s->ops->ioctl(c.s, TIOCOUTQ, &v);
	assert_int_equal(v, 20);
	c.s->ops->ioctl(c.s, SIOCOUTQNSD, &v);
	assert_int_equal(v, 20);
	assert_int_equal(c.s->ops->getname(c.s, &a, true), 16);
	assert_int_equal(c.s->ops->getname(c.s, &a, false), 16);
	th_recv(c.s, bytes, 9, 0);
	th_conn_done(&c);
}

/* ---- handshakes ---- */

/* Crossing SYNs, and an ACK of what was never sent. */
static void test_rfc9293_3_10_7_4_syn_received_refuses(void **state)
{
	struct socket *s = th_socket();

	th_connect(s, TH_PORT, true);
	out(.flags = SYN);
	in(.flags = SYN, .wnd = 500, .mss = 1000, .sport = TH_PORT,
	   .dport = s->sk->sk_num);
	th_flush();
	assert_int_equal(s->sk->sk_state, TCP_SYN_RECV);
	in(.flags = ACK, .seq = 1, .ack = 77, .wnd = 500, .sport = TH_PORT,
	   .dport = s->sk->sk_num);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.flags, RST);
	assert_int_equal(s->sk->sk_state, TCP_SYN_RECV);
	th_close(s);
	th_flush();
	th_sleep_ms(200000);
	th_flush();
}

/* RFC 9293 section 3.10.7.3, fifth: neither SYN nor RST, so nothing. */
static void test_rfc9293_3_10_7_3_neither_syn_nor_rst(void **state)
{
	struct socket *s = th_socket();

	th_connect(s, TH_PORT, true);
	out(.flags = SYN);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500, .sport = TH_PORT,
	   .dport = s->sk->sk_num);
	quiet();
	assert_int_equal(s->sk->sk_state, TCP_SYN_SENT);
	th_close(s);
	th_flush();
}

/* The way out has gone: no answer, no child, and nothing is lost. */
static void test_no_route_for_an_answer(void **state)
{
	struct socket *l = th_listen(TH_PORT), *s;
	int err;

	th_route_err = -ENETUNREACH;
	in(.flags = SYN, .wnd = 65535, .mss = 1000);
	quiet();
	th_route_err = 0;
	th_sleep_ms(1100);
	out(.flags = SYN | ACK, .ack = 1);
	th_route_err = -ENETUNREACH;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
	assert_null(th_accept(l, &err));
	th_route_err = 0;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
	s = th_accept(l, &err);
	assert_non_null(s);
	th_close(s);
	th_close(l);
	th_flush();
}

/* The listener's MSS option goes for its answers, too. */
static void test_synack_with_a_chosen_mss(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	th_setopt(l, IPPROTO_TCP, 2, 700);
	in(.flags = SYN, .wnd = 65535, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.mss, 700);
	in(.flags = RST, .seq = 1);
	th_close(l);
}

static void test_bound_to_no_address_of_ours(void **state)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET,
				   .sin_addr = cpu_to_be32(0xe0000001) };
	struct socket *s = th_socket();
	struct sockaddr_storage a;

	memset(&a, 0, sizeof(a));
	memcpy(&a, &in4, sizeof(in4));
	assert_int_equal(s->ops->bind(s, &a, 16), -EADDRNOTAVAIL);
	assert_int_equal(s->ops->connect(s, &a, 16, true), -ENETUNREACH);
	in4.sin_addr = cpu_to_be32(0x09090909);
	memcpy(&a, &in4, sizeof(in4));
	assert_int_equal(s->ops->bind(s, &a, 16), -EADDRNOTAVAIL);
	/* AF_UNSPEC and 0.0.0.0 are any, here. */
	memset(&a, 0, sizeof(a));
	assert_int_equal(s->ops->bind(s, &a, 16), 0);
	assert_int_equal(s->ops->bind(s, &a, 16), -EINVAL);
	/* Bound before: the port stays through connect(2). */
	assert_int_equal(th_connect(s, TH_PORT, true), -EINPROGRESS);
	th_flush();
	th_close(s);
}

/* ---- memory ---- */

/* More than twice the buffer: what still comes is thrown away. */
static void test_more_than_was_offered(void **state)
{
	struct th_conn c = th_established(true);
	u64 before = count(SNMP_TcpExt_TCPRcvQDrop);
	u32 seq = 1;

	th_setopt(c.s, 1, 8, 2048);	/* SO_RCVBUF */
	th_tp(c.s)->rcv_wnd = 60000;
	for (int i = 0; i < 30; i++, seq += 1000)
		in(.flags = ACK, .seq = seq, .ack = 1, .wnd = 500,
		   .len = 1000);
	th_flush();
	assert_true(count(SNMP_TcpExt_TCPRcvQDrop) > before);
	th_recv(c.s, bytes, sizeof(bytes), 0);
	th_conn_done(&c);
}

static void test_no_memory_to_say_it(void **state)
{
	struct th_conn c = th_established(true);
	u64 failed = count(SNMP_TcpExt_TCPAbortFailed);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500, .len = 5);
	th_flush();
	/* Unread data: a reset is due, and there is no memory for it. */
	host_fail_all_allocs(true);
	th_close(c.s);
	host_fail_all_allocs(false);
	quiet();
	assert_int_equal(count(SNMP_TcpExt_TCPAbortFailed), failed + 1);
	th_close(c.listener);
}

/* A header in two pieces, one that is cut off, options that end nowhere. */
static void test_headers_in_pieces(void **state)
{
	static const struct ip_addr us = { { 0, 0, IP_MAPPED_WORD,
					     0x0100000a } };
	u64 before = drop_counts[DROP_TCP_HDR];
	u8 h[24] = { 0 };

	h[12] = 0xf0;	/* 60 bytes, and there are 24 */
	th_receive(th_packet(&us, &us, h, sizeof(h)));
	th_receive(th_packet(&us, &us, h, 10));
	assert_int_equal(drop_counts[DROP_TCP_HDR], before + 2);
}

/* TCP_INFO of a connection with all options; of one that is in trouble. */
static void test_info_in_trouble(void **state)
{
	struct th_conn c = th_established(false);
	struct tcp_info info;
	u32 len = sizeof(info);

	assert_int_equal(c.s->ops->getsockopt(c.s, IPPROTO_TCP, 11, &info,
					      &len), 0);
	assert_int_equal(info.tcpi_options, 7);
	/* Of a listener: how many wait, and how many may. */
	assert_int_equal(c.listener->ops->getsockopt(c.listener, IPPROTO_TCP,
						     11, &info, &len), 0);
	assert_int_equal(info.tcpi_state, TCP_LISTEN);
	assert_int_equal(info.tcpi_unacked, 0);
	assert_int_equal(info.tcpi_sacked, 128);
	c.s->ops->getsockopt(c.s, IPPROTO_TCP, 11, &info, &len);
	assert_int_equal(info.tcpi_ca_state, 0);
	assert_true(info.tcpi_max_pacing_rate == UINT64_MAX);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 70,
	   .tsval = 2000);
	th_send(c.s, bytes, 20000, 0);
	th_flush();
	c.s->ops->getsockopt(c.s, IPPROTO_TCP, 11, &info, &len);
	assert_int_equal(info.tcpi_bytes_received, 70);
	assert_int_equal(info.tcpi_bytes_acked, 0);
	assert_int_equal(info.tcpi_snd_wnd, 100 * 128);
	assert_int_equal(info.tcpi_notsent_bytes + info.tcpi_unacked * 1448,
			 20000);
	in(.flags = ACK, .seq = 71, .ack = 1449, .wnd = 512, .tsval = 2000);
	c.s->ops->getsockopt(c.s, IPPROTO_TCP, 11, &info, &len);
	assert_int_equal(info.tcpi_bytes_acked, 1448);
	th_flush();
	th_conn_done(&c);
	c = th_established(false);
	th_send(c.s, bytes, 5000, 0);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 512, .tsval = 2000,
	   .nr_sacks = 1, .sacks = { { 1449, 2897 } });
	c.s->ops->getsockopt(c.s, IPPROTO_TCP, 11, &info, &len);
	assert_int_equal(info.tcpi_ca_state, 1);
	assert_int_equal(info.tcpi_sacked, 1);
	th_flush();
	th_sleep_ms(1500);
	c.s->ops->getsockopt(c.s, IPPROTO_TCP, 11, &info, &len);
	assert_int_equal(info.tcpi_ca_state, 4);
	assert_true(info.tcpi_total_retrans > 0);
	th_flush();
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc5927_errors_are_soft),
		T(test_errors_for_who_asked),
		T(test_errors_about_others),
		T(test_rfc6191_active_open_over_time_wait),
		T(test_time_wait_without_stamps_stays),
		T(test_paws_in_time_wait),
		T(test_no_memory_for_time_wait),
		T(test_fin_wait2_record),
		T(test_fin_wait2_record_gets_its_fin),
		T(test_reader_opens_a_small_window),
		T(test_linger2),
		T(test_shutdown_while_connecting),
		T(test_listener_is_disconnected),
		T(test_queues_are_told),
		T(test_rfc9293_3_10_7_4_syn_received_refuses),
		T(test_rfc9293_3_10_7_3_neither_syn_nor_rst),
		T(test_no_route_for_an_answer),
		T(test_synack_with_a_chosen_mss),
		T(test_bound_to_no_address_of_ours),
		T(test_more_than_was_offered),
		T(test_no_memory_to_say_it),
		T(test_headers_in_pieces),
		T(test_info_in_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
