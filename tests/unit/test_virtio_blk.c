/*
 * The disk driver and the requests that tasks wait for, against a disk in
 * this process that answers when somebody sleeps.
 * sources: drivers/virtio.c drivers/virtio_ring.c drivers/virtio_call.c
 *          drivers/virtio_blk.c fs/ext/disk.c kernel/wait.c
 *          tests/unit/fake_virtio.c
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_call.h"
#include "fs/disk.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "tests/host/host.h"
#include "tests/unit/fake_virtio.h"

#define SECTORS		64u

static struct fake_virtio card;
static u8 medium[SECTORS * DISK_SECTOR];
static u8 buf[8 * DISK_SECTOR];
static struct disk *disk;

/* What the disk does, and what it saw. */
static struct {
	u8 status;		/* answers so */
	bool deaf;		/* only found by who looks */
	bool silent;		/* does not answer at all, yet */
	u32 odd_id;		/* gives back a chain that it does not have */
	unsigned int flushes, reads, writes, sleeps;
	unsigned int most;	/* pieces of data in a request */
} host;

struct head {
	u32 type, reserved;
	u64 sector;
};

static u32 move(struct fake_chain *c, const struct head *h)
{
	u8 *at = medium + h->sector * DISK_SECTOR;
	unsigned int data = h->type ? c->out - 1 : c->in - 1;
	u32 n = 0;

	host.most = max(host.most, data);
	for (unsigned int i = 1; i < 1 + data; i++) {
		if (h->type)
			memcpy(at + n, c->piece[i].mem, c->piece[i].len);
		else
			memcpy(c->piece[i].mem, at + n, c->piece[i].len);
		n += c->piece[i].len;
	}
	assert_true(h->sector * DISK_SECTOR + n <= sizeof(medium));
	return h->type ? 0 : n;
}

static void serve(struct fake_chain *c)
{
	struct head h;
	u32 len = 0;

	memcpy(&h, c->piece[0].mem, sizeof(h));
	switch (h.type) {
	case 0:
		host.reads++;
		len = move(c, &h);
		break;
	case 1:
		host.writes++;
		len = move(c, &h);
		break;
	case 4:
		host.flushes++;
		break;
	case 8:
		memcpy(c->piece[1].mem, "serial-1\0\0\0\0\0\0\0\0\0\0\0\0", 20);
		len = 20;
		break;
	default:
		fail();
	}
	*c->piece[c->out + c->in - 1].mem = host.status;
	if (host.odd_id)
		fake_push_raw(&card, 0, host.odd_id, len + 1);
	else
		fake_push(&card, 0, c->head, len + 1);
}

/* The task sleeps: time for the disk to work. */
int schedule_hrtimeout_range(u64 deadline, u64 slack)
{
	struct fake_chain c;

	assert_true(host.sleeps++ < 1000);
	card.deaf = host.deaf;
	while (!host.silent && fake_pop(&card, 0, &c))
		serve(&c);
	if (!host.deaf && !host.silent)
		return -EINTR;
	host.silent = false;
	return 0;
}

extern const struct virtio_driver __start_virtio_driver[];

static int probe(u64 features)
{
	u64 sectors = SECTORS;

	fake_virtio_init(&card, VIRTIO_ID_BLOCK, VIRTIO_F_VERSION_1 |
			 VIRTIO_F_INDIRECT_DESC | features);
	card.nr_queues = 1;
	memcpy(card.config, &sectors, 8);
	card.config[12] = 3;
	card.config[20] = 0;
	card.config[21] = 2;		/* 512 */
	return __start_virtio_driver[0].probe(&card.vdev);
}

static int setup(void **state)
{
	host_reset();
	memset(&host, 0, sizeof(host));
	for (size_t i = 0; i < sizeof(medium); i++)
		medium[i] = (u8)(i / DISK_SECTOR);
	assert_int_equal(__start_virtio_driver[0].id, VIRTIO_ID_BLOCK);
	assert_int_equal(probe(VIRTIO_F(2) | VIRTIO_F(6) | VIRTIO_F(9)), 0);
	disk = disk_find("vda");
	assert_non_null(disk);
	return 0;
}

