/*
 * The network card's driver against a fake card: every mix of features,
 * and the way in.
 * sources: drivers/virtio.c drivers/virtio_ring.c drivers/virtio_net.c
 * drivers/virtio_net_rx.c drivers/virtio_net_tx.c net/skbuff.c net/drop.c
 * tests/unit/fake_virtio.c tests/unit/virtnet_fixture.c
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_net.h"
#include "kernel/errno.h"
#include "tests/host/host.h"
#include "tests/unit/virtnet_fixture.h"

/* --- starting --- */

static void test_probe(void **state)
{
	start(ALL);
	assert_string_equal(dev->name, "eth0");
	assert_int_equal(dev->dev_addr[5], 0x56);
	assert_int_equal(dev->mtu, 1500);
	assert_int_equal(dev->headroom, 12);
	assert_int_equal(dev->features,
			 NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6);
	assert_true(dev->link_up);
	assert_int_equal(card.vdev.features, ALL);
	assert_int_equal(fake_waiting(&card, RX), 64);
	assert_int_equal(card.notified[RX], 1);
}

static void test_bare_legacy_card(void **state)
{
	start(0);
	assert_int_equal(dev->features, 0);
	assert_int_equal(dev->headroom, 10);
	assert_int_equal(dev->dev_addr[0] & 3, 2);
	assert_true(dev->link_up);
}

static void test_features_stand_on_their_base(void **state)
{
	start(BASE | RING | (OFFLOADS & ~VIRTIO_NET_F_CSUM) |
	      VIRTIO_NET_F_HOST_ECN);
	assert_int_equal(dev->features, 0);
	assert_false(virtio_has(&card.vdev, VIRTIO_NET_F_HOST_ECN |
				VIRTIO_NET_F_HOST_TSO4));
	/* No chains, so no large packets. */
	assert_true(virtio_has(&card.vdev, VIRTIO_NET_F_GUEST_CSUM));
	assert_false(virtio_has(&card.vdev, VIRTIO_NET_F_GUEST_TSO4));
}

static void test_small_ring_takes_no_guest_tso(void **state)
{
	make_card(ALL);
	card.queue_max = 32;
	assert_int_equal(virtnet_probe(&card.vdev), 0);
	vi = dev->priv;
	assert_false(virtio_has(&card.vdev, VIRTIO_NET_F_GUEST_TSO4));
	assert_int_equal(fake_waiting(&card, RX), 32);
}

static void test_mtu_is_clamped(void **state)
{
	make_card(ALL);
	card.config[10] = 10;
	card.config[11] = 0;
	assert_int_equal(virtnet_probe(&card.vdev), 0);
	vi = dev->priv;
	assert_int_equal(dev->mtu, 68);
}

static void test_mtu_beyond_one_buffer_is_clamped(void **state)
{
	make_card(BASE | VIRTIO_NET_F_MTU);
	card.config[10] = 9000 & 0xff;
	card.config[11] = 9000 >> 8;
	assert_int_equal(virtnet_probe(&card.vdev), 0);
	vi = dev->priv;
	assert_int_equal(dev->mtu, 3500);
}

static void test_large_mtu_without_chains_gets_large_buffers(void **state)
{
	make_card(BASE | VIRTIO_NET_F_MTU);
	card.config[10] = 3000 & 0xff;
	card.config[11] = 3000 >> 8;
	assert_int_equal(virtnet_probe(&card.vdev), 0);
	vi = dev->priv;
	softirq();
	assert_int_equal(dev->mtu, 3000);
	card_receives(3014);
	softirq();
	assert_received(0, 3014);
}

static void expect_no_card(int err)
{
	assert_int_equal(virtnet_probe(&card.vdev), err);
	assert_null(dev);
	assert_non_null(strstr(host_log(), "network card not started"));
	assert_int_equal(host_allocs_outstanding(), 0);
}

static void test_probe_without_memory(void **state)
{
	/* The card, and pages and slots of two queues. */
	for (unsigned int nth = 1; nth <= 5; nth++) {
		make_card(ALL);
		host_fail_alloc(nth);
		expect_no_card(-ENOMEM);
		assert_true(host_alloc_failed());
	}
}

