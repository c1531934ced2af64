/*
 * Ways out: FINs in every order, half-close, linger, TIME-WAIT, keepalive,
 * orphans; RFC 9293 section 3.6 and 3.10.4, 1122, 2525, 1337, 6191.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/snmp.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_KEEPIDLE	4
#define TCP_KEEPINTVL	5
#define TCP_KEEPCNT	6
#define TCP_LINGER2	8
#define TCP_USER_TIMEOUT 18
#define SO_KEEPALIVE_	9
#define SO_LINGER_	13

static u8 buf[100000];

static void close_s(struct th_conn *c)
{
	th_close(c->s);
	c->s = NULL;
}

static int shut(struct th_conn *c, int how)
{
	return c->s->ops->shutdown(c->s, how);
}

static void peer_ack(u32 seq, u32 a)
{
	in(.flags = ACK, .seq = seq, .ack = a, .wnd = 65535);
}

static void peer_fin(u32 seq, u32 a)
{
	in(.flags = FIN | ACK, .seq = seq, .ack = a, .wnd = 65535);
}

static void test_rfc9293_3_6_peer_closes_first(void **state)
{
	struct th_conn c = th_established(true);

	peer_fin(1, 1);
	quiet();
	assert_int_equal(th_poll(c.s), EPOLLIN | EPOLLRDNORM | EPOLLRDHUP |
			 EPOLLOUT | EPOLLWRNORM);
	assert_int_equal(th_recv(c.s, buf, 10, 0), 0);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSE_WAIT);
	/* The other half is open still. */
	assert_int_equal(th_send(c.s, "bye", 3, 0), 3);
	out(.flags = ACK, .seq = 1, .ack = 2, .len = 3);
	close_s(&c);
	out(.flags = FIN | ACK, .seq = 4, .ack = 2);
	peer_ack(2, 5);
	/* LAST-ACK is over: no TIME-WAIT on this side. */
	peer_ack(2, 5);
	out(.flags = RST, .seq = 5);
	th_conn_done(&c);
}

static void test_rfc9293_3_6_we_close_first(void **state)
{
	struct th_conn c = th_established(true);
	u64 tw = snmp_counts[SNMP_TcpExt_TW];

	close_s(&c);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	peer_ack(1, 2);
	/* A small record waits for the FIN in place of the block. */
	assert_int_equal(snmp_counts[SNMP_TcpExt_TW], tw + 1);
	th_sleep_ms(59000);
	peer_fin(1, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	/* TIME-WAIT: the FIN again is acknowledged again. */
	th_sleep_ms(50000);
	peer_fin(1, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_sleep_ms(50000);
	peer_fin(1, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_sleep_ms(61000);
	peer_fin(1, 2);
	out(.flags = RST, .seq = 2);
	th_conn_done(&c);
}

static void test_rfc9293_3_6_fin_and_ack_in_one(void **state)
{
	struct th_conn c = th_established(true);

	close_s(&c);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	peer_fin(1, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_conn_done(&c);
}

static void test_rfc9293_3_6_simultaneous_close(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(shut(&c, SHUT_WR), 0);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	peer_fin(1, 1);
	out(.flags = ACK, .seq = 2, .ack = 2);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSING);
	peer_ack(2, 2);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSE);
	assert_true(th_poll(c.s) & EPOLLHUP);
	assert_int_equal(th_recv(c.s, buf, 1, 0), 0);
	/* The record answers for it. */
	peer_fin(1, 1);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_conn_done(&c);
}

static void test_half_close_still_receives(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(shut(&c, SHUT_WR), 0);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_send(c.s, "x", 1, 0), -EPIPE);
	peer_ack(1, 2);
	assert_int_equal(c.s->sk->sk_state, TCP_FIN_WAIT2);
	assert_int_equal(th_poll(c.s), EPOLLOUT | EPOLLWRNORM);
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 100, .len = 10);
	assert_int_equal(th_recv(c.s, buf, 100, 0), 10);
	/* However long it takes. */
	th_sleep_ms(300000);
	th_flush();
	in(.flags = FIN | ACK, .seq = 11, .ack = 2, .wnd = 100, .len = 5);
	out(.flags = ACK, .seq = 2, .ack = 17);
	assert_int_equal(th_recv(c.s, buf, 100, 0), 5);
	assert_int_equal(th_recv(c.s, buf, 100, 0), 0);
	th_conn_done(&c);
}

