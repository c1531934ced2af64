/*
 * The machine ends with the program. Like a Linux that lives on, it first
 * waits until peers have all that was sent and know of the end (no orphan's
 * FIN is unacknowledged), then until the devices have taken the last frames:
 * each for a bounded time, since peers and devices may be gone.
 */
#include "net/drain.h"

#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "net/tcp/tcp.h"

#define PEERS_NS	(2 * NSEC_PER_SEC)
#define DEVICES_NS	(200 * NSEC_PER_MSEC)
#define LOOK_NS		(500 * NSEC_PER_USEC)

static void look_idle(struct net_device *dev, void *arg)
{
	bool *idle = arg;

	if (!dev->ops->tx_idle)
		return;
	spin_lock_bh(&dev->tx_lock);
	if (!skb_queue_empty(&dev->tx_queue) || !dev->ops->tx_idle(dev))
		*idle = false;
	spin_unlock_bh(&dev->tx_lock);
}

static bool devices_idle(void)
{
	bool idle = true;

	dev_for_each(look_idle, &idle);
	return idle;
}

static bool peers_know(void)
{
	return !tcp_orphans();
}

/* Looks again and again: there is nothing else to do. Task. */
static void wait_for(bool (*done)(void), u64 at_most)
{
	u64 now = ktime_get_ns(), end = now + at_most;

	while (!done() && now < end) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_hrtimeout_range(now + LOOK_NS, 0);
		now = ktime_get_ns();
	}
}

static void net_drain(void)
{
	wait_for(peers_know, PEERS_NS);
	wait_for(devices_idle, DEVICES_NS);
}

void net_drain_init(void)
{
	process_last_words = net_drain;
}
