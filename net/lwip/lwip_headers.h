/*
 * lwIP's headers for the port's files. Two of lwIP's names are also ours
 * (struct ip_addr, ip_addr_any): in here lwIP's are renamed, its typedef
 * ip_addr_t stays. Ours must be known first, so that shared constants agree.
 */
#pragma once

#include "net/ip/ip.h"
#include "net/ip_addr.h"

#define ip_addr		lwip_ip_addr
#define ip_addr_any	lwip_ip_addr_any
#include <lwip/ip_addr.h>
#undef ip_addr
#undef ip_addr_any

#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/inet_chksum.h>
#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/prot/dhcp.h>
#include <lwip/prot/icmp.h>
#include <lwip/prot/icmp6.h>
#include <lwip/raw.h>
#include <lwip/stats.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>

/* These would reach our function of that name. */
#undef IP_ADDR_ANY
#undef IP4_ADDR_ANY
#undef IP4_ADDR_ANY4
