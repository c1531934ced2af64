/*
 * IPv6 routes for TCP: what lwIP knows of addresses, on-link prefixes and
 * default routers (RFC 4861, 4862, 6724). Any context; port.lock inside.
 */
#include "net/lwip/port_internal.h"

#include "kernel/errno.h"
#include "net/lwip/lwip_port.h"

_Static_assert(LWIP_IP6_ADDRS == LWIP_IPV6_NUM_ADDRESSES,
	       "as many addresses as lwIP keeps");

u32 lwip_get_ip6addrs(struct net_device *dev,
		      struct ip_addr out[LWIP_IP6_ADDRS])
{
	struct netif *netif = lwip_netif_of(dev);
	u32 n = 0;

	if (!netif)
		return 0;
	lwip_lock();
	for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
			out[n++] = lwip_addr_out(netif_ip_addr6(netif, i));
	}
	lwip_unlock();
	return n;
}

/* RFC 5942: only what a router or an administrator says is on the link. */
static bool on_link(struct netif *netif, const ip6_addr_t *to)
{
	if (ip6_addr_islinklocal(to))
		return true;
	for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) &&
		    netif_ip6_addr_isstatic(netif, i) &&
		    ip6_addr_netcmp(to, netif_ip6_addr(netif, i)))
			return true;
	}
	for (u32 i = 0; i < LWIP_ND6_NUM_PREFIXES; i++) {
		if (prefix_list[i].netif == netif &&
		    prefix_list[i].invalidation_timer > 0 &&
		    ip6_addr_netcmp(to, &prefix_list[i].prefix))
			return true;
	}
	return false;
}

/* A router that answers, else any: RFC 4861 section 6.3.6. */
static const ip6_addr_t *find_router(const struct netif *netif)
{
	const ip6_addr_t *found = NULL;
	bool known = false;

	for (u32 i = 0; i < LWIP_ND6_NUM_ROUTERS; i++) {
		const struct nd6_neighbor_cache_entry *e =
			default_router_list[i].neighbor_entry;

		if (!e || e->netif != netif)
			continue;
		if (e->state == ND6_REACHABLE)
			return &e->next_hop_address;
		if (!found || (!known && e->state != ND6_INCOMPLETE)) {
			found = &e->next_hop_address;
			known = e->state != ND6_INCOMPLETE;
		}
	}
	return found;
}

static int find_source(struct netif *netif, const ip6_addr_t *to,
		       struct ip_addr *saddr, ip_addr_t *src)
{
	const ip_addr_t *best;

	if (!ip_addr_any(saddr))
		return lwip_is_ours_locked(src) ? 0 : -EADDRNOTAVAIL;
	best = ip6_select_source_address(netif, to);
	if (!best)
		return -EADDRNOTAVAIL;
	*saddr = lwip_addr_out(best);
	return 0;
}

static int route_locked(struct ip_addr *saddr, const struct ip_addr *daddr,
			struct lwip_route6 *out)
{
	struct netif *netif;
	ip_addr_t src, dst, hop;

	lwip_addr_in(&dst, daddr);
	lwip_addr_in(&src, saddr);
	IP_SET_TYPE(&src, IPADDR_TYPE_V6);
	if (ip_addr_any(saddr))
		ip6_addr_set_zero(ip_2_ip6(&src));
	netif = ip6_route(ip_2_ip6(&src), ip_2_ip6(&dst));
	/* No interface is named and there is one network: that one. */
	if (!netif && ip6_addr_islinklocal(ip_2_ip6(&dst)))
		netif = netif_default;
	if (!netif)
		return -ENETUNREACH;
	hop = dst;
	if (!on_link(netif, ip_2_ip6(&dst))) {
		const ip6_addr_t *router = lwip_port_gateway6();

		if (!router)
			router = find_router(netif);
		if (!router)
			return -ENETUNREACH;
		ip_addr_copy_from_ip6(hop, *router);
	}
	out->dev = ((struct lwip_netif *)netif)->dev;
	out->mtu = netif_mtu6(netif);
	out->next_hop = lwip_addr_out(&hop);
	return find_source(netif, ip_2_ip6(&dst), saddr, &src);
}

int lwip_route6(struct ip_addr *saddr, const struct ip_addr *daddr,
		struct lwip_route6 *out)
{
	int err;

	lwip_lock();
	err = route_locked(saddr, daddr, out);
	lwip_unlock();
	return err;
}