static void test_probe_that_is_refused(void **state)
{
	make_card(ALL);
	card.refuse_features = true;
	expect_no_card(-ENODEV);
	make_card(ALL);
	card.nr_queues = 1;
	expect_no_card(-ENODEV);
	assert_int_equal(card.unbound, 1);
	make_card(ALL);
	card.enable_error = -EINVAL;
	expect_no_card(-EINVAL);
	make_card(ALL);
	register_error = -EEXIST;
	expect_no_card(-EEXIST);
	assert_int_equal(card.status, 0);
}

static void test_buffers_come_later_if_memory_is_out(void **state)
{
	make_card(ALL);
	host_fail_alloc(8);
	assert_int_equal(virtnet_probe(&card.vdev), 0);
	vi = dev->priv;
	assert_in_range(fake_waiting(&card, RX), 1, 3);
	assert_int_equal(vi->stats.rx_no_memory, 1);
	host_advance(100 * NSEC_PER_MSEC);
	softirq();
	assert_int_equal(fake_waiting(&card, RX), 64);
}

/* --- in --- */

static void one_in_one_out(u64 features)
{
	struct virtio_net_hdr hdr;

	start(features);
	for (unsigned int i = 0; i < 3; i++) {
		card_receives(60 + i);
		assert_non_null(scheduled);
		assert_int_equal(softirq(), 1);
		assert_int_equal(nr_received, 1);
		assert_received(0, 60 + i);
		assert_int_equal(received[0]->ip_summed, CHECKSUM_NONE);
		/* Network headers are aligned. */
		assert_int_equal((uintptr_t)(received[0]->data + 14) & 3, 0);
		drop_received();
		assert_int_equal(xmit(packet(1000 + i, 64)), 0);
		assert_int_equal(card_sends(&hdr), 1000 + i);
		assert_memory_equal(seen, frame, 1000 + i);
		assert_int_equal(hdr.flags | hdr.gso_type, 0);
	}
	card_receives(1514);
	softirq();
	assert_received(0, 1514);
	drop_received();
	/* One interrupt for each packet in, none for those out. */
	assert_int_equal(card.interrupts[RX], 4);
	assert_int_equal(card.interrupts[TX], 0);
	assert_int_equal(card.notified[TX], 3);
	/* The last packet that was sent does not stay for good. */
	host_advance(300 * NSEC_PER_MSEC);
	assert_int_equal(vi->tx.num_free, vi->tx.num);
	assert_false(timer_pending(&vi->timer));
	teardown(NULL);
	setup(NULL);
}

static void test_every_mix_of_features(void **state)
{
	static const u64 parts[] = {
		VIRTIO_F_VERSION_1, VIRTIO_F_EVENT_IDX,
		VIRTIO_F_INDIRECT_DESC, VIRTIO_F_ANY_LAYOUT,
		VIRTIO_NET_F_MRG_RXBUF, OFFLOADS,
		VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MAC,
	};

	for (unsigned int mix = 0; mix < 1u << ARRAY_SIZE(parts); mix++) {
		u64 features = 0;

		for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
			features |= mix >> i & 1 ? parts[i] : 0;
		one_in_one_out(features);
	}
}

/* Bursts, the last of them larger than a poll's budget. */
static void test_ring_grows_with_the_bursts(void **state)
{
	static const unsigned int burst[] = { 20, 60, 100, 200, 200 };
	static const unsigned int posted[] = { 64, 128, 256, 256, 256 };

	start(ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(burst); i++) {
		for (unsigned int k = 0; k < burst[i]; k++)
			card_receives(60);
		softirq();
		assert_int_equal(nr_received, burst[i]);
		drop_received();
		assert_in_range(fake_waiting(&card, RX), posted[i] - 16,
				posted[i]);
	}
}

