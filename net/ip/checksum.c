/*
 * The internet checksum (RFC 1071), eight bytes at a time: ones' complement
 * addition may be done in any width, and in the machine's byte order.
 * Pure functions, any context.
 */
#include "net/ip/ip_internal.h"

static inline u64 load64(const u8 *p)
{
	u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* Ones' complement addition: what overflows comes in again below. */
static inline u64 add64(u64 sum, u64 v)
{
	sum += v;
	return sum + (sum < v);
}

u32 csum_partial(const void *data, u32 len, u32 sum)
{
	const u8 *p = data;
	u64 acc = sum;
	u64 tail = 0;

	for (; len >= 32; len -= 32, p += 32) {
		acc = add64(acc, load64(p));
		acc = add64(acc, load64(p + 8));
		acc = add64(acc, load64(p + 16));
		acc = add64(acc, load64(p + 24));
	}
	for (; len >= 8; len -= 8, p += 8)
		acc = add64(acc, load64(p));
	if (len & 4) {
		u32 v;

		__builtin_memcpy(&v, p, sizeof(v));
		tail = v;
		p += 4;
	}
	if (len & 2) {
		u16 v;

		__builtin_memcpy(&v, p, sizeof(v));
		tail += v;
		p += 2;
	}
	if (len & 1)
		tail += *p;
	return ip_fold64(add64(acc, tail));
}

u16 csum_fold(u32 sum)
{
	return (u16)~ip_fold32(sum);
}

u32 csum_pseudo(const struct ip_addr *saddr, const struct ip_addr *daddr,
		u8 protocol, u32 len)
{
	/*
	 * RFC 793 section 3.1 and RFC 8200 section 8.1 agree up to zeroes,
	 * and the 0xffff of a mapped address counts as zero: one sum for all.
	 */
	u64 sum = (u64)saddr->a[3] + daddr->a[3];

	if (!ip_addr_is_v4(saddr))
		sum += (u64)saddr->a[0] + saddr->a[1] + saddr->a[2] +
		       daddr->a[0] + daddr->a[1] + daddr->a[2];
	sum += cpu_to_be32(len);
	sum += (u32)protocol << 24;
	return ip_fold64(sum);
}

/* A sum that was taken from an odd place on: its bytes change sides. */
static u32 csum_swap(u32 sum)
{
	return sum << 8 | sum >> 24;
}

u32 skb_checksum(const struct sk_buff *skb, u32 off, u32 len, u32 sum)
{
	const struct sk_buff *piece;
	u64 acc = sum;
	u32 done = 0;

	skb_for_each_piece(piece, skb) {
		u32 have = skb_headlen(piece);
		u32 run, part;

		if (off >= have) {
			off -= have;
			continue;
		}
		run = min(have - off, len - done);
		part = csum_partial(piece->data + off, run, 0);
		acc += done & 1 ? csum_swap(part) : part;
		done += run;
		off = 0;
		if (done == len)
			break;
	}
	return ip_fold64(acc);
}
