/*
 * The network card's driver: the way out, the timer.
 * sources: drivers/virtio.c drivers/virtio_ring.c drivers/virtio_net.c
 * drivers/virtio_net_rx.c drivers/virtio_net_tx.c net/skbuff.c net/drop.c
 * tests/unit/fake_virtio.c tests/unit/virtnet_fixture.c
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_net.h"
#include "kernel/errno.h"
#include "tests/host/host.h"
#include "tests/unit/virtnet_fixture.h"

/* --- out --- */

static struct sk_buff *tcp_packet(u32 len, u16 gso_size, u8 type)
{
	struct sk_buff *skb = packet(len, 64);

	skb->data[34 + 12] = 8 << 4;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = 64 + 34;
	skb->csum_offset = 16;
	skb->gso_size = gso_size;
	skb->gso_type = type;
	return skb;
}

static void test_offloads_out(void **state)
{
	struct virtio_net_hdr hdr;

	start(ALL);
	assert_int_equal(xmit(tcp_packet(200, 0, 0)), 0);
	assert_int_equal(card_sends(&hdr), 200);
	assert_int_equal(hdr.flags, VIRTIO_NET_HDR_NEEDS_CSUM);
	assert_int_equal(hdr.csum_start, 34);
	assert_int_equal(hdr.csum_offset, 16);
	assert_int_equal(hdr.gso_type, VIRTIO_NET_GSO_NONE);
	assert_int_equal(xmit(tcp_packet(3000, 1448, SKB_GSO_TCPV4)), 0);
	card_sends(&hdr);
	assert_int_equal(hdr.gso_type, VIRTIO_NET_GSO_TCPV4);
	assert_int_equal(hdr.gso_size, 1448);
	assert_int_equal(hdr.hdr_len, 34 + 32);
	assert_int_equal(xmit(tcp_packet(3000, 1440, SKB_GSO_TCPV6 |
					 SKB_GSO_ECN)), 0);
	card_sends(&hdr);
	assert_int_equal(hdr.gso_type,
			 VIRTIO_NET_GSO_TCPV6 | VIRTIO_NET_GSO_ECN);
}

/* TCP keeps the packet for retransmission: it must look untouched. */
static void test_the_packet_is_left_as_it_was(void **state)
{
	struct sk_buff *skb;
	struct virtio_net_hdr hdr;
	u8 *data;

	start(ALL);
	skb = packet(500, 64);
	data = skb->data;
	skb_get(skb);
	assert_int_equal(xmit(skb), 0);
	assert_true(skb_shared(skb));
	card_sends(&hdr);
	assert_ptr_equal(skb->data, data);
	assert_int_equal(skb->len, 500);
	host_advance(300 * NSEC_PER_MSEC);
	assert_false(skb_shared(skb));
	assert_memory_equal(skb->data, frame, 500);
	kfree_skb(skb);
}

static struct sk_buff *chain(unsigned int pieces, u32 each, u32 headroom)
{
	struct sk_buff *skb = packet(each, headroom);

	for (unsigned int i = 1; i < pieces; i++) {
		struct sk_buff *piece = alloc_skb(each);

		memcpy(skb_put(piece, each), frame + i * each, each);
		skb_add_frag(skb, piece);
	}
	return skb;
}

static void send_chains(u64 features)
{
	static const unsigned int pieces[] = { 2, 3, 4, 5, 40, 72, 73, 200 };
	struct virtio_net_hdr hdr;

	start(features);
	for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++) {
		assert_int_equal(xmit(chain(pieces[i], 100, 64)), 0);
		assert_int_equal(card_sends(&hdr), pieces[i] * 100);
		assert_memory_equal(seen, frame, pieces[i] * 100);
	}
	assert_int_equal(vi->stats.tx_copied, 1);
	teardown(NULL);
	setup(NULL);
}

static void test_chains_out(void **state)
{
	send_chains(ALL);
	send_chains(BASE);
	send_chains(0);
}

