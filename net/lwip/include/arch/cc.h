/*
 * What lwIP asks of a compiler and a system. Only lwIP's own headers include
 * it. An assertion of lwIP is an invariant of lwIP: net/lwip/netif.c refuses
 * frames that could break one, so a failure is a bug here and panics.
 */
#pragma once

#include <limits.h>

#include "kernel/types.h"

#define BYTE_ORDER LITTLE_ENDIAN

#define LWIP_NO_INTTYPES_H	1
#define LWIP_NO_CTYPE_H		1
#define LWIP_NO_UNISTD_H	1
#define X8_F	"02x"
#define U16_F	"u"
#define S16_F	"d"
#define X16_F	"x"
#define U32_F	"u"
#define S32_F	"d"
#define X32_F	"x"
#define SZT_F	"lu"

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif

#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS
#define lwip_htons(x)	((u16_t)__builtin_bswap16(x))
#define lwip_htonl(x)	((u32_t)__builtin_bswap32(x))
#define htonl(x)	lwip_htonl(x)	/* lwIP's nd6.c says so once */

/* Freestanding turns memcpy() into a call; small constant sizes need none. */
#define MEMCPY(dst, src, len)	__builtin_memcpy(dst, src, len)
#define SMEMCPY(dst, src, len)	__builtin_memcpy(dst, src, len)
#define MEMMOVE(dst, src, len)	__builtin_memmove(dst, src, len)

/* The sum of @len bytes, neither inverted nor swapped. */
u16 lwip_port_chksum(const void *data, int len);
#define LWIP_CHKSUM lwip_port_chksum

u32 lwip_port_rand(void);
#define LWIP_RAND() lwip_port_rand()

/* Without the texts: the line and the calls that led there say as much. */
void lwip_port_assert(int line) __attribute__((noreturn, cold));
#define LWIP_PLATFORM_ASSERT(x) lwip_port_assert(__LINE__)
#define LWIP_PLATFORM_DIAG(x) do { } while (0)

/* An option of a DHCP message that lwIP has no use for: resolv.c. */
struct pbuf;
struct ip6_addr;
/* The router of IPv6 that ip= names, or NULL. config.c */
const struct ip6_addr *lwip_port_gateway6(void);
void lwip_port_dhcp_option(unsigned char type, unsigned char option,
			   struct pbuf *p, unsigned short len,
			   unsigned short offset);

void *lwip_port_malloc(size_t size);
void *lwip_port_calloc(size_t n, size_t size);
void lwip_port_free(void *p);
#define mem_clib_malloc	lwip_port_malloc
#define mem_clib_calloc	lwip_port_calloc
#define mem_clib_free	lwip_port_free
