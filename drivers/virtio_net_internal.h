/*
 * What the parts of the virtio-net driver share: virtio_net.c (probe,
 * interrupt, poll, timer), virtio_net_rx.c, virtio_net_tx.c.
 *
 * LOCKING: the receive queue belongs to whoever polls it (napi sees to there
 * being one); the transmit queue to the holder of dev.tx_lock.
 */
#pragma once

#include "drivers/virtio.h"
#include "drivers/virtio_ring.h"
#include "kernel/compiler.h"
#include "kernel/timer.h"
#include "kernel/types.h"
#include "net/dev.h"

/* Feature bits (VIRTIO 1.2, 5.1.3). */
#define VIRTIO_NET_F_CSUM	VIRTIO_F(0)
#define VIRTIO_NET_F_GUEST_CSUM	VIRTIO_F(1)
#define VIRTIO_NET_F_MTU	VIRTIO_F(3)
#define VIRTIO_NET_F_MAC	VIRTIO_F(5)
#define VIRTIO_NET_F_GUEST_TSO4	VIRTIO_F(7)
#define VIRTIO_NET_F_GUEST_TSO6	VIRTIO_F(8)
#define VIRTIO_NET_F_GUEST_ECN	VIRTIO_F(9)
#define VIRTIO_NET_F_HOST_TSO4	VIRTIO_F(11)
#define VIRTIO_NET_F_HOST_TSO6	VIRTIO_F(12)
#define VIRTIO_NET_F_HOST_ECN	VIRTIO_F(13)
#define VIRTIO_NET_F_MRG_RXBUF	VIRTIO_F(15)
#define VIRTIO_NET_F_STATUS	VIRTIO_F(16)

/* In front of every packet (5.1.6). Little-endian, as we are. */
struct virtio_net_hdr {
	union {
		struct {
			u8 flags;
			u8 gso_type;
		};
		u16 what;	/* both, flags in the low byte */
	};
	u16 hdr_len;
	u16 gso_size;
	u16 csum_start;		/* from the Ethernet header on */
	u16 csum_offset;
	u16 num_buffers;	/* missing if legacy without MRG_RXBUF */
} __packed;		/* packets may start anywhere */

#define VIRTIO_NET_HDR_SIZE	12
#define VIRTIO_NET_HDR_OLD_SIZE	10
_Static_assert(sizeof(struct virtio_net_hdr) == VIRTIO_NET_HDR_SIZE, "5.1.6");

#define VIRTIO_NET_HDR_NEEDS_CSUM	1
#define VIRTIO_NET_HDR_DATA_VALID	2
#define VIRTIO_NET_GSO_NONE	0
#define VIRTIO_NET_GSO_TCPV4	1
#define VIRTIO_NET_GSO_TCPV6	4
#define VIRTIO_NET_GSO_ECN	0x80

/* Counters; the log shows those that are not 0 when something goes wrong. */
#define VIRTNET_COUNTERS(X)						\
	X(interrupts)							\
	X(polls)							\
	X(rx_short)		/* shorter than its headers */		\
	X(rx_bad_header)	/* offload fields make no sense */	\
	X(rx_no_memory)		/* no buffer for the ring */		\
	X(tx_ring_full)							\
	X(tx_copied)		/* pieces or headroom did not fit */	\
	X(tx_dropped)							\
	X(lost_interrupts)	/* found by the timer */		\
	X(lost_doorbells)	/* the same */				\
	X(restarts)		/* after the device was stopped */	\
	X(config_changes)

struct virtnet_stats {
#define X(name) u64 name;
	VIRTNET_COUNTERS(X)
#undef X
};

/* A transmitted packet has at most so many pieces; else it is copied. */
#define TX_PIECES	72u

/* Locks: c const after probe, p the poller's, t dev.tx_lock. */
struct virtnet {
	struct virtio_device *vdev;	/* c */
	struct napi_struct napi;
	struct virtqueue rx;		/* p */
	u32 rx_buf_size;		/* c  to ask alloc_skb() for */
	u16 rx_reserve;			/* c  so that IP headers are aligned */
	u16 hdr_len;			/* c  of virtio_net_hdr, on the wire */
	u16 rx_batch;			/* c  refill so many at a time */
	u16 rx_posted;			/* p  buffers that the device has */
	u16 rx_target;			/* p  and that it should have */
	u16 rx_max;			/* c  at most, after large bursts */
	bool mergeable;			/* c  packets span buffers */
	bool split_hdr;			/* c  header in its own descriptor */
	bool tx_wait;			/* t  ring full; read freely */
	struct virtqueue tx;		/* t */
	struct net_device dev;
	struct timer timer;		/* see virtnet_timer() */
	u64 restart_at;			/* p  ns; 0: it has not been stopped */
	u32 tx_stuck;			/* timer's: looks while tx rests */
	u64 seen_packets;		/* timer's: rx_packets at last look */
	u16 seen_tx;			/* t  tx.published at last look */
	struct virtnet_stats stats;	/* by whoever; a hint */
	struct virtio_net_hdr plain_hdr; /* c  all 0, for lack of headroom */
	struct vq_buf tx_bufs[TX_PIECES + 2]; /* t  scratch */
};

static inline struct virtnet *to_virtnet(struct net_device *dev)
{
	return container_of(dev, struct virtnet, dev);
}

/* --- virtio_net_rx.c --- */

/*
 * Decides on the size and number of buffers, once features are agreed on;
 * @mtu is the largest that the device may send. Probe.
 */
void virtnet_rx_setup(struct virtnet *vi, u32 mtu);
/* How many buffers this machine's memory has room for. */
u32 virtnet_rx_buffers(void);
/* The device has been stopped: takes all buffers back. Poller or probe. */
void virtnet_rx_abandon(struct virtnet *vi);

/*
 * The next received packet, of which virtqueue_more_used() has told, its vnet
 * header taken off and understood; NULL if it had to be dropped, or the device
 * is broken. Poller.
 */
struct sk_buff *virtnet_receive(struct virtnet *vi);
/* Gives the device fresh buffers up to the target, one kick. Poller. */
void virtnet_refill(struct virtnet *vi);
/*
 * One poll took @used buffers, half of the ring or more: from now on twice as
 * many, up to rx_max. Memory follows the traffic, and boot need not wait.
 */
static inline void virtnet_adapt(struct virtnet *vi, int used)
{
	if (unlikely(used >= vi->rx_target / 2))
		vi->rx_target = min(vi->rx_target * 2, (int)vi->rx_max);
}

/* Has the device so few that they must be topped up? */
static inline bool virtnet_wants_refill(const struct virtnet *vi)
{
	return vi->rx_target - vi->rx_posted >= vi->rx_batch;
}

/* --- virtio_net_tx.c --- */

/* The two of struct net_device_ops. */
int virtnet_start_xmit(struct net_device *dev, struct sk_buff *skb);
void virtnet_kick(struct net_device *dev);
bool virtnet_tx_idle(struct net_device *dev);
/*
 * Frees what has been sent, and wakes the queue if it waited for room.
 * Softirq, without dev.tx_lock.
 */
void virtnet_tx_clean(struct virtnet *vi);
/*
 * Rings again if the device has not sent what it was given at the last look.
 * Softirq, without dev.tx_lock. True if it had to.
 */
bool virtnet_tx_remind(struct virtnet *vi);

/* --- virtio_net.c --- */

void virtnet_start_timer(struct virtnet *vi);

/* Sees to it that the timer looks after this device soon. Softirq. */
static inline void virtnet_watch(struct virtnet *vi)
{
	if (unlikely(!timer_pending(&vi->timer)))
		virtnet_start_timer(vi);
}