static void test_polls_within_its_budget(void **state)
{
	test_ring_grows_with_the_bursts(NULL);
	card.interrupts[RX] = 0;
	for (unsigned int i = 0; i < 100; i++)
		card_receives(60);
	assert_int_equal(card.interrupts[RX], 1);
	assert_int_equal(scheduled->poll(scheduled, 64), 64);
	assert_non_null(scheduled);
	assert_int_equal(scheduled->poll(scheduled, 64), 36);
	assert_null(scheduled);
	assert_int_equal(nr_received, 100);
}

/* From the first large frame on all of them may be joined. */
static void test_large_frames_may_be_joined(void **state)
{
	static const u32 len[] = { 60, 60, 1514, 60, 1514 };

	start(ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(len); i++)
		card_receives(len[i]);
	assert_int_equal(scheduled->poll(scheduled, 2), 2);
	assert_int_equal(nr_gro, 0);
	assert_int_equal(scheduled->poll(scheduled, 2), 2);
	assert_int_equal(nr_gro, 2);
	assert_false(gro_open);
	assert_int_equal(softirq(), 1);
	assert_int_equal(nr_gro, 3);
	for (unsigned int i = 0; i < ARRAY_SIZE(len); i++)
		assert_received(i, len[i]);
}

static void test_refill_is_batched(void **state)
{
	unsigned int before;

	start(ALL);
	before = fake_waiting(&card, RX);
	for (unsigned int i = 0; i < 7; i++) {
		card_receives(60);
		softirq();
	}
	assert_int_equal(fake_waiting(&card, RX), before - 7);
	card_receives(60);
	softirq();
	assert_int_equal(fake_waiting(&card, RX), before);
}

static void test_large_packets_are_chains(void **state)
{
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_NEEDS_CSUM, .csum_start = 34,
		.csum_offset = 16, .hdr_len = 66, .gso_size = 1448,
		.gso_type = VIRTIO_NET_GSO_TCPV4 | VIRTIO_NET_GSO_ECN,
	};

	start(ALL | VIRTIO_NET_F_GUEST_ECN);
	assert_true(virtio_has(&card.vdev, VIRTIO_NET_F_GUEST_ECN));
	card_receives_hdr(hdr, 60000);
	softirq();
	assert_int_equal(nr_received, 1);
	assert_received(0, 60000);
	assert_non_null(received[0]->frag_list);
	assert_int_equal(received[0]->ip_summed, CHECKSUM_UNNECESSARY);
	assert_int_equal(received[0]->gso_size, 1448);
	assert_int_equal(received[0]->gso_segs, (60000 - 66 + 1447) / 1448);
	assert_int_equal(received[0]->gso_type, SKB_GSO_TCPV4 | SKB_GSO_ECN);
}

static void test_checked_by_the_card(void **state)
{
	start(ALL);
	card_receives_hdr((struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_DATA_VALID }, 100);
	softirq();
	assert_int_equal(received[0]->ip_summed, CHECKSUM_UNNECESSARY);
}

/* A UDP packet that never was on a wire gets its checksum here. */
static void test_unfinished_checksum_is_finished(void **state)
{
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_NEEDS_CSUM, .csum_start = 34,
		.csum_offset = 6,
	};
	u32 sum = 0;

	start(ALL);
	card_receives_hdr(hdr, 301);
	softirq();
	for (u32 i = 34; i < 301; i++) {
		u8 byte = i == 40 || i == 41 ? received[0]->data[i] : frame[i];

		sum += (i & 1) ? byte : byte << 8;
	}
	/* The field held a pseudo header's sum (frame[40..41]) before. */
	sum += frame[40] << 8 | frame[41];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
	assert_int_equal(received[0]->ip_summed, CHECKSUM_UNNECESSARY);
}

static void expect_drop(struct virtio_net_hdr hdr, u32 len,
			enum drop_reason why)
{
	u64 before = drop_counts[why];

	card_receives_hdr(hdr, len);
	softirq();
	assert_int_equal(nr_received, 0);
	assert_int_equal(drop_counts[why], before + 1);
	assert_false(card.vdev.broken);
}

