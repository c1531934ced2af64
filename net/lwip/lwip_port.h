/*
 * The kernel's side of lwIP: ARP, ICMP, DHCP, UDP, fragments and IPv6
 * control. lwIP is not re-entrant; the port's lock (softirqs off) is around
 * every call into it and is taken inside these functions.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "net/dev.h"
#include "net/ip_addr.h"
#include "net/skbuff.h"

/* Starts lwIP and gives it the loopback. Boot, after net_dev_init(). */
void lwip_port_init(void);

/* Gives @dev to lwIP as an interface, without an address yet. 0, -ENOMEM. */
int lwip_add_netdev(struct net_device *dev) __must_check;

/* Applies the command line's ip= (default dhcp) to the first device. Boot. */
void lwip_configure(void);

/*
 * Sleeps until the first device has an address, at most @timeout_ms. False
 * (and a log line that says what to check) if it got none. Task.
 */
bool lwip_wait_configured(u64 timeout_ms);

/*
 * A frame lwIP shall handle: data at the Ethernet header. The checksum of an
 * IPv4 header without options has been found right. Takes it. Softirq.
 */
void lwip_input(struct sk_buff *skb);

/*
 * The link header towards @next_hop on @dev. 0 and @ll_hdr filled; -EAGAIN
 * if the neighbour is not known yet (asking has begun). Softirq or task.
 */
int lwip_resolve(struct net_device *dev, const struct ip_addr *next_hop,
		 u8 ll_hdr[ETH_HLEN]) __must_check;

/*
 * Sends an IP packet (data at the IP header) whose next hop was unresolved:
 * lwIP asks for the neighbour and keeps the packet meanwhile. Takes @skb.
 */
void lwip_output(struct net_device *dev, struct sk_buff *skb,
		 const struct ip_addr *next_hop);

/* What lwIP knows of the interface, for routing. False: no address yet. */
struct lwip_ifaddr {
	be32 addr, mask, gateway;
};

bool lwip_get_ifaddr(struct net_device *dev, struct lwip_ifaddr *out);

/* The addresses of @dev besides, @most of them; returns how many. */
u32 lwip_get_aliases(struct net_device *dev, struct lwip_ifaddr *out, u32 most);

/* The IPv6 addresses of @dev that may be used now; returns how many. */
#define LWIP_IP6_ADDRS	5
u32 lwip_get_ip6addrs(struct net_device *dev,
		      struct ip_addr out[LWIP_IP6_ADDRS]);

/*
 * The way to IPv6 @daddr, somebody else's unicast address. @saddr: in, any or
 * the bound address; out, what to use (RFC 6724). 0; -ENETUNREACH,
 * -EADDRNOTAVAIL. Softirq or task.
 */
struct lwip_route6 {
	struct net_device *dev;
	struct ip_addr next_hop;
	u16 mtu;
};

int lwip_route6(struct ip_addr *saddr, const struct ip_addr *daddr,
		struct lwip_route6 *out) __must_check;

/* True for an address of one of our interfaces, IPv4 or IPv6. */
bool lwip_addr_is_ours(const struct ip_addr *ip);
