/*
 * virtio-net, inward: from the used ring to packets, and fresh buffers back.
 * The device writes straight into an skb; a packet that is larger than one
 * buffer becomes a chain of pieces. Called from virtnet_poll() (softirq).
 */
#include "drivers/virtio_net_internal.h"

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"

#define CSUM_OFFSET_TCP	16

/* With mergeable buffers one of them is a 2 KiB object, header included. */
#define RX_OBJECT	2048u
#define RX_BUFFERS_MIN	16u
#define RX_BUFFERS_START 64	/* enough for one packet of guest TSO */
#define RX_BUFFERS_MAX	256u
/* 1/64 of the memory may lie in the receive ring. */
#define RX_MEMORY_SHARE	64u
#define VLAN_HLEN	4u
#define RX_BULK		16u	/* buffers allocated at once */

/* The Internet checksum (RFC 1071) of everything from @off on. */
static u16 checksum_from(const struct sk_buff *skb, u32 off)
{
	u32 sum = 0;
	u8 chunk[128];

	while (off < skb->len) {
		u32 n = min(skb->len - off, (u32)sizeof(chunk));

		skb_copy_bits(skb, off, chunk, n);
		if (n & 1)
			chunk[n] = 0;
		for (u32 i = 0; i < n; i += 2)
			sum += get_be16(chunk + i);
		off += n;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* Finishes the checksum whose field lies at @field, over all from @start. */
static noinline bool rx_finish(struct sk_buff *skb, u32 start, u32 field)
{
	if (!pskb_may_pull(skb, field + 2))
		return false;
	put_be16(checksum_from(skb, start), skb->data + field);
	return true;
}

/*
 * NEEDS_CSUM: the packet never was on a wire; its checksum field holds only
 * the pseudo header's sum. TCP is told that it is right. The others' code
 * looks at the field itself, so there it is finished here. The offsets come
 * from outside: false if they do not lie inside the packet.
 */
static inline bool rx_partial(struct sk_buff *skb, u16 start, u16 offset)
{
	u32 field = (u32)start + offset;

	if (unlikely(start < ETH_HLEN || field + 2 > skb->len))
		return false;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return likely(offset == CSUM_OFFSET_TCP) ||
	       rx_finish(skb, start, field);
}

/* Several segments in one (guest TSO): says how they were cut. */
static noinline bool rx_gso(struct sk_buff *skb, u8 type, u16 hdr_len,
			    u16 gso_size)
{
	if (!gso_size || hdr_len >= skb->len)
		return false;
	if ((type & ~VIRTIO_NET_GSO_ECN) == VIRTIO_NET_GSO_TCPV4)
		skb->gso_type = SKB_GSO_TCPV4;
	else if ((type & ~VIRTIO_NET_GSO_ECN) == VIRTIO_NET_GSO_TCPV6)
		skb->gso_type = SKB_GSO_TCPV6;
	else
		return false;
	if (type & VIRTIO_NET_GSO_ECN)
		skb->gso_type |= SKB_GSO_ECN;
	skb->gso_size = gso_size;
	skb->gso_segs = (u16)DIV_ROUND_UP(skb->len - hdr_len, gso_size);
	return true;
}

/*
 * What the device says about checksum and segments; false: nonsense. Every
 * field is read once: what was checked must not change before its use.
 */
static inline bool rx_offloads(struct sk_buff *skb,
			       const struct virtio_net_hdr *hdr, u16 what)
{
	if (what & VIRTIO_NET_HDR_NEEDS_CSUM) {
		if (!rx_partial(skb, READ_ONCE(hdr->csum_start),
				READ_ONCE(hdr->csum_offset)))
			return false;
	} else if (what & VIRTIO_NET_HDR_DATA_VALID) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}
	return likely(what >> 8 == VIRTIO_NET_GSO_NONE) ||
	       rx_gso(skb, (u8)(what >> 8), READ_ONCE(hdr->hdr_len),
		      READ_ONCE(hdr->gso_size));
}

/*
 * Adds the other buffers of a packet, which the device hands over together
 * (5.1.6.4). False if they are not there: then nobody knows where the next
 * packet starts, and the device is given up.
 */
static noinline bool rx_merge(struct virtnet *vi, struct sk_buff *skb,
			      u16 buffers)
{
	while (--buffers) {
		struct sk_buff *piece;
		u32 len;

		piece = virtqueue_get_buf(&vi->rx, &len);
		if (!piece) {
			virtio_break(vi->vdev, "packet lacks some buffers");
			return false;
		}
		vi->rx_posted--;
		if (!len) {
			kfree_skb(piece);
			continue;
		}
		skb_put(piece, len);
		skb_add_frag(skb, piece);
	}
	return true;
}

static noinline __cold struct sk_buff *rx_bad(struct virtnet *vi,
					      struct sk_buff *skb,
					      enum drop_reason why)
{
	if (why == DROP_DEV_RUNT)
		vi->stats.rx_short++;
	else
		vi->stats.rx_bad_header++;
	kfree_skb_reason(skb, why);
	return NULL;
}

static inline struct sk_buff *rx_one(struct virtnet *vi, struct sk_buff *skb,
				     u32 len)
{
	const struct virtio_net_hdr *hdr = (const void *)skb->data;
	u16 buffers = 1, what = READ_ONCE(hdr->what);

	if (unlikely(len < vi->hdr_len))
		return rx_bad(vi, skb, DROP_DEV_RUNT);
	/* The queue has checked that @len is not above the tailroom. */
	skb->data += vi->hdr_len;
	skb->len = len - vi->hdr_len;
	if (vi->mergeable)
		buffers = READ_ONCE(hdr->num_buffers);
	if (unlikely(buffers != 1) &&
	    (!buffers || !rx_merge(vi, skb, buffers)))
		return rx_bad(vi, skb, DROP_DEV_BAD_LENGTH);
	if (unlikely(skb->len < ETH_HLEN))
		return rx_bad(vi, skb, DROP_DEV_RUNT);
	if (unlikely(!rx_offloads(skb, hdr, what)))
		return rx_bad(vi, skb, DROP_DEV_BAD_LENGTH);
	skb->dev = &vi->dev;
	return skb;
}

__inline_hot struct sk_buff *virtnet_receive(struct virtnet *vi)
{
	struct sk_buff *skb;
	u32 len;

	skb = virtqueue_take_buf(&vi->rx, &len);
	if (unlikely(!skb))
		return NULL;
	vi->rx_posted--;
	return rx_one(vi, skb, len);
}

/* Legacy cards may want the header in a descriptor of its own. */
static bool post_split(struct virtnet *vi, struct sk_buff *skb)
{
	phys_addr_t addr = virt_to_phys(skb->data);
	struct vq_buf bufs[2] = {
		{ addr, vi->hdr_len },
		{ addr + vi->hdr_len, skb_tailroom(skb) - vi->hdr_len },
	};

	return !virtqueue_add(&vi->rx, bufs, 0, 2, skb);
}

/* One at a time: what is larger than the caches have, or is split. */
static noinline bool post_odd(struct virtnet *vi)
{
	struct sk_buff *skb = alloc_skb(vi->rx_buf_size);
	bool done;

	if (!skb) {
		vi->stats.rx_no_memory++;
		return false;
	}
	skb_reserve(skb, vi->rx_reserve);
	if (vi->split_hdr && !vi->mergeable)
		done = post_split(vi, skb);
	else
		done = virtqueue_add_one(&vi->rx, virt_to_phys(skb->data),
					 vi->rx_buf_size - vi->rx_reserve,
					 VRING_DESC_WRITE, skb);
	if (done)
		vi->rx_posted++;
	else
		kfree_skb(skb);
	return done;
}

/* Up to @want buffers more; false: memory or the ring is out. */
static bool post_some(struct virtnet *vi, u32 want)
{
	struct sk_buff *skb[RX_BULK];
	u32 ask = min(want, RX_BULK), n, done;

	if (unlikely(vi->rx_buf_size > SKB_MAX_LINEAR ||
		     (vi->split_hdr && !vi->mergeable)))
		return post_odd(vi);
	n = alloc_skb_bulk(vi->rx_buf_size, vi->rx_reserve, ask, skb);
	if (unlikely(n < ask))
		vi->stats.rx_no_memory++;
	done = virtqueue_add_many(&vi->rx, (void **)skb, n,
				  (u32)sizeof(**skb) + vi->rx_reserve,
				  vi->rx_buf_size - vi->rx_reserve);
	vi->rx_posted += (u16)done;
	for (u32 i = done; i < n; i++)
		kfree_skb(skb[i]);
	return done == ask;
}

u32 virtnet_rx_buffers(void)
{
	u64 n = nr_total_pages() * PAGE_SIZE / RX_MEMORY_SHARE / RX_OBJECT;

	return (u32)clamp(n, (u64)RX_BUFFERS_MIN, (u64)RX_BUFFERS_MAX);
}

__cold void virtnet_rx_setup(struct virtnet *vi, u32 mtu)
{
	/* The Ethernet header is 14 bytes: puts what follows on 4. */
	vi->rx_reserve = (u16)(-(vi->hdr_len + ETH_HLEN) & 3);
	vi->rx_buf_size = RX_OBJECT - sizeof(struct sk_buff);
	if (!vi->mergeable)
		vi->rx_buf_size = max(vi->rx_buf_size,
				      vi->rx_reserve + vi->hdr_len +
				      ETH_HLEN + VLAN_HLEN + mtu);
	vi->rx_max = (u16)min(virtnet_rx_buffers(), (u32)vi->rx.num);
	if (vi->split_hdr && !vi->mergeable)
		vi->rx_max = min(vi->rx_max, vi->rx.num / 2);
	vi->rx_target = min(vi->rx_max, RX_BUFFERS_START);
	vi->rx_batch = max(vi->rx_target / 8, 1);
}

__cold void virtnet_rx_abandon(struct virtnet *vi)
{
	struct sk_buff *skb;

	while ((skb = virtqueue_detach_unused_buf(&vi->rx)))
		kfree_skb(skb);
	vi->rx_posted = 0;
}

void virtnet_refill(struct virtnet *vi)
{
	while (vi->rx_posted < vi->rx_target &&
	       post_some(vi, vi->rx_target - vi->rx_posted))
		;
	virtqueue_kick(&vi->rx);
}
