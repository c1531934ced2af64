/*
 * virtio-net: finding the card, its interrupt, its poll, its slow timer.
 *
 * An echo costs one receive interrupt and one transmit doorbell. Interrupts
 * are on while the receive ring is empty; the hardirq only schedules the
 * poll, which empties the ring, and turns them on again when it found less
 * than its budget.
 */
#include "drivers/virtio_net.h"

#include "drivers/virtio_net_internal.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "kernel/watchdog.h"

#define RX_QUEUE	0
#define TX_QUEUE	1

/* Configuration space (5.1.4). */
#define CONFIG_MAC	0
#define CONFIG_STATUS	6
#define CONFIG_MTU	10
#define STATUS_LINK_UP	1

#define MTU_DEFAULT	1500u
#define MTU_MIN		68u	/* 5.1.4.1; RFC 791 */
/* Larger would need a buffer that memory may not have in one piece. */
#define MTU_MAX_PLAIN	3500u
#define MTU_MAX		65535u

#define TX_ENTRIES	256u
#define TX_ENTRIES_SMALL 64u
#define SMALL_PAGES	8192u	/* under 32 MiB of memory */

/* 64 KiB of guest TSO, in buffers of 2 KiB, must fit in the ring. */
#define GUEST_TSO_BUFFERS 64u

#define WATCH_NS	(100 * NSEC_PER_MSEC)
#define RESTART_SHIFT_MAX	10u	/* 100 ms, 200 ms, ... 102 s */
#define TX_PATIENCE	50u	/* looks, WATCH_NS apart */
#define POLL_NS		(1 * NSEC_PER_MSEC)	/* for cards without irq */

/* --- counters --- */

