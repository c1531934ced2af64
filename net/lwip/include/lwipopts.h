/*
 * How lwIP is built: everything an Internet host needs below and beside TCP,
 * which is ours (net/tcp/). One caller at a time under the port's lock, no
 * threads, memory from the kernel's slab, timers driven by timers.c.
 */
#pragma once

#define NO_SYS				1
#define SYS_LIGHTWEIGHT_PROT		0
#define LWIP_TIMERS			0
#define LWIP_NETCONN			0
#define LWIP_SOCKET			0
#define LWIP_TCP			0
#define LWIP_DNS			1	/* its servers: resolv.c */
#define DNS_MAX_SERVERS			3
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS	DNS_MAX_SERVERS
#define LWIP_IGMP			0

/* Memory: kmalloc(), with these limits instead of pools. */
#define MEM_LIBC_MALLOC			1
#define MEMP_MEM_MALLOC			1
#define MEM_ALIGNMENT			8
#define IP_REASS_MAX_PBUFS		64	/* fragments in all */
#define ARP_TABLE_SIZE			32
#define ARP_QUEUE_LEN			4	/* packets per neighbour */
#define LWIP_ND6_NUM_NEIGHBORS		16
#define LWIP_ND6_NUM_DESTINATIONS	16
#define LWIP_ND6_QUEUEING		0	/* one packet per neighbour */

/* Link. */
#define LWIP_ARP			1
#define LWIP_ETHERNET			1
#define ARP_QUEUEING			1
#define ETH_PAD_SIZE			0
#define PBUF_LINK_HLEN			14
#define LWIP_SINGLE_NETIF		0
#define LWIP_NETIF_HOSTNAME		1
#define LWIP_NETIF_STATUS_CALLBACK	1
#define LWIP_NETIF_LOOPBACK		0
#define LWIP_HAVE_LOOPIF		0

/* IPv4. */
#define LWIP_IPV4			1
#define LWIP_RAW			1
#define LWIP_ICMP			1
#define LWIP_BROADCAST_PING		0
#define LWIP_MULTICAST_PING		0
#define IP_FORWARD			0
#define LWIP_HOOK_FILENAME		"lwip_hooks.h"
#define IP_REASSEMBLY			1
#define IP_FRAG				1
#define IP_REASS_MAXAGE			15	/* seconds */
#define IP_DEFAULT_TTL			64
#define ICMP_TTL			64
#define LWIP_UDP			1
#define UDP_TTL				64
#define SO_REUSE			1
#define IP_SOF_BROADCAST		1	/* sending needs SO_BROADCAST */
#define LWIP_DHCP			1
#define DHCP_DOES_ARP_CHECK		0	/* its wait costs boot 1 s */
#define LWIP_DHCP_CHECK_LINK_UP		1
#define LWIP_HOOK_DHCP_PARSE_OPTION(netif, dhcp, state, msg, type, option, \
				    len, pbuf, offset)			\
	lwip_port_dhcp_option(type, option, pbuf, len, offset)

/* IPv6. */
#define LWIP_IPV6			1
#define LWIP_IPV6_SCOPES		0
#define LWIP_IPV6_NUM_ADDRESSES		5
#define LWIP_HOOK_ND6_GET_GW(netif, dest) lwip_port_gateway6()
#define LWIP_ICMP6_DATASIZE		0	/* quote all that fits */
#define IPV6_FRAG_COPYHEADER		1	/* for 8-byte pointers */
#define LWIP_ND6_TCP_REACHABILITY_HINTS	1
#define LWIP_MULTICAST_TX_OPTIONS	0

/* Checksums are lwIP's; netif.c switches checking off per packet. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF	1

#define LWIP_STATS			1
#define LWIP_STATS_LARGE		1
#define MEMP_STATS			1	/* datagrams in pieces */
#define LWIP_STATS_DISPLAY		0