static void test_fin_waits_behind_data(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
	assert_int_equal(th_send(c.s, buf, 2000, 0), 2000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	close_s(&c);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 2000);
	out(.flags = FIN | ACK, .seq = 1001, .ack = 1, .len = 1000);
	peer_fin(1, 2002);
	out(.flags = ACK, .seq = 2002, .ack = 2);
	th_conn_done(&c);
}

static void test_fin_out_of_order(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = FIN | ACK, .seq = 101, .ack = 1, .wnd = 9, .len = 10);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(c.s->sk->sk_state, TCP_ESTABLISHED);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9, .len = 100);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSE_WAIT);
	assert_int_equal(th_recv(c.s, buf, 1000, 0), 110);
	assert_int_equal(th_recv(c.s, buf, 1000, 0), 0);
	th_conn_done(&c);
}

static void test_lost_fin_is_repeated(void **state)
{
	struct th_conn c = th_established(true);

	close_s(&c);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	th_sleep_ms(1001);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	peer_fin(1, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_conn_done(&c);
}

static void test_orphan_gives_up(void **state)
{
	struct th_conn c = th_established(true);
	unsigned int n;

	close_s(&c);
	th_close(c.listener);
	c.listener = NULL;
	for (u32 i = 0; i < 600; i++)
		th_sleep_ms(1000);
	n = th_flush();
	assert_int_equal(n, 1 + 8);
	peer_fin(1, 2);
	out(.flags = RST, .seq = 2);
	th_conn_done(&c);
}

static void test_rfc2525_2_17_unread_data_resets(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9, .len = 10);
	close_s(&c);
	out(.flags = RST | ACK, .seq = 1, .ack = 11);
	th_conn_done(&c);
}

static void test_rfc1122_4_2_2_13_data_after_close_resets(void **state)
{
	struct th_conn c = th_established(true);

	close_s(&c);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 9, .len = 10);
	out(.flags = RST | ACK, .seq = 2, .ack = 1);
	th_conn_done(&c);
}

static void test_data_for_fin_wait2_record_resets(void **state)
{
	struct th_conn c = th_established(true);

	close_s(&c);
	th_flush();
	peer_ack(1, 2);
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 9, .len = 10);
	out(.flags = RST, .seq = 2);
	/* The record is gone with it. */
	peer_fin(11, 2);
	out(.flags = RST, .seq = 2);
	th_conn_done(&c);
}

static void test_fin_wait2_record_is_strict(void **state)
{
	struct th_conn c = th_established(true);

	close_s(&c);
	th_flush();
	peer_ack(1, 2);
	in(.flags = ACK, .seq = 0x40000000, .ack = 2, .wnd = 9);
	out(.flags = ACK, .seq = 2, .ack = 1);
	in(.flags = RST, .seq = 2);
	peer_fin(1, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_conn_done(&c);
}

static void test_linger_zero_resets(void **state)
{
	struct th_conn c = th_established(true);
	s32 ling[2] = { 1, 0 };

	sock_setsockopt(c.s->sk, SO_LINGER_, ling, sizeof(ling));
	assert_int_equal(th_send(c.s, buf, 100, 0), 100);
	th_flush();
	close_s(&c);
	out(.flags = RST | ACK, .seq = 101, .ack = 1);
	th_conn_done(&c);
}

static bool idle_ack(void *arg)
{
	static bool once;

	if (once)
		return false;
	once = true;
	peer_ack(1, 2);
	return true;
}

static void test_linger_waits_for_the_fin_ack(void **state)
{
	struct th_conn c = th_established(true);
	s32 ling[2] = { 1, 5 };
	u64 start = host_now;

	sock_setsockopt(c.s->sk, SO_LINGER_, ling, sizeof(ling));
	host_on_idle = idle_ack;
	close_s(&c);
	assert_true(host_now - start < 5000 * MS);
	assert_true(host_sleeps() > 0);
	th_flush();
	th_conn_done(&c);
}

static void test_linger_time_runs_out(void **state)
{
	struct th_conn c = th_established(true);
	s32 ling[2] = { 1, 5 };
	u64 start = host_now;

	sock_setsockopt(c.s->sk, SO_LINGER_, ling, sizeof(ling));
	close_s(&c);
	assert_int_equal(host_now - start, 5000 * MS);
	th_flush();
	th_conn_done(&c);
}

static void test_rfc6191_syn_reuses_time_wait(void **state)
{
	struct th_conn c = th_established(true);
	u32 old = th_tp(c.s)->iss;
	int err;

	close_s(&c);
	th_flush();
	peer_fin(1, 2);
	th_flush();
	/* Below what was received: not yet. */
	in(.flags = SYN, .seq = 0, .wnd = 100);
	out(.flags = ACK, .seq = 2, .ack = 2);
	in(.flags = SYN, .seq = 1000, .wnd = 100, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1001);
	in(.flags = ACK, .seq = 1001, .ack = 1, .wnd = 100);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	assert_true((s32)(th_tp(c.s)->iss - old) > 65535);
	th_conn_done(&c);
}

static void test_rfc1337_rst_does_not_end_time_wait(void **state)
{
	struct th_conn c = th_established(true);

	close_s(&c);
	th_flush();
	peer_fin(1, 2);
	th_flush();
	in(.flags = RST, .seq = 2);
	peer_fin(1, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_conn_done(&c);
}

static void test_no_memory_for_time_wait(void **state)
{
	struct th_conn c = th_established(true);
	u64 before = snmp_counts[SNMP_TcpExt_TCPTimeWaitOverflow];

	assert_int_equal(shut(&c, SHUT_WR), 0);
	th_flush();
	peer_ack(1, 2);
	/* Behind the ACK and the capture of it. */
	th_fail_next = 3;
	peer_fin(1, 2);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPTimeWaitOverflow],
			 before + 1);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSE);
	th_conn_done(&c);
}

