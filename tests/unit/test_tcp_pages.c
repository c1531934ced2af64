/*
 * Sending without a copy: MSG_ZEROCOPY with its notes and pages of files,
 * through ACKs of any length, loss, a device that is slow, and no memory.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/poll.h"
#include "kernel/uio.h"
#include "net/dev.h"
#include "net/sock_errqueue.h"
#include "tests/unit/tcp_harness.h"

#define SO_ZEROCOPY_ 60
#define TOTAL 10000u

static u8 bytes[TOTAL] __attribute__((aligned(4096)));
static struct page *page;		/* whatever is pinned */
static u32 pins;

int mm_pin(struct mm_struct *mm, u64 addr, struct page_run *run)
{
	pins++;
	get_page(page);
	*run = (struct page_run){
		(void *)addr, PAGE_SIZE - addr % PAGE_SIZE, page,
	};
	return 0;
}

/* What the peer has, by relative sequence number. */
static u8 got[TOTAL + 1];
static u32 got_to, wire_bytes;

static void take_payload(struct sk_buff *skb, const struct ip_out *out)
{
	const struct tcphdr *th = (const struct tcphdr *)skb->data;
	u32 hdr_len = (th->doff >> 4) * 4u, len = skb->len - hdr_len;
	static u32 first;
	u32 seq = be32_to_cpu(th->seq);

	if (!wire_bytes)
		first = seq;
	if (len) {
		assert_true(seq - first + len <= TOTAL);
		memcpy(got + (seq - first), skb->data + hdr_len, len);
		got_to = max(got_to, seq - first + len);
		wire_bytes += len;
	}
	kfree_skb(skb);
}

static struct net_device *dev_of(struct th_conn *c)
{
	return c->s->sk->sk_route.dev;
}

static struct th_conn begin(void)
{
	struct th_conn c = th_established(true);

	page = alloc_pages(0);
	assert_non_null(page);
	memset(got, 0, sizeof(got));
	got_to = wire_bytes = pins = 0;
	for (u32 i = 0; i < TOTAL; i++)
		bytes[i] = th_pattern(i);
	assert_non_null(dev_of(&c));
	th_xmit_hook = take_payload;
	assert_int_equal(th_setopt(c.s, 1, SO_ZEROCOPY_, 1), 0);
	return c;
}

/* Nobody has the page any more. */
static void end(struct th_conn *c)
{
	th_xmit_hook = NULL;
	th_conn_close(c);
	th_flush();
	th_device_done();
	th_sleep_ms(5);
	assert_int_equal(atomic_read(&page->refs), 1);
	put_page(page);
}

static ssize_t send_zc(struct th_conn *c, size_t off, size_t n)
{
	struct msghdr msg = { .msg_flags = MSG_ZEROCOPY };

	iov_iter_ubuf(&msg.msg_iter, bytes + off, n);
	return c->s->ops->sendmsg(c->s, &msg, true);
}

static void ack(u32 to)
{
	in(.flags = ACK, .seq = 1, .ack = 1 + to, .wnd = 65535);
}

