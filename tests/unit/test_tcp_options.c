/*
 * Socket options of TCP, IP and IPv6 on TCP sockets: what may be set, what is
 * then said, what is refused, what it does (tcp(7), ip(7), ipv6(7)).
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/inet.h"
#include "net/ip/ip.h"
#include "net/tcp/tcp_sysctl.h"
#include "tests/unit/tcp_harness.h"

#define REFUSED	-1000000	/* it cannot be asked for */

static u8 bytes[8000];

static int get(struct socket *s, int level, int name)
{
	int v = 0, err;
	u32 len = sizeof(v);

	err = s->ops->getsockopt(s, level, name, &v, &len);
	return err == -ENOPROTOOPT ? REFUSED : err ? err : v;
}

static void test_numbers(void **state)
{
	static const struct {
		int level, name, val, err, then;
	} rows[] = {
		{ IPPROTO_TCP, 1, 1, 0, 1 },		/* NODELAY */
		{ IPPROTO_TCP, 1, 0, 0, 0 },
		{ IPPROTO_TCP, 2, 1000, 0, 1000 },	/* MAXSEG */
		{ IPPROTO_TCP, 2, 87, -EINVAL, 1000 },
		{ IPPROTO_TCP, 2, 32768, -EINVAL, 1000 },
		{ IPPROTO_TCP, 2, 0, 0, 536 },
		{ IPPROTO_TCP, 3, 1, 0, 1 },		/* CORK */
		{ IPPROTO_TCP, 3, 0, 0, 0 },
		{ IPPROTO_TCP, 4, 10, 0, 10 },		/* KEEPIDLE */
		{ IPPROTO_TCP, 4, 0, -EINVAL, 10 },
		{ IPPROTO_TCP, 5, 11, 0, 11 },		/* KEEPINTVL */
		{ IPPROTO_TCP, 5, 40000, -EINVAL, 11 },
		{ IPPROTO_TCP, 6, 12, 0, 12 },		/* KEEPCNT */
		{ IPPROTO_TCP, 6, 128, -EINVAL, 12 },
		{ IPPROTO_TCP, 7, 3, 0, 3 },		/* SYNCNT */
		{ IPPROTO_TCP, 7, 0, -EINVAL, 3 },
		{ IPPROTO_TCP, 8, 5, 0, 5 },		/* LINGER2 */
		{ IPPROTO_TCP, 8, -7, 0, -1 },
		{ IPPROTO_TCP, 8, 1000, 0, 120 },
		{ IPPROTO_TCP, 9, 1, 0, 1 },		/* DEFER_ACCEPT */
		{ IPPROTO_TCP, 9, 4, 0, 7 },
		{ IPPROTO_TCP, 10, 5000, 0, 5000 },	/* WINDOW_CLAMP */
		{ IPPROTO_TCP, 10, 0, 0, 0 },
		{ IPPROTO_TCP, 12, 0, 0, 0 },		/* QUICKACK */
		{ IPPROTO_TCP, 12, 1, 0, 1 },
		{ IPPROTO_TCP, 18, 9000, 0, 9000 },	/* USER_TIMEOUT */
		{ IPPROTO_TCP, 18, -1, -EINVAL, 9000 },
		{ IPPROTO_TCP, 23, 5, 0, 5 },		/* FASTOPEN */
		{ IPPROTO_TCP, 23, -1, -EINVAL, 5 },
		{ IPPROTO_TCP, 30, 1, 0, 1 },		/* FASTOPEN_CONNECT */
		{ IPPROTO_TCP, 30, 2, -EINVAL, 1 },
		{ IPPROTO_TCP, 99, 1, -ENOPROTOOPT, REFUSED },
		{ IPPROTO_IP, 1, 0xff, 0, 0xfc },	/* TOS */
		{ IPPROTO_IP, 2, 30, 0, 30 },		/* TTL */
		{ IPPROTO_IP, 2, 256, -EINVAL, 30 },
		{ IPPROTO_IP, 2, -1, 0, 64 },
		{ IPPROTO_IP, 11, 1, 0, 1 },		/* RECVERR */
		{ IPPROTO_IP, 10, 2, 0, REFUSED },	/* MTU_DISCOVER */
		{ IPPROTO_IP, 99, 1, -ENOPROTOOPT, REFUSED },
		{ IPPROTO_IPV6, 26, 1, -ENOPROTOOPT, REFUSED },
	};
	struct socket *s = th_socket();

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(th_setopt(s, rows[i].level, rows[i].name,
					   rows[i].val), rows[i].err);
		assert_int_equal(get(s, rows[i].level, rows[i].name),
				 rows[i].then);
	}
	th_close(s);
}

static void test_ipv6_numbers(void **state)
{
	static const struct {
		int name, val, err, then;
	} rows[] = {
		{ 26, 1, 0, 1 }, { 26, 0, 0, 0 },	/* V6ONLY */
		{ 67, 0x47, 0, 0x44 },			/* TCLASS */
		{ 67, 256, -EINVAL, 0x44 }, { 67, -1, 0, 0 },
		{ 16, 7, 0, 7 }, { 16, 0, -EINVAL, 7 },	/* UNICAST_HOPS */
		{ 25, 1, 0, 1 }, { 25, 0, 0, 0 },	/* RECVERR */
		{ 99, 1, -ENOPROTOOPT, REFUSED },
	};
	struct socket *s = th_socket();

	s->sk->sk_family = AF_INET6;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(th_setopt(s, IPPROTO_IPV6, rows[i].name,
					   rows[i].val), rows[i].err);
		assert_int_equal(get(s, IPPROTO_IPV6, rows[i].name),
				 rows[i].then);
	}
	s->sk->sk_num = 1;
	assert_int_equal(th_setopt(s, IPPROTO_IPV6, 26, 1), -EINVAL);
	s->sk->sk_num = 0;
	th_close(s);
}