static void test_no_memory_for_the_fin(void **state)
{
	struct th_conn c = th_established(true);

	host_fail_alloc(1);
	assert_int_equal(shut(&c, SHUT_WR), 0);
	assert_true(host_alloc_failed());
	quiet();
	th_sleep_ms(1001);
	out(.flags = FIN | ACK, .seq = 1, .ack = 1);
	th_conn_done(&c);
}

/* An ACK for all that is out must not stop the timer that brings the FIN. */
static void test_no_memory_for_the_fin_behind_data(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_send(c.s, "abc", 3, 0), 3);
	th_flush();
	host_fail_alloc(1);
	assert_int_equal(shut(&c, SHUT_WR), 0);
	in(.flags = ACK, .seq = 1, .ack = 4, .wnd = 65535);
	quiet();
	th_sleep_ms(1001);
	out(.flags = FIN | ACK, .seq = 4, .ack = 1);
	th_conn_done(&c);
}

/* Nor does the FIN take the timer of the data before it. */
static void test_late_fin_beside_lost_data(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_send(c.s, "abc", 3, 0), 3);
	th_flush();
	host_fail_alloc(1);
	assert_int_equal(shut(&c, SHUT_WR), 0);
	th_sleep_ms(1001);
	out(.flags = FIN | ACK, .seq = 4, .ack = 1);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 3);
	assert_true(th_tp(c.s)->rto_at);
	th_conn_done(&c);
}

static void test_rfc9293_3_8_4_keepalive(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_KEEPIDLE, 10);
	th_setopt(c.s, SOL_TCP, TCP_KEEPINTVL, 2);
	th_setopt(c.s, SOL_TCP, TCP_KEEPCNT, 3);
	th_sleep_ms(20000);
	quiet();
	peer_ack(1, 1);
	th_setopt(c.s, 1, SO_KEEPALIVE_, 1);
	th_sleep_ms(10001);
	out(.flags = ACK, .seq = 0, .ack = 1);
	peer_ack(1, 1);
	th_sleep_ms(9000);
	quiet();
	th_sleep_ms(1100);
	out(.flags = ACK, .seq = 0, .ack = 1);
	th_sleep_ms(2001);
	out(.flags = ACK, .seq = 0, .ack = 1);
	th_sleep_ms(2001);
	out(.flags = ACK, .seq = 0, .ack = 1);
	th_sleep_ms(2001);
	out(.flags = RST | ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_recv(c.s, buf, 1, 0), -ETIMEDOUT);
	th_conn_done(&c);
}

static void test_user_timeout(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_USER_TIMEOUT, 5000);
	assert_int_equal(th_send(c.s, buf, 10, 0), 10);
	for (u32 i = 0; i < 8; i++)
		th_sleep_ms(1000);
	th_flush();
	assert_int_equal(th_recv(c.s, buf, 1, 0), -ETIMEDOUT);
	th_conn_done(&c);
}

static void test_closing_a_listener_resets_who_waits(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 100, .mss = 1000, .sport = 1);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = SYN, .wnd = 100, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100);
	th_close(l);
	out(.flags = RST | ACK, .seq = 1, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .sport = 1);
	out(.flags = RST, .seq = 1);
	in(.flags = SYN, .wnd = 100, .sport = 2);
	th_flush();
	/* The port is free at once. */
	l = th_listen(TH_PORT);
	th_close(l);
}