/* The next note is of calls @first to @last; @code. */
static void assert_note(struct th_conn *c, u32 first, u32 last, u8 code)
{
	u8 control[128] = { 0 };
	struct msghdr msg = {
		.msg_flags = MSG_ERRQUEUE,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct sock_extended_err ee;
	u8 none[1];

	assert_true(th_poll(c->s) & EPOLLERR);
	iov_iter_kbuf(&msg.msg_iter, none, 0);
	assert_int_equal(c->s->ops->recvmsg(c->s, &msg, true), 0);
	memcpy(&ee, control + 16, sizeof(ee));
	assert_int_equal(ee.ee_errno, 0);
	assert_int_equal(ee.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	assert_int_equal(ee.ee_info, first);
	assert_int_equal(ee.ee_data, last);
	assert_int_equal(ee.ee_code, code);
}

static void assert_no_note(struct th_conn *c)
{
	th_sleep_ms(5);
	assert_false(th_poll(c->s) & EPOLLERR);
}

/* The peer acknowledges what has come in order, until all of it has. */
static void all_arrives_from(u32 start)
{
	for (u32 i = 0; i < 20 && memcmp(got, bytes, TOTAL); i++) {
		u32 to = start;

		th_sleep_ms(5000);
		while (to < TOTAL && got[to] == bytes[to])
			to++;
		ack(to);
	}
	assert_memory_equal(got, bytes, TOTAL);
}

static void test_pages_are_sent_in_place(void **state)
{
	struct th_conn c = begin();

	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	assert_int_equal(got_to, TOTAL);
	assert_memory_equal(got, bytes, TOTAL);
	assert_true(pins >= 3);
	assert_true(atomic_read(&page->refs) > 1);
	assert_no_note(&c);
	ack(TOTAL);
	assert_int_equal(atomic_read(&page->refs), 1);
	assert_int_equal(c.s->sk->sk_wmem_queued, 0);
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	assert_no_note(&c);
	end(&c);
}

/* ACKs in the middle of pieces, then the rest is lost and sent again. */
static void test_what_is_lost_is_sent_again(void **state)
{
	struct th_conn c = begin();

	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	ack(777);
	memset(got + 777, 0, TOTAL - 777);
	wire_bytes = TOTAL;
	all_arrives_from(777);
	assert_no_note(&c);
	ack(TOTAL);
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	assert_int_equal(c.s->sk->sk_wmem_queued, 0);
	end(&c);
}

/* The ring has the first transmission still: it is not touched, but copied. */
static void test_a_slow_device_keeps_its_pages(void **state)
{
	struct th_conn c = begin();

	th_device_keeps = true;
	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	ack(777);
	memset(got, 0, sizeof(got));
	memcpy(got, bytes, 777);
	wire_bytes = TOTAL;
	all_arrives_from(777);
	ack(TOTAL);
	assert_no_note(&c);
	assert_true(atomic_read(&page->refs) > 1);
	th_device_keeps = false;
	th_device_done();
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	end(&c);
}

/* What was cut while the device had it goes out right once it has not. */
static void test_cut_while_the_device_had_it(void **state)
{
	struct th_conn c = begin();

	th_dev_features = NETIF_F_HW_CSUM | NETIF_F_TSO;
	th_device_keeps = true;
	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	th_sleep_ms(3000);	/* the head goes again, one segment of it */
	th_device_keeps = false;
	th_device_done();
	memset(got, 0, sizeof(got));
	wire_bytes = TOTAL;
	all_arrives_from(0);
	ack(TOTAL);
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	assert_int_equal(c.s->sk->sk_wmem_queued, 0);
	end(&c);
}

/* Windows that end anywhere cut pieces; nobody copies. */
static void test_small_windows(void **state)
{
	struct th_conn c = begin();
	u32 to = 0;

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1100);
	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	for (u32 i = 0; i < 100 && to < TOTAL; i++) {
		to = got_to;
		in(.flags = ACK, .seq = 1, .ack = 1 + to, .wnd = 1100 + i);
	}
	assert_memory_equal(got, bytes, TOTAL);
	assert_int_equal(wire_bytes, TOTAL);
	ack(TOTAL);
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	end(&c);
}

/* The same where a buffer is several segments: cut between and in pieces. */
static void cut_large_buffers(bool no_memory)
{
	struct th_conn c;
	u32 to = 0;

	th_dev_features = NETIF_F_TSO;
	c = begin();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 2100);
	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	for (u32 i = 0; i < 200 && to < TOTAL; i++) {
		to = got_to;
		th_fail_next = no_memory && i % 3 < 2 ? 1 + i % 3 : 0;
		in(.flags = ACK, .seq = 1, .ack = 1 + to, .wnd = 2100 + i % 9);
		if (got_to == to)
			th_sleep_ms(1000);
	}
	assert_memory_equal(got, bytes, TOTAL);
	ack(TOTAL);
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	assert_int_equal(c.s->sk->sk_wmem_queued, 0);
	end(&c);
	th_dev_features = 0;
}

static void test_windows_cut_large_buffers(void **state)
{
	cut_large_buffers(false);
	assert_int_equal(wire_bytes, TOTAL);
}

static void test_no_memory_to_cut(void **state)
{
	cut_large_buffers(true);
}

/* Each call has a number; those in a row make one note. */
static void test_notes_are_numbered(void **state)
{
	struct th_conn c = begin();

	for (u32 i = 0; i < 3; i++)
		assert_int_equal(send_zc(&c, i * 3000, 3000), 3000);
	ack(3000);
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	ack(9000);
	th_sleep_ms(1);
	assert_note(&c, 1, 2, 0);
	/* Little is copied, which it says; it counts all the same. */
	assert_int_equal(send_zc(&c, 9000, 100), 100);
	assert_note(&c, 3, 3, SO_EE_CODE_ZEROCOPY_COPIED);
	ack(9100);
	assert_no_note(&c);
	end(&c);
}