static void test_no_headroom(void **state)
{
	struct virtio_net_hdr hdr;
	struct sk_buff *skb;

	start(ALL);
	assert_int_equal(xmit(packet(300, 4)), 0);
	assert_int_equal(card_sends(&hdr), 300);
	assert_memory_equal(seen, frame, 300);
	assert_int_equal(vi->stats.tx_copied, 0);
	skb = packet(300, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = 34;
	skb->csum_offset = 16;
	assert_int_equal(xmit(skb), 0);
	assert_int_equal(card_sends(&hdr), 300);
	assert_int_equal(hdr.csum_start, 34);
	assert_int_equal(vi->stats.tx_copied, 1);
	skb = packet(300, 0);
	skb->gso_size = 100;
	host_fail_alloc(1);
	assert_int_equal(xmit(skb), 0);
	assert_true(host_alloc_failed());
	assert_int_equal(vi->stats.tx_dropped, 1);
}

static unsigned int fill_ring(void)
{
	unsigned int n = 0;

	for (;;) {
		struct sk_buff *skb = packet(100, 64);

		if (xmit(skb)) {
			kfree_skb(skb);
			return n;
		}
		n++;
	}
}

static void full_ring(u64 features)
{
	struct virtio_net_hdr hdr;
	unsigned int n;

	start(features);
	n = fill_ring();
	assert_int_equal(n, features & VIRTIO_F_VERSION_1 ? 256 : 128);
	assert_int_equal(card.interrupts[TX], 0);
	wake_sends = 5;
	for (unsigned int i = 0; i < n; i++)
		card_sends(&hdr);
	assert_true(card.interrupts[TX] > 0);
	softirq();
	assert_int_equal(wakes, 1);
	assert_int_equal(wake_sends, 0);
	assert_int_equal(fake_waiting(&card, TX), 5);
	/* Off again. */
	card.interrupts[TX] = 0;
	for (unsigned int i = 0; i < 5; i++)
		card_sends(&hdr);
	assert_int_equal(card.interrupts[TX], 0);
	teardown(NULL);
	setup(NULL);
}

/* No packet that goes pays for a burst of others. */
static void test_sent_packets_are_freed_two_at_a_time(void **state)
{
	struct virtio_net_hdr hdr;
	u16 left;

	start(ALL);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(xmit(packet(100, 64)), 0);
	for (unsigned int i = 0; i < 10; i++)
		card_sends(&hdr);
	left = vi->tx.num_free;
	/* Two come back, and one goes. */
	assert_int_equal(xmit(packet(100, 64)), 0);
	assert_int_equal(vi->tx.num_free, left + 1);
}

static void test_full_ring_wakes_up_later(void **state)
{
	full_ring(ALL);
	full_ring(BASE);
	full_ring(0);
}

static void test_full_ring_with_a_lost_interrupt(void **state)
{
	struct virtio_net_hdr hdr;
	unsigned int n;

	start(ALL);
	n = fill_ring();
	card.deaf = true;
	while (n--)
		card_sends(&hdr);
	assert_null(scheduled);
	host_advance(100 * NSEC_PER_MSEC);
	softirq();
	assert_int_equal(wakes, 1);
}

/* --- the timer --- */

static void test_lost_interrupt_is_found_and_counted(void **state)
{
	start(ALL);
	card_receives(60);
	softirq();
	card.deaf = true;
	card_receives(61);
	assert_null(scheduled);
	host_advance(100 * NSEC_PER_MSEC);
	assert_int_equal(softirq(), 1);
	assert_int_equal(nr_received, 2);
	assert_int_equal(vi->stats.lost_interrupts, 1);
	assert_non_null(strstr(host_log(), "an interrupt got lost"));
	assert_non_null(strstr(host_log(), "eth0: lost_interrupts 1"));
	host_log_clear();
	card_receives(62);
	host_advance(100 * NSEC_PER_MSEC);
	softirq();
	assert_int_equal(nr_received, 3);
	assert_int_equal(vi->stats.lost_interrupts, 2);
	assert_string_equal(host_log(), "");
}

static void test_lost_doorbell_is_rung_again(void **state)
{
	struct virtio_net_hdr hdr;

	start(ALL);
	card.notified[RX] = 0;
	assert_int_equal(xmit(packet(100, 64)), 0);
	assert_int_equal(card.notified[TX], 1);
	/* The card did not hear it. */
	host_advance(100 * NSEC_PER_MSEC);
	host_advance(100 * NSEC_PER_MSEC);
	assert_int_equal(card.notified[TX], 2);
	assert_int_equal(vi->stats.lost_doorbells, 1);
	assert_non_null(strstr(host_log(), "a doorbell got lost"));
	/* Nor that there are buffers for it, which nobody can see. */
	assert_true(card.notified[RX] > 0);
	assert_int_equal(card_sends(&hdr), 100);
	host_advance(300 * NSEC_PER_MSEC);
	assert_int_equal(card.notified[TX], 2);
	assert_int_equal(vi->tx.num_free, vi->tx.num);
	assert_false(timer_pending(&vi->timer));
}

static void test_no_timer_when_idle(void **state)
{
	start(ALL);
	host_advance(NSEC_PER_SEC);
	assert_false(timer_pending(&vi->timer));
	card_receives(60);
	softirq();
	assert_true(timer_pending(&vi->timer));
	host_advance(NSEC_PER_SEC);
	assert_false(timer_pending(&vi->timer));
}

static void test_card_without_interrupts_is_polled(void **state)
{
	make_card(ALL);
	card.vdev.no_irq = true;
	card.deaf = true;
	assert_int_equal(virtnet_probe(&card.vdev), 0);
	vi = dev->priv;
	softirq();
	card_receives(60);
	host_advance(2 * NSEC_PER_MSEC);
	softirq();
	assert_int_equal(nr_received, 1);
	assert_int_equal(vi->stats.lost_interrupts, 0);
	assert_true(timer_pending(&vi->timer));
}

static void test_link_changes(void **state)
{
	start(ALL);
	card.config[6] = 0;
	card.generation++;
	card.vdev.config_fn(card.vdev.priv);
	assert_false(dev->link_up);
	assert_non_null(strstr(host_log(), "eth0: link is down"));
	card.config[6] = 1;
	card.vdev.config_fn(card.vdev.priv);
	assert_true(dev->link_up);
	assert_int_equal(vi->stats.config_changes, 2);
	/* Where the interrupt may be missed, the timer looks. */
	card.vdev.no_config_irq = true;
	card.config[6] = 0;
	card_receives(60);
	softirq();
	host_advance(100 * NSEC_PER_MSEC);
	assert_false(dev->link_up);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_offloads_out),
		T(test_the_packet_is_left_as_it_was),
		T(test_chains_out),
		T(test_no_headroom),
		T(test_sent_packets_are_freed_two_at_a_time),
		T(test_full_ring_wakes_up_later),
		T(test_full_ring_with_a_lost_interrupt),
		T(test_lost_interrupt_is_found_and_counted),
		T(test_lost_doorbell_is_rung_again),
		T(test_no_timer_when_idle),
		T(test_card_without_interrupts_is_polled),
		T(test_link_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
