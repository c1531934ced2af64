/*
 * virtio-net, outward: a packet's pieces become descriptors, the vnet header
 * goes into the headroom. Sent packets are freed without interrupts: at the
 * next transmission, or by the timer. Only a full ring asks for one.
 */
#include "drivers/virtio_net_internal.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/trace.h"

#define TCP_DOFF	12	/* offset of the header's length in it */

/*
 * With each packet that goes, up to two that have gone are freed: more than
 * come, and no burst of them that the caches would pass on to the slabs.
 */
#define REAP_EACH	2u

/* Frees at most @n packets that the device is done with. */
static inline void tx_reap(struct virtnet *vi, u32 n)
{
	struct sk_buff *skb;
	u32 len;

	for (; n && virtqueue_more_used(&vi->tx); n--) {
		skb = virtqueue_take_buf(&vi->tx, &len);
		if (unlikely(!skb))
			break;
		kfree_skb(skb);
	}
}

/* The device is broken and was stopped: nothing will come back. */
static void tx_abandon(struct virtnet *vi)
{
	struct sk_buff *skb;

	while ((skb = virtqueue_detach_unused_buf(&vi->tx)))
		kfree_skb(skb);
}

static bool needs_offload(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_PARTIAL || skb->gso_size;
}

static noinline void fill_gso(struct virtio_net_hdr *hdr,
			      const struct sk_buff *skb)
{
	const u8 *tcp = skb->head + skb->csum_start;

	hdr->gso_type = skb->gso_type & SKB_GSO_TCPV6 ? VIRTIO_NET_GSO_TCPV6 :
							VIRTIO_NET_GSO_TCPV4;
	if (skb->gso_type & SKB_GSO_ECN)
		hdr->gso_type |= VIRTIO_NET_GSO_ECN;
	hdr->gso_size = skb->gso_size;
	hdr->hdr_len = hdr->csum_start + (u16)(tcp[TCP_DOFF] >> 4) * 4;
}

/*
 * Writes the header in front of the data, which stays as it is: the headroom
 * is the device's, whoever else holds the packet. The shorter header is the
 * longer one without its end, so it must not reach into the data.
 */
static inline void push_header(struct virtnet *vi, struct sk_buff *skb)
{
	struct virtio_net_hdr *hdr = (void *)(skb->data - vi->hdr_len);
	u64 words = 0;
	u16 offset = 0;

	if (likely(skb->ip_summed == CHECKSUM_PARTIAL)) {
		u16 start = (u16)(skb->csum_start - skb_headroom(skb));

		words = VIRTIO_NET_HDR_NEEDS_CSUM | (u64)start << 48;
		offset = skb->csum_offset;
	}
	__builtin_memcpy(hdr, &words, sizeof(words));
	hdr->csum_offset = offset;
	if (likely(vi->hdr_len == VIRTIO_NET_HDR_SIZE))
		hdr->num_buffers = 0;
	if (unlikely(skb->gso_size))
		fill_gso(hdr, skb);
}

/* The pieces behind the first; 0 if there are more than TX_PIECES. */
static unsigned int add_pieces(struct virtnet *vi, const struct sk_buff *skb,
			       unsigned int n)
{
	const struct sk_buff *piece;

	for (piece = skb->frag_list; piece; piece = piece->frag_next) {
		if (n == ARRAY_SIZE(vi->tx_bufs))
			return 0;
		if (!skb_headlen(piece))
			continue;
		vi->tx_bufs[n].addr = virt_to_phys(piece->data);
		vi->tx_bufs[n].len = skb_headlen(piece);
		n++;
	}
	return n;
}

/* Descriptors for @skb into vi->tx_bufs: their number, 0 if it cannot be. */
static unsigned int map_packet(struct virtnet *vi, struct sk_buff *skb)
{
	struct vq_buf *bufs = vi->tx_bufs;
	u16 hdr_len = vi->hdr_len;
	unsigned int n = 1;

	bufs[0].addr = virt_to_phys(skb->data);
	bufs[0].len = skb_headlen(skb);
	if (likely(skb_headroom(skb) >= hdr_len)) {
		push_header(vi, skb);
		bufs[0].addr -= hdr_len;
		bufs[0].len += hdr_len;
		if (unlikely(vi->split_hdr)) {
			bufs[1].addr = bufs[0].addr + hdr_len;
			bufs[1].len = bufs[0].len - hdr_len;
			bufs[0].len = hdr_len;
			n = 2;
		}
	} else if (!needs_offload(skb)) {
		bufs[1] = bufs[0];
		bufs[0].addr = virt_to_phys(&vi->plain_hdr);
		bufs[0].len = hdr_len;
		n = 2;
	} else {
		return 0;
	}
	return skb->frag_list ? add_pieces(vi, skb, n) : n;
}

/* A copy in one piece, with everything that the device must know of it. */
static struct sk_buff *copy_packet(struct virtnet *vi, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy_range(skb, 0, skb->len, vi->hdr_len);

	vi->stats.tx_copied++;
	if (!copy)
		return NULL;
	copy->ip_summed = skb->ip_summed;
	copy->csum_start = (u16)(skb->csum_start - skb_headroom(skb) +
				 skb_headroom(copy));
	copy->csum_offset = skb->csum_offset;
	copy->gso_size = skb->gso_size;
	copy->gso_segs = skb->gso_segs;
	copy->gso_type = skb->gso_type;
	return copy;
}