static void test_nonsense_in_the_header_is_dropped(void **state)
{
	const struct virtio_net_hdr bad[] = {
		{ .flags = 1, .csum_start = 99, .csum_offset = 16 },
		{ .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff },
		{ .flags = 1, .csum_start = 2, .csum_offset = 6 },
		{ .flags = 1, .csum_start = 34, .csum_offset = 65 },
		{ .gso_type = 1, .gso_size = 0, .hdr_len = 54 },
		{ .gso_type = 1, .gso_size = 9, .hdr_len = 100 },
		{ .gso_type = 3, .gso_size = 9, .hdr_len = 54 },
		{ .gso_type = 77, .gso_size = 9, .hdr_len = 54 },
	};

	start(ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		expect_drop(bad[i], 100, DROP_DEV_BAD_LENGTH);
	assert_int_equal(vi->stats.rx_bad_header, ARRAY_SIZE(bad));
	expect_drop((struct virtio_net_hdr){ 0 }, 13, DROP_DEV_RUNT);
	card_receives(60);
	softirq();
	assert_int_equal(nr_received, 1);
}

/* The card gives one buffer back, and says that the packet has @buffers. */
static void claim(u16 buffers, u32 len)
{
	struct virtio_net_hdr hdr = { .num_buffers = buffers };
	struct fake_chain c;
	u8 whole[200];

	memcpy(whole, &hdr, hdr_len());
	memcpy(whole + hdr_len(), frame, len);
	assert_true(fake_pop(&card, RX, &c));
	fake_write(&c, whole, hdr_len() + len);
	fake_push(&card, RX, c.head, hdr_len() + len);
}

static void test_a_packet_of_no_buffers_is_dropped(void **state)
{
	u64 before;

	start(ALL);
	before = drop_counts[DROP_DEV_BAD_LENGTH];
	claim(0, 60);
	card_receives(60);
	softirq();
	assert_int_equal(drop_counts[DROP_DEV_BAD_LENGTH], before + 1);
	assert_false(card.vdev.broken);
	assert_int_equal(nr_received, 1);
}

static void test_an_empty_buffer_is_no_piece(void **state)
{
	struct fake_chain c;

	start(ALL);
	claim(2, 60);
	assert_true(fake_pop(&card, RX, &c));
	fake_push(&card, RX, c.head, 0);
	softirq();
	assert_received(0, 60);
	assert_null(received[0]->frag_list);
}

static void one_more(void)
{
	card.deaf = true;
	card_receives(60);
	card.deaf = false;
}

/* Between the last look and the interrupt's being on: it is not lost. */
static void test_what_comes_while_the_poll_ends(void **state)
{
	start(ALL);
	on_complete = one_more;
	card_receives(60);
	softirq();
	assert_int_equal(nr_received, 2);
}

static void test_shorter_than_its_header(void **state)
{
	struct fake_chain c;

	start(ALL);
	for (u32 len = 0; len < 12; len++) {
		assert_true(fake_pop(&card, RX, &c));
		fake_push(&card, RX, c.head, len);
	}
	softirq();
	assert_int_equal(nr_received, 0);
	assert_int_equal(vi->stats.rx_short, 12);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_probe),
		T(test_bare_legacy_card),
		T(test_features_stand_on_their_base),
		T(test_small_ring_takes_no_guest_tso),
		T(test_mtu_is_clamped),
		T(test_large_mtu_without_chains_gets_large_buffers),
		T(test_probe_without_memory),
		T(test_probe_that_is_refused),
		T(test_buffers_come_later_if_memory_is_out),
		T(test_every_mix_of_features),
		T(test_ring_grows_with_the_bursts),
		T(test_polls_within_its_budget),
		T(test_large_frames_may_be_joined),
		T(test_refill_is_batched),
		T(test_large_packets_are_chains),
		T(test_checked_by_the_card),
		T(test_unfinished_checksum_is_finished),
		T(test_nonsense_in_the_header_is_dropped),
		T(test_mtu_beyond_one_buffer_is_clamped),
		T(test_a_packet_of_no_buffers_is_dropped),
		T(test_an_empty_buffer_is_no_piece),
		T(test_what_comes_while_the_poll_ends),
		T(test_shorter_than_its_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