static void test_who_has_not_asked_gets_copies(void **state)
{
	struct th_conn c = begin();
	const int no[] = { -1, 2 };

	for (u32 i = 0; i < 2; i++)
		assert_int_equal(th_setopt(c.s, 1, SO_ZEROCOPY_, no[i]),
				 -EINVAL);
	assert_int_equal(th_setopt(c.s, 1, SO_ZEROCOPY_, 0), 0);
	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	assert_int_equal(pins, 0);
	ack(TOTAL);
	assert_no_note(&c);
	end(&c);
}

/* The loopback's receiver would sit on the sender's pages. */
static void test_loopback_copies(void **state)
{
	struct th_conn c = begin();
	struct net_device lo = *dev_of(&c), *was = dev_of(&c);

	lo.features |= NETIF_F_LOOPBACK;
	c.s->sk->sk_route.dev = &lo;
	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	assert_int_equal(pins, 0);
	c.s->sk->sk_route.dev = was;
	assert_note(&c, 0, 0, SO_EE_CODE_ZEROCOPY_COPIED);
	ack(TOTAL);
	end(&c);
}

/* A file's pages: some counted, some there for good; with a copied start. */
static void test_runs_of_a_file(void **state)
{
	struct th_conn c = begin();
	struct page_run run[] = {
		{ bytes + 100, 3996, page }, { bytes + 4096, 5904, NULL },
	};
	struct iovec iov[] = { { run[0].data, run[0].len },
			       { run[1].data, run[1].len } };
	struct msghdr msg = {
		.msg_flags = MSG_SPLICE_PAGES,
		.msg_iter = { .iov = iov, .count = TOTAL - 100,
			      .kernel = true, .runs = run, .runs_iov = iov },
	};

	assert_int_equal(th_send(c.s, bytes, 100, MSG_MORE), 100);
	assert_int_equal(wire_bytes, 0);
	assert_int_equal(c.s->ops->sendmsg(c.s, &msg, true), TOTAL - 100);
	/* The start did not go by itself. */
	assert_int_equal(th_tp(c.s)->packets_out, TOTAL / 1000);
	assert_int_equal(got_to, TOTAL);
	assert_memory_equal(got, bytes, TOTAL);
	assert_true(atomic_read(&page->refs) > 1);
	ack(TOTAL);
	assert_int_equal(atomic_read(&page->refs), 1);
	assert_no_note(&c);
	end(&c);
}

/* The end of a connection lets go of the pages. */
static void test_reset_gives_the_pages_back(void **state)
{
	struct th_conn c = begin();

	assert_int_equal(send_zc(&c, 0, TOTAL), TOTAL);
	in(.flags = RST, .seq = 1);
	assert_int_equal(atomic_read(&page->refs), 1);
	th_sleep_ms(1);
	assert_note(&c, 0, 0, 0);
	end(&c);
}

/* Each allocation fails in turn: less is sent, nothing is lost or kept. */
static void test_no_memory(void **state)
{
	for (unsigned long nth = 1; nth < 24; nth++) {
		struct th_conn c = begin();
		u32 sent = 0;
		ssize_t n;

		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 2100);
		for (u32 i = 0; i < 30 && sent < TOTAL; i++) {
			host_fail_alloc(i & 1 ? 0 : nth);
			n = send_zc(&c, sent, TOTAL - sent);
			host_fail_alloc(0);
			if (n > 0)
				sent += (u32)n;
			th_fail_next = i & 1 ? 0 : nth;
			in(.flags = ACK, .seq = 1, .ack = 1 + got_to,
			   .wnd = 2100);
			th_fail_next = 0;
		}
		assert_int_equal(sent, TOTAL);
		for (u32 i = 0; i < 60 && got_to < TOTAL; i++) {
			in(.flags = ACK, .seq = 1, .ack = 1 + got_to,
			   .wnd = 2100);
			th_sleep_ms(1000);
		}
		assert_memory_equal(got, bytes, TOTAL);
		ack(TOTAL);
		end(&c);
		th_port++;
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_pages_are_sent_in_place),
		T(test_what_is_lost_is_sent_again),
		T(test_a_slow_device_keeps_its_pages),
		T(test_cut_while_the_device_had_it),
		T(test_small_windows),
		T(test_windows_cut_large_buffers),
		T(test_no_memory_to_cut),
		T(test_notes_are_numbered),
		T(test_who_has_not_asked_gets_copies),
		T(test_loopback_copies),
		T(test_runs_of_a_file),
		T(test_reset_gives_the_pages_back),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
