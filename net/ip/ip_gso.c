/*
 * What a network card would do, in software, for cards that cannot: finish a
 * TCP checksum (CHECKSUM_PARTIAL), cut one large TCP packet into segments
 * (RFC 9293 section 3.8.6 leaves the cutting to us). Softirq or task.
 */
#include "net/ip/ip_internal.h"

#include "kernel/panic.h"
#include "kernel/string.h"
#include "net/snmp.h"

/* Offsets in the TCP header (RFC 9293 section 3.1). */
#define TCP_SEQ		4
#define TCP_DATA_OFF	12
#define TCP_FLAGS	13
#define TCP_CHECK	16

#define TCP_FIN		0x01
#define TCP_PSH		0x08
#define TCP_CWR		0x80

/* Where the headers of one GSO packet are, from its IP header on. */
struct gso_headers {
	u32 ip_len;		/* IP header */
	u32 len;		/* all headers */
	u32 seq;		/* of the first byte */
	u8 flags;
	bool v4;
};

/* The sum over what csum_start is the start of; the pseudo header is in. */
static void finish_checksum(struct sk_buff *skb)
{
	u32 start = (u32)(skb->head + skb->csum_start - skb->data);
	u8 *field = skb->data + start + skb->csum_offset;
	u16 sum;

	sum = csum_fold(skb_checksum(skb, start, skb->len - start, 0));
	memcpy(field, &sum, sizeof(sum));
	skb->ip_summed = CHECKSUM_NONE;
}

static struct gso_headers parse(const struct sk_buff *skb)
{
	u32 ip_len = skb->transport_header - skb->network_header;
	const u8 *tcp = skb_transport_header(skb);

	return (struct gso_headers){
		.ip_len = ip_len,
		.len = ip_len + (tcp[TCP_DATA_OFF] >> 4) * 4u,
		.seq = get_be32(tcp + TCP_SEQ),
		.flags = tcp[TCP_FLAGS],
		.v4 = skb->gso_type & SKB_GSO_TCPV4,
	};
}

static void fix_ip(struct sk_buff *seg, const struct gso_headers *h)
{
	struct iphdr *iph = (struct iphdr *)seg->data;

	if (!h->v4) {
		put_be16((u16)(seg->len - h->ip_len), seg->data + 4);
		return;
	}
	iph->tot_len = cpu_to_be16((u16)seg->len);
	iph->check = 0;
	iph->check = (u16)~ip4_header_sum(iph);
}

/* Sequence number, flags, and the pseudo header's sum for this length. */
static void fix_tcp(struct sk_buff *seg, const struct gso_headers *h, u32 off,
		    bool last)
{
	const u8 *ip = seg->data;
	u8 *tcp = seg->data + h->ip_len;
	u32 len = seg->len - h->ip_len;
	struct ip_addr saddr, daddr;
	u8 flags = h->flags;
	u16 sum;

	if (off)
		flags &= (u8)~TCP_CWR;	/* RFC 3168 section 6.1.2: once */
	if (!last)
		flags &= (u8)~(TCP_FIN | TCP_PSH);
	put_be32(h->seq + off, tcp + TCP_SEQ);
	tcp[TCP_FLAGS] = flags;
	if (h->v4) {
		saddr = ip_addr_v4(((const struct iphdr *)ip)->saddr);
		daddr = ip_addr_v4(((const struct iphdr *)ip)->daddr);
	} else {
		memcpy(saddr.a, ip + 8, sizeof(saddr.a));
		memcpy(daddr.a, ip + 24, sizeof(daddr.a));
	}
	sum = (u16)~csum_fold(csum_pseudo(&saddr, &daddr, IPPROTO_TCP, len));
	memcpy(tcp + TCP_CHECK, &sum, sizeof(sum));
}

/* Bytes [off, off + n) of the payload with headers of its own, or NULL. */
static struct sk_buff *make_segment(const struct sk_buff *skb,
				    const struct gso_headers *h, u32 off,
				    u32 n, u32 headroom)
{
	struct sk_buff *seg = alloc_skb(headroom + h->len + n);

	if (!seg)
		return NULL;
	skb_reserve(seg, headroom);
	memcpy(skb_put(seg, h->len), skb->data, h->len);
	skb_copy_bits(skb, h->len + off, skb_put(seg, n), n);
	seg->protocol = skb->protocol;
	seg->network_header = (u16)headroom;
	seg->transport_header = (u16)(headroom + h->ip_len);
	seg->csum_start = seg->transport_header;
	seg->csum_offset = TCP_CHECK;
	seg->ip_summed = CHECKSUM_PARTIAL;
	fix_ip(seg, h);
	fix_tcp(seg, h, off, h->len + off + n == skb->len);
	return seg;
}

static void segment(struct sk_buff *skb, struct ip_sender *to)
{
	struct gso_headers h = parse(skb);
	u32 headroom = to->dev->headroom + ETH_HLEN;
	u32 total = skb->len - h.len;
	u32 size = skb->gso_size;

	for (u32 off = 0; off < total; off += size) {
		u32 n = min(size, total - off);
		struct sk_buff *seg = make_segment(skb, &h, off, n, headroom);

		if (!seg) {
			SNMP_INC46(skb->gso_type & SKB_GSO_TCPV4, Ip, Ip6,
				   OutDiscards);
			count_drop(DROP_NO_MEMORY, total - off);
			break;
		}
		if (!ip_dev_can(to->dev, seg))
			finish_checksum(seg);
		to->send(to, seg);
	}
	kfree_skb(skb);
}

void ip_gso_send(struct sk_buff *skb, struct ip_sender *to)
{
	if (skb->gso_size) {
		dev_xmit_batch_begin();
		segment(skb, to);
		dev_xmit_batch_end();
		return;
	}
	finish_checksum(skb);
	to->send(to, skb);
}
