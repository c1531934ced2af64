/*
 * The addresses and routes that lwIP would keep: eth0 with 10.0.0.2/24 and
 * 2001:db8::2, and a router for all else.
 */
#pragma once

#include "net/dev.h"
#include "net/ip_addr.h"

#define ALIAS	0xac100005u		/* 172.16.0.5/16, if fake_alias */
#define OURS	0x0a000002u		/* 10.0.0.2/24, gateway 10.0.0.1 */

extern struct net_device fake_eth;
extern const struct ip_addr ours6;
extern bool fake_configured, fake_gateway, fake_alias;
