/*
 * Between drivers and protocols: the poll loop that takes packets in, the
 * demultiplexer, and the way out with its doorbells.
 *
 * LOCKING: a CPU's poll list belongs to that CPU, interrupts off (hardirqs
 * put devices on it). dev->tx_lock guards the way out, softirqs off. The
 * list of devices changes at boot only.
 */
#include "net/dev.h"

#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/timer.h"
#include "kernel/trace.h"
#include "net/ip/ip.h"
#include "net/loopback.h"
#include "net/lwip/lwip_port.h"

/* One NET_RX softirq ends after so many packets or so much time. */
#define NET_RX_BUDGET	300
#define NET_RX_TIME	(2 * NSEC_PER_MSEC)

/* A CPU's share of the network; zero is its first state. */
struct softnet_data {
	struct napi_struct *poll_head;	/* who wants to be polled, in turn */
	struct napi_struct *poll_tail;
};

static DEFINE_PER_CPU(struct softnet_data, softnet);
static DEFINE_PER_CPU(u64, softnet_now);	/* ktime ns of this softirq */
DEFINE_PER_CPU(u32, xmit_depth);
DEFINE_PER_CPU(struct net_device *, xmit_unkicked);

static LIST_HEAD(dev_list);
static int dev_count;
static struct timer stuck_timer;

/* ---- devices ---- */

__cold struct net_device *dev_get_by_name(const char *name)
{
	struct net_device *dev;

	list_for_each_entry(dev, &dev_list, list) {
		if (!strcmp(dev->name, name))
			return dev;
	}
	return NULL;
}

struct net_device *dev_get_by_index(int ifindex)
{
	struct net_device *dev;

	list_for_each_entry(dev, &dev_list, list) {
		if (dev->ifindex == ifindex)
			return dev;
	}
	return NULL;
}

struct net_device *dev_first(void)
{
	struct net_device *dev;

	list_for_each_entry(dev, &dev_list, list) {
		if (!(dev->features & NETIF_F_LOOPBACK))
			return dev;
	}
	return NULL;
}

__cold void dev_for_each(void (*fn)(struct net_device *dev, void *arg),
			 void *arg)
{
	struct net_device *dev;

	list_for_each_entry(dev, &dev_list, list)
		fn(dev, arg);
}

static __cold void stuck_timer_fired(struct timer *timer)
{
	struct net_device *dev;

	list_for_each_entry(dev, &dev_list, list) {
		if (dev->ops->poll_stuck)
			dev->ops->poll_stuck(dev);
	}
	mod_timer(timer, ktime_get_ns() + NET_STUCK_NS);
}

/* The next of eth0, eth1, ... that nobody has. */
static void find_name(struct net_device *dev)
{
	strlcpy(dev->name, "eth0", sizeof(dev->name));
	for (int unit = 1; dev_get_by_name(dev->name); unit++)
		snprintf(dev->name, sizeof(dev->name), "eth%d", unit);
}

__cold int register_netdev(struct net_device *dev)
{
	if (!dev->name[0])
		find_name(dev);
	else if (dev_get_by_name(dev->name))
		return -EEXIST;
	dev->ifindex = ++dev_count;
	spin_lock_init(&dev->tx_lock);
	skb_queue_head_init(&dev->tx_queue);
	dev->tx_stopped = false;
	dev->tx_unkicked = false;
	list_add_tail(&dev->list, &dev_list);
	if (dev->ops->poll_stuck && !timer_pending(&stuck_timer))
		mod_timer(&stuck_timer, ktime_get_ns() + NET_STUCK_NS);
	return 0;
}

/* ---- in: the poll loop ---- */

void napi_init(struct napi_struct *napi, struct net_device *dev,
	       int (*poll)(struct napi_struct *napi, int budget))
{
	napi->next = NULL;
	napi->scheduled = 0;
	napi->dev = dev;
	napi->poll = poll;
}

static void poll_list_add(struct softnet_data *sd, struct napi_struct *napi)
{
	napi->next = NULL;
	if (sd->poll_head)
		sd->poll_tail->next = napi;
	else
		sd->poll_head = napi;
	sd->poll_tail = napi;
}

static struct napi_struct *poll_list_pop(struct softnet_data *sd)
{
	struct napi_struct *napi;

	local_irq_disable();
	napi = sd->poll_head;
	if (napi)
		sd->poll_head = napi->next;
	local_irq_enable();
	return napi;
}

bool napi_schedule(struct napi_struct *napi)
{
	unsigned long flags;

	if (__atomic_exchange_n(&napi->scheduled, 1, __ATOMIC_ACQUIRE))
		return false;
	flags = local_irq_save();
	poll_list_add(this_cpu_ptr(&softnet), napi);
	raise_softirq_irqoff(NET_RX_SOFTIRQ);
	local_irq_restore(flags);
	return true;
}

void napi_complete(struct napi_struct *napi)
{
	__atomic_store_n(&napi->scheduled, 0, __ATOMIC_RELEASE);
}

/* Puts a device that had more than its share behind the others. */
static void poll_again(struct softnet_data *sd, struct napi_struct *napi)
{
	local_irq_disable();
	poll_list_add(sd, napi);
	local_irq_enable();
}

/*
 * NET_RX softirq: polls each device on the list, at most NET_RX_BUDGET
 * packets and NET_RX_TIME; what is left is for the next softirq. What the
 * packets made us send leaves with one doorbell at the end.
 */
