/*
 * Network devices and the poll loop between them and the protocols.
 *
 * In: the driver's interrupt calls napi_schedule(); net_rx_action() (NET_RX
 * softirq) calls its poll with a budget; poll hands each packet to
 * netif_receive_skb(). Out: dev_queue_xmit() hands packets to start_xmit and
 * rings the doorbell once for each batch.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/percpu.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "kernel/types.h"
#include "net/skbuff.h"

#define ETH_ALEN	6
#define ETH_HLEN	14
#define ETH_P_IP	0x0800
#define ETH_P_ARP	0x0806
#define ETH_P_IPV6	0x86dd

struct ethhdr {
	u8 h_dest[ETH_ALEN];
	u8 h_source[ETH_ALEN];
	be16 h_proto;
} __packed;

#define NETIF_F_HW_CSUM	(1u << 0)	/* finishes CHECKSUM_PARTIAL */
#define NETIF_F_TSO	(1u << 1)	/* cuts SKB_GSO_TCPV4 */
#define NETIF_F_TSO6	(1u << 2)
#define NETIF_F_LOOPBACK (1u << 3)

#define NAPI_WEIGHT	64	/* packets per poll */
#define NET_STUCK_NS	(100 * NSEC_PER_MSEC)
#define TX_QUEUE_LEN	1000	/* packets that may wait for the device */

struct net_device;

/* One receive queue that wants polling. */
struct napi_struct {
	struct napi_struct *next;	/* its CPU's list, interrupts off */
	u32 scheduled;			/* atomic; on a poll list or polled */
	struct net_device *dev;		/* c */
	/*
	 * Softirq. Handles at most @budget packets and returns how many; if
	 * fewer, it has called napi_complete() and the interrupt is on again.
	 */
	int (*poll)(struct napi_struct *napi, int budget);
};

struct net_device_ops {
	/*
	 * Softirqs off, dev->tx_lock held. Takes @skb over and returns 0, or
	 * returns -EBUSY and leaves it with the caller (ring full; the driver
	 * calls netif_wake_queue() when there is room).
	 */
	int (*start_xmit)(struct net_device *dev, struct sk_buff *skb);
	/* The same context: tells the device of everything since the last. */
	void (*kick)(struct net_device *dev);
	/*
	 * May be NULL. The context of start_xmit: true if the device has taken
	 * every frame that it was given.
	 */
	bool (*tx_idle)(struct net_device *dev);
	/*
	 * May be NULL. Softirq, every NET_STUCK_NS: looks for work whose
	 * interrupt got lost.
	 */
	void (*poll_stuck)(struct net_device *dev);
};

/* Locks: c const after registration, t tx_lock. */
struct net_device {
	char name[16];			/* c */
	int ifindex;			/* c */
	u8 dev_addr[ETH_ALEN];		/* c */
	u16 mtu;			/* c  IP bytes per frame */
	u32 features;			/* c  NETIF_F_ */
	u32 headroom;			/* c  bytes the driver pushes */
	bool link_up;			/* driver; read freely */
	const struct net_device_ops *ops; /* c */
	void *priv;			/* c  the driver's */
	struct spinlock tx_lock;
	struct sk_buff_head tx_queue;	/* t  waiting for room */
	bool tx_stopped;		/* t  ring was full */
	bool tx_unkicked;	/* t  frames the device was not told of */
	u64 rx_packets, rx_bytes;	/* softirq */
	u64 tx_packets, tx_bytes;	/* t */
	struct list_head list;		/* device list, boot only */
	void *netif;			/* c  lwIP's view of it */
};

/*
 * Registers @dev for good, gives it an ifindex and, if it has none, a name
 * (eth0, eth1, ...). 0, or -EEXIST if the name is taken. Boot.
 */
int register_netdev(struct net_device *dev);
struct net_device *dev_get_by_name(const char *name);
struct net_device *dev_get_by_index(int ifindex);
/* The first device that is not the loopback; NULL if there is none. */
struct net_device *dev_first(void);

void napi_init(struct napi_struct *napi, struct net_device *dev,
	       int (*poll)(struct napi_struct *napi, int budget));
/*
 * Puts @napi on this CPU's poll list and raises NET_RX, once until
 * napi_complete(). True if it was not on it. Hardirq or interrupts off.
 */
bool napi_schedule(struct napi_struct *napi);
/* Takes it off. Softirq, from poll only. */
void napi_complete(struct napi_struct *napi);

/*
 * The packet's way up: takes @skb, whose dev is set and whose data is at the
 * Ethernet header. Stamps it with the time of this softirq. Softirq.
 */
void netif_receive_skb(struct sk_buff *skb);

/* Frames from this size on are worth a try; all headers are in it. */
#define GRO_FRAME_MIN	576u
/*
 * As netif_receive_skb(), but joins TCP segments that follow each other, and
 * may keep them until napi_gro_flush(), which the same poll calls at its end.
 * In between, every frame comes this way. Softirq.
 */
void napi_gro_receive(struct sk_buff *skb);
void napi_gro_flush(void);

/*
 * Sends @skb, whose data starts with the link header. Takes it over; what
 * finds no room waits in tx_queue (bounded). 0, or after dropping and
 * counting it -ENETDOWN, -ENOBUFS. Softirq or task. The doorbell rings now,
 * unless a batch is open.
 */
int dev_queue_xmit(struct net_device *dev, struct sk_buff *skb);

/* Open batches on this CPU, and whose doorbell they owe. */
DECLARE_PER_CPU(u32, xmit_depth);
DECLARE_PER_CPU(struct net_device *, xmit_unkicked);

/* Rings what a batch saved up. */
void dev_xmit_batch_kick(void);

/*
 * Between these two, doorbells are saved up; the end rings once for each
 * device that has frames waiting. They nest. No sleeping in between.
 */
static inline void dev_xmit_batch_begin(void)
{
	this_cpu_add(xmit_depth, 1);
}

static inline void dev_xmit_batch_end(void)
{
	this_cpu_add(xmit_depth, -1);
	if (this_cpu_read(xmit_unkicked) && !this_cpu_read(xmit_depth))
		dev_xmit_batch_kick();
}

/* The driver has room again: sends what waits. Softirq. */
void netif_wake_queue(struct net_device *dev);

/* NET_RX, the loopback device, the timer behind poll_stuck. Boot. */
void net_dev_init(void);

/* For /proc/net/dev: calls @fn for each device. Any context. */
void dev_for_each(void (*fn)(struct net_device *dev, void *arg), void *arg);
