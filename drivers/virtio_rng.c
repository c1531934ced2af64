/*
 * virtio entropy: one buffer, given to the device, taken back in its
 * interrupt, given again by a timer some minutes later.
 *
 * LOCKING: lock guards the queue and the buffer, which interrupt, timer and
 * probe use; interrupts off.
 */
#include "drivers/virtio_rng.h"

#include "drivers/virtio_ring.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/timer.h"

#define REQUEST_BYTES	64u
#define REFRESH_NS	(300 * NSEC_PER_SEC)
#define WAIT_NS		(200 * NSEC_PER_MSEC)

/* Locks: l lock, c const. */
struct virtio_rng {
	struct virtio_device *vdev;	/* c */
	struct spinlock lock;
	struct virtqueue vq;		/* l */
	struct timer timer;
	u8 buf[REQUEST_BYTES];		/* l; the device's while asked */
};

static void rng_ask(struct virtio_rng *rng)
{
	struct vq_buf buf = { virt_to_phys(rng->buf), sizeof(rng->buf) };
	unsigned long flags = spin_lock_irqsave(&rng->lock);

	/* Full: it has not answered yet. */
	if (!virtqueue_add(&rng->vq, &buf, 0, 1, rng))
		virtqueue_kick(&rng->vq);
	spin_unlock_irqrestore(&rng->lock, flags);
}

static void take_locked(struct virtio_rng *rng)
{
	u32 len;

	if (!virtqueue_get_buf(&rng->vq, &len))
		return;
	add_entropy(rng->buf, len, len * 8);
	memset(rng->buf, 0, sizeof(rng->buf));
}

/* Hardirq. */
static void rng_interrupt(void *data)
{
	struct virtio_rng *rng = data;
	unsigned long flags = spin_lock_irqsave(&rng->lock);

	do {
		take_locked(rng);
	} while (!virtqueue_enable_cb(&rng->vq) && !rng->vdev->broken);
	spin_unlock_irqrestore(&rng->lock, flags);
}

/* Softirq. Takes the last answer too, should its interrupt have got lost. */
static void rng_timer(struct timer *timer)
{
	struct virtio_rng *rng = container_of(timer, struct virtio_rng, timer);

	rng_interrupt(rng);
	if (rng->vdev->broken)
		return;
	rng_ask(rng);
	mod_timer(timer, ktime_get_ns() + REFRESH_NS);
}

/* The CPU has no generator of its own: boot stands still until it comes. */
static void wait_for_entropy(struct virtio_rng *rng)
{
	u64 end = ktime_get_ns() + WAIT_NS;

	while (!random_ready() && ktime_get_ns() < end) {
		rng_interrupt(rng);
		cpu_relax();
	}
}

int virtio_rng_probe(struct virtio_device *vdev)
{
	struct virtio_rng *rng = kzalloc(sizeof(*rng));
	int err = -ENOMEM;

	if (!rng)
		goto failed;
	rng->vdev = vdev;
	timer_setup(&rng->timer, rng_timer);
	err = virtio_negotiate(vdev, NULL);
	if (err)
		goto free_rng;
	err = virtqueue_setup(&rng->vq, vdev, 0, 1, rng_interrupt, rng);
	if (err)
		goto unbind;
	virtio_device_ready(vdev);
	rng_interrupt(rng);
	rng_ask(rng);
	wait_for_entropy(rng);
	mod_timer(&rng->timer, ktime_get_ns() + REFRESH_NS);
	return 0;

unbind:
	vdev->ops->set_status(vdev, 0);
	vdev->ops->unbind(vdev);
free_rng:
	kfree(rng);
failed:
	pr_warn("%s: entropy device not started (error %d)\n", vdev->name,
		-err);
	return err;
}
