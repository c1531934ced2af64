/*
 * Calls that sleep, what wakes them, the sock being busy when segments and
 * timers come, and the same TCP over IPv6.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/ip/ip.h"
#include "tests/unit/tcp_harness.h"

#define SO_SNDTIMEO_	21
#define SO_RCVTIMEO_	20
#define IPPROTO_V6	41
#define IPV6_V6ONLY	26

static u8 buf[100000];
static struct socket *cur;
static u32 step;

static void set_timeo(struct socket *s, int opt, s64 ms)
{
	s64 tv[2] = { ms / 1000, ms % 1000 * 1000 };

	assert_int_equal(sock_setsockopt(s->sk, opt, tv, sizeof(tv)), 0);
}

static ssize_t recv_blocking(struct socket *s, size_t n, u32 flags)
{
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_kbuf(&msg.msg_iter, buf, n);
	return s->ops->recvmsg(s, &msg, false);
}

static bool syn_ack_comes(void *arg)
{
	if (step++)
		return false;
	out(.flags = SYN);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 500, .mss = 1000,
	   .sport = TH_PORT, .dport = cur->sk->sk_num);
	return true;
}

static void test_connect_waits(void **state)
{
	step = 0;
	cur = th_socket();
	host_on_idle = syn_ack_comes;
	assert_int_equal(th_connect(cur, TH_PORT, false), 0);
	assert_int_equal(cur->state, SS_CONNECTED);
	assert_true(host_sleeps() > 0);
	th_flush();
	th_close(cur);
	th_flush();
}

static void test_connect_gives_up_waiting(void **state)
{
	struct socket *s = th_socket();

	set_timeo(s, SO_SNDTIMEO_, 300);
	assert_int_equal(th_connect(s, TH_PORT, false), -EINPROGRESS);
	assert_int_equal(th_connect(s, TH_PORT, false), -EALREADY);
	th_flush();
	th_close(s);
	th_flush();
	/* Without a limit it ends when the SYNs do. */
	s = th_socket();
	assert_int_equal(th_connect(s, TH_PORT, false), -ETIMEDOUT);
	assert_int_equal(th_flush(), 7);
	th_close(s);
}

