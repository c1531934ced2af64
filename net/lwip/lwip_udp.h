/*
 * lwIP's UDP for net/udp.c: one pcb per socket. All of these take the port's
 * lock (softirqs off), and may be called from a task or softirq with a sock
 * owned but no spinlock held.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "net/ip_addr.h"
#include "net/skbuff.h"

struct icmp_error;
struct sock;
struct udp_pcb;

/* Room that a datagram leaves in front of its data for all headers. */
#define LWIP_UDP_HEADROOM	96
/* The longest datagram we send; the bytes of an skb are below 64 KiB. */
#define LWIP_UDP_MAX_LEN	65400u

/* Who sent a received datagram: in skb->cb. */
struct lwip_udp_from {
	struct ip_addr addr;
	u16 port;
};

struct lwip_udp_from lwip_udp_from(struct sk_buff *skb);

/* What the socket layer does with a datagram. Softirqs off, takes @skb. */
extern void (*lwip_udp_rcv)(struct sock *sk, struct sk_buff *skb);
/* ... and with an error that came by ICMP. Softirqs off. */
extern void (*lwip_udp_err)(struct sock *sk, const struct icmp_error *e);

/* NULL if memory is out. @sk is borrowed until lwip_udp_remove(). */
struct udp_pcb *lwip_udp_new(struct sock *sk, bool v6);
/* An unbound IPv6 pcb takes IPv4 too, or not. */
void lwip_udp_set_v6only(struct udp_pcb *pcb, bool on);
/* Each UDP socket, for /proc. Port's lock held: @fn must not sleep. */
void lwip_udp_for_each(void (*fn)(struct sock *sk, void *arg), void *arg);
/* SO_BINDTODEVICE: only by this device, in and out; 0: any. */
void lwip_udp_set_dev(struct udp_pcb *pcb, s32 ifindex);
/* After it nothing new comes for the sock; what is under way holds it. */
void lwip_udp_remove(struct udp_pcb *pcb);

/* @port 0 chooses one; returns it there. 0, -EADDRINUSE. */
int lwip_udp_bind(struct udp_pcb *pcb, const struct ip_addr *ip, u16 *port,
		  bool reuse) __must_check;

/*
 * Only this peer from now on. @local: in, the bound address or any; out, what
 * a packet there comes from. 0, -ENETUNREACH, -EAGAIN (no port is free),
 * -EACCES (all of a network, without @broadcast).
 */
int lwip_udp_connect(struct udp_pcb *pcb, const struct ip_addr *ip, u16 port,
		     bool broadcast, struct ip_addr *local,
		     u16 *local_port) __must_check;
void lwip_udp_disconnect(struct udp_pcb *pcb);

struct lwip_udp_to {
	const struct ip_addr *local;	/* bound address or any */
	const struct ip_addr *addr;
	u16 port;
	u8 tos, ttl;			/* ttl 0: the default */
	bool broadcast;			/* may go to a broadcast address */
};

/*
 * Sends @skb's data (LWIP_UDP_HEADROOM in front of it). Takes @skb. 0,
 * -ENETUNREACH, -EACCES (broadcast without leave), -ENOBUFS, -EMSGSIZE.
 * The local port, chosen now if there was none, is left in @port.
 */
int lwip_udp_send(struct udp_pcb *pcb, struct sk_buff *skb,
		  const struct lwip_udp_to *to, u16 *port) __must_check;

/* For raw.c, port's lock held: the sock of a packet we sent, or NULL. */
struct sock *lwip_udp_find(const struct ip_addr *saddr, u16 sport,
			   const struct ip_addr *daddr, u16 dport);
/* For raw.c, no lock, softirqs off: takes the reference to @sk. */
void lwip_udp_error(struct sock *sk, const struct icmp_error *e);
