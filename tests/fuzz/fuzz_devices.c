/*
 * libFuzzer target: the drivers that ask and wait (disk, entropy; share and
 * balloon in files of their own) against a hostile device. An input is a
 * program of what it does each time the driver waits for it: answers late,
 * wrongly, twice or never, moves its rings back, changes its configuration,
 * resets itself, loses interrupts or raises them for nothing. The driver comes
 * back, and all memory with it. Wild writes are the sanitiser's to find.
 */
#include "tests/fuzz/fuzz_devices.h"

#include "tests/unit/unit.h"

#include "drivers/virtio_rng.h"
#include "fs/disk.h"
#include "fs/p9.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "tests/host/host.h"

#define MAX_OPS		40
#define MAX_SLEEPS	60	/* then the device is given up */
#define SECTORS		64u

struct fake_virtio card;
struct input in;
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
static void answer(unsigned int q)
{
	struct fake_chain c;
	u8 junk[P9_HEAD + 256];
	bool share = card.vdev.id == VIRTIO_ID_9P && !lied;
	u32 len, n = 64;

	if (fake_waiting(&card, q) > card.vq[q]->num ||
	    !fake_pop(&card, q, &c))
		return;
	if (share) {
		len = n = answer_9p(&c, junk, sizeof(junk));
	} else {
		for (u32 i = 0; i < n; i++)
			junk[i] = (u8)byte(&in);
		len = (u32)byte(&in) * 8;
	}
	len = min(c.in_len, len);
	if (!lied)
		fake_write(&c, junk, min(len, n));
	if (!share && !lied && c.in && byte(&in) & 1)
		*c.piece[c.out + c.in - 1].mem = 0;
	if (share ? byte(&in) % 8 < 7 : byte(&in) & 1)
		fake_push(&card, q, c.head, len);
	else
		fake_push(&card, q, c.head, word(&in));
}

static void scribble(unsigned int q)
{
	u8 *used = (u8 *)card.vq[q]->used;
	u32 size = 4 + card.vq[q]->num * 8 + 2;

	for (u32 n = 1 + byte(&in) % 16; n; n--)
		used[word(&in) % size] = (u8)byte(&in);
}

static void device_turn(void)
{
	unsigned int q = card.nr_queues > 1 ? byte(&in) % card.nr_queues : 0;
	struct fake_chain c;

	if (!card.vq[q])
		return;
	switch (byte(&in) % 9) {
	case 0:
	case 1:
		answer(q);
		break;
	case 2:		/* taken, never given back */
		if (fake_waiting(&card, q) <= card.vq[q]->num && !lied)
			(void)!fake_pop(&card, q, &c);
		break;
	case 3:
		lied = true;
		fake_push_raw(&card, q, word(&in), word(&in));
		break;
	case 4:
		lied = true;
		card.vq[q]->used->idx = (u16)word(&in);
		break;
	case 5:
		lied = true;
		scribble(q);
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
		card.vq[q]->irq_fn(card.vq[q]->irq_data);
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

void begin_use(void)
{
	sleeps = 0;
}

void *drop_queue(unsigned int q)
{
	struct virtqueue *vq = card.vq[q];
	void *priv = vq->irq_data;

	while (virtqueue_detach_unused_buf(vq))
		;
	virtqueue_free(vq);
	return priv;
}

int probe_driver(u32 id)
{
	const struct virtio_driver *d = __start_virtio_driver;

	while (d->id != id)
		d++;
	return d->probe(&card.vdev);
}

static void use_disk(struct disk *disk)
{
	struct disk_piece pieces[4];
	u32 n = 1 + byte(&in) % 4;

	begin_use();
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
	if (probe_driver(VIRTIO_ID_BLOCK))
		return;
	disk = disk_find("vda");
	BUG_ON(!disk);
	for (u32 i = 0; i < MAX_OPS && in.p < in.end; i++)
		use_disk(disk);
	list_del(&disk->list);
	kfree(drop_queue(0));
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
	kfree(drop_queue(0));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 kind;

	in = (struct input){ data, data + size };
	host_reset();
	lied = false;
	begin_use();
	if (byte(&in) & 1)
		host_fail_alloc(1 + byte(&in) % 8);
	kind = byte(&in);
	if (kind & 0x80)
		(kind & 1 ? fuzz_9p : fuzz_balloon)();
	else
		(kind & 1 ? fuzz_disk : fuzz_rng)();
	host_reset();
	BUG_ON(host_allocs_outstanding());
	return 0;
}