/* A packet in one piece with headroom, as nearly all: one descriptor. */
static inline bool queue_simple(struct virtnet *vi, struct sk_buff *skb)
{
	u32 hdr_len = vi->hdr_len;

	if (unlikely(skb->frag_list || skb_headroom(skb) < hdr_len ||
		     vi->split_hdr))
		return false;
	push_header(vi, skb);
	return virtqueue_add_one(&vi->tx, virt_to_phys(skb->data) - hdr_len,
				 skb->len + hdr_len, 0, skb);
}

static int queue_packet(struct virtnet *vi, struct sk_buff *skb)
{
	unsigned int n = map_packet(vi, skb);

	return n ? virtqueue_add(&vi->tx, vi->tx_bufs, n, 0, skb) : -E2BIG;
}

static void tx_drop(struct virtnet *vi, struct sk_buff *skb,
		    enum drop_reason why)
{
	vi->stats.tx_dropped++;
	kfree_skb_reason(skb, why);
}

/*
 * The ring is full: asks for an interrupt. True if room has come up in the
 * meantime, so that there may be none.
 */
static bool wait_for_room(struct virtnet *vi)
{
	vi->stats.tx_ring_full++;
	WRITE_ONCE(vi->tx_wait, true);
	if (virtqueue_enable_cb_delayed(&vi->tx))
		return false;
	virtqueue_disable_cb(&vi->tx);
	WRITE_ONCE(vi->tx_wait, false);
	tx_reap(vi, vi->tx.num);
	return true;
}

/* The copy that is sent in @skb's place; both are used up, whatever comes. */
static int xmit_copy(struct virtnet *vi, struct sk_buff *skb)
{
	struct sk_buff *copy = copy_packet(vi, skb);
	int err;

	if (!copy) {
		tx_drop(vi, skb, DROP_NO_MEMORY);
		return 0;
	}
	err = queue_packet(vi, copy);
	if (!err) {
		kfree_skb(skb);
		return 0;
	}
	kfree_skb(copy);
	return err;
}

/* Chains, a full ring, a broken device. */
static noinline int xmit_slow(struct virtnet *vi, struct sk_buff *skb)
{
	int err;

	do {
		err = queue_packet(vi, skb);
		if (err == -E2BIG)
			err = xmit_copy(vi, skb);
		if (!err)
			return 0;
	} while (err == -ENOSPC && wait_for_room(vi));
	if (err == -ENOSPC)
		return -EBUSY;
	if (err == -EIO)
		tx_abandon(vi);
	tx_drop(vi, skb, DROP_DEV_DOWN);
	return 0;
}

int virtnet_start_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct virtnet *vi = to_virtnet(dev);

	trace(TRACE_VIRTNET_XMIT, skb->len, 0);
	tx_reap(vi, REAP_EACH);
	if (likely(queue_simple(vi, skb)))
		return 0;
	return xmit_slow(vi, skb);
}

void virtnet_kick(struct net_device *dev)
{
	struct virtnet *vi = to_virtnet(dev);

	virtqueue_kick(&vi->tx);
	virtnet_watch(vi);
}

bool virtnet_tx_idle(struct net_device *dev)
{
	struct virtnet *vi = to_virtnet(dev);

	tx_reap(vi, vi->tx.num);
	return vi->tx.num_free == vi->tx.num || vi->vdev->broken;
}

/*
 * True if who waited for room has enough: not for a single descriptor, a
 * wakeup should be worth it. Else the interrupt is on.
 */
static bool room_again(struct virtnet *vi)
{
	while (vi->tx_wait) {
		if (vi->tx.num_free >= vi->tx.num / 4 || vi->vdev->broken) {
			virtqueue_disable_cb(&vi->tx);
			WRITE_ONCE(vi->tx_wait, false);
			return true;
		}
		if (virtqueue_enable_cb_delayed(&vi->tx))
			break;
		tx_reap(vi, vi->tx.num);
	}
	return false;
}

void virtnet_tx_clean(struct virtnet *vi)
{
	bool wake;

	spin_lock(&vi->dev.tx_lock);
	tx_reap(vi, vi->tx.num);
	if (unlikely(vi->vdev->broken))
		tx_abandon(vi);
	wake = room_again(vi);
	spin_unlock(&vi->dev.tx_lock);
	if (wake)
		netif_wake_queue(&vi->dev);
}

bool virtnet_tx_remind(struct virtnet *vi)
{
	struct virtqueue *vq = &vi->tx;
	bool stuck;

	spin_lock(&vi->dev.tx_lock);
	/* Indices wrap: "in flight at the last look" is 1 to num ahead. */
	stuck = (u16)(vi->seen_tx - vq->last_used - 1) < vq->num &&
		!vi->vdev->broken;
	vi->seen_tx = vq->published;
	if (stuck)
		vq->notify(vq);
	spin_unlock(&vi->dev.tx_lock);
	return stuck;
}
