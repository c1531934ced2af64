/*
 * What the files of the port share.
 *
 * LOCKING: port.lock (softirqs off) is around everything that touches lwIP:
 * its tables, its pbufs, its netifs and struct lwip_port. Under it nothing
 * leaves lwIP: frames to send and packets for TCP and UDP collect in port.out
 * and port.up, and lwip_unlock() hands them on after the lock is gone. So no
 * socket or device lock is ever taken inside, and all may be held outside.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"
#include "kernel/wait.h"
#include "net/dev.h"
#include "net/drop.h"
#include "net/lwip/lwip_headers.h"
#include "net/lwip/lwip_port.h"
#include "net/skbuff.h"

struct sock;

/* One device as lwIP sees it; net_device's netif points here. */
struct lwip_netif {
	struct netif netif;
	struct net_device *dev;
};

/* The parts of lwIP that want to be called regularly while they are busy. */
enum lwip_job {
	JOB_ARP,
	JOB_REASS4,
	JOB_REASS6,
	JOB_DHCP_FINE,
	JOB_DHCP_COARSE,
	JOB_ND6,
	JOB_MLD6,
	JOB_LINK,
	JOB_IP6_START,
	NR_LWIP_JOBS,
};

/* An ICMP error about one of our packets, on its way to TCP or UDP. */
struct lwip_icmp_error {
	struct sk_buff *skb;		/* what holds e.quoted; NULL: none */
	struct icmp_error e;
	struct sock *sk;		/* UDP: who sent it, one reference */
};

/* All of it under lock. */
struct lwip_port {
	struct spinlock lock;
	struct sk_buff_head out;	/* frames for dev_queue_xmit() */
	struct sk_buff_head up;		/* packets for TCP and UDP */
	struct lwip_icmp_error icmp_error;
	u32 pokes;			/* 1 << enum lwip_job: look again */
	u32 tcp_up;			/* segments taken from lwIP */
	u64 icmp_errors_until;		/* ns: what we sent costs until then */
	struct wait_queue_head wq;	/* who waits for an address */
};

extern struct lwip_port port;

void lwip_lock(void) __acquires(port.lock);
/* Sends and delivers what collected. The caller holds no spinlock. */
void lwip_unlock(void) __releases(port.lock);

/*
 * Counts that memory ran out, and has ARP and ND look again: a request that
 * packets wait for may not have gone out. Returns NULL. port.lock held.
 */
void *lwip_no_memory(enum drop_reason why, u32 len);

/* What a packet in port.up says in skb->cb. */
struct lwip_up_cb {
	void (*deliver)(struct sk_buff *skb);
	struct sock *sk;		/* UDP: one reference */
	struct ip_addr saddr;		/* UDP: who sent it */
	u16 sport;
};

static inline struct lwip_up_cb *lwip_up_cb(struct sk_buff *skb)
{
	_Static_assert(sizeof(struct lwip_up_cb) <= sizeof(skb->cb), "cb");
	return (struct lwip_up_cb *)skb->cb;
}

/* --- pbuf.c; port.lock held --- */

/*
 * @skb (linear, at most 65535 bytes, nobody else's) as a pbuf, without a
 * copy. Takes @skb; the pbuf's end frees it.
 */
struct pbuf *lwip_pbuf_from_skb(struct sk_buff *skb);
/* If such a pbuf ends unsent, its neighbour did not answer: a counted drop. */
void lwip_pbuf_count_unsent(struct pbuf *p);
/*
 * The skb behind @p if @p is the whole of one and nobody else holds it, cut
 * to @p's bytes; it has a reference for the caller. @p is still to be freed.
 * Else NULL.
 */
struct sk_buff *lwip_skb_steal(struct pbuf *p);
/* A copy of @p's bytes with @headroom in front, NULL if memory is out. */
struct sk_buff *lwip_skb_copy(const struct pbuf *p, u32 headroom);
/* The one or the other: what lwIP hands out. @p is still to be freed. */
struct sk_buff *lwip_skb_from_pbuf(struct pbuf *p, u32 headroom);

