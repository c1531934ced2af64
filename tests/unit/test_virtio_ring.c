/*
 * Virtqueues against a device that behaves, and against one that does not.
 * sources: drivers/virtio.c drivers/virtio_ring.c tests/unit/fake_virtio.c
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "tests/host/host.h"
#include "tests/unit/fake_virtio.h"

#define ALL_RING (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | \
		  VIRTIO_F_INDIRECT_DESC)

static struct fake_virtio fake;
static struct virtqueue vq;
static unsigned int irqs;
static u8 memory[64][16];
static int tokens[1024];

static void on_irq(void *data)
{
	assert_ptr_equal(data, &vq);
	irqs++;
}

static void start(u64 offered, u32 max)
{
	fake_virtio_init(&fake, VIRTIO_ID_NET, offered);
	assert_int_equal(virtio_negotiate(&fake.vdev, NULL), 0);
	assert_int_equal(virtqueue_setup(&vq, &fake.vdev, 1, max, on_irq, &vq),
			 0);
	virtio_device_ready(&fake.vdev);
	assert_true(fake.status & VIRTIO_S_DRIVER_OK);
	irqs = 0;
}

static int setup(void **state)
{
	host_reset();
	return 0;
}

static int teardown(void **state)
{
	if (vq.slots) {
		while (virtqueue_detach_unused_buf(&vq))
			;
		virtqueue_free(&vq);
	}
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static struct vq_buf buf(unsigned int i, u32 len)
{
	return (struct vq_buf){ virt_to_phys(memory[i]), len };
}

static int add(unsigned int out, unsigned int in, unsigned int token)
{
	struct vq_buf bufs[64];

	for (unsigned int i = 0; i < out + in; i++)
		bufs[i] = buf(i, 16);
	return virtqueue_add(&vq, bufs, out, in, &tokens[token]);
}

static void test_a_chain_goes_there_and_back(void **state)
{
	struct fake_chain c;
	u32 len = 99;

	start(ALL_RING, 8);
	assert_int_equal(vq.num, 8);
	memcpy(memory[0], "question", 9);
	assert_int_equal(add(1, 2, 7), 0);
	assert_false(fake_pop(&fake, 1, &c));
	virtqueue_kick(&vq);
	assert_int_equal(fake.notified[1], 1);
	assert_true(fake_pop(&fake, 1, &c));
	assert_int_equal(c.out, 1);
	assert_int_equal(c.in, 2);
	assert_string_equal((char *)c.piece[0].mem, "question");
	assert_null(virtqueue_get_buf(&vq, &len));
	fake_push(&fake, 1, c.head, 20);
	assert_true(virtqueue_more_used(&vq));
	assert_ptr_equal(virtqueue_get_buf(&vq, &len), &tokens[7]);
	assert_int_equal(len, 20);
	assert_null(virtqueue_get_buf(&vq, &len));
	assert_int_equal(vq.num_free, 8);
}

static void test_size_is_a_power_of_two_that_both_can(void **state)
{
	fake_virtio_init(&fake, VIRTIO_ID_NET, ALL_RING);
	fake.queue_max = 100;
	assert_int_equal(virtio_negotiate(&fake.vdev, NULL), 0);
	assert_int_equal(virtqueue_setup(&vq, &fake.vdev, 0, 1000, NULL, NULL),
			 0);
	assert_int_equal(vq.num, 64);
	virtqueue_free(&vq);
	assert_int_equal(virtqueue_setup(&vq, &fake.vdev, 5, 8, NULL, NULL),
			 -ENODEV);
}

/* Out of order, many times round: the indices wrap at 65536. */
static void test_rings_go_round(void **state)
{
	struct fake_chain c[4];
	u32 len;

	start(ALL_RING, 8);
	for (unsigned int round = 0; round < 40000; round++) {
		for (unsigned int i = 0; i < 4; i++)
			assert_int_equal(add(1 + (i & 1), 0, i), 0);
		virtqueue_kick(&vq);
		for (unsigned int i = 0; i < 4; i++)
			assert_true(fake_pop(&fake, 1, &c[i]));
		for (unsigned int i = 0; i < 4; i++)
			fake_push(&fake, 1, c[3 - i].head, 0);
		for (unsigned int i = 0; i < 4; i++)
			assert_ptr_equal(virtqueue_get_buf(&vq, &len),
					 &tokens[3 - i]);
		assert_int_equal(vq.num_free, 8);
	}
	assert_int_equal(fake.notified[1], 40000);
}

