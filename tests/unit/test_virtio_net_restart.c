/*
 * The network card's driver: cards that lie, forget, hang or ask for a reset
 * are stopped, all memory is taken back, and they are started again.
 * sources: drivers/virtio.c drivers/virtio_ring.c drivers/virtio_net.c
 * drivers/virtio_net_rx.c drivers/virtio_net_tx.c net/skbuff.c net/drop.c
 * tests/unit/fake_virtio.c tests/unit/virtnet_fixture.c
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_net.h"
#include "kernel/errno.h"
#include "kernel/watchdog.h"
#include "tests/host/host.h"
#include "tests/unit/virtnet_fixture.h"

static void wait_ms(u64 ms)
{
	host_advance(ms * NSEC_PER_MSEC);
	softirq();
}

static void expect_stopped(void)
{
	softirq();
	drop_received();
	assert_true(card.vdev.broken);
	assert_false(dev->link_up);
	assert_null(scheduled);
	assert_int_equal(card.status, 0);
	assert_int_equal(vi->rx_posted, 0);
	assert_int_equal(vi->tx.num_free, vi->tx.num);
	assert_non_null(strstr(host_log(), "breaks the rules"));
	assert_non_null(strstr(host_log(), "eth0: polls "));
	/* What is sent meanwhile is dropped, and counted. */
	assert_int_equal(xmit(packet(100, 64)), 0);
	assert_int_not_equal(vi->stats.tx_dropped, 0);
}

static void expect_works(void)
{
	struct virtio_net_hdr hdr;

	assert_false(card.vdev.broken);
	assert_true(dev->link_up);
	assert_int_equal(fake_waiting(&card, RX), vi->rx_target);
	card_receives(200);
	assert_non_null(scheduled);
	softirq();
	assert_int_equal(nr_received, 1);
	assert_received(0, 200);
	drop_received();
	assert_int_equal(xmit(packet(300, 64)), 0);
	assert_int_equal(card_sends(&hdr), 300);
	/* The timer rests again. */
	for (unsigned int i = 0; i < 4; i++)
		wait_ms(100);
	assert_false(timer_pending(&vi->timer));
}

static void expect_restart(void)
{
	u64 before = vi->stats.restarts;

	expect_stopped();
	wait_ms(100);
	assert_int_equal(vi->stats.restarts, before + 1);
	expect_works();
}

/* --- cards that lie --- */

static void test_packet_without_all_its_buffers(void **state)
{
	start(ALL);
	card_receives_hdr((struct virtio_net_hdr){ .num_buffers = 3 }, 100);
	expect_restart();
}

static void test_packet_in_no_buffers(void **state)
{
	struct fake_chain c;

	start(ALL);
	assert_true(fake_pop(&card, RX, &c));
	memset(c.piece[0].mem, 0, 12);
	fake_push(&card, RX, c.head, 100);
	softirq();
	assert_int_equal(nr_received, 0);
	assert_int_equal(vi->stats.rx_bad_header, 1);
}

static void test_more_bytes_than_the_buffer(void **state)
{
	struct fake_chain c;

	start(ALL);
	assert_int_equal(xmit(packet(100, 64)), 0);
	card_receives(60);
	assert_true(fake_pop(&card, RX, &c));
	fake_push(&card, RX, c.head, c.in_len + 1);
	expect_restart();
}

static void test_buffers_nobody_gave(void **state)
{
	start(ALL);
	card_receives(60);
	fake_push_raw(&card, RX, 12345, 60);
	expect_restart();
}

static void test_sent_what_nobody_sent(void **state)
{
	start(ALL);
	assert_int_equal(xmit(packet(100, 64)), 0);
	fake_push_raw(&card, TX, 200, 0);
	assert_int_equal(xmit(packet(100, 64)), 0);
	assert_int_equal(xmit(packet(100, 64)), 0);
	assert_true(card.vdev.broken);
	assert_int_equal(vi->stats.tx_dropped, 2);
	host_advance(100 * NSEC_PER_MSEC);
	expect_restart();
}

/* --- cards that hang, forget, ask for it --- */

static void test_card_that_wants_a_reset(void **state)
{
	start(ALL);
	card.status |= VIRTIO_S_NEEDS_RESET;
	card.vdev.config_fn(card.vdev.priv);
	assert_non_null(strstr(host_log(), "wants to be reset"));
	expect_restart();
}

static void test_card_that_was_reset_behind_our_back(void **state)
{
	start(ALL);
	card.status = 0;
	assert_int_equal(xmit(packet(100, 64)), 0);
	wait_ms(100);
	wait_ms(100);
	assert_non_null(strstr(host_log(), "forgot that it was started"));
	expect_restart();
}

static void test_card_that_does_not_send(void **state)
{
	u32 before = watchdog_counts[WATCHDOG_QUEUE];

	start(ALL);
	assert_int_equal(xmit(packet(100, 64)), 0);
	for (unsigned int i = 0; i < 50; i++)
		wait_ms(100);
	assert_false(card.vdev.broken);
	wait_ms(100);
	assert_int_equal(watchdog_counts[WATCHDOG_QUEUE], before + 1);
	assert_non_null(strstr(host_log(), "does not send"));
	expect_restart();
}

/* A card that breaks again and again is tried ever more rarely. */
static void test_waits_become_longer(void **state)
{
	start(ALL);
	for (unsigned int i = 0; i < 5; i++) {
		fake_push_raw(&card, RX, 9999, 0);
		softirq();
		expect_stopped();
		wait_ms((100u << i) - 100);
		assert_true(card.vdev.broken || !i);
		for (unsigned int k = 0; k < 3 && card.vdev.broken; k++)
			wait_ms(100);
		assert_int_equal(vi->stats.restarts, i + 1);
		expect_works();
	}
}

static void test_card_that_changed_its_mind(void **state)
{
	start(ALL);
	card.offered = BASE;
	fake_push_raw(&card, RX, 9999, 0);
	expect_stopped();
	for (unsigned int i = 0; i < 10; i++)
		wait_ms(100);
	assert_true(card.vdev.broken);
	assert_non_null(strstr(host_log(), "does not accept features"));
	/* It is asked again, and now it is what it was. */
	card.offered = ALL;
	for (unsigned int i = 0; i < 100 && card.vdev.broken; i++)
		wait_ms(100);
	expect_works();
}

static void test_queue_that_does_not_come_back(void **state)
{
	start(ALL);
	card.enable_error = -EINVAL;
	fake_push_raw(&card, RX, 9999, 0);
	expect_stopped();
	for (unsigned int i = 0; i < 10; i++)
		wait_ms(100);
	assert_true(card.vdev.broken);
	card.enable_error = 0;
	for (unsigned int i = 0; i < 100 && card.vdev.broken; i++)
		wait_ms(100);
	expect_works();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_packet_without_all_its_buffers),
		T(test_packet_in_no_buffers),
		T(test_more_bytes_than_the_buffer),
		T(test_buffers_nobody_gave),
		T(test_sent_what_nobody_sent),
		T(test_card_that_wants_a_reset),
		T(test_card_that_was_reset_behind_our_back),
		T(test_card_that_does_not_send),
		T(test_waits_become_longer),
		T(test_card_that_changed_its_mind),
		T(test_queue_that_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
