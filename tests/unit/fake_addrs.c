/* The addresses and routes that lwIP would keep, from two variables. */
#include "tests/unit/fake_addrs.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/loopback.h"
#include "net/lwip/lwip_port.h"

struct net_device fake_eth = { .name = "eth0" };
bool fake_configured, fake_gateway, fake_alias;

/* 2001:db8::2, with a router at fe80::1 and the prefix on the link. */
const struct ip_addr ours6 = { { 0xb80d0120, 0, 0, 0x02000000 } };

void dev_for_each(void (*fn)(struct net_device *dev, void *arg), void *arg)
{
	fn(&loopback_dev, arg);
	fn(&fake_eth, arg);
}

bool lwip_get_ifaddr(struct net_device *dev, struct lwip_ifaddr *out)
{
	out->addr = cpu_to_be32(OURS);
	out->mask = cpu_to_be32(0xffffff00);
	out->gateway = fake_gateway ? cpu_to_be32(0x0a000001) : 0;
	return fake_configured;
}

u32 lwip_get_aliases(struct net_device *dev, struct lwip_ifaddr *out, u32 most)
{
	if (!fake_alias || dev != &fake_eth)
		return 0;
	out->addr = cpu_to_be32(ALIAS);
	out->mask = cpu_to_be32(0xffff0000);
	out->gateway = 0;
	return 1;
}

u32 lwip_get_ip6addrs(struct net_device *dev,
		      struct ip_addr out[LWIP_IP6_ADDRS])
{
	out[0] = ours6;
	return dev == &fake_eth && fake_configured;
}

int lwip_route6(struct ip_addr *saddr, const struct ip_addr *daddr,
		struct lwip_route6 *out)
{
	if (!fake_configured)
		return -ENETUNREACH;
	*out = (struct lwip_route6){ .dev = &fake_eth, .mtu = 1400 };
	out->next_hop = *daddr;
	if (daddr->a[0] != ours6.a[0])
		out->next_hop = (struct ip_addr){ { 0x80fe, 0, 0,
						    0x01000000 } };
	if (ip_addr_any(saddr))
		*saddr = ours6;
	return ip_addr_eq(saddr, &ours6) ? 0 : -EADDRNOTAVAIL;
}
