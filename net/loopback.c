/*
 * The loopback device. A packet waits in a queue and comes in again through a
 * poll, so that the two sides of a connection do not call each other deeper
 * and deeper. Nothing is summed or cut on the way: the device claims to do
 * all of it, and a packet with CHECKSUM_PARTIAL is right by construction.
 */
#include "net/loopback.h"

#include "kernel/errno.h"
#include "net/ip/ip.h"

#define LOOPBACK_QUEUE 1000	/* packets on their way */

static struct sk_buff_head lo_queue;	/* lo_lock */
static struct spinlock lo_lock;
static struct napi_struct lo_napi;

/* The sender may keep its packet; the receiver changes the one it gets. */
static struct sk_buff *own_packet(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (!skb_shared(skb)) {
		skb_orphan(skb);
		return skb;
	}
	copy = skb_copy(skb, 0);
	if (!copy) {
		kfree_skb_reason(skb, DROP_NO_MEMORY);
		return NULL;
	}
	copy->gso_size = skb->gso_size;
	copy->gso_segs = skb->gso_segs;
	copy->gso_type = skb->gso_type;
	kfree_skb(skb);
	return copy;
}

static int loopback_xmit(struct net_device *dev, struct sk_buff *skb)
{
	if (lo_queue.qlen >= LOOPBACK_QUEUE) {
		kfree_skb_reason(skb, DROP_DEV_TX_FULL);
		return 0;
	}
	skb = own_packet(skb);
	if (!skb)
		return 0;
	skb->dev = dev;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	spin_lock(&lo_lock);
	skb_queue_tail(&lo_queue, skb);
	spin_unlock(&lo_lock);
	napi_schedule(&lo_napi);
	return 0;
}

static void loopback_kick(struct net_device *dev)
{
	(void)dev;
}

static struct sk_buff *next_packet(void)
{
	struct sk_buff *skb;

	spin_lock(&lo_lock);
	skb = skb_dequeue(&lo_queue);
	spin_unlock(&lo_lock);
	return skb;
}

static int loopback_poll(struct napi_struct *napi, int budget)
{
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = next_packet())) {
		netif_receive_skb(skb);
		done++;
	}
	if (done == budget)
		return done;
	napi_complete(napi);
	/* Another CPU may have queued one before it saw us complete. */
	if (!skb_queue_empty(&lo_queue))
		napi_schedule(napi);
	return done;
}

static const struct net_device_ops loopback_ops = {
	.start_xmit = loopback_xmit,
	.kick = loopback_kick,
};

struct net_device loopback_dev = {
	.name = "lo",
	.mtu = LOOPBACK_MTU,
	.features = NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 |
		    NETIF_F_LOOPBACK,
	.link_up = true,
	.ops = &loopback_ops,
};

void loopback_init(void)
{
	skb_queue_head_init(&lo_queue);
	spin_lock_init(&lo_lock);
	napi_init(&lo_napi, &loopback_dev, loopback_poll);
	if (register_netdev(&loopback_dev))
		BUG_ON(true);
}