/* --- netif.c; port.lock held --- */

struct netif *lwip_netif_of(struct net_device *dev);
/* lwip_addr_is_ours() for who has the lock. */
bool lwip_is_ours_locked(const ip_addr_t *ip);

/*
 * @dev has one address more: an interface of lwIP's that shares the device.
 * 0, -ENOMEM.
 */
int lwip_add_alias(struct net_device *dev, const struct lwip_ifaddr *ifa)
	__must_check;

/* --- echo.c; port.lock held --- */

/*
 * Answers @skb, a plain ICMP packet in its frame, and takes it. False, and
 * nothing done, if it is no echo request or not the plainest.
 */
bool lwip_echo(struct lwip_netif *nf, struct sk_buff *skb);

/* --- addr.c --- */

void lwip_addr_in(ip_addr_t *to, const struct ip_addr *from);
struct ip_addr lwip_addr_out(const ip_addr_t *from);

/* --- neigh.c; port.lock held --- */

/* Notices neighbours that came, went or moved, and tells the routes. */
void lwip_neigh_check(void);
/* The address of a neighbour that is known; false if it is not. */
bool lwip_neigh_find(struct netif *netif, const struct ip_addr *hop, u8 *mac);
/* @ip4 has just spoken ARP. */
void lwip_neigh_confirm(be32 ip4);
/* One second of ARP: ages, re-asks what connections use. True: not empty. */
bool lwip_neigh_arp_tick(void);
/* The same for IPv6. 1: some are being asked; 2: all at rest; 0: none. */
u32 lwip_neigh_nd6_tick(void);

/* --- timers.c; port.lock held --- */

#define LWIP_JOB_ARP	(1u << JOB_ARP)
#define LWIP_JOB_ND6	(1u << JOB_ND6)

/* @job has something to do: it runs at its full pace from now on. */
static inline void lwip_poke(enum lwip_job job)
{
	port.pokes |= 1u << job;
}

/*
 * Before lwIP is given what may add to the tables of these jobs (1 << enum
 * lwip_job): what slept grows as old as it is, and they are poked.
 */
void lwip_timers_catch_up(u32 which);

void lwip_timers_init(void);
/* Starts the jobs that were poked. */
void lwip_timers_update(void);

/* --- raw.c; port.lock held --- */

/* Claims TCP and ICMPv6 errors. -ENOMEM. */
int lwip_raw_init(void);
/*
 * An ICMP error of IPv4, in a frame that check_frame() let through: notes
 * what it means for TCP or UDP. Takes @skb.
 */
void lwip_icmp4_error(struct sk_buff *skb);
/* After the lock is gone: takes @err's news to TCP or UDP. Softirqs off. */
void lwip_icmp_error_deliver(struct lwip_icmp_error *err);

/* --- stats.c; port.lock held --- */

/* Counts a drop, under the protocols' counters too. Of IPv4, or not. */
void lwip_count_drop(enum drop_reason why, bool v4, u32 len);
/*
 * Counts what lwIP has dropped since the last call, under our names. False:
 * nothing.
 */
bool lwip_count_drops(bool v4, u32 len);
/* A frame of lwIP's goes out; one comes that check_frame() let through. */
/* How many packets have been taken from lwIP by the protocols above IP. */
u32 lwip_taken_up(void);
/*
 * A frame has gone in that lwIP alone understands, mostly a fragment; @whole:
 * a packet came up, so it was the last.
 */
void lwip_count_fragment(bool v4, bool whole);
void lwip_count_out(const u8 *frame, u32 len);
void lwip_count_in(const u8 *frame, u32 len);
/*
 * Calls @age, which ages datagrams that are not whole, and counts those that
 * it gives up without an error: nobody has seen their first fragment.
 */
void lwip_count_ageing(bool v4, void (*age)(void));

/* --- config.c; port.lock held --- */

void lwip_status_changed(struct netif *netif);
/* The first device's address, mask or gateway may have changed. */
void lwip_config_check(void);
/* The tick of JOB_IP6_START: counts down, then starts IPv6. */
u32 lwip_config_ip6_tick(void);
