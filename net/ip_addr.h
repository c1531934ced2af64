/*
 * One address type for IPv4 and IPv6: sixteen bytes, IPv4 in mapped form
 * (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2). So every table, comparison and
 * hash exists once.
 */
#pragma once

#include "kernel/byteorder.h"
#include "kernel/types.h"

struct ip_addr {
	be32 a[4];
};

#define IP_MAPPED_WORD 0xffff0000u	/* be32 of 0x0000ffff */

static inline struct ip_addr ip_addr_v4(be32 addr)
{
	return (struct ip_addr){ { 0, 0, IP_MAPPED_WORD, addr } };
}

static inline bool ip_addr_is_v4(const struct ip_addr *ip)
{
	return !ip->a[0] && !ip->a[1] && ip->a[2] == IP_MAPPED_WORD;
}

static inline bool ip_addr_eq(const struct ip_addr *x,
			      const struct ip_addr *y)
{
	/* The compiler makes two comparisons of this. */
	return !__builtin_memcmp(x, y, sizeof(*x));
}

/* :: or 0.0.0.0 */
static inline bool ip_addr_any(const struct ip_addr *ip)
{
	return !ip->a[3] && !ip->a[0] && !ip->a[1] &&
	       (!ip->a[2] || ip->a[2] == IP_MAPPED_WORD);
}