static int teardown(void **state)
{
	struct virtqueue *vq = card.vq[0];
	void *blk = vq->irq_data;

	while (virtqueue_detach_unused_buf(vq))
		;
	list_del(&disk->list);
	virtqueue_free(vq);
	kfree(blk);
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static int rw(bool write, u64 sector, unsigned int n)
{
	struct disk_piece pieces[8];

	for (unsigned int i = 0; i < n; i++)
		pieces[i] = (struct disk_piece){ buf + i * DISK_SECTOR,
						 DISK_SECTOR };
	return disk->rw(disk, write, sector, pieces, n);
}

static void test_what_it_is(void **state)
{
	assert_int_equal(disk->sectors, SECTORS);
	assert_int_equal(disk->block_size, 512);
	assert_false(disk->read_only);
	assert_ptr_equal(disk_find("serial-1"), disk);
	assert_null(disk_find("vdb"));
	assert_null(disk_find(""));
}

static void test_reads_and_writes(void **state)
{
	assert_int_equal(rw(false, 5, 2), 0);
	assert_int_equal(buf[0], 5);
	assert_int_equal(buf[1023], 6);
	memset(buf, 0xaa, sizeof(buf));
	assert_int_equal(rw(true, 60, 4), 0);
	assert_int_equal(medium[60 * 512 - 1], 59);
	assert_int_equal(medium[60 * 512], 0xaa);
	assert_int_equal(medium[sizeof(medium) - 1], 0xaa);
	/* Three pieces at most, says the disk. */
	assert_int_equal(host.most, 3);
	assert_int_equal(host.writes, 2);
	assert_int_equal(disk->flush(disk), 0);
	assert_int_equal(host.flushes, 1);
}

static void test_outside_the_disk(void **state)
{
	assert_int_equal(rw(true, 63, 2), -EINVAL);
	assert_int_equal(rw(false, 64, 1), -EINVAL);
	assert_int_equal(rw(false, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(host.reads + host.writes, 0);
}

static void test_errors_of_the_disk(void **state)
{
	host.status = 1;
	assert_int_equal(rw(false, 0, 1), -EIO);
	assert_int_equal(disk->flush(disk), -EIO);
	host.status = 2;
	assert_int_equal(rw(true, 0, 1), -EIO);
	host.status = 0;
	assert_int_equal(rw(true, 0, 1), 0);
}

static void test_lost_interrupts_and_doorbells(void **state)
{
	unsigned int before = card.notified[0];

	host.deaf = true;
	assert_int_equal(rw(false, 1, 1), 0);
	assert_int_equal(buf[0], 1);
	host.deaf = false;
	/* The first look finds nothing, and rings again. */
	host.silent = true;
	assert_int_equal(rw(false, 2, 1), 0);
	assert_int_equal(buf[0], 2);
	assert_true(card.notified[0] > before + 2);
}

static void test_a_disk_that_breaks_the_rules(void **state)
{
	host.odd_id = 77;
	assert_int_equal(rw(false, 1, 1), -EIO);
	assert_true(card.vdev.broken);
	/* From then on at once. */
	assert_int_equal(rw(false, 1, 1), -EIO);
	assert_int_equal(disk->flush(disk), -EIO);
}

static void test_a_request_larger_than_the_ring(void **state)
{
	struct virtqueue *vq = card.vq[0];
	unsigned int sleeps = host.sleeps;
	u16 free = vq->num_free;

	vq->num_free = 2;
	assert_int_equal(rw(false, 1, 1), -E2BIG);
	assert_int_equal(host.sleeps, sleeps);
	vq->num_free = free;
	assert_int_equal(rw(false, 1, 1), 0);
}

static void test_read_only(void **state)
{
	teardown(state);
	host_reset();
	assert_int_equal(probe(VIRTIO_F(5)), 0);
	disk = disk_find("serial-1");
	assert_non_null(disk);
	assert_true(disk->read_only);
	assert_int_equal(rw(true, 1, 1), -EROFS);
	assert_int_equal(host.writes, 0);
	assert_int_equal(rw(false, 1, 1), 0);
	/* No cache, says this disk: nothing to flush. */
	assert_int_equal(disk->flush(disk), 0);
	assert_int_equal(host.flushes, 0);
}

static void test_no_memory(void **state)
{
	host_fail_alloc(1);
	assert_int_equal(rw(false, 1, 1), -ENOMEM);
	host_fail_alloc(0);
	assert_int_equal(rw(false, 1, 1), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_it_is), T(test_reads_and_writes),
		T(test_outside_the_disk), T(test_errors_of_the_disk),
		T(test_lost_interrupts_and_doorbells),
		T(test_a_disk_that_breaks_the_rules), T(test_no_memory),
		T(test_a_request_larger_than_the_ring), T(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
