/*
 * TCP headers and options, in and out (RFC 9293 section 3.1 and 3.2; RFC 7323
 * for window scale and timestamps, RFC 2018 for SACK).
 */
#include "net/tcp/tcp_header.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"

enum {
	OPT_EOL = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8,
	OPT_FASTOPEN = 34,
};

/* The words of a SYN as Linux lays its options out, in host order. */
#define USUAL_SYN_LEN	20
#define USUAL_MSS	((u32)OPT_MSS << 24 | 4u << 16)
#define USUAL_SACK_TS	\
	((u32)OPT_SACK_OK << 24 | 2u << 16 | OPT_TS << 8 | 10u)
#define USUAL_WSCALE	((u32)OPT_NOP << 16 | OPT_WSCALE << 8 | 3u)

static void decode_ts(struct tcp_segment *seg, const u8 *p)
{
	seg->tsval = get_be32(p);
	seg->tsecr = get_be32(p + 4);
	seg->opts |= TCP_OPT_TS;
}

/* One option of @len bytes in all at @p; a wrong length is passed over. */
static void decode_option(struct tcp_segment *seg, const u8 *hdr, const u8 *p,
			  u32 len)
{
	bool syn = seg->flags & TCP_SYN;

	if (p[0] == OPT_MSS && len == 4 && syn && get_be16(p + 2)) {
		seg->mss = get_be16(p + 2);
		seg->opts |= TCP_OPT_MSS;
	} else if (p[0] == OPT_WSCALE && len == 3 && syn) {
		seg->wscale = min(p[2], (u8)TCP_MAX_WSCALE);
		seg->opts |= TCP_OPT_WSCALE;
	} else if (p[0] == OPT_SACK_OK && len == 2 && syn) {
		seg->opts |= TCP_OPT_SACK_OK;
	} else if (p[0] == OPT_TS && len == 10) {
		decode_ts(seg, p + 2);
	} else if (p[0] == OPT_SACK && len >= 10 && (len - 2) % 8 == 0) {
		seg->sack_off = (u8)(p + 2 - hdr);
		seg->nr_sacks = (u8)((len - 2) / 8);
	} else if (p[0] == OPT_FASTOPEN && syn && !(len & 1) &&
		   (len == 2 || len >= 6) && len <= 2 + TCP_FASTOPEN_MOST) {
		seg->fo_off = (u8)(p + 2 - hdr);
		seg->fo_len = (u8)(len - 2);
		seg->opts |= TCP_OPT_FASTOPEN;
	}
}

/*
 * MSS, SACK-permitted, timestamps, NOP, window scale and no more: a SYN from
 * Linux, and so most that a server sees. False: it is not that.
 */
static inline bool decode_usual_syn(struct tcp_segment *seg, const u8 *p)
{
	u32 mss, wscale;

	if (seg->hdr_len != TCP_HDR_LEN + USUAL_SYN_LEN ||
	    !(seg->flags & TCP_SYN))
		return false;
	mss = get_be32(p) - USUAL_MSS;
	wscale = get_be32(p + 16);
	if (mss - 1 >= 0xffff || get_be32(p + 4) != USUAL_SACK_TS ||
	    wscale >> 8 != USUAL_WSCALE)
		return false;
	seg->mss = (u16)mss;
	decode_ts(seg, p + 8);
	seg->wscale = min((u8)wscale, (u8)TCP_MAX_WSCALE);
	seg->opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS |
		    TCP_OPT_WSCALE;
	return true;
}

/*
 * RFC 9293 section 3.1: a kind without a length that fits ends the parsing;
 * what was read before it counts.
 */