static void test_full_ring_refuses(void **state)
{
	start(VIRTIO_F_VERSION_1, 8);
	assert_int_equal(add(4, 0, 0), 0);
	assert_int_equal(add(3, 0, 1), 0);
	assert_int_equal(add(2, 0, 2), -ENOSPC);
	assert_int_equal(add(1, 0, 3), 0);
	assert_int_equal(add(1, 0, 4), -ENOSPC);
	assert_int_equal(add(9, 0, 5), -E2BIG);
}

static void test_long_chains_take_one_descriptor(void **state)
{
	struct fake_chain c;
	u32 len;

	start(ALL_RING, 64);
	assert_int_equal(add(40, 2, 0), 0);
	assert_int_equal(vq.num_free, 63);
	virtqueue_kick(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	assert_int_equal(c.out, 40);
	assert_int_equal(c.in, 2);
	fake_push(&fake, 1, c.head, 32);
	assert_ptr_equal(virtqueue_get_buf(&vq, &len), &tokens[0]);
	/* Without memory for the table they stand in the ring itself. */
	host_fail_alloc(1);
	assert_int_equal(add(40, 0, 1), 0);
	assert_true(host_alloc_failed());
	assert_int_equal(vq.num_free, 24);
	assert_int_equal(add(20, 0, 2), 0);
	assert_int_equal(vq.num_free, 23);
}

static void test_event_idx_interrupts_once(void **state)
{
	struct fake_chain c;
	u32 len;

	start(ALL_RING, 8);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(add(0, 1, i), 0);
	virtqueue_kick(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	fake_push(&fake, 1, c.head, 1);
	assert_int_equal(irqs, 0);
	assert_false(virtqueue_enable_cb(&vq));
	assert_non_null(virtqueue_get_buf(&vq, &len));
	assert_true(virtqueue_enable_cb(&vq));
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(fake_pop(&fake, 1, &c));
		fake_push(&fake, 1, c.head, 1);
	}
	assert_int_equal(irqs, 1);
}

static void delayed_interrupt(u64 features, unsigned int expect_at)
{
	struct fake_chain c;

	start(features, 8);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(add(1, 0, i), 0);
	virtqueue_kick(&vq);
	assert_true(virtqueue_enable_cb_delayed(&vq));
	for (unsigned int i = 1; i <= 8; i++) {
		assert_true(fake_pop(&fake, 1, &c));
		fake_push(&fake, 1, c.head, 0);
		if (i < expect_at)
			assert_int_equal(irqs, 0);
		else
			assert_true(irqs > 0);
	}
	assert_false(virtqueue_enable_cb_delayed(&vq));
}

static void test_delayed_interrupt_comes_late(void **state)
{
	delayed_interrupt(ALL_RING, 6);
}

static void test_delayed_interrupt_without_event_idx(void **state)
{
	delayed_interrupt(VIRTIO_F_VERSION_1, 1);
}

static void test_flags_without_event_idx(void **state)
{
	struct fake_chain c;
	u32 len;

	start(VIRTIO_F_VERSION_1, 8);
	assert_int_equal(add(0, 1, 0), 0);
	assert_int_equal(add(0, 1, 1), 0);
	vq.used->flags = VRING_USED_NO_NOTIFY;
	virtqueue_kick(&vq);
	assert_int_equal(fake.notified[1], 0);
	assert_true(virtqueue_enable_cb(&vq));
	assert_true(fake_pop(&fake, 1, &c));
	fake_push(&fake, 1, c.head, 1);
	assert_int_equal(irqs, 1);
	virtqueue_disable_cb(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	fake_push(&fake, 1, c.head, 1);
	assert_int_equal(irqs, 1);
	assert_non_null(virtqueue_get_buf(&vq, &len));
	assert_non_null(virtqueue_get_buf(&vq, &len));
}

static void test_no_doorbell_while_the_device_works(void **state)
{
	start(ALL_RING, 8);
	assert_int_equal(add(1, 0, 0), 0);
	virtqueue_kick(&vq);
	assert_int_equal(fake.notified[1], 1);
	/* It has not asked again since. */
	assert_int_equal(add(1, 0, 1), 0);
	virtqueue_kick(&vq);
	virtqueue_kick(&vq);
	assert_int_equal(fake.notified[1], 1);
	assert_int_equal(fake_waiting(&fake, 1), 2);
}

static void lost(u64 features)
{
	struct fake_chain c;
	u32 len;

	start(features, 8);
	assert_int_equal(add(0, 1, 0), 0);
	virtqueue_kick(&vq);
	assert_true(virtqueue_enable_cb(&vq));
	assert_false(virtqueue_lost_irq(&vq));
	fake.deaf = true;
	assert_true(fake_pop(&fake, 1, &c));
	fake_push(&fake, 1, c.head, 1);
	assert_true(virtqueue_lost_irq(&vq));
	virtqueue_disable_cb(&vq);
	assert_false(virtqueue_lost_irq(&vq));
	assert_non_null(virtqueue_get_buf(&vq, &len));
	virtqueue_free(&vq);
}

static void test_lost_interrupts_are_seen(void **state)
{
	lost(ALL_RING);
	lost(VIRTIO_F_VERSION_1);
}

/* --- devices that misbehave --- */

static void expect_broken(u32 id, u32 len)
{
	struct fake_chain c;
	u32 got;

	start(ALL_RING, 8);
	assert_int_equal(add(0, 2, 0), 0);
	virtqueue_kick(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	fake.resets = 0;
	fake_push_raw(&fake, 1, id == UINT32_MAX ? c.head : id, len);
	assert_null(virtqueue_get_buf(&vq, &got));
	assert_true(fake.vdev.broken);
	assert_int_equal(fake.resets, 1);
	assert_non_null(strstr(host_log(), "fake: device breaks the rules"));
	assert_int_equal(add(1, 0, 1), -EIO);
	assert_false(virtqueue_kick_prepare(&vq));
	assert_null(virtqueue_get_buf(&vq, &got));
	/* The chain is not lost: whoever owns it can take it back. */
	assert_ptr_equal(virtqueue_detach_unused_buf(&vq), &tokens[0]);
	assert_null(virtqueue_detach_unused_buf(&vq));
	assert_int_equal(vq.num_free, 8);
}

static void test_id_out_of_range(void **state)
{
	expect_broken(8, 1);
}

static void test_huge_id(void **state)
{
	expect_broken(0x10000000, 1);
}

static void test_id_that_the_device_does_not_have(void **state)
{
	expect_broken(5, 1);
}

static void test_middle_of_a_chain(void **state)
{
	expect_broken(1, 1);
}

static void test_too_many_bytes(void **state)
{
	expect_broken(UINT32_MAX, 33);
}

static void test_used_twice(void **state)
{
	struct fake_chain c;
	u32 len;

	start(ALL_RING, 8);
	assert_int_equal(add(0, 1, 0), 0);
	virtqueue_kick(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	fake_push(&fake, 1, c.head, 1);
	fake_push(&fake, 1, c.head, 1);
	assert_non_null(virtqueue_get_buf(&vq, &len));
	assert_null(virtqueue_get_buf(&vq, &len));
	assert_true(fake.vdev.broken);
}

static void test_used_index_jumps(void **state)
{
	u32 len;

	start(ALL_RING, 8);
	assert_int_equal(add(0, 1, 0), 0);
	virtqueue_kick(&vq);
	vq.used->idx = 40000;
	while (virtqueue_get_buf(&vq, &len))
		;
	assert_true(fake.vdev.broken);
}

static void test_length_of_what_is_only_read_is_ignored(void **state)
{
	struct fake_chain c;
	u32 len;

	start(ALL_RING, 8);
	assert_int_equal(add(2, 0, 0), 0);
	virtqueue_kick(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	fake_push(&fake, 1, c.head, 12345);
	assert_ptr_equal(virtqueue_get_buf(&vq, &len), &tokens[0]);
	assert_int_equal(len, 0);
}

static void test_descriptors_are_not_trusted_back(void **state)
{
	struct fake_chain c;
	u32 len;

	start(ALL_RING, 8);
	assert_int_equal(add(3, 0, 0), 0);
	virtqueue_kick(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	memset(vq.desc, 0xff, 8 * sizeof(vq.desc[0]));
	fake_push(&fake, 1, c.head, 0);
	assert_non_null(virtqueue_get_buf(&vq, &len));
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(add(1, 0, i), 0);
}

/* It was stopped for something else: what it left is not looked at. */
static void test_a_broken_device_gets_and_gives_nothing(void **state)
{
	void *more = memory[5];
	struct fake_chain c;
	u32 len;

	start(ALL_RING, 8);
	assert_int_equal(add(0, 1, 0), 0);
	virtqueue_kick(&vq);
	assert_true(fake_pop(&fake, 1, &c));
	fake_push(&fake, 1, c.head, 1);
	assert_int_equal(add(0, 1, 1), 0);
	fake.resets = 0;
	virtio_break(&fake.vdev, "the first reason");
	virtio_break(&fake.vdev, "another");
	assert_int_equal(fake.resets, 1);
	assert_non_null(strstr(host_log(), "the first reason"));
	assert_null(strstr(host_log(), "another"));
	assert_null(virtqueue_get_buf(&vq, &len));
	assert_false(virtqueue_kick_prepare(&vq));
	assert_int_equal(add(0, 1, 2), -EIO);
	assert_int_equal(virtqueue_add_many(&vq, &more, 1, 0, 16), 0);
}

/* 2.5.1: what changed meanwhile is read again, but not for ever. */
static void test_a_configuration_that_changes_while_it_is_read(void **state)
{
	u8 bytes[4];

	start(ALL_RING, 8);
	fake.restless = 3;
	virtio_read_config(&fake.vdev, 0, bytes, 4);
	assert_int_equal(fake.config_reads, 3);
	fake.config_reads = 0;
	fake.restless = 1000;
	virtio_read_config(&fake.vdev, 0, bytes, 4);
	assert_in_range(fake.config_reads, 2, 20);
}

/* --- setting up --- */

static void test_setup_without_memory(void **state)
{
	for (unsigned int nth = 1; nth <= 2; nth++) {
		fake_virtio_init(&fake, VIRTIO_ID_NET, ALL_RING);
		host_fail_alloc(nth);
		assert_int_equal(virtqueue_setup(&vq, &fake.vdev, 0, 8, NULL,
						 NULL), -ENOMEM);
		assert_true(host_alloc_failed());
		assert_int_equal(host_allocs_outstanding(), 0);
	}
}

static void test_setup_that_the_transport_refuses(void **state)
{
	fake_virtio_init(&fake, VIRTIO_ID_NET, ALL_RING);
	fake.enable_error = -ENOSPC;
	assert_int_equal(virtqueue_setup(&vq, &fake.vdev, 0, 8, NULL, NULL),
			 -ENOSPC);
	assert_int_equal(host_allocs_outstanding(), 0);
}

static void test_features_refused(void **state)
{
	fake_virtio_init(&fake, VIRTIO_ID_NET, ALL_RING);
	fake.refuse_features = true;
	assert_int_equal(virtio_negotiate(&fake.vdev, NULL), -ENODEV);
	assert_true(fake.status & VIRTIO_S_FAILED);
	assert_non_null(strstr(host_log(), "does not accept features"));
}

static void test_modern_device_must_offer_version_1(void **state)
{
	fake_virtio_init(&fake, VIRTIO_ID_NET, VIRTIO_F_EVENT_IDX);
	fake.vdev.legacy = false;
	assert_int_equal(virtio_negotiate(&fake.vdev, NULL), -ENODEV);
}

static u64 choose_four(struct virtio_device *vdev, u64 offered)
{
	assert_ptr_equal(vdev, &fake.vdev);
	assert_true(offered & 0xf0);
	return 0x0f | 1ull << 50;
}

static void test_only_wanted_features_are_taken(void **state)
{
	fake_virtio_init(&fake, VIRTIO_ID_NET, ALL_RING | 0xff);
	assert_int_equal(virtio_negotiate(&fake.vdev, choose_four), 0);
	assert_true(fake.vdev.features == (ALL_RING | 0x0f));
	fake_virtio_init(&fake, VIRTIO_ID_NET, 0xff);
	assert_int_equal(virtio_negotiate(&fake.vdev, choose_four), 0);
	assert_true(fake.vdev.features == 0x0f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_chain_goes_there_and_back),
		T(test_size_is_a_power_of_two_that_both_can),
		T(test_rings_go_round),
		T(test_full_ring_refuses),
		T(test_long_chains_take_one_descriptor),
		T(test_event_idx_interrupts_once),
		T(test_delayed_interrupt_comes_late),
		T(test_delayed_interrupt_without_event_idx),
		T(test_flags_without_event_idx),
		T(test_no_doorbell_while_the_device_works),
		T(test_lost_interrupts_are_seen),
		T(test_id_out_of_range),
		T(test_huge_id),
		T(test_id_that_the_device_does_not_have),
		T(test_middle_of_a_chain),
		T(test_too_many_bytes),
		T(test_used_twice),
		T(test_used_index_jumps),
		T(test_length_of_what_is_only_read_is_ignored),
		T(test_descriptors_are_not_trusted_back),
		T(test_a_broken_device_gets_and_gives_nothing),
		T(test_a_configuration_that_changes_while_it_is_read),
		T(test_setup_without_memory),
		T(test_setup_that_the_transport_refuses),
		T(test_features_refused),
		T(test_modern_device_must_offer_version_1),
		T(test_only_wanted_features_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
