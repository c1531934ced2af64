/*
 * A hostile balloon, fuzz_devices.c says how: its task runs until the device
 * is given up, and every page is somebody's afterwards. The driver, which has
 * room for one balloon per boot, is part of this file so that each input has
 * its own.
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_balloon.c"
#include "tests/fuzz/fuzz_devices.h"

bool (*page_reclaim)(void);

static void (*task_fn)(void *arg);
static void *task_arg;

struct task *kthread_run(void (*fn)(void *arg), void *arg, const char *name)
{
	static struct task task;

	(void)name;
	task_fn = fn;
	task_arg = arg;
	return byte(&in) % 16 < 15 ? &task : NULL;
}

struct page *page_report_take(unsigned int least)
{
	(void)least;
	return byte(&in) % 4 < 3 ? alloc_pages(0) : NULL;
}

void page_report_done(struct page *page, bool reported)
{
	(void)reported;
	free_pages(page, 0);
}

void fuzz_balloon(void)
{
	fake_virtio_init(&card, VIRTIO_ID_BALLOON, VIRTIO_F_VERSION_1 |
			 F_DEFLATE_ON_OOM |
			 (byte(&in) & 1 ? F_REPORTING : 0) |
			 (byte(&in) & 1 ? F_STATS : 0));
	card.nr_queues = 4;
	/* So many pages are wanted. */
	card.config[0] = (u8)byte(&in);
	card.config[1] = (u8)(byte(&in) % 4);
	if (virtio_balloon_probe(&card.vdev))
		return;
	begin_use();
	task_fn(task_arg);
	while (balloon_reclaim())
		;
	BUG_ON(balloon->nr);
	(void)drop_queue(0);
	(void)drop_queue(1);
	if (balloon->report_index)
		(void)drop_queue(balloon->report_index);
	kfree(balloon);
	balloon = NULL;
}