static noinline void decode_options(struct tcp_segment *seg, const u8 *hdr)
{
	const u8 *p = hdr + TCP_HDR_LEN;
	const u8 *end = hdr + seg->hdr_len;

	if (decode_usual_syn(seg, p))
		return;
	while (p < end && *p != OPT_EOL) {
		if (*p == OPT_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return;
		decode_option(seg, hdr, p, p[1]);
		p += p[1];
	}
}

/* The header is not in one piece, or not there. */
static noinline bool pull_header(struct sk_buff *skb)
{
	u32 len;

	if (!pskb_may_pull(skb, TCP_HDR_LEN))
		return false;
	len = (u32)(((const struct tcphdr *)skb->data)->doff >> 4) * 4;
	return len >= TCP_HDR_LEN && pskb_may_pull(skb, len);
}

int tcp_decode(struct sk_buff *skb)
{
	struct tcp_segment *seg = tcp_seg(skb);
	const u8 *h = skb->data;
	u32 have = skb_headlen(skb), hdr_len = 0;
	u8 flags;

	if (likely(have >= TCP_HDR_LEN))
		hdr_len = h[12] >> 2 & 0x3cu;
	if (unlikely(hdr_len < TCP_HDR_LEN || have < hdr_len)) {
		if (!pull_header(skb))
			return DROP_TCP_HDR;
		h = skb->data;
		hdr_len = (h[12] >> 4) * 4u;
	}
	flags = h[13];
	seg->seq = get_be32(h + 4);
	seg->ack = get_be32(h + 8);
	seg->wnd = get_be16(h + 14);
	seg->urg = get_be16(h + 18);
	seg->flags = flags;
	seg->hdr_len = (u8)hdr_len;
	seg->iss = 0;
	seg->opts = 0;
	seg->wscale = 0;
	seg->sack_off = 0;
	seg->nr_sacks = 0;
	/* SYN and FIN are its lowest bits: how many of the two there are. */
	seg->end_seq = seg->seq + skb->len - hdr_len +
		       (((flags & (TCP_SYN | TCP_FIN)) + 1u) >> 1);
	if (likely(hdr_len == TCP_HDR_LEN + TCP_TS_LEN &&
		   get_be32(h + TCP_HDR_LEN) == TCP_TS_WORD))
		decode_ts(seg, h + TCP_HDR_LEN + 4);
	else if (hdr_len > TCP_HDR_LEN)
		decode_options(seg, h);
	return 0;
}

struct tcp_sack_block tcp_sack_in(const u8 *hdr, const struct tcp_segment *seg,
				  unsigned int i)
{
	const u8 *p = hdr + seg->sack_off + 8 * i;

	return (struct tcp_sack_block){ get_be32(p), get_be32(p + 4) };
}

/* A SYN's options, or SACK blocks: the seldom ones. */
static bool has_more_options(const struct tcp_hdr_out *out)
{
	return out->opts & ~TCP_OPT_TS || out->nr_sacks;
}

u32 tcp_hdr_len(const struct tcp_hdr_out *out)
{
	u32 len = TCP_HDR_LEN;

	if (out->opts & TCP_OPT_MSS)
		len += 4;
	if (out->opts & TCP_OPT_WSCALE)
		len += 4;
	if (out->opts & TCP_OPT_TS)
		len += TCP_TS_LEN;
	else if (out->opts & TCP_OPT_SACK_OK)
		len += 4;
	if (out->nr_sacks)
		len += 4 + 8u * out->nr_sacks;
	if (out->opts & TCP_OPT_FASTOPEN)
		len += ALIGN_UP(2u + out->fo_len, 4u);
	return len;
}

/* SYN options; SACK-permitted takes the place of the NOPs before TS. */
static u8 *encode_syn_options(u8 *p, const struct tcp_hdr_out *out)
{
	if (out->opts & TCP_OPT_MSS) {
		put_be32((u32)OPT_MSS << 24 | 4u << 16 | out->mss, p);
		p += 4;
	}
	if (out->opts & TCP_OPT_WSCALE) {
		put_be32((u32)OPT_NOP << 24 | OPT_WSCALE << 16 | 3u << 8 |
			 out->wscale, p);
		p += 4;
	}
	if ((out->opts & (TCP_OPT_SACK_OK | TCP_OPT_TS)) == TCP_OPT_SACK_OK) {
		put_be32((u32)OPT_NOP << 24 | OPT_NOP << 16 |
			 OPT_SACK_OK << 8 | 2u, p);
		p += 4;
	}
	return p;
}

static u8 *encode_sacks(u8 *p, const struct tcp_hdr_out *out)
{
	put_be32((u32)OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK << 8 |
		 (2u + 8u * out->nr_sacks), p);
	p += 4;
	for (unsigned int i = 0; i < out->nr_sacks; i++) {
		put_be32(out->sacks[i].start, p);
		put_be32(out->sacks[i].end, p + 4);
		p += 8;
	}
	return p;
}

/* The cookie, with NOPs before it. */
static void encode_fastopen(u8 *p, const struct tcp_hdr_out *out)
{
	for (u32 pad = -(2u + out->fo_len) & 3; pad; pad--)
		*p++ = OPT_NOP;
	*p++ = OPT_FASTOPEN;
	*p++ = (u8)(2 + out->fo_len);
	memcpy(p, out->fo, out->fo_len);
}

/* NOP NOP timestamps. */
static inline u8 *encode_ts(u8 *p, const struct tcp_hdr_out *out, u32 word)
{
	put_be32(word, p);
	put_be32(out->tsval, p + 4);
	put_be32(out->tsecr, p + 8);
	return p + TCP_TS_LEN;
}

static noinline void encode_more_options(u8 *p, const struct tcp_hdr_out *out)
{
	u32 word = TCP_TS_WORD;

	if (out->opts & ~TCP_OPT_TS)
		p = encode_syn_options(p, out);
	if (out->opts & TCP_OPT_SACK_OK)
		word = USUAL_SACK_TS;
	if (out->opts & TCP_OPT_TS)
		p = encode_ts(p, out, word);
	if (out->nr_sacks)
		encode_sacks(p, out);
	if (out->opts & TCP_OPT_FASTOPEN)
		encode_fastopen(p, out);
}

/* The fixed header in words: each is swapped and stored once. */
static inline void encode_fixed(u8 *h, const struct tcp_hdr_out *out, u32 len)
{
	put_be32((u32)out->sport << 16 | out->dport, h);
	put_be32(out->seq, h + 4);
	put_be32(out->ack, h + 8);
	put_be32(len / 4 << 28 | (u32)out->flags << 16 | out->wnd, h + 12);
}

void tcp_encode(struct sk_buff *skb, const struct tcp_hdr_out *out,
		const struct ip_addr *saddr, const struct ip_addr *daddr)
{
	bool more = has_more_options(out);
	u32 len = TCP_HDR_LEN;
	u8 *h;

	if (unlikely(more))
		len = tcp_hdr_len(out);
	else if (out->opts)
		len += TCP_TS_LEN;
	h = skb_push(skb, len);
	encode_fixed(h, out, len);
	if (unlikely(more))
		encode_more_options(h + TCP_HDR_LEN, out);
	else if (out->opts)
		encode_ts(h + TCP_HDR_LEN, out, TCP_TS_WORD);
	tcp_encode_sum(skb, saddr, daddr);
}
