/*
 * The error queue: what is in an entry, its bounds, and ranges that grow.
 * sources: net/sock_errqueue.c net/cmsg.c net/sock.c net/inet.c net/skbuff.c
 * net/drop.c kernel/wait.c kernel/uio.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/uio.h"
#include "net/ip/ip.h"
#include "net/sock.h"
#include "net/sock_errqueue.h"
#include "net/socket.h"
#include "tests/host/host.h"

static struct proto fake_proto = { .name = "FAKE" };
static struct socket sock;
static struct sock *sk;
static struct sockaddr_in name;		/* of the last entry */
static u32 msg_flags;

/* What Linux writes for IP_RECVERR, with its struct cmsghdr. */
static struct {
	u64 len;
	s32 level, type;
	struct sock_extended_err ee;
	struct sockaddr_in offender;
} err;

int sock_register(const struct net_proto_family *family)
{
	return 0;
}

static int group_setup(void **state)
{
	host_reset();
	skb_init();
	fake_proto.slab = kmem_cache_create("fake", sizeof(struct sock), 0,
					    SLAB_ZERO);
	return 0;
}

static int setup(void **state)
{
	host_reset();
	memset(&sock, 0, sizeof(sock));
	init_waitqueue_head(&sock.wq);
	sk = sk_alloc(&fake_proto, AF_INET, SOCK_DGRAM, 17);
	assert_non_null(sk);
	sock_graft(sk, &sock);
	return 0;
}

static int teardown(void **state)
{
	sock_put(sk);
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static ssize_t next(void *buf, size_t len)
{
	struct sockaddr_storage ss = { .ss_family = 0 };
	struct msghdr msg = {
		.msg_name = &ss,
		.msg_control = &err,
		.msg_controllen = sizeof(err),
	};
	ssize_t got;

	memset(&err, 0, sizeof(err));
	iov_iter_ubuf(&msg.msg_iter, buf, len);
	got = sock_recv_errqueue(sk, &msg);
	msg_flags = msg.msg_flags;
	memcpy(&name, &ss, sizeof(name));
	return got;
}

/* "Destination unreachable" from 10.0.0.1 about a datagram to 10.0.0.9:7. */
static bool icmp(u8 code, const char *data)
{
	u8 quoted[32] = { 0, 9, 0, 7 };
	struct icmp_error e = {
		.saddr = ip_addr_v4(cpu_to_be32(0x0a000002)),
		.daddr = ip_addr_v4(cpu_to_be32(0x0a000009)),
		.offender = ip_addr_v4(cpu_to_be32(0x0a000001)),
		.type = 3,
		.code = code,
		.error = EHOSTUNREACH,
		.quoted = quoted,
		.len = 8 + (u32)strlen(data),
	};

	memcpy(quoted + 8, data, strlen(data));
	return sock_queue_icmp(sk, &e, 8);
}

static void test_nobody_asked(void **state)
{
	struct sock_exterr e = { .port = 0 };
	char buf[8];

	assert_false(icmp(1, ""));
	assert_false(sock_queue_err(sk, &e, NULL, 0));
	assert_false(sock_errqueue_ready(sk));
	assert_int_equal(next(buf, 8), -EAGAIN);
}

static void test_icmp_entry(void **state)
{
	char buf[8];

	assert_int_equal(sock_set_recverr(sk, false, 1), 0);
	assert_true(icmp(1, "hello"));
	assert_true(icmp(13, ""));
	assert_true(sock_errqueue_ready(sk));
	assert_int_equal(next(buf, 3), 3);
	assert_memory_equal(buf, "hel", 3);
	assert_int_equal(msg_flags, MSG_ERRQUEUE | MSG_TRUNC);
	assert_int_equal(be16_to_cpu(name.sin_port), 7);
	assert_int_equal(be32_to_cpu(name.sin_addr), 0x0a000009);
	assert_int_equal(err.len, sizeof(err));
	assert_int_equal(err.level, IPPROTO_IP);
	assert_int_equal(err.type, 11);
	assert_int_equal(err.ee.ee_errno, EHOSTUNREACH);
	assert_int_equal(err.ee.ee_origin, SO_EE_ORIGIN_ICMP);
	assert_int_equal(err.ee.ee_type, 3);
	assert_int_equal(err.ee.ee_code, 1);
	assert_int_equal(be32_to_cpu(err.offender.sin_addr), 0x0a000001);
	/* The next one is pending now. */
	assert_int_equal(sock_error(sk), -EHOSTUNREACH);
	assert_int_equal(next(buf, 8), 0);
	assert_int_equal(err.ee.ee_code, 13);
	assert_int_equal(sock_error(sk), 0);
	assert_false(sock_errqueue_ready(sk));
}

static void test_bounded_by_the_receive_buffer(void **state)
{
	char buf[8];
	int n = 0;

	assert_int_equal(sock_set_recverr(sk, false, 1), 0);
	sk->sk_rcvbuf = SOCK_MIN_RCVBUF;
	for (int i = 0; i < 50; i++)
		assert_true(icmp(1, ""));
	while (next(buf, 8) == 0)
		n++;
	assert_in_range(n, 1, 8);
	assert_true(icmp(1, ""));
	assert_int_equal(sock_set_recverr(sk, false, 0), 0);
	assert_int_equal(next(buf, 8), -EAGAIN);
}

static void test_notes_about_what_was_sent(void **state)
{
	struct sock_exterr e = {
		.ee = { .ee_origin = SO_EE_ORIGIN_ZEROCOPY },
	};
	char buf[8];

	assert_int_equal(sock_errqueue_enable(sk), 0);
	for (u32 i = 0; i < 5; i++) {
		e.ee.ee_info = e.ee.ee_data = i;
		e.ee.ee_code = i > 2;
		assert_true(sock_queue_err(sk, &e, NULL, 0));
	}
	assert_int_equal(next(buf, 8), 0);
	assert_int_equal(err.ee.ee_info, 0);
	assert_int_equal(err.ee.ee_data, 2);
	assert_int_equal(next(buf, 8), 0);
	assert_int_equal(err.ee.ee_info, 3);
	assert_int_equal(err.ee.ee_data, 4);
	assert_int_equal(err.offender.sin_family, 0);
	assert_int_equal(sock_error(sk), 0);
	/* Left in it when the sock goes. */
	assert_true(sock_queue_err(sk, &e, "left", 4));
}

static void test_no_memory(void **state)
{
	char buf[8];

	host_fail_all_allocs(true);
	assert_int_equal(sock_set_recverr(sk, false, 1), -ENOBUFS);
	host_fail_all_allocs(false);
	assert_int_equal(sock_set_recverr(sk, false, 1), 0);
	host_fail_all_allocs(true);
	assert_true(icmp(1, ""));
	host_fail_all_allocs(false);
	assert_int_equal(next(buf, 8), -EAGAIN);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nobody_asked),
		T(test_icmp_entry),
		T(test_bounded_by_the_receive_buffer),
		T(test_notes_about_what_was_sent),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