static void net_rx_action(void)
{
	struct softnet_data *sd = this_cpu_ptr(&softnet);
	int budget = NET_RX_BUDGET;
	struct napi_struct *napi;
	u64 now = ktime_get_ns();
	u64 end = now + NET_RX_TIME;

	this_cpu_write(softnet_now, now);
	dev_xmit_batch_begin();
	while ((napi = poll_list_pop(sd))) {
		int share = min(budget, NAPI_WEIGHT);
		int done;

		trace(TRACE_NET_RX_ACTION, budget, 0);
		done = napi->poll(napi, share);
		if (done >= share)
			poll_again(sd, napi);
		budget -= done;
		if (!READ_ONCE(sd->poll_head))
			break;
		now = ktime_get_ns();
		this_cpu_write(softnet_now, now);
		if (budget <= 0 || now >= end) {
			raise_softirq(NET_RX_SOFTIRQ);
			break;
		}
	}
	dev_xmit_batch_end();
}

/* Sent to this station, or to all or some of them (IEEE 802.3, 3.2.3). */
static bool eth_for_us(const struct net_device *dev, const struct ethhdr *eth)
{
	return !__builtin_memcmp(eth->h_dest, dev->dev_addr, ETH_ALEN) ||
	       eth->h_dest[0] & 1;
}

noinline void netif_receive_skb(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	const struct ethhdr *eth;

	dev->rx_packets++;
	dev->rx_bytes += skb->len;
	skb->tstamp = this_cpu_read(softnet_now);
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN))) {
		kfree_skb_reason(skb, DROP_DEV_RUNT);
		return;
	}
	eth = (const struct ethhdr *)skb->data;
	if (unlikely(!eth_for_us(dev, eth))) {
		kfree_skb_reason(skb, DROP_ETH_OTHER_HOST);
		return;
	}
	skb->protocol = eth->h_proto;
	if (likely(skb->protocol == cpu_to_be16(ETH_P_IP))) {
		skb_pull(skb, ETH_HLEN);
		ip_rcv(skb);
	} else if (skb->protocol == cpu_to_be16(ETH_P_IPV6)) {
		skb_pull(skb, ETH_HLEN);
		ip6_rcv(skb);
	} else {
		lwip_input(skb);
	}
}

/* ---- out ---- */

/*
 * Rings the doorbell, or leaves that to the batch that is open on this CPU; a
 * batch has place for one device, a second one rings at once.
 */
static inline void kick_locked(struct net_device *dev)
{
	if (this_cpu_read(xmit_depth)) {
		struct net_device *owed = this_cpu_read(xmit_unkicked);

		if (!owed)
			this_cpu_write(xmit_unkicked, dev);
		if (!owed || owed == dev)
			return;
	}
	dev->tx_unkicked = false;
	dev->ops->kick(dev);
}

/* True if the device took it; else the ring is full. */
static inline bool xmit_locked(struct net_device *dev, struct sk_buff *skb)
{
	/* The device may be done with @skb before it returns. */
	dev->tx_bytes += skb->len;
	if (unlikely(dev->ops->start_xmit(dev, skb))) {
		dev->tx_bytes -= skb->len;
		dev->tx_stopped = true;
		return false;
	}
	dev->tx_packets++;
	dev->tx_unkicked = true;
	return true;
}

static noinline int queue_locked(struct net_device *dev, struct sk_buff *skb)
{
	if (dev->tx_queue.qlen >= TX_QUEUE_LEN) {
		kfree_skb_reason(skb, DROP_DEV_TX_FULL);
		return -ENOBUFS;
	}
	skb_queue_tail(&dev->tx_queue, skb);
	return 0;
}

static noinline int drop_down(struct sk_buff *skb)
{
	kfree_skb_reason(skb, DROP_DEV_DOWN);
	return -ENETDOWN;
}

int dev_queue_xmit(struct net_device *dev, struct sk_buff *skb)
{
	int err = 0;

	if (unlikely(!READ_ONCE(dev->link_up)))
		return drop_down(skb);
	skb->dev = dev;
	spin_lock_bh(&dev->tx_lock);
	if (likely(!dev->tx_stopped) && likely(xmit_locked(dev, skb)))
		kick_locked(dev);
	else
		err = queue_locked(dev, skb);
	spin_unlock_bh(&dev->tx_lock);
	return err;
}

void netif_wake_queue(struct net_device *dev)
{
	struct sk_buff *skb;

	spin_lock_bh(&dev->tx_lock);
	dev->tx_stopped = false;
	while ((skb = skb_peek(&dev->tx_queue))) {
		skb_unlink(&dev->tx_queue, skb);
		if (!xmit_locked(dev, skb)) {
			list_add(&skb->list, &dev->tx_queue.list);
			dev->tx_queue.qlen++;
			break;
		}
	}
	if (dev->tx_unkicked)
		kick_locked(dev);
	spin_unlock_bh(&dev->tx_lock);
}

void dev_xmit_batch_kick(void)
{
	struct net_device *dev;

	/* A softirq that came in between has rung already: then it is NULL. */
	local_bh_disable();
	dev = this_cpu_read(xmit_unkicked);
	if (dev) {
		this_cpu_write(xmit_unkicked, NULL);
		spin_lock(&dev->tx_lock);
		if (dev->tx_unkicked)
			kick_locked(dev);
		spin_unlock(&dev->tx_lock);
	}
	local_bh_enable();
}

__cold void net_dev_init(void)
{
	timer_setup(&stuck_timer, stuck_timer_fired);
	open_softirq(NET_RX_SOFTIRQ, net_rx_action);
	loopback_init();
}
