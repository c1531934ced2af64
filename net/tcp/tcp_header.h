/*
 * The TCP header (RFC 9293 section 3.1) and its options: decoded once into
 * host order when a segment comes in, encoded once when one goes out.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "net/ip/ip.h"
#include "net/skbuff.h"

#define TCP_FIN	0x01
#define TCP_SYN	0x02
#define TCP_RST	0x04
#define TCP_PSH	0x08
#define TCP_ACK	0x10
#define TCP_URG	0x20
#define TCP_ECE	0x40
#define TCP_CWR	0x80

#define TCP_HDR_LEN	20
#define TCP_MAX_HDR	60
#define TCP_TS_LEN	12	/* timestamps with two NOPs before them */
#define TCP_MAX_SACKS	4
#define TCP_FASTOPEN_MOST 16u	/* bytes of a cookie */
#define TCP_MAX_WSCALE	14	/* RFC 7323 section 2.3 */

struct tcphdr {
	be16 source;
	be16 dest;
	be32 seq;
	be32 ack;
	u8 doff;		/* header length / 4 in the high nibble */
	u8 flags;
	be16 window;
	u16 check;
	be16 urg;
} __packed;

_Static_assert(sizeof(struct tcphdr) == TCP_HDR_LEN, "TCP header");

/* Options that a segment carries. */
#define TCP_OPT_MSS	0x01
#define TCP_OPT_WSCALE	0x02
#define TCP_OPT_SACK_OK	0x04
#define TCP_OPT_TS	0x08
#define TCP_OPT_FASTOPEN 0x20	/* SYNs only (RFC 7413) */
#define TCP_OPT_ECN	0x10	/* no option: by flags (RFC 3168) */

struct tcp_sack_block {
	u32 start, end;
};

/* A segment on its way in, in host order: lives in skb->cb. */
struct tcp_segment {
	u32 seq;		/* SEG.SEQ, later: of the first byte kept */
	u32 end_seq;		/* SEG.SEQ + SEG.LEN, SYN and FIN counted */
	u32 ack;		/* SEG.ACK */
	u32 tsval, tsecr;	/* if TCP_OPT_TS */
	u32 hash;		/* of addresses and ports, once looked up */
	u32 iss;		/* for the answer, after TIME-WAIT; or 0 */
	u16 wnd;		/* SEG.WND as sent, not scaled */
	u16 mss;		/* if TCP_OPT_MSS */
	u16 urg;		/* SEG.UP */
	u8 flags;		/* TCP_FIN and so on */
	u8 fo_off;		/* if TCP_OPT_FASTOPEN: the cookie */
	u8 hdr_len;
	u8 fo_len;
	u8 opts;		/* TCP_OPT_ bits */
	u8 wscale;		/* if TCP_OPT_WSCALE */
	u8 sack_off;		/* first SACK block, from the header on */
	u8 nr_sacks;
};

_Static_assert(sizeof(struct tcp_segment) <= 48, "fits skb->cb");

static inline struct tcp_segment *tcp_seg(const struct sk_buff *skb)
{
	return (struct tcp_segment *)(uintptr_t)skb->cb;
}

/* What an outgoing header says. */
struct tcp_hdr_out {
	u32 seq, ack;
	u16 sport, dport;
	u16 wnd;		/* as sent, scaled */
	u16 mss;
	u32 tsval, tsecr;
	u8 flags;
	u8 opts;		/* TCP_OPT_ bits */
	u8 wscale;
	u8 nr_sacks;
	union {
		struct tcp_sack_block sacks[TCP_MAX_SACKS];
		struct {	/* if TCP_OPT_FASTOPEN: only on SYNs */
			u8 fo_len;
			u8 fo[TCP_FASTOPEN_MOST];
		};
	};
};

/*
 * Decodes the header at skb->data into tcp_seg(skb). 0, or the enum
 * drop_reason (never 0 here) for which the packet is to be thrown away. The
 * header is contiguous afterwards; the data pointer stays. Softirq.
 */
int tcp_decode(struct sk_buff *skb) __must_check;

/* Reads SACK block @i of an incoming segment whose header is at @hdr. */
struct tcp_sack_block tcp_sack_in(const u8 *hdr, const struct tcp_segment *seg,
				  unsigned int i);

/* Bytes that header and options of @out take. */
u32 tcp_hdr_len(const struct tcp_hdr_out *out);

/* The checksum, left to the device, of the header at skb->data; no URG. */
static inline void tcp_encode_sum(struct sk_buff *skb,
				  const struct ip_addr *saddr,
				  const struct ip_addr *daddr)
{
	u32 sum = (u16)~csum_fold(csum_pseudo(saddr, daddr, IPPROTO_TCP,
					      skb->len));

	skb->transport_header = (u16)(skb->data - skb->head);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct tcphdr, check);
	/* The device adds its sum of header and data to this one. */
	__builtin_memcpy(skb->data + offsetof(struct tcphdr, check), &sum,
			 sizeof(sum));
}

/* NOP NOP TS 10: how nearly every sender lays its timestamps out. */
#define TCP_TS_WORD	0x0101080au

/*
 * Pushes the header in front of skb->data and leaves the checksum to the
 * device (CHECKSUM_PARTIAL).
 */
void tcp_encode(struct sk_buff *skb, const struct tcp_hdr_out *out,
		const struct ip_addr *saddr, const struct ip_addr *daddr);
