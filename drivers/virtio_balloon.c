/*
 * virtio-balloon, VIRTIO 1.2, section 5.5: the host says how many pages it
 * would like to have; a task takes so many from the allocator and tells the
 * host, which gives their memory to others. When ours runs short they are
 * taken back without asking (deflate on OOM): a page the host has dropped
 * comes back, zero, when it is touched. Without being asked it tells the host
 * of large free blocks (5.5.6.7), whose memory goes back the same way.
 *
 * LOCKING: lock (interrupts off) guards the list, which the task and, in any
 * context, whoever finds no memory use.
 */
#include "drivers/virtio_call.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/time.h"

#define F_STATS		VIRTIO_F(1)
#define F_DEFLATE_ON_OOM VIRTIO_F(2)
#define F_FREE_HINT	VIRTIO_F(3)
#define F_REPORTING	VIRTIO_F(5)
#define CONF_WANTED	0u
#define CONF_HAS	4u

#define BATCH		256u	/* pages that the host is told of at once */
#define GIVE_BACK	64u	/* pages for one that finds no memory */
#define RETRY_NS	NSEC_PER_SEC
/* Free blocks that are worth a word, 128 KiB, and how many go into one. */
#define REPORT_ORDER	5u
#define REPORT_BATCH	16u
#define REPORT_NS	(2 * NSEC_PER_SEC)

/* Locks: l lock, t the task's. */
struct balloon {
	struct virtio_device *vdev;
	struct vcall_queue inflate, deflate, report;	/* t */
	u32 report_index;	/* c  the queue's; 0: the host wants none */
	struct spinlock lock;
	struct list_head pages;		/* l  by page.list */
	u32 nr;				/* l */
	struct wait_queue_head wait;	/* the task, for a new wish */
	struct task *task;
	u32 pfn[BATCH];			/* t  for the device */
};

static struct balloon *balloon;		/* one is enough */
static bool (*reclaim_before)(void) __ro_after_init;

/* Takes up to @max pages out; *@n are on @out. Any context. */
static u32 take_out(struct balloon *b, u32 max, struct list_head *out)
{
	unsigned long flags = spin_lock_irqsave(&b->lock);
	u32 n = 0;

	for (; n < max && b->nr; n++, b->nr--) {
		struct page *page = list_first_entry(&b->pages, struct page,
						     list);

		list_del(&page->list);
		list_add(&page->list, out);
	}
	spin_unlock_irqrestore(&b->lock, flags);
	return n;
}

static void free_list(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, list)
		free_pages(page, 0);
}

/* The page allocator has nothing left. Any context. */
static bool balloon_reclaim(void)
{
	struct balloon *b = READ_ONCE(balloon);
	LIST_HEAD(out);
	u32 n;

	if (reclaim_before && reclaim_before())
		return true;
	/* Who fills it does not empty it. */
	if (!b || current == b->task)
		return false;
	n = take_out(b, GIVE_BACK, &out);
	free_list(&out);
	return n;
}

/*
 * Lets the page allocator take pages back from the balloon before it fails.
 */
static void virtio_balloon_init(void)
{
	reclaim_before = page_reclaim;
	page_reclaim = balloon_reclaim;
}

/* Tells the host of @n pages. 0 or -EIO. */
static int tell(struct balloon *b, struct vcall_queue *q, u32 n)
{
	struct vq_buf buf = { virt_to_phys(b->pfn), n * sizeof(b->pfn[0]) };
	struct io_call call;
	int err = vcall_send(q, &call, &buf, 1, 0);

	if (!err)
		(void)vcall_wait(q, &call, false);
	return err ? err : min(call.got, 0);
}

/* Up to @want pages for the host. 0, -ENOMEM, -EIO. */
static int inflate(struct balloon *b, u32 want)
{
	LIST_HEAD(taken);
	struct page *page, *next;
	unsigned long flags;
	u32 n = 0;
	int err;

	while (n < min(want, BATCH) && !memory_tight &&
	       (page = alloc_pages(0)) != NULL) {
		b->pfn[n++] = (u32)(page_to_phys(page) >> PAGE_SHIFT);
		list_add(&page->list, &taken);
	}
	if (!n)
		return -ENOMEM;
	err = tell(b, &b->inflate, n);
	if (err) {
		free_list(&taken);
		return err;
	}
	flags = spin_lock_irqsave(&b->lock);
	list_for_each_entry_safe(page, next, &taken, list) {
		list_del(&page->list);
		list_add(&page->list, &b->pages);
	}
	b->nr += n;
	spin_unlock_irqrestore(&b->lock, flags);
	return 0;
}

/* Up to @want pages back. 0 or -EIO. */
static int deflate(struct balloon *b, u32 want)
{
	LIST_HEAD(out);
	struct page *page;
	u32 n = take_out(b, min(want, BATCH), &out), i = 0;
	int err;

	list_for_each_entry(page, &out, list)
		b->pfn[i++] = (u32)(page_to_phys(page) >> PAGE_SHIFT);
	err = n ? tell(b, &b->deflate, n) : 0;
	free_list(&out);
	return err;
}

