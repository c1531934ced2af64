/*
 * The frame of the port: the lock that makes lwIP one caller at a time, what
 * leaves lwIP when the lock is given back, and the services that lwIP asks
 * of its system (memory, randomness, a place to fail).
 */
#include "net/lwip/port_internal.h"

#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/random.h"
#include "net/lwip/lwip_port.h"

struct lwip_port port = {
	.lock = SPINLOCK_INIT,
	.out.list = LIST_HEAD_INIT(port.out.list),
	.up.list = LIST_HEAD_INIT(port.up.list),
	.wq = WAIT_QUEUE_HEAD_INIT(port.wq),
};

void lwip_lock(void)
{
	spin_lock_bh(&port.lock);
}

static void take_all(struct sk_buff_head *from, struct sk_buff_head *to)
{
	skb_queue_head_init(to);
	list_splice_init(&from->list, &to->list);
	to->qlen = from->qlen;
	from->qlen = 0;
}

/* A stolen skb whose pbuf lwIP still keeps: its bytes may yet change. */
static struct sk_buff *unshare(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (likely(!skb_shared(skb)))
		return skb;
	copy = skb_copy_range(skb, 0, skb->len, skb->dev->headroom);
	if (copy)
		copy->dev = skb->dev;
	else
		count_drop(DROP_NO_MEMORY, skb->len);
	kfree_skb(skb);
	return copy;
}

static void hand_on(struct sk_buff_head *out, struct sk_buff_head *up)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(out))) {
		skb = unshare(skb);
		if (skb)
			dev_queue_xmit(skb->dev, skb);
	}
	while ((skb = skb_dequeue(up)))
		lwip_up_cb(skb)->deliver(skb);
}

/* More than a single frame. */
static noinline void unlock_slow(void)
{
	struct sk_buff_head out, up;
	struct lwip_icmp_error err;

	take_all(&port.out, &out);
	take_all(&port.up, &up);
	err = port.icmp_error;
	port.icmp_error.skb = NULL;
	spin_unlock(&port.lock);
	hand_on(&out, &up);
	if (err.skb)
		lwip_icmp_error_deliver(&err);
	local_bh_enable();
}

void lwip_unlock(void)
{
	struct sk_buff *skb;

	if (unlikely(port.pokes))
		lwip_timers_update();
	if (port.up.qlen || port.out.qlen > 1 || port.icmp_error.skb) {
		unlock_slow();
		return;
	}
	skb = skb_dequeue(&port.out);
	spin_unlock(&port.lock);
	if (skb)
		skb = unshare(skb);
	if (skb)
		dev_queue_xmit(skb->dev, skb);
	local_bh_enable();
}

void lwip_port_assert(int line)
{
	panic("lwIP: assertion in line %d of the caller's file", line);
}

u16 lwip_port_chksum(const void *data, int len)
{
	return (u16)~csum_fold(csum_partial(data, (u32)len, 0));
}

u32 lwip_port_rand(void)
{
	return get_random_u32();
}

void *lwip_no_memory(enum drop_reason why, u32 len)
{
	count_drop(why, len);
	lwip_poke(JOB_ARP);
	lwip_poke(JOB_ND6);
	return NULL;
}

void *lwip_port_malloc(size_t size)
{
	void *p = kmalloc(size);

	return p ? p : lwip_no_memory(DROP_LWIP_BUSY, 0);
}

void *lwip_port_calloc(size_t n, size_t size)
{
	void *p = kcalloc(n, size);

	return p ? p : lwip_no_memory(DROP_LWIP_BUSY, 0);
}

void lwip_port_free(void *p)
{
	kfree(p);
}

void lwip_port_init(void)
{
	struct net_device *lo = dev_get_by_name("lo");
	int err;

	lwip_lock();
	lwip_init();
	lwip_timers_init();
	err = lwip_raw_init();
	lwip_unlock();
	if (err || (lo && lwip_add_netdev(lo)))
		panic("no memory for the IP stack: give the machine more");
}
