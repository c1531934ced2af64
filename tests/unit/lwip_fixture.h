/*
 * A host on a wire for the tests of the lwIP port: one fake device, 10.0.0.2/24
 * behind gateway 10.0.0.1, whose sent frames are kept; frames built and fed in.
 */
#pragma once

#include "net/dev.h"
#include "net/drop.h"
#include "net/ip/ip.h"
#include "net/lwip/lwip_port.h"
#include "net/skbuff.h"

#define IP4(a, b, c, d) ((u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define ME	IP4(10, 0, 0, 2)
#define GATEWAY	IP4(10, 0, 0, 1)
#define PEER	IP4(10, 0, 0, 9)

#define ARP_REQ	1
#define ARP_REP	2

struct wire_frame {
	struct net_device *dev;
	u32 len;
	u8 ip_summed;
	u16 csum_start, csum_offset;	/* from the frame's start */
	u8 data[20000];
};

extern struct net_device wire_dev, wire_lo;
extern struct net_device *wire_first;	/* dev_first() */
extern const u8 my_mac[6], peer_mac[6], other_mac[6], all_mac[6];

/* Once for the binary, with an address or, if @ip is NULL, without. */
void wire_init(const char *ip);
/*
 * For each test. The end waits until lwIP's tables are empty and checks that
 * nothing stays allocated.
 */
int wire_setup(void **state);
int wire_teardown(void **state);

/* What was sent over the loopback comes in. Done after each frame too. */
void wire_run_lo(void);

/* What was sent since the start or the last wire_clear(). */
unsigned int wire_count(void);
struct wire_frame *wire_sent(unsigned int i);
/* Drops IPv6 chatter (neighbour discovery, MLD) from what was sent. */
unsigned int wire_count_ip4(void);
void wire_clear(void);

/* --- frames --- */

struct frame_buf {
	u32 len;
	u8 data[20000];
};

void put_eth(struct frame_buf *f, const u8 *dst, const u8 *src, u16 type);
void put_arp(struct frame_buf *f, u16 op, const u8 *sha, u32 spa,
	     const u8 *tha, u32 tpa);
/* IPv4 header and @len payload bytes; @frag as in the header. */
void put_ip4(struct frame_buf *f, u8 proto, u32 src, u32 dst, u16 frag,
	     const void *payload, u32 len);
/* The sum of an IPv4 header is made again after a change. */
void fix_ip4(struct frame_buf *f);
/* The link-local addresses of both, and ff02::1. */
extern const u8 my_ip6[16], peer_ip6[16], all_nodes[16];
void put_ip6(struct frame_buf *f, u8 next, const u8 *src, const u8 *dst,
	     const void *payload, u32 len);
/* The sum of an ICMPv6 message without extension headers, if it is one. */
void fix_icmp6(struct frame_buf *f);
/* What the sum over addresses, @next and @len is for an IPv6 header. */
u32 pseudo6(const u8 *ip6, u8 next, u32 len);
/* ICMP message with its sum. Returns its length. */
u32 make_icmp(u8 *to, u8 type, u8 code, u32 rest, const void *data, u32 len);
/* UDP header and data with the sum. Returns the length. */
u32 make_udp(u8 *to, u32 src, u16 sport, u32 dst, u16 dport,
	     const void *data, u32 len);

/* Feeds a frame in as the device would. False: no memory for it. */
bool wire_rx(const struct frame_buf *f);
/* The same in memory that ends where the frame does: the sanitiser watches. */
bool wire_rx_exact(const struct frame_buf *f);
unsigned int wire_exact_held(void);	/* how many of them lwIP still has */
/* The same where the device has checked the transport checksum. */
bool wire_rx_checked(const struct frame_buf *f);
/* Bytes [off, off + n) of the peer's @what as one fragment of IPv4. */
void rx_fragment(u8 proto, const u8 *what, u32 total, u32 off, u32 n);

/* The peer tells that it has @mac; afterwards what was sent is forgotten. */
void peer_says_arp(u16 op, const u8 *mac, u32 ip);

/* --- what went up --- */

struct tcp_seen {
	unsigned int count;
	u32 len, network, transport;	/* offsets of the headers from head */
	u8 ip_summed;
	bool linear;
	u8 data[70000];
	u8 ip[60];
};

struct icmp_seen {
	unsigned int count;
	int error;
	u32 mtu;
	struct ip_addr saddr, daddr;
	u8 quoted[8];
};

extern struct tcp_seen tcp_seen;
extern struct icmp_seen icmp_seen;

u64 drops(enum drop_reason why);	/* since the test's start */

/* The sum over @len bytes is right, with @sum from a pseudo header. */
u16 inet_sum(const void *data, u32 len, u32 sum);
u32 pseudo4(u32 src, u32 dst, u8 proto, u32 len);