static bool client_comes(void *arg)
{
	if (step++)
		return false;
	in(.flags = SYN, .wnd = 500, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
	return true;
}

static void test_accept_waits(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	struct socket fresh = { .ops = l->ops, .type = SOCK_STREAM };

	step = 0;
	init_waitqueue_head(&fresh.wq);
	host_on_idle = client_comes;
	assert_int_equal(l->ops->accept(l, &fresh, false), 0);
	fresh.ops->release(&fresh);
	th_flush();
	set_timeo(l, SO_RCVTIMEO_, 100);
	assert_int_equal(l->ops->accept(l, &fresh, false), -EAGAIN);
	th_close(l);
}

static bool data_comes(void *arg)
{
	if (step >= 3)
		return false;
	in(.flags = ACK, .seq = 1 + 10 * step, .ack = 1, .wnd = 500,
	   .len = 10);
	step++;
	return true;
}

static void test_recv_waits(void **state)
{
	struct th_conn c = th_established(true);

	step = 0;
	host_on_idle = data_comes;
	assert_int_equal(recv_blocking(c.s, 100, 0), 10);
	assert_int_equal(recv_blocking(c.s, 20, MSG_WAITALL), 20);
	assert_int_equal(step, 3);
	set_timeo(c.s, SO_RCVTIMEO_, 100);
	assert_int_equal(recv_blocking(c.s, 20, 0), -EAGAIN);
	th_conn_close(&c);
	th_flush();
}

static bool peer_reads(void *arg)
{
	struct tcp_sock *tp = th_tp(cur);

	th_flush();
	if (!tp->packets_out)
		return false;
	in(.flags = ACK, .seq = 1, .ack = tp->snd_nxt - tp->iss,
	   .wnd = 65535);
	return true;
}

static void test_send_waits_for_room(void **state)
{
	struct th_conn c = th_established(true);
	struct msghdr msg = { 0 };

	cur = c.s;
	host_on_idle = peer_reads;
	iov_iter_kbuf(&msg.msg_iter, buf, sizeof(buf));
	assert_int_equal(c.s->ops->sendmsg(c.s, &msg, false), sizeof(buf));
	assert_true(host_sleeps() > 0);
	th_conn_close(&c);
	th_flush();
}

/* A send before the handshake is over waits for it; or for its failure. */
static void test_send_waits_for_the_handshake(void **state)
{
	struct msghdr msg = { 0 };

	step = 0;
	cur = th_socket();
	assert_int_equal(th_connect(cur, TH_PORT, true), -EINPROGRESS);
	assert_int_equal(th_send(cur, buf, 10, 0), -EAGAIN);
	host_on_idle = syn_ack_comes;
	iov_iter_kbuf(&msg.msg_iter, buf, 10);
	assert_int_equal(cur->ops->sendmsg(cur, &msg, false), 10);
	assert_int_equal(cur->sk->sk_state, TCP_ESTABLISHED);
	th_flush();
	th_close(cur);
	th_flush();
	host_on_idle = NULL;
	cur = th_socket();
	th_connect(cur, TH_PORT, true);
	iov_iter_kbuf(&msg.msg_iter, buf, 10);
	assert_int_equal(cur->ops->sendmsg(cur, &msg, false), -ETIMEDOUT);
	assert_int_equal(th_send(cur, buf, 10, 0), -EPIPE);
	th_flush();
	th_close(cur);
}

/* A reset is told once; after it the pipe is broken. */
static void test_send_after_a_reset(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = RST, .seq = 1);
	assert_int_equal(th_send(c.s, buf, 1, 0), -ECONNRESET);
	assert_int_equal(th_send(c.s, buf, 1, 0), -EPIPE);
	th_conn_close(&c);
	th_flush();
}

static void test_segments_wait_while_the_sock_is_busy(void **state)
{
	struct th_conn c = th_established(true);

	lock_sock(c.s->sk);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500, .len = 10);
	in(.flags = FIN | ACK, .seq = 11, .ack = 1, .wnd = 500);
	assert_false(th_poll(c.s) & EPOLLIN);
	release_sock(c.s->sk);
	assert_int_equal(th_recv(c.s, buf, 100, 0), 10);
	assert_int_equal(th_recv(c.s, buf, 100, 0), 0);
	th_conn_close(&c);
	th_flush();
}

static void test_timers_wait_while_the_sock_is_busy(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_send(c.s, buf, 10, 0), 10);
	th_flush();
	lock_sock(c.s->sk);
	th_sleep_ms(1500);
	quiet();
	release_sock(c.s->sk);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	/* And the next one is armed. */
	th_sleep_ms(2001);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	th_conn_close(&c);
	th_flush();
}

static void test_handshake_while_the_listener_is_busy(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	struct socket *s;
	int err;

	lock_sock(l->sk);
	in(.flags = SYN, .wnd = 500, .mss = 1000);
	quiet();
	release_sock(l->sk);
	out(.flags = SYN | ACK, .ack = 1);
	lock_sock(l->sk);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
	/* Finds no connection yet, is kept behind the ACK. */
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500, .len = 7);
	release_sock(l->sk);
	s = th_accept(l, &err);
	assert_non_null(s);
	assert_int_equal(th_recv(s, buf, 100, 0), 7);
	th_close(s);
	th_close(l);
	th_flush();
}

/* ---- IPv6 ---- */

static struct ip_addr seen_saddr, seen_daddr;
static struct tcp_segment seen;

static void see(struct sk_buff *skb, const struct ip_out *ip)
{
	assert_int_equal(tcp_decode(skb), 0);
	seen = *tcp_seg(skb);
	seen_saddr = *ip->saddr;
	seen_daddr = *ip->daddr;
	kfree_skb(skb);
}

