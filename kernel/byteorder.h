/* Network byte order is big-endian; x86-64 is little-endian. */
#pragma once

#include "kernel/types.h"

static inline be16 cpu_to_be16(u16 v)
{
	return __builtin_bswap16(v);
}

static inline be32 cpu_to_be32(u32 v)
{
	return __builtin_bswap32(v);
}

static inline u16 be16_to_cpu(be16 v)
{
	return __builtin_bswap16(v);
}

static inline u32 be32_to_cpu(be32 v)
{
	return __builtin_bswap32(v);
}

/* Unaligned big-endian loads and stores, for parsing options. */
static inline u16 get_be16(const void *p)
{
	be16 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return be16_to_cpu(v);
}

static inline u32 get_be32(const void *p)
{
	be32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return be32_to_cpu(v);
}

static inline void put_be16(u16 v, void *p)
{
	be16 b = cpu_to_be16(v);

	__builtin_memcpy(p, &b, sizeof(b));
}

static inline void put_be32(u32 v, void *p)
{
	be32 b = cpu_to_be32(v);

	__builtin_memcpy(p, &b, sizeof(b));
}