/*
 * Tells the host of up to REPORT_BATCH free blocks, which are nobody's until
 * it has answered. True if there may be more.
 */
static bool report(struct balloon *b)
{
	struct vq_buf buf[REPORT_BATCH];
	struct page *page[REPORT_BATCH];
	struct io_call call;
	unsigned int n = 0;
	int err;

	while (n < REPORT_BATCH && (page[n] = page_report_take(REPORT_ORDER))) {
		buf[n].addr = page_to_phys(page[n]);
		buf[n].len = (u32)(PAGE_SIZE << page[n]->order);
		n++;
	}
	if (!n)
		return false;
	err = vcall_send(&b->report, &call, buf, 0, n);
	if (!err)
		(void)vcall_wait(&b->report, &call, false);
	err = err ?: min(call.got, 0);
	for (unsigned int i = 0; i < n; i++)
		page_report_done(page[i], !err);
	return !err && n == REPORT_BATCH;
}

/* One step towards what the host wants; 1: there is nothing to do. */
static int step(struct balloon *b)
{
	u32 wanted, nr = READ_ONCE(b->nr);

	virtio_read_config(b->vdev, CONF_WANTED, &wanted, sizeof(wanted));
	/* Whoever maps memory is refused before the allocator is asked. */
	if (memory_tight && nr)
		return deflate(b, nr) ?: -ENOMEM;
	if (nr < wanted)
		return inflate(b, wanted - nr);
	if (nr > wanted)
		return deflate(b, nr - wanted);
	return b->report_index && report(b) ? 0 : 1;
}

/* When to look again without having been woken. */
static u64 next_look(const struct balloon *b, int ret)
{
	if (ret < 0 || READ_ONCE(b->nr) || b->vdev->no_config_irq ||
	    b->vdev->no_irq)
		return ktime_get_ns() + RETRY_NS;
	return b->report_index ? ktime_get_ns() + REPORT_NS : KTIME_MAX;
}

static void balloon_task(void *arg)
{
	struct balloon *b = arg;
	struct wait_queue_entry wait;
	int ret;

	init_wait(&wait);
	while (!b->vdev->broken) {
		prepare_to_wait(&b->wait, &wait, TASK_UNINTERRUPTIBLE);
		ret = step(b);
		b->vdev->ops->write_config(b->vdev, CONF_HAS,
					   READ_ONCE(b->nr));
		/* A wish that came meanwhile has made us runnable again. */
		if (ret)
			(void)schedule_hrtimeout_range(next_look(b, ret),
						       RETRY_NS / 8);
		finish_wait(&b->wait, &wait);
	}
}

/* Hardirq: the host has changed its wish. */
static void config_changed(void *data)
{
	struct balloon *b = data;

	wake_up_all(&b->wait);
}

static u64 choose(struct virtio_device *vdev, u64 offered)
{
	struct balloon *b = vdev->priv;

	/* Behind the two queues there may be those for what we do not do. */
	b->report_index = offered & F_REPORTING ?
		2 + !!(offered & F_STATS) + !!(offered & F_FREE_HINT) : 0;
	return offered & (F_DEFLATE_ON_OOM | F_REPORTING);
}

static int set_up(struct balloon *b, struct virtio_device *vdev)
{
	int err;

	b->vdev = vdev;
	spin_lock_init(&b->lock);
	INIT_LIST_HEAD(&b->pages);
	init_waitqueue_head(&b->wait);
	vdev->config_fn = config_changed;
	vdev->priv = b;
	err = virtio_negotiate(vdev, choose);
	if (!err)
		err = vcall_setup(&b->inflate, vdev, 0, 8);
	if (!err)
		err = vcall_setup(&b->deflate, vdev, 1, 8);
	if (!err && b->report_index)
		err = vcall_setup(&b->report, vdev, b->report_index,
				  2 * REPORT_BATCH);
	return err;
}

static int virtio_balloon_probe(struct virtio_device *vdev)
{
	struct balloon *b = balloon ? NULL : kzalloc(sizeof(*b));
	int err = b ? set_up(b, vdev) : -ENOMEM;

	if (err)
		goto failed;
	virtio_device_ready(vdev);
	b->task = kthread_run(balloon_task, b, "balloon");
	if (!b->task) {
		err = -ENOMEM;
		goto failed;
	}
	WRITE_ONCE(balloon, b);
	return 0;

failed:
	if (b) {
		vdev->ops->set_status(vdev, 0);
		vdev->ops->unbind(vdev);
		virtqueue_free(&b->inflate.vq);
		virtqueue_free(&b->deflate.vq);
		virtqueue_free(&b->report.vq);
		kfree(b);
	}
	pr_warn("%s: balloon not started (error %d)\n", vdev->name, -err);
	return err;
}
VIRTIO_DRIVER(VIRTIO_ID_BALLOON, virtio_balloon_probe, virtio_balloon_init);
