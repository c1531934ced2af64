/*
 * The entropy device: asked at once, taken when it comes, asked again later.
 * sources: drivers/virtio.c drivers/virtio_ring.c drivers/virtio_rng.c
 * tests/unit/fake_virtio.c
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_rng.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/random.h"
#include "kernel/time.h"
#include "tests/host/host.h"
#include "tests/unit/fake_virtio.h"

static struct fake_virtio card;
static u8 got[256];
static size_t got_len;
static unsigned int bits, asked;
static bool ready;

void add_entropy(const void *data, size_t len, unsigned int entropy_bits)
{
	assert_in_range(got_len + len, 0, sizeof(got));
	memcpy(got + got_len, data, len);
	got_len += len;
	bits += entropy_bits;
}

bool random_ready(void)
{
	/* Boot waits by reading the clock: let it go on. */
	host_now += NSEC_PER_MSEC;
	asked++;
	return ready;
}

static int setup(void **state)
{
	host_reset();
	got_len = 0;
	bits = asked = 0;
	ready = true;
	fake_virtio_init(&card, VIRTIO_ID_RNG,
			 VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	card.nr_queues = 1;
	return 0;
}

/* The driver keeps its device for good: take it apart by hand. */
static void take_apart(void)
{
	struct virtqueue *vq = card.vq[0];
	void *rng = vq->irq_data;

	while (virtqueue_detach_unused_buf(vq))
		;
	virtqueue_free(vq);
	kfree(rng);
	host_reset();
	assert_int_equal(host_allocs_outstanding(), 0);
}

static u8 *answer(u32 len)
{
	struct fake_chain c;
	u8 bytes[64];

	memset(bytes, 0x77, sizeof(bytes));
	assert_true(fake_pop(&card, 0, &c));
	assert_int_equal(c.in_len, 64);
	fake_write(&c, bytes, len);
	fake_push(&card, 0, c.head, len);
	return c.piece[0].mem;
}

static void test_asked_at_once_taken_when_it_comes(void **state)
{
	u8 *mem;

	assert_int_equal(virtio_rng_probe(&card.vdev), 0);
	assert_int_equal(asked, 1);
	assert_int_equal(fake_waiting(&card, 0), 1);
	assert_int_equal(card.notified[0], 1);
	assert_int_equal(got_len, 0);
	mem = answer(64);
	assert_int_equal(card.interrupts[0], 1);
	/* What the generator was fed with stays nowhere. */
	assert_int_equal(mem[0] | mem[63], 0);
	assert_int_equal(got_len, 64);
	assert_int_equal(bits, 512);
	assert_int_equal(got[63], 0x77);
	take_apart();
}

static void test_short_answers_count_for_what_they_are(void **state)
{
	assert_int_equal(virtio_rng_probe(&card.vdev), 0);
	answer(5);
	assert_int_equal(got_len, 5);
	assert_int_equal(bits, 40);
	take_apart();
}

static void test_asked_again_after_minutes(void **state)
{
	assert_int_equal(virtio_rng_probe(&card.vdev), 0);
	answer(64);
	assert_int_equal(fake_waiting(&card, 0), 0);
	host_advance(301 * NSEC_PER_SEC);
	assert_int_equal(fake_waiting(&card, 0), 1);
	/* Its interrupt gets lost: the next round finds the answer. */
	card.deaf = true;
	answer(64);
	assert_int_equal(got_len, 64);
	host_advance(300 * NSEC_PER_SEC);
	assert_int_equal(got_len, 128);
	assert_int_equal(fake_waiting(&card, 0), 1);
	take_apart();
}

static void test_waits_only_so_long(void **state)
{
	u64 start = host_now;

	ready = false;
	assert_int_equal(virtio_rng_probe(&card.vdev), 0);
	assert_in_range(host_now - start, 200 * NSEC_PER_MSEC,
			250 * NSEC_PER_MSEC);
	take_apart();
}

static void test_too_long_an_answer(void **state)
{
	struct fake_chain c;

	assert_int_equal(virtio_rng_probe(&card.vdev), 0);
	assert_true(fake_pop(&card, 0, &c));
	fake_push(&card, 0, c.head, 65);
	assert_int_equal(got_len, 0);
	assert_true(card.vdev.broken);
	host_advance(1000 * NSEC_PER_SEC);
	take_apart();
}

static void test_no_memory_and_no_queue(void **state)
{
	for (unsigned int nth = 1; nth <= 3; nth++) {
		setup(NULL);
		host_fail_alloc(nth);
		assert_int_equal(virtio_rng_probe(&card.vdev), -ENOMEM);
		assert_true(host_alloc_failed());
		assert_non_null(strstr(host_log(), "entropy device"));
		assert_int_equal(host_allocs_outstanding(), 0);
	}
	setup(NULL);
	card.nr_queues = 0;
	assert_int_equal(virtio_rng_probe(&card.vdev), -ENODEV);
	assert_int_equal(card.unbound, 1);
	setup(NULL);
	card.refuse_features = true;
	assert_int_equal(virtio_rng_probe(&card.vdev), -ENODEV);
	assert_int_equal(host_allocs_outstanding(), 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_asked_at_once_taken_when_it_comes),
		T(test_short_answers_count_for_what_they_are),
		T(test_asked_again_after_minutes),
		T(test_waits_only_so_long),
		T(test_too_long_an_answer),
		T(test_no_memory_and_no_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
