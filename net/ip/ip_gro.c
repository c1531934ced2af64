/*
 * Receive offload: full segments of one connection that came in one poll go
 * up as one, so that bulk data crosses the stack in large units where the
 * device has not put them together itself (guest TSO). A CPU holds back one
 * packet for each of a few flows; what does not join it sends it up first, so
 * nothing overtakes within a flow. What is joined differs in nothing but
 * sequence number, IPv4 identification, checksums and PSH. Softirq.
 */
#include "net/ip/ip_internal.h"

#include "kernel/byteorder.h"
#include "kernel/percpu.h"
#include "net/tcp/tcp_header.h"

#define SLOTS		8u
#define IP6_HLEN	40u
#define IP6_SADDR	8	/* in its header */
#define IP6_DADDR	24
#define IP_LEN_MAX	65535u

/* A frame's headers, as far as they matter here. */
struct gro_seg {
	const u8 *eth;
	u32 th;			/* where the TCP header is */
	u32 hdr_len;		/* everything before the payload */
	u32 len;		/* payload */
	u32 seq;
	bool v4;
};

struct gro_slot {
	struct sk_buff *skb;	/* NULL: free */
	u32 next;		/* the sequence number that fits */
	u16 mss;		/* payload of the first; more does not fit */
	bool joined;		/* more than one in it */
};

static DEFINE_PER_CPU(struct gro_slot, slots[SLOTS]);

/* Several segments in it: the length of all. */
static void finish(struct sk_buff *skb)
{
	struct iphdr *iph = (struct iphdr *)(skb->data + ETH_HLEN);

	if (iph->ver_ihl >> 4 != 4) {
		put_be16((u16)(skb->len - ETH_HLEN - IP6_HLEN), (u8 *)iph + 4);
		return;
	}
	iph->tot_len = cpu_to_be16((u16)(skb->len - ETH_HLEN));
	iph->check = 0;
	iph->check = (u16)~ip4_header_sum(iph);
}

static void flush(struct gro_slot *slot)
{
	struct sk_buff *skb = slot->skb;

	if (!skb)
		return;
	slot->skb = NULL;
	if (slot->joined)
		finish(skb);
	netif_receive_skb(skb);
}

/* IPv4 without options and in one piece, or IPv6; TCP with no padding. */
static bool ip_joins(const struct sk_buff *skb, struct gro_seg *s)
{
	const struct ethhdr *eh = (const struct ethhdr *)s->eth;
	const struct iphdr *iph = (const struct iphdr *)(s->eth + ETH_HLEN);
	const u8 *ip6 = s->eth + ETH_HLEN;

	s->v4 = eh->h_proto == cpu_to_be16(ETH_P_IP);
	if (s->v4) {
		s->th = ETH_HLEN + sizeof(*iph);
		return iph->ver_ihl == 0x45 && iph->protocol == IPPROTO_TCP &&
		       !(iph->frag_off & cpu_to_be16(IP_MF | IP_OFFSET)) &&
		       be16_to_cpu(iph->tot_len) == skb->len - ETH_HLEN &&
		       ip4_header_sum(iph) == 0xffff;
	}
	s->th = ETH_HLEN + IP6_HLEN;
	return eh->h_proto == cpu_to_be16(ETH_P_IPV6) && ip6[0] >> 4 == 6 &&
	       ip6[6] == IPPROTO_TCP && get_be16(ip6 + 4) + s->th == skb->len;
}

/* For what no device has looked at. */
static bool checksum_ok(struct sk_buff *skb, const struct gro_seg *s)
{
	const u8 *ip = s->eth + ETH_HLEN;
	const struct iphdr *iph = (const struct iphdr *)ip;
	u32 n = skb->len - s->th, sum;
	struct ip_addr saddr, daddr;

	if (skb->ip_summed != CHECKSUM_NONE)
		return true;
	if (s->v4) {
		saddr = ip_addr_v4(iph->saddr);
		daddr = ip_addr_v4(iph->daddr);
	} else {
		__builtin_memcpy(saddr.a, ip + IP6_SADDR, sizeof(saddr.a));
		__builtin_memcpy(daddr.a, ip + IP6_DADDR, sizeof(daddr.a));
	}
	sum = csum_pseudo(&saddr, &daddr, IPPROTO_TCP, n);
	if (csum_fold(skb_checksum(skb, s->th, n, sum)))
		return false;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return true;
}

