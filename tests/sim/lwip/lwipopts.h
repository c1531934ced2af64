/*
 * lwIP as the peer in the simulator: its own TCP, IPv4, nothing else. Its
 * packets go to the link as they leave ip4_output().
 */
#pragma once

#define NO_SYS				1
#define SYS_LIGHTWEIGHT_PROT		0
#define LWIP_TIMERS			0
#define LWIP_NETCONN			0
#define LWIP_SOCKET			0
#define LWIP_ARP			0
#define LWIP_ETHERNET			0
#define LWIP_ICMP			0
#define LWIP_RAW			0
#define LWIP_UDP			0
#define LWIP_IPV6			0
#define IP_REASSEMBLY			0
#define IP_FRAG				0
#define LWIP_STATS			0

#define MEM_LIBC_MALLOC			1
#define MEMP_MEM_MALLOC			1
#define MEM_ALIGNMENT			8

#define LWIP_TCP			1
#define TCP_MSS				1460
#define LWIP_WND_SCALE			1
#define TCP_RCV_SCALE			2
#define TCP_WND				(60 * 1024) /* a pbuf chain: 64 KiB */
#define TCP_SND_BUF			(48 * 1024)
#define TCP_SND_QUEUELEN		200
#define TCP_SNDLOWAT			4096
#define LWIP_TCP_SACK_OUT		1
#define LWIP_TCP_TIMESTAMPS		1
#define LWIP_TCP_KEEPALIVE		1
#define TCP_LISTEN_BACKLOG		1
#define SO_REUSE			1