static void test_shutdown_errors(void **state)
{
	struct socket *s = th_socket();
	struct socket *l = th_listen(TH_PORT);
	struct msghdr msg = { 0 };

	assert_int_equal(s->ops->shutdown(s, SHUT_RDWR), -ENOTCONN);
	th_close(s);
	s = th_socket();
	assert_int_equal(th_recv(s, buf, 1, 0), -ENOTCONN);
	assert_int_equal(th_send(s, buf, 1, 0), -EPIPE);
	assert_int_equal(th_poll(s), EPOLLOUT | EPOLLWRNORM | EPOLLHUP);
	th_close(s);
	iov_iter_kbuf(&msg.msg_iter, buf, 1);
	assert_int_equal(l->ops->recvmsg(l, &msg, true), -ENOTCONN);
	assert_int_equal(th_connect(l, 1, true), -EISCONN);
	assert_int_equal(l->ops->shutdown(l, SHUT_RD), 0);
	assert_int_equal(l->sk->sk_state, TCP_CLOSE);
	/* It may listen again. */
	assert_int_equal(l->ops->listen(l, 5), 0);
	th_close(l);
}

/* Connections of one address leave the port free at another. */
static void test_ports_conflict_by_address(void **state)
{
	struct sockaddr_in in4 = {
		.sin_family = AF_INET, .sin_port = cpu_to_be16(TH_PORT),
	};
	struct sockaddr_storage addr = { 0 };
	struct th_conn c = th_established(true);
	struct socket *b = th_socket();

	th_close(c.listener);
	c.listener = NULL;
	th_setopt(c.s, 1, 2, 0);
	/* Without an address, or at the connection's: somebody is there. */
	memcpy(&addr, &in4, sizeof(in4));
	assert_int_equal(b->ops->bind(b, &addr, 16), -EADDRINUSE);
	in4.sin_addr = c.s->sk->sk_rcv_saddr.a[3];
	memcpy(&addr, &in4, sizeof(in4));
	assert_int_equal(b->ops->bind(b, &addr, 16), -EADDRINUSE);
	/* The other local address. */
	in4.sin_addr = c.s->sk->sk_daddr.a[3];
	memcpy(&addr, &in4, sizeof(in4));
	assert_int_equal(b->ops->bind(b, &addr, 16), 0);
	th_close(b);
	th_conn_close(&c);
	th_flush();
}

static void test_bind_rules(void **state)
{
	struct socket *a = th_socket(), *b = th_socket();
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_storage addr;

	in4.sin_port = cpu_to_be16(TH_PORT);
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, &in4, sizeof(in4));
	assert_int_equal(a->ops->bind(a, &addr, 8), -EINVAL);
	assert_int_equal(a->ops->bind(a, &addr, 16), 0);
	assert_int_equal(a->ops->bind(a, &addr, 16), -EINVAL);
	assert_int_equal(b->ops->bind(b, &addr, 16), -EADDRINUSE);
	th_setopt(a, 1, 2, 1);
	th_setopt(b, 1, 2, 1);
	assert_int_equal(b->ops->bind(b, &addr, 16), 0);
	assert_int_equal(a->ops->listen(a, 1), 0);
	assert_int_equal(b->ops->listen(b, 1), -EADDRINUSE);
	th_close(a);
	assert_int_equal(b->ops->listen(b, 1), 0);
	th_close(b);
	b = th_socket();
	addr.data[2] = 9;	/* not our address */
	assert_int_equal(b->ops->bind(b, &addr, 16), -EADDRNOTAVAIL);
	th_close(b);
	b = th_socket();
	assert_int_equal(b->ops->listen(b, 1), 0);
	assert_in_range(b->sk->sk_num, 32768, 60999);
	th_close(b);
}

static void test_reuseport_shares_by_flow(void **state)
{
	struct socket *l[2];
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_storage addr;
	u32 hits[2] = { 0 };

	in4.sin_port = cpu_to_be16(TH_PORT);
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, &in4, sizeof(in4));
	for (u32 i = 0; i < 2; i++) {
		l[i] = th_socket();
		th_setopt(l[i], 1, 15, 1);
		assert_int_equal(l[i]->ops->bind(l[i], &addr, 16), 0);
		assert_int_equal(l[i]->ops->listen(l[i], 100), 0);
	}
	for (u16 p = 1; p <= 60; p++)
		in(.flags = SYN, .wnd = 100, .mss = 1000, .sport = p);
	for (u32 i = 0; i < 2; i++)
		hits[i] = (u32)atomic_read(&th_tp(l[i])->listen->requests);
	assert_int_equal(hits[0] + hits[1], 60);
	assert_in_range(hits[0], 15, 45);
	th_close(l[0]);
	th_close(l[1]);
}