/* One segment from @from to @to, both given by their last word. */
static void in6(u8 flags, u32 seq, u32 ack)
{
	struct sk_buff *skb = alloc_skb(60);
	u8 *h = skb_put(skb, 60);
	struct tcphdr *th = (struct tcphdr *)(h + 40);

	memset(h, 0, 60);
	h[0] = 0x60;
	h[8] = 0xfd;
	h[23] = 2;
	h[24] = 0xfd;
	h[39] = 1;
	th->source = cpu_to_be16(TH_PEER_PORT);
	th->dest = cpu_to_be16(TH_PORT);
	th->seq = cpu_to_be32(seq);
	th->ack = cpu_to_be32(ack);
	th->doff = 5 << 4;
	th->flags = flags;
	th->window = cpu_to_be16(1000);
	skb->network_header = 0;
	skb_pull(skb, 40);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->tstamp = host_now;
	local_bh_disable();
	tcp_v6_rcv(skb);
	local_bh_enable();
}

static struct socket *listen6(bool v6only)
{
	struct socket *l = th_socket();
	struct sockaddr_in6 in = { .sin6_family = AF_INET6 };
	struct sockaddr_storage addr = { 0 };
	int v = v6only;

	l->sk->sk_family = AF_INET6;
	assert_int_equal(l->ops->setsockopt(l, IPPROTO_V6, IPV6_V6ONLY, &v,
					    sizeof(v)), 0);
	in.sin6_port = cpu_to_be16(TH_PORT);
	memcpy(&addr, &in, sizeof(in));
	assert_int_equal(l->ops->bind(l, &addr, sizeof(in)), 0);
	assert_int_equal(l->ops->listen(l, 5), 0);
	return l;
}

static void test_ipv6_handshake(void **state)
{
	struct socket *l = listen6(true);
	struct sockaddr_storage addr;
	struct socket *s;
	u32 iss;
	int err;

	th_xmit_hook = see;
	in6(SYN, 100, 0);
	assert_int_equal(seen.flags, SYN | ACK);
	assert_int_equal(seen.mss, 1440);
	assert_int_equal(((u8 *)&seen_saddr)[15], 1);
	assert_int_equal(((u8 *)&seen_daddr)[15], 2);
	iss = seen.seq;
	in6(ACK, 101, iss + 1);
	s = th_accept(l, &err);
	assert_non_null(s);
	assert_int_equal(s->ops->getname(s, &addr, true), 28);
	assert_int_equal(addr.ss_family, AF_INET6);
	in6(FIN | ACK, 101, iss + 1);
	assert_int_equal(th_recv(s, buf, 1, 0), 0);
	th_close(s);
	in6(ACK, 102, iss + 2);
	th_xmit_hook = NULL;
	/* V6ONLY: not for IPv4. */
	in(.flags = SYN, .wnd = 100);
	out(.flags = RST | ACK, .seq = 0, .ack = 1);
	th_close(l);
}

static void test_dual_stack_listener(void **state)
{
	struct socket *l = listen6(false), *s;
	struct sockaddr_storage addr;
	struct sockaddr_in6 in6_addr;
	int err;

	in(.flags = SYN, .wnd = 100, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100);
	s = th_accept(l, &err);
	assert_non_null(s);
	assert_int_equal(s->ops->getname(s, &addr, true), 28);
	memcpy(&in6_addr, &addr, sizeof(in6_addr));
	/* The mapped form of 10.0.0.2. */
	assert_int_equal(in6_addr.sin6_addr[2], IP_MAPPED_WORD);
	th_close(s);
	th_close(l);
	th_flush();
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_connect_waits),
		T(test_connect_gives_up_waiting),
		T(test_accept_waits),
		T(test_recv_waits),
		T(test_send_waits_for_room),
		T(test_send_waits_for_the_handshake),
		T(test_send_after_a_reset),
		T(test_segments_wait_while_the_sock_is_busy),
		T(test_timers_wait_while_the_sock_is_busy),
		T(test_handshake_while_the_listener_is_busy),
		T(test_ipv6_handshake),
		T(test_dual_stack_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
