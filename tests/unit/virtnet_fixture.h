/*
 * The network card's driver on a fake card, for tests: start it, let the card
 * receive and send, run the softirq. All of it is one global card.
 */
#pragma once

#include "drivers/virtio_net_internal.h"
#include "kernel/byteorder.h"
#include "kernel/types.h"
#include "tests/unit/fake_virtio.h"

#define BASE	(VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC)
#define RING	(VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define OFFLOADS (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | \
		  VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | \
		  VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)
#define ALL	(BASE | RING | OFFLOADS | VIRTIO_NET_F_MRG_RXBUF | \
		 VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU)
#define RX	0
#define TX	1

extern struct fake_virtio card;
extern struct net_device *dev;
extern struct virtnet *vi;
extern struct napi_struct *scheduled;	/* on the poll list */
extern void (*on_complete)(void);	/* at the end of a poll, once */
extern struct sk_buff *received[300];	/* what netif_receive_skb() got */
extern unsigned int nr_received;
extern bool gro_open;			/* packets may be held back */
extern unsigned int nr_gro;		/* calls of napi_gro_receive() */
extern unsigned int wakes;		/* calls of netif_wake_queue() */
extern unsigned int wake_sends;		/* packets that it sends */
extern int register_error;		/* what register_netdev() answers */
extern u8 frame[70000];			/* every packet's bytes */
extern u8 seen[70000];			/* what card_sends() got */

int setup(void **state);
/* There is no way to remove a card: takes it apart by hand. */
int teardown(void **state);

/* A card that offers @offered; start() probes it as well. */
void make_card(u64 offered);
void start(u64 offered);
/* Length of struct virtio_net_hdr as agreed on. */
u32 hdr_len(void);

/* Runs the softirq until nothing is scheduled; returns the polls. */
unsigned int softirq(void);

/*
 * The card receives @len bytes of frame[] (behind @hdr). Its num_buffers is
 * set to what was needed, unless it is not 0.
 */
void card_receives(u32 len);
void card_receives_hdr(struct virtio_net_hdr hdr, u32 len);
void assert_received(unsigned int i, u32 len);
void drop_received(void);

/* The first @len bytes of frame[]. */
struct sk_buff *packet(u32 len, u32 headroom);
int xmit(struct sk_buff *skb);
/* The card sends: takes a packet into seen[] and gives it back. */
u32 card_sends(struct virtio_net_hdr *hdr);