static void test_lengths_and_levels(void **state)
{
	struct socket *s = th_socket();
	u8 small = 40;
	char name[20] = "";
	u32 len = sizeof(name);

	/* IP takes a byte for a number, TCP does not. */
	assert_int_equal(s->ops->setsockopt(s, IPPROTO_IP, 2, &small, 1), 0);
	assert_int_equal(get(s, IPPROTO_IP, 2), 40);
	assert_int_equal(s->ops->setsockopt(s, IPPROTO_TCP, 1, &small, 1),
			 -EINVAL);
	assert_int_equal(th_setopt(s, 77, 1, 1), -ENOPROTOOPT);
	assert_int_equal(get(s, 77, 1), -EOPNOTSUPP);
	assert_int_equal(s->ops->setsockopt(s, IPPROTO_TCP, 13, "reno", 4), 0);
	assert_int_equal(s->ops->getsockopt(s, IPPROTO_TCP, 13, name, &len),
			 0);
	assert_string_equal(name, "reno");
	assert_int_equal(s->ops->setsockopt(s, IPPROTO_TCP, 13, "", 0),
			 -EINVAL);
	assert_int_equal(s->ops->setsockopt(s, IPPROTO_TCP, 13, "vegas", 5),
			 -ENOENT);
	host_fail_all_allocs(true);
	assert_int_equal(th_setopt(s, IPPROTO_TCP, 23, 1), -ENOMEM);
	host_fail_all_allocs(false);
	th_close(s);
}

/* TCP_NODELAY and TCP_QUICKACK do at once what they promise. */
static void test_switches_act_at_once(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_setopt(c.s, IPPROTO_TCP, 2, 500), 0);
	th_send(c.s, bytes, 10, 0);
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	th_send(c.s, bytes, 10, 0);
	quiet();
	th_setopt(c.s, IPPROTO_TCP, 1, 1);
	out(.flags = ACK | PSH, .seq = 11, .ack = 1, .len = 10);
	in(.flags = ACK, .seq = 1, .ack = 21, .wnd = 60000);
	th_setopt(c.s, IPPROTO_TCP, 12, 0);
	in(.flags = ACK, .seq = 1, .ack = 21, .wnd = 60000, .len = 10);
	quiet();
	th_setopt(c.s, IPPROTO_TCP, 12, 1);
	out(.flags = ACK, .seq = 21, .ack = 11);
	/* An open connection cannot be made one to Fast Open. */
	assert_int_equal(th_setopt(c.s, IPPROTO_TCP, 23, 1), -EINVAL);
	assert_int_equal(get(c.s, IPPROTO_TCP, 2), 1000);
	th_conn_close(&c);
	th_flush();
}

/* Keepalive begins when the option comes, with the time that it names. */
static void test_keepidle_restarts_the_clock(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_setopt(c.s, 1, 9, 1), 0);	/* SO_KEEPALIVE */
	assert_int_equal(th_setopt(c.s, IPPROTO_TCP, 4, 5), 0);
	assert_int_equal(th_setopt(c.s, IPPROTO_TCP, 5, 2), 0);
	assert_int_equal(th_setopt(c.s, IPPROTO_TCP, 6, 2), 0);
	th_sleep_ms(5100);
	out(.flags = ACK, .seq = 0, .ack = 1);
	/* Answered: it begins again. Then not: two tries, and a reset. */
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 60000);
	th_sleep_ms(4000);
	quiet();
	th_sleep_ms(1200);
	out(.flags = ACK, .seq = 0, .ack = 1);
	th_sleep_ms(2000);
	out(.flags = ACK, .seq = 0, .ack = 1);
	th_sleep_ms(2000);
	out(.flags = RST | ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_recv(c.s, bytes, 1, 0), -ETIMEDOUT);
	th_conn_close(&c);
}

static void test_pacing_rate(void **state)
{
	struct socket *s = th_socket();
	u64 rate = 123456;
	u32 len = sizeof(rate);

	assert_int_equal(sock_setsockopt(s->sk, 47, &rate, sizeof(rate)), 0);
	rate = 0;
	assert_int_equal(sock_getsockopt(s->sk, 47, &rate, &len), 0);
	assert_int_equal(rate, 123456);
	host_fail_all_allocs(true);
	kfree(tcp_sk(s->sk)->ext);
	tcp_sk(s->sk)->ext = NULL;
	assert_int_equal(sock_setsockopt(s->sk, 47, &rate, sizeof(rate)),
			 -ENOMEM);
	host_fail_all_allocs(false);
	th_close(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_numbers),
		T(test_ipv6_numbers),
		T(test_lengths_and_levels),
		T(test_switches_act_at_once),
		T(test_keepidle_restarts_the_clock),
		T(test_pacing_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
