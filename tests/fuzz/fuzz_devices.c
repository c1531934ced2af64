/*
 * libFuzzer target: the drivers that ask and wait (disk, entropy) against a
 * hostile device. An input is a program of what such a device does each time
 * the driver waits for it: answers late, wrongly, twice or never, moves its
 * rings back, changes its configuration, resets itself, loses interrupts or
 * raises them for nothing. The driver comes back with data or an error, and
 * all memory with it. Wild writes are the sanitiser's to find.
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_rng.h"
#include "fs/disk.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "tests/fuzz/input.h"
#include "tests/host/host.h"
#include "tests/unit/fake_virtio.h"

#define MAX_OPS		40
#define MAX_SLEEPS	60	/* then the device is given up */
#define SECTORS		64u

extern const struct virtio_driver __start_virtio_driver[];

static struct fake_virtio card;
static struct input in;
static unsigned int sleeps;
static u8 sectors[4 * DISK_SECTOR];

/*
 * What was given back too early is the driver's again, or its caller's frame:
 * a device that has lied writes to nothing any more.
 */
static bool lied;

void add_entropy(const void *data, size_t len, unsigned int entropy_bits)
{
	const u8 *p = data;
	static volatile u8 sum;

	BUG_ON(len > 64 || entropy_bits != len * 8);
	for (size_t i = 0; i < len; i++)
		sum = sum ^ p[i];
}

bool random_ready(void)
{
	host_now += NSEC_PER_MSEC;
	return byte(&in) & 1;
}

/* The next request, if it has any, answered as it should be or nearly. */
static void answer(void)
{
	struct fake_chain c;
	u8 junk[64];
	u32 len;

	if (fake_waiting(&card, 0) > card.vq[0]->num ||
	    !fake_pop(&card, 0, &c))
		return;
	for (u32 i = 0; i < sizeof(junk); i++)
		junk[i] = (u8)byte(&in);
	len = (u32)byte(&in) * 8;
	len = min(c.in_len, len);
	if (!lied)
		fake_write(&c, junk, min(len, (u32)sizeof(junk)));
	if (!lied && c.in && byte(&in) & 1)
		*c.piece[c.out + c.in - 1].mem = 0;
	fake_push(&card, 0, c.head, byte(&in) & 1 ? len : word(&in));
}

static void scribble(void)
{
	u8 *used = (u8 *)card.vq[0]->used;
	u32 size = 4 + card.vq[0]->num * 8 + 2;

	for (u32 n = 1 + byte(&in) % 16; n; n--)
		used[word(&in) % size] = (u8)byte(&in);
}

static void device_turn(void)
{
	struct fake_chain c;

	if (!card.vq[0])
		return;
	switch (byte(&in) % 9) {
	case 0:
	case 1:
		answer();
		break;
	case 2:		/* taken, never given back */
		if (fake_waiting(&card, 0) <= card.vq[0]->num && !lied)
			(void)!fake_pop(&card, 0, &c);
		break;
	case 3:
		lied = true;
		fake_push_raw(&card, 0, word(&in), word(&in));
		break;
	case 4:
		lied = true;
		card.vq[0]->used->idx = (u16)word(&in);
		break;
	case 5:
		lied = true;
		scribble();
		break;
	case 6:
		card.config[byte(&in) % 64] = (u8)byte(&in);
		card.generation += byte(&in) & 1;
		if (card.vdev.config_fn)
			card.vdev.config_fn(card.vdev.priv);
		break;
	case 7:
		card.status = (u8)byte(&in);
		break;
	default:
		card.deaf = byte(&in) & 1;
		card.vq[0]->irq_fn(card.vq[0]->irq_data);
		break;
	}
}

/* The task sleeps: the device's time. */
int schedule_hrtimeout_range(u64 deadline, u64 slack)
{
	(void)deadline;
	(void)slack;
	if (++sleeps > MAX_SLEEPS || in.p >= in.end) {
		if (!card.vdev.broken)
			virtio_break(&card.vdev, "does not answer any more");
		return 0;
	}
	device_turn();
	return byte(&in) & 1 ? -EINTR : 0;
}

static void drop_queue(void)
{
	struct virtqueue *vq = card.vq[0];
	void *priv = vq->irq_data;

	while (virtqueue_detach_unused_buf(vq))
		;
	virtqueue_free(vq);
	kfree(priv);
}

static void use_disk(struct disk *disk)
{
	struct disk_piece pieces[4];
	u32 n = 1 + byte(&in) % 4;

	sleeps = 0;
	for (u32 i = 0; i < n; i++)
		pieces[i] = (struct disk_piece){ sectors + i * DISK_SECTOR,
						 DISK_SECTOR };
	if (byte(&in) % 4)
		(void)!disk->rw(disk, byte(&in) & 1, byte(&in) % (SECTORS + 4),
				pieces, n);
	else
		(void)!disk->flush(disk);
}

static void fuzz_disk(void)
{
	u64 size = SECTORS;
	struct disk *disk;

	fake_virtio_init(&card, VIRTIO_ID_BLOCK, VIRTIO_F_VERSION_1 |
			 VIRTIO_F_INDIRECT_DESC | VIRTIO_F(2) | VIRTIO_F(6) |
			 VIRTIO_F(9));
	card.nr_queues = 1;
	memcpy(card.config, &size, 8);
	card.config[12] = (u8)byte(&in);
	card.config[20] = (u8)byte(&in);
	card.config[21] = 2;
	if (__start_virtio_driver[0].probe(&card.vdev))
		return;
	disk = disk_find("vda");
	BUG_ON(!disk);
	for (u32 i = 0; i < MAX_OPS && in.p < in.end; i++)
		use_disk(disk);
	list_del(&disk->list);
	drop_queue();
}

static void fuzz_rng(void)
{
	fake_virtio_init(&card, VIRTIO_ID_RNG,
			 VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	card.nr_queues = 1;
	if (virtio_rng_probe(&card.vdev))
		return;
	for (u32 i = 0; i < MAX_OPS && in.p < in.end; i++) {
		device_turn();
		if (byte(&in) & 1)
			host_advance(301 * NSEC_PER_SEC);
	}
	drop_queue();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	in = (struct input){ data, data + size };
	host_reset();
	lied = false;
	sleeps = 0;
	if (byte(&in) & 1)
		host_fail_alloc(1 + byte(&in) % 8);
	if (byte(&in) & 1)
		fuzz_disk();
	else
		fuzz_rng();
	host_reset();
	BUG_ON(host_allocs_outstanding());
	return 0;
}
