/*
 * Segment scripts: our TCP with a hand-driven peer. A script injects segments
 * at virtual times and says exactly which segments come out.
 *
 *	struct socket *s = th_listen(7);
 *	in(.flags = SYN, .wnd = 65535, .mss = 1460);
 *	out(.flags = SYN | ACK, .ack = 1);
 *
 * Sequence numbers are relative to both sides' initial numbers. Our side is
 * TH_US, the peer TH_PEER. Below, the stack under TCP is faked: IP is a
 * queue of captured segments (or a link, see tcp_link.h).
 */
#pragma once

#include "kernel/types.h"
#include "net/socket.h"
#include "net/sock.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_header.h"
#include "net/tcp/tcp_sock.h"
#include "tests/host/host.h"

#define FIN	TCP_FIN
#define SYN	TCP_SYN
#define RST	TCP_RST
#define PSH	TCP_PSH
#define ACK	TCP_ACK
#define URG	TCP_URG
#define ECE	TCP_ECE
#define CWR	TCP_CWR

#define TH_PORT		th_port	/* ours; another one in each test */
#define TH_PEER_PORT	40000
#define TH_PEER_ISS	0x7ffffff0u	/* wraps the sign soon */

#define MS		1000000ull	/* ns */

/* One segment, as a script writes it or as it was seen. */
struct th_seg {
	u8 flags;
	u32 seq, ack;
	u32 wnd;		/* as on the wire; in out(): 0 is "any" */
	u32 len;		/* payload */
	const char *data;	/* NULL: a pattern by sequence number */
	u16 sport, dport;	/* 0: the script's own */
	u16 mss;		/* options, 0: none */
	u8 wscale;		/* one more than the scale; 0: none */
	bool sack_ok;
	u8 ecn;			/* of the IP header; in out(): see th_last */
	u16 urg;		/* SEG.UP */
	u8 fo_len;		/* one more than the cookie; 0: none */
	u8 fo[16];		/* the cookie (RFC 7413) */
	u32 tsval, tsecr;	/* tsval 0: none */
	u32 nr_sacks;
	struct tcp_sack_block sacks[TCP_MAX_SACKS];	/* relative */
};

extern u16 th_port;

/* Fresh stack state; teardown checks that nothing is left allocated. */
int th_setup(void **state);
int th_teardown(void **state);

/* Sockets through inet_stream_ops, as the system calls would. */
struct socket *th_socket(void);
struct socket *th_listen(u16 port);
/* accept4, nonblocking; NULL with *@err if there is none. */
struct socket *th_accept(struct socket *listener, int *err);
int th_connect(struct socket *s, u16 port, bool nonblock);
ssize_t th_send(struct socket *s, const void *data, size_t n, u32 flags);
ssize_t th_recv(struct socket *s, void *buf, size_t n, u32 flags);
int th_setopt(struct socket *s, int level, int name, int val);
void th_close(struct socket *s);
u32 th_poll(struct socket *s);
struct tcp_sock *th_tp(struct socket *s);

/* Injects; checks what came out next. */
void th_in(const struct th_seg *seg);
void th_out(const char *file, int line, const struct th_seg *want);
/* Our initial number that .seq and .ack count from: of the last SYN. */
u32 th_iss(void);
/* No segment is waiting. */
void th_quiet(const char *file, int line);
/* The last segment that out() has seen, with its options. */
extern struct th_seg th_last;
/* Takes all segments that wait, unseen; how many. */
unsigned int th_flush(void);
/* The connection table has grown: up to @n pages more stay allocated. */
void th_leaf_pages(unsigned int n);
/* Moves virtual time. */
void th_sleep_ms(u64 ms);

#define in(...)		th_in(&(struct th_seg){ __VA_ARGS__ })
#define out(...)	th_out(__FILE__, __LINE__, \
			       &(struct th_seg){ __VA_ARGS__ })
#define quiet()		th_quiet(__FILE__, __LINE__)

/* The byte that a pattern has at relative sequence number @seq. */
static inline u8 th_pattern(u32 seq)
{
	return (u8)(seq * 7 + (seq >> 8));
}

/*
 * A listener on TH_PORT and one connection of the peer, accepted, nothing
 * waiting. Options as usual unless @plain (MSS 1000 only).
 */
struct th_conn {
	struct socket *listener, *s;
};

struct th_conn th_established(bool plain);
void th_conn_close(struct th_conn *c);
/* The same, and what is sent for it is not looked at. */
void th_conn_done(struct th_conn *c);
/* An ICMP error @err about segment @seq of ours (not relative). */
void th_icmp(u16 sport, u16 dport, u32 seq, u8 err, u32 mtu);

/* Sees every outgoing packet instead of the script, if set. Takes @skb. */
extern void (*th_xmit_hook)(struct sk_buff *skb, const struct ip_out *out);
/* Packets that were sent stay with the device until th_device_done(). */
extern bool th_device_keeps;
void th_device_done(void);
extern u16 th_mtu;		/* of the route; 1500 */
extern u32 th_dev_features;	/* NETIF_F_ bits of the device */
extern int th_route_err;	/* what ip_route_output() answers */
/* The nth allocation while the next in() is handled fails; 0: none. */
extern unsigned long th_fail_next;
extern unsigned int th_sigurg;	/* SIGURG sent */

/* Makes a received packet of a TCP header and @len bytes, ready to go in. */
struct sk_buff *th_packet(const struct ip_addr *saddr,
			  const struct ip_addr *daddr, const void *tcp,
			  u32 len);
/* Hands it to tcp_v4_rcv() as the softirq would. */
void th_receive(struct sk_buff *skb);