static void log_counters(const struct virtnet *vi)
{
	static const struct {
		const char *name;
		size_t at;
	} counters[] = {
#define X(c) { #c, offsetof(struct virtnet_stats, c) },
		VIRTNET_COUNTERS(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		u64 v;

		__builtin_memcpy(&v, (const u8 *)&vi->stats + counters[i].at,
				 sizeof(v));
		if (v)
			pr_notice("%s: %s %llu\n", vi->dev.name,
				  counters[i].name, (unsigned long long)v);
	}
}

/* --- link --- */

/* Any context. Devices that do not tell are always up. */
static __cold void read_link(struct virtnet *vi)
{
	bool up = true;
	u16 status;

	if (vi->vdev->broken)
		return;
	if (virtio_has(vi->vdev, VIRTIO_NET_F_STATUS)) {
		virtio_read_config(vi->vdev, CONFIG_STATUS, &status,
				   sizeof(status));
		up = status & STATUS_LINK_UP;
	}
	if (up == vi->dev.link_up)
		return;
	WRITE_ONCE(vi->dev.link_up, up);
	pr_notice("%s: link is %s\n", vi->dev.name, up ? "up" : "down");
}

/* --- interrupt and poll --- */

/* Hardirq, for both queues. */
static void virtnet_interrupt(void *data)
{
	struct virtnet *vi = data;

	trace(TRACE_VIRTNET_INTERRUPT, RX_QUEUE, 0);
	vi->stats.interrupts++;
	/* With event-idx the device is silent until it is armed again. */
	if (unlikely(!vi->rx.event))
		virtqueue_disable_cb(&vi->rx);
	napi_schedule(&vi->napi);
}

/*
 * Nothing is left: interrupts on. If the device was quicker, there may be
 * none for what came, and the poll goes on.
 */
static void poll_done(struct virtnet *vi)
{
	unsigned long flags;

	napi_complete(&vi->napi);
	virtnet_watch(vi);
	if (likely(virtqueue_enable_cb(&vi->rx)))
		return;
	virtqueue_disable_cb(&vi->rx);
	flags = local_irq_save();
	napi_schedule(&vi->napi);
	local_irq_restore(flags);
}

/* --- starting, and starting again --- */

/* Also when the device was stopped: the poll deals with it. */
static void schedule_poll(void *data)
{
	struct virtnet *vi = data;
	unsigned long flags = local_irq_save();

	napi_schedule(&vi->napi);
	local_irq_restore(flags);
}

static __cold void go_live(struct virtnet *vi)
{
	virtio_device_ready(vi->vdev);
	virtnet_refill(vi);
	pr_info("%s: %s, %pM, mtu %u, %u+%u entries, features %#llx\n",
		vi->dev.name, vi->vdev->name, vi->dev.dev_addr, vi->dev.mtu,
		vi->rx.num, vi->tx.num,
		(unsigned long long)vi->vdev->features);
}

/* It is stopped: takes all memory back; what is sent now is dropped. */
static __cold void give_up(struct virtnet *vi)
{
	u64 wait = WATCH_NS << min(vi->stats.restarts, (u64)RESTART_SHIFT_MAX);

	WRITE_ONCE(vi->dev.link_up, false);
	virtnet_rx_abandon(vi);
	virtnet_tx_clean(vi);
	log_counters(vi);
	pr_err("%s: starts again in %llu ms\n", vi->dev.name,
	       (unsigned long long)(wait / NSEC_PER_MSEC));
	vi->restart_at = ktime_get_ns() + wait;
}

/* Both rings begin anew; nobody sends meanwhile. */
static __cold int restart_queues(struct virtnet *vi)
{
	int err;

	spin_lock(&vi->dev.tx_lock);
	err = virtio_restart(vi->vdev);
	if (!err)
		err = virtqueue_restart(&vi->rx);
	if (!err)
		err = virtqueue_restart(&vi->tx);
	vi->seen_tx = 0;
	vi->vdev->broken = err;
	spin_unlock(&vi->dev.tx_lock);
	return err;
}

/* A device that was stopped for what it did, or asked for it. Poller. */
static __cold noinline void recover(struct virtnet *vi)
{
	if (!vi->restart_at) {
		give_up(vi);
	} else if (ktime_get_ns() >= vi->restart_at) {
		vi->restart_at = 0;
		vi->stats.restarts++;
		if (!restart_queues(vi)) {
			go_live(vi);
			read_link(vi);
			poll_done(vi);
			return;
		}
	}
	napi_complete(&vi->napi);
	virtnet_start_timer(vi);
}

/*
 * The rest of a poll from @skb, the first of some size, on; how many were
 * handled in all. Small frames by themselves are spared the look at headers.
 */
static noinline int poll_bulk(struct virtnet *vi, struct sk_buff *skb,
			      int done, int budget)
{
	napi_gro_receive(skb);
	while (++done < budget && !vi->vdev->broken &&
	       virtqueue_more_used(&vi->rx)) {
		skb = virtnet_receive(vi);
		if (likely(skb))
			napi_gro_receive(skb);
	}
	napi_gro_flush();
	return done;
}

static int virtnet_poll(struct napi_struct *napi, int budget)
{
	struct virtnet *vi = container_of(napi, struct virtnet, napi);
	int before = vi->rx_posted;
	struct sk_buff *skb;
	int done = 0;

	trace(TRACE_VIRTNET_POLL, RX_QUEUE, budget);
	vi->stats.polls++;
	while (done < budget && virtqueue_more_used(&vi->rx)) {
		skb = virtnet_receive(vi);
		if (likely(skb)) {
			if (skb->len >= GRO_FRAME_MIN) {
				done = poll_bulk(vi, skb, done, budget);
				break;
			}
			netif_receive_skb(skb);
		} else if (vi->vdev->broken) {
			break;
		}
		done++;
	}
	if (unlikely(vi->vdev->broken)) {
		recover(vi);
		return min(done, budget - 1);
	}
	if (virtnet_wants_refill(vi)) {
		virtnet_adapt(vi, before - vi->rx_posted);
		virtnet_refill(vi);
	}
	if (unlikely(READ_ONCE(vi->tx_wait)))
		virtnet_tx_clean(vi);
	if (done < budget)
		poll_done(vi);
	return done;
}

/* --- the configuration has changed --- */

/* Hardirq. */
static __cold void virtnet_config_changed(void *data)
{
	struct virtnet *vi = data;

	vi->stats.config_changes++;
	virtio_check_alive(vi->vdev);
	read_link(vi);
}

/* --- the slow timer --- */

__cold void virtnet_start_timer(struct virtnet *vi)
{
	mod_timer(&vi->timer, ktime_get_ns() +
		  (vi->vdev->no_irq ? POLL_NS : WATCH_NS));
}

static void tell_loss(struct virtnet *vi, const char *what)
{
	if (vi->stats.lost_interrupts + vi->stats.lost_doorbells > 1)
		return;
	pr_notice("%s: %s got lost; from now on such are found within 200 ms. With QEMU, give it -smp 1,maxcpus=2\n",
		  vi->dev.name, what);
	log_counters(vi);
}

/*
 * A ring whose interrupt should have come and did not (emulators: an
 * emulator that leaves out barriers): counts it, says so once, polls.
 */
static void look_for_lost_irq(struct virtnet *vi)
{
	unsigned long flags;
	bool idle;

	if (!virtqueue_lost_irq(&vi->rx) &&
	    !(READ_ONCE(vi->tx_wait) && virtqueue_lost_irq(&vi->tx)))
		return;
	flags = local_irq_save();
	idle = napi_schedule(&vi->napi);
	local_irq_restore(flags);
	if (!idle)
		return;
	vi->stats.lost_interrupts++;
	tell_loss(vi, "an interrupt");
}

/*
 * The same barrier decides whether the device hears of new buffers. For the
 * receive ring there is no way to see it: it is told again in any case.
 */
static void look_for_lost_doorbell(struct virtnet *vi)
{
	vi->rx.notify(&vi->rx);
	if (!virtnet_tx_remind(vi)) {
		vi->tx_stuck = 0;
		return;
	}
	virtio_check_alive(vi->vdev);
	if (++vi->tx_stuck == TX_PATIENCE) {
		virtio_break(vi->vdev, "does not send");
		watchdog_bark(WATCHDOG_QUEUE);
	}
	if (vi->tx_stuck > 1)
		return;
	vi->stats.lost_doorbells++;
	tell_loss(vi, "a doorbell");
}

/*
 * Softirq. Runs only while there was something to do since it last ran: one
 * look after the interrupt was armed is enough, since a packet that comes
 * later finds it armed for certain.
 */
static void virtnet_timer(struct timer *timer)
{
	struct virtnet *vi = container_of(timer, struct virtnet, timer);
	bool busy = vi->dev.rx_packets != vi->seen_packets ||
		    vi->vdev->no_irq;

	if (vi->vdev->broken) {
		schedule_poll(vi);
		return;
	}
	vi->seen_packets = vi->dev.rx_packets;
	virtnet_tx_clean(vi);
	if (!vi->vdev->no_irq) {
		look_for_lost_irq(vi);
		look_for_lost_doorbell(vi);
	}
	if (vi->vdev->no_config_irq)
		read_link(vi);
	if (vi->vdev->no_irq || virtnet_wants_refill(vi)) {
		schedule_poll(vi);
		busy = true;
	}
	if (busy || vi->tx.num_free != vi->tx.num)
		virtnet_watch(vi);
}

/* --- finding it --- */

/* Takes what we can use, and of that only what stands on its base (5.1.3.1). */
static __cold u64 choose_features(struct virtio_device *vdev, u64 offered)
{
	u64 f = VIRTIO_NET_F_MAC | VIRTIO_NET_F_MTU | VIRTIO_NET_F_STATUS |
		VIRTIO_NET_F_MRG_RXBUF;
	u32 buffers = min(virtnet_rx_buffers(),
			  vdev->ops->queue_max(vdev, RX_QUEUE));

	if (offered & VIRTIO_NET_F_CSUM) {
		f |= VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 |
		     VIRTIO_NET_F_HOST_TSO6;
		if (offered & (VIRTIO_NET_F_HOST_TSO4 |
			       VIRTIO_NET_F_HOST_TSO6))
			f |= VIRTIO_NET_F_HOST_ECN;
	}
	if (!(offered & VIRTIO_NET_F_GUEST_CSUM))
		return f;
	f |= VIRTIO_NET_F_GUEST_CSUM;
	/* Large packets only in chains: in one piece they would be 64 KiB. */
	if (!(offered & VIRTIO_NET_F_MRG_RXBUF) || buffers < GUEST_TSO_BUFFERS)
		return f;
	f |= VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6;
	if (offered & (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6))
		f |= VIRTIO_NET_F_GUEST_ECN;
	return f;
}

static u32 netdev_features(const struct virtio_device *vdev)
{
	u32 f = 0;

	if (virtio_has(vdev, VIRTIO_NET_F_CSUM))
		f |= NETIF_F_HW_CSUM;
	if (virtio_has(vdev, VIRTIO_NET_F_HOST_TSO4))
		f |= NETIF_F_TSO;
	if (virtio_has(vdev, VIRTIO_NET_F_HOST_TSO6))
		f |= NETIF_F_TSO6;
	return f;
}

/* The card's address, or a random one with the "locally given" bit. */
static void read_mac(struct virtnet *vi)
{
	u64 any = ktime_get_ns();

	if (virtio_has(vi->vdev, VIRTIO_NET_F_MAC)) {
		virtio_read_config(vi->vdev, CONFIG_MAC, vi->dev.dev_addr,
				   ETH_ALEN);
		return;
	}
	if (random_ready())
		any = get_random_u64();
	__builtin_memcpy(vi->dev.dev_addr, &any, ETH_ALEN);
	vi->dev.dev_addr[0] = (vi->dev.dev_addr[0] & 0xfe) | 0x02;
}

static u16 read_mtu(struct virtnet *vi)
{
	u32 most = vi->mergeable ? MTU_MAX : MTU_MAX_PLAIN;
	u16 mtu;

	if (!virtio_has(vi->vdev, VIRTIO_NET_F_MTU))
		return MTU_DEFAULT;
	virtio_read_config(vi->vdev, CONFIG_MTU, &mtu, sizeof(mtu));
	return (u16)clamp((u32)mtu, MTU_MIN, most);
}

static const struct net_device_ops virtnet_ops = {
	.start_xmit = virtnet_start_xmit,
	.kick = virtnet_kick,
	.tx_idle = virtnet_tx_idle,
};

/* From the features to the shape of packets on the rings. */
static void set_layout(struct virtnet *vi)
{
	struct virtio_device *vdev = vi->vdev;

	vi->mergeable = virtio_has(vdev, VIRTIO_NET_F_MRG_RXBUF);
	vi->hdr_len = vi->mergeable || virtio_has(vdev, VIRTIO_F_VERSION_1) ?
		      VIRTIO_NET_HDR_SIZE : VIRTIO_NET_HDR_OLD_SIZE;
	vi->split_hdr = !virtio_has(vdev, VIRTIO_F_ANY_LAYOUT |
					  VIRTIO_F_VERSION_1);
	vi->dev.ops = &virtnet_ops;
	vi->dev.priv = vi;
	vi->dev.features = netdev_features(vdev);
	vi->dev.headroom = vi->hdr_len;
	vi->dev.mtu = read_mtu(vi);
	read_mac(vi);
}

static int set_up_queues(struct virtnet *vi)
{
	u32 tx_entries = nr_total_pages() < SMALL_PAGES ? TX_ENTRIES_SMALL :
							  TX_ENTRIES;
	u32 rx_entries = virtnet_rx_buffers();
	int err;

	/* A ring has a power of two entries: not less than the buffers. */
	if (rx_entries & (rx_entries - 1))
		rx_entries *= 2;
	err = virtqueue_setup(&vi->rx, vi->vdev, RX_QUEUE, rx_entries,
			      virtnet_interrupt, vi);
	if (err)
		return err;
	return virtqueue_setup(&vi->tx, vi->vdev, TX_QUEUE, tx_entries,
			       virtnet_interrupt, vi);
}

__cold int virtnet_probe(struct virtio_device *vdev)
{
	struct virtnet *vi = kzalloc(sizeof(*vi));
	int err = -ENOMEM;

	if (!vi)
		goto no_memory;
	vi->vdev = vdev;
	vdev->priv = vi;
	vdev->config_fn = virtnet_config_changed;
	vdev->break_fn = schedule_poll;
	timer_setup(&vi->timer, virtnet_timer);
	napi_init(&vi->napi, &vi->dev, virtnet_poll);
	err = virtio_negotiate(vdev, choose_features);
	if (err)
		goto free_card;
	set_layout(vi);
	err = set_up_queues(vi);
	if (err)
		goto free_queues;
	virtnet_rx_setup(vi, vi->dev.mtu);
	vi->dev.link_up = true;
	err = register_netdev(&vi->dev);
	if (err)
		goto free_queues;
	read_link(vi);
	go_live(vi);
	if (!virtqueue_enable_cb(&vi->rx))
		schedule_poll(vi);
	virtnet_watch(vi);
	return 0;

free_queues:
	vdev->ops->set_status(vdev, 0);
	vdev->ops->unbind(vdev);
	virtqueue_free(&vi->tx);
	virtqueue_free(&vi->rx);
free_card:
	vdev->config_fn = NULL;
	vdev->break_fn = NULL;
	kfree(vi);
no_memory:
	pr_err("%s: network card not started: %s\n", vdev->name,
	       err == -ENOMEM ? "no memory; give the machine more" :
				"it has not what VIRTIO 1.2, 5.1 asks for");
	return err;
}