/* Four of them: a fair share each, and a flow always goes to the same. */
static void test_reuseport_is_fair_and_stable(void **state)
{
	enum { N = 4, FLOWS = 800 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	u32 hits[N] = { 0 }, used = 0, was[N];
	static u8 whose[FLOWS + 1];
	struct sockaddr_storage addr;
	struct socket *l[N];

	in4.sin_port = cpu_to_be16(TH_PORT);
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, &in4, sizeof(in4));
	for (u32 i = 0; i < N; i++) {
		l[i] = th_socket();
		th_setopt(l[i], 1, 15, 1);
		assert_int_equal(l[i]->ops->bind(l[i], &addr, 16), 0);
		assert_int_equal(l[i]->ops->listen(l[i], 100), 0);
	}
	for (u32 round = 0; round < 2; round++) {
		for (u16 p = 1; p <= FLOWS; p++) {
			for (u32 i = 0; i < N; i++)
				was[i] = (u32)atomic_read(
					&th_tp(l[i])->listen->requests);
			in(.flags = SYN, .wnd = 100, .mss = 1000, .sport = p);
			for (used = 0; used < N; used++) {
				if ((u32)atomic_read(&th_tp(l[used])->listen
						     ->requests) > was[used])
					break;
			}
			assert_in_range(used, 0, N - 1);
			if (round)
				assert_int_equal(whose[p], used);
			whose[p] = (u8)used;
			hits[used]++;
			in(.flags = RST, .seq = 1, .sport = p);
		}
		th_flush();
	}
	/* Binomial: 400 of 1600, a deviation of 24 counted in pairs. */
	for (u32 i = 0; i < N; i++) {
		assert_in_range(hits[i], 280, 520);
		th_close(l[i]);
	}
}

/* The promise: one small record each, and the table grows on the way. */
static void test_many_connections(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	static struct socket *s[3000];
	unsigned int n = 0;
	int err;

	assert_int_equal(l->ops->listen(l, 4000), 0);
	for (u16 p = 1; p <= 3000; p++) {
		in(.flags = SYN, .wnd = 100, .mss = 1000, .sport = p);
		th_flush();
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .sport = p);
		s[n] = th_accept(l, &err);
		assert_non_null(s[n++]);
	}
	for (u16 p = 1; p <= 3000; p++) {
		in(.flags = RST, .seq = 1, .sport = p);
		assert_true(th_poll(s[p - 1]) & EPOLLHUP);
		th_close(s[p - 1]);
	}
	th_close(l);
	th_leaf_pages(8);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc9293_3_6_peer_closes_first),
		T(test_rfc9293_3_6_we_close_first),
		T(test_rfc9293_3_6_fin_and_ack_in_one),
		T(test_rfc9293_3_6_simultaneous_close),
		T(test_half_close_still_receives),
		T(test_fin_waits_behind_data),
		T(test_fin_out_of_order),
		T(test_lost_fin_is_repeated),
		T(test_orphan_gives_up),
		T(test_rfc2525_2_17_unread_data_resets),
		T(test_rfc1122_4_2_2_13_data_after_close_resets),
		T(test_data_for_fin_wait2_record_resets),
		T(test_fin_wait2_record_is_strict),
		T(test_linger_zero_resets),
		T(test_linger_waits_for_the_fin_ack),
		T(test_linger_time_runs_out),
		T(test_rfc6191_syn_reuses_time_wait),
		T(test_rfc1337_rst_does_not_end_time_wait),
		T(test_no_memory_for_time_wait),
		T(test_no_memory_for_the_fin),
		T(test_no_memory_for_the_fin_behind_data),
		T(test_late_fin_beside_lost_data),
		T(test_rfc9293_3_8_4_keepalive),
		T(test_user_timeout),
		T(test_closing_a_listener_resets_who_waits),
		T(test_shutdown_errors),
		T(test_bind_rules),
		T(test_ports_conflict_by_address),
		T(test_reuseport_shares_by_flow),
		T(test_reuseport_is_fair_and_stable),
		T(test_many_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