/*
 * Data with an ACK and perhaps PSH and no more, no options or 12 bytes of them
 * (timestamps), and the checksum is right: it could not be looked at later.
 */
static bool may_join(struct sk_buff *skb, struct gro_seg *s)
{
	const struct tcphdr *th;

	s->eth = skb->data;
	if (skb_headlen(skb) < GRO_FRAME_MIN || skb->gso_size ||
	    !ip_joins(skb, s))
		return false;
	th = (const struct tcphdr *)(s->eth + s->th);
	s->hdr_len = s->th + (th->doff >> 4) * 4u;
	s->seq = be32_to_cpu(th->seq);
	if ((th->flags & ~TCP_PSH) != TCP_ACK ||
	    (th->doff != 5 << 4 && th->doff != 8 << 4))
		return false;
	s->len = skb->len - s->hdr_len;
	return checksum_ok(skb, s);
}

static inline u32 u32_at(const void *p)
{
	u32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* Nonzero if a and b differ in @n bytes, a multiple of 4. */
static inline u32 differ(const u8 *a, const u8 *b, u32 n)
{
	u32 bits = 0;

	for (u32 i = 0; i < n; i += 4)
		bits |= u32_at(a + i) ^ u32_at(b + i);
	return bits;
}

/* Link header, addresses, ECN, ports, ACK, window, options: all the same. */
static bool same_headers(const u8 *a, const struct gro_seg *s)
{
	const u8 *b = s->eth, *t = a + s->th, *u = b + s->th;
	u32 bits = differ(a, b, 16);	/* to the TOS */

	if (s->v4)
		bits |= differ(a + 20, b + 20, 4) | differ(a + 26, b + 26, 8);
	else
		bits |= (get_be16(a + 16) ^ get_be16(b + 16)) |
			differ(a + 20, b + 20, 32) |
			(get_be16(a + 52) ^ get_be16(b + 52));
	bits |= differ(t, u, 4) | differ(t + 8, u + 8, 4) | (t[12] ^ u[12]) |
		(get_be16(t + 14) ^ get_be16(u + 14)) |
		differ(t + TCP_HDR_LEN, u + TCP_HDR_LEN,
		       s->hdr_len - s->th - TCP_HDR_LEN);
	return !bits;
}

static struct gro_slot *slot_of(const struct gro_seg *s)
{
	u32 mix = u32_at(s->eth + s->th - 8) ^ u32_at(s->eth + s->th);

	mix ^= mix >> 16;
	return this_cpu_ptr(&slots[(mix ^ mix >> 8) % SLOTS]);
}

static bool fits(const struct gro_slot *slot, const struct gro_seg *s)
{
	return slot->skb && slot->next == s->seq && s->len <= slot->mss &&
	       slot->skb->len - ETH_HLEN + s->len <= IP_LEN_MAX &&
	       same_headers(slot->skb->data, s);
}

/* Takes @skb, which fits behind what @slot has. */
static void join(struct gro_slot *slot, struct sk_buff *skb,
		 const struct gro_seg *s)
{
	const struct tcphdr *th = (const struct tcphdr *)(s->eth + s->th);
	u8 flags = th->flags;

	skb->dev->rx_packets++;
	skb->dev->rx_bytes += s->hdr_len;
	((struct tcphdr *)(slot->skb->data + s->th))->flags |= flags;
	skb_pull(skb, s->hdr_len);
	skb_add_frag(slot->skb, skb);
	slot->next += s->len;
	slot->skb->gso_segs += slot->joined ? 1 : 2;
	slot->joined = true;
	if (flags & TCP_PSH || s->len < slot->mss)
		flush(slot);
}

void napi_gro_receive(struct sk_buff *skb)
{
	struct gro_slot *slot;
	struct gro_seg s;

	if (!may_join(skb, &s)) {
		napi_gro_flush();
		netif_receive_skb(skb);
		return;
	}
	slot = slot_of(&s);
	if (fits(slot, &s)) {
		join(slot, skb, &s);
		return;
	}
	flush(slot);
	if (((const struct tcphdr *)(s.eth + s.th))->flags & TCP_PSH) {
		netif_receive_skb(skb);
		return;
	}
	*slot = (struct gro_slot){ skb, s.seq + s.len, (u16)s.len, false };
}

void napi_gro_flush(void)
{
	for (u32 i = 0; i < SLOTS; i++)
		flush(this_cpu_ptr(&slots[i]));
}
