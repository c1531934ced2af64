/*
 * Which addresses are ours and which way a packet leaves. The truth about
 * addresses and neighbours is lwIP's; here is a copy that every packet may
 * look at without a lock.
 *
 * LOCKING: table_lock guards the copy while it is renewed (when ip_route_gen
 * has moved) and while a route is looked up, and the route cache; the test
 * "is it ours" reads single words without it. Softirqs off.
 */
#include "net/ip/ip_internal.h"

#include "kernel/errno.h"
#include "kernel/spinlock.h"
#include "net/loopback.h"
#include "net/lwip/lwip_port.h"

#define MAX_IFACES 8	/* each address of IPv4 counts as one */

struct iface {
	struct net_device *dev;
	struct lwip_ifaddr ifa;		/* addr 0: none yet */
	u32 nr6;
	struct ip_addr addr6[LWIP_IP6_ADDRS];
};

/* The loopback device is not among them: it is always 127.0.0.0/8. */
struct iface_table {
	u32 gen;			/* ip_route_gen that it is good for */
	u32 n;
	struct iface iface[MAX_IFACES];
};

u32 ip_route_gen = 1;

struct ip_first_addr ip_first_addr;	/* table_lock, see above */
static struct iface_table table;	/* table_lock, see above */
static struct spinlock table_lock = SPINLOCK_INIT;

static __cold void collect(struct net_device *dev, void *arg)
{
	struct iface_table *t = arg;
	struct iface *iface = &t->iface[t->n];
	struct lwip_ifaddr more[MAX_IFACES];
	u32 n;

	if (dev->features & NETIF_F_LOOPBACK || t->n == MAX_IFACES)
		return;
	iface->dev = dev;
	if (!lwip_get_ifaddr(dev, &iface->ifa))
		iface->ifa = (struct lwip_ifaddr){ 0, 0, 0 };
	iface->nr6 = lwip_get_ip6addrs(dev, iface->addr6);
	t->n++;
	n = lwip_get_aliases(dev, more, MAX_IFACES - t->n);
	for (u32 i = 0; i < n; i++)
		t->iface[t->n++] = (struct iface){ .dev = dev, .ifa = more[i] };
}

/* lwIP is asked before the lock is taken: it has one of its own. */
static noinline void renew_table(void)
{
	struct iface_table fresh = { .gen = READ_ONCE(ip_route_gen) };

	dev_for_each(collect, &fresh);
	spin_lock_bh(&table_lock);
	table = fresh;
	WRITE_ONCE(ip_first_addr.addr, fresh.iface[0].ifa.addr);
	WRITE_ONCE(ip_first_addr.gen, fresh.gen);
	spin_unlock_bh(&table_lock);
}

static inline const struct iface_table *ifaces(void)
{
	if (unlikely(table.gen != READ_ONCE(ip_route_gen)))
		renew_table();
	return &table;
}

static bool ip4_is_ours(be32 addr)
{
	const struct iface_table *t = ifaces();

	for (u32 i = 0; i < t->n; i++) {
		if (t->iface[i].ifa.addr == addr)
			return addr != 0;
	}
	return false;
}

static bool is_group(const struct lwip_ifaddr *ifa, be32 addr)
{
	return ip4_not_unicast(addr) ||
	       (ifa->addr && addr == (ifa->addr | ~ifa->mask));
}

enum ip_dest ip4_classify(const struct net_device *dev, be32 daddr)
{
	const struct iface_table *t;

	if (likely(ip4_is_ours(daddr)))
		return IP_DEST_LOCAL;
	if (dev->features & NETIF_F_LOOPBACK)
		return ip4_is_loopback(daddr) ? IP_DEST_LOCAL : IP_DEST_OTHER;
	t = ifaces();
	for (u32 i = 0; i < t->n; i++) {
		if (t->iface[i].dev != dev)
			continue;
		if (is_group(&t->iface[i].ifa, daddr))
			return IP_DEST_GROUP;
		if (!t->iface[i].ifa.addr)
			return IP_DEST_UNCONFIGURED;
	}
	return IP_DEST_OTHER;
}

bool ip4_source_ok(be32 saddr)
{
	return !ip4_not_unicast(saddr) && !ip4_is_loopback(saddr) &&
	       !ip4_is_ours(saddr);
}

static bool is_v6_loopback(const struct ip_addr *ip)
{
	return !ip->a[0] && !ip->a[1] && !ip->a[2] &&
	       ip->a[3] == cpu_to_be32(1);
}

static bool ip6_is_ours(const struct ip_addr *ip)
{
	const struct iface_table *t = ifaces();

	for (u32 i = 0; i < t->n; i++) {
		const struct iface *f = &t->iface[i];

		for (u32 j = 0; j < f->nr6; j++) {
			if (ip_addr_eq(&f->addr6[j], ip))
				return true;
		}
	}
	return false;
}

/*
 * RFC 4291 section 2.5.3, 2.7 and 2.5.5: never a source on the wire. A mapped
 * address would pass for the IPv4 one inside.
 */
bool ip6_source_ok(const struct ip_addr *ip)
{
	return !ip_addr_is_v4(ip) && !ip_addr_any(ip) &&
	       !ip_addr_is_multicast(ip) && !is_v6_loopback(ip) &&
	       !ip6_is_ours(ip);
}

bool ip_addr_is_local(const struct ip_addr *ip)
{
	if (!ip_addr_is_v4(ip))
		return is_v6_loopback(ip) || ip6_is_ours(ip);
	return ip4_is_loopback(ip->a[3]) || ip4_is_ours(ip->a[3]);
}

bool ip_addr_is_multicast(const struct ip_addr *ip)
{
	if (ip_addr_is_v4(ip))
		return ip4_first(ip->a[3]) >> 4 == 14;
	return (ip->a[0] & 0xff) == 0xff;
}

/* To ourselves: out by lo, from the bound address or the one we talk to. */
static int route_local(struct ip_addr *saddr, const struct ip_addr *daddr,
		       struct ip_route *rt, struct ip_addr *next_hop)
{
	if (ip_addr_any(saddr)) {
		*saddr = *daddr;
		if (ip_addr_is_v4(daddr) && ip4_is_loopback(daddr->a[3]))
			*saddr = ip_addr_v4(cpu_to_be32(0x7f000001));
	} else if (!ip_addr_is_local(saddr)) {
		return -EADDRNOTAVAIL;
	}
	rt->dev = &loopback_dev;
	*next_hop = *daddr;
	return 0;
}

/* The interface on whose network @daddr is, else the first with a gateway. */
static const struct iface *pick_iface(be32 daddr, be32 *hop)
{
	for (u32 i = 0; i < table.n; i++) {
		const struct iface *f = &table.iface[i];

		if (f->ifa.addr && !((f->ifa.addr ^ daddr) & f->ifa.mask)) {
			*hop = daddr;
			return f;
		}
	}
	for (u32 i = 0; i < table.n; i++) {
		const struct iface *f = &table.iface[i];

		if (f->ifa.addr && f->ifa.gateway) {
			*hop = f->ifa.gateway;
			return f;
		}
	}
	return NULL;
}

static int route_v4(struct ip_addr *saddr, be32 daddr, struct ip_route *rt,
		    struct ip_addr *next_hop)
{
	const struct iface *f;
	be32 hop, own = 0;

	ifaces();
	spin_lock_bh(&table_lock);
	f = pick_iface(daddr, &hop);
	if (f) {
		rt->dev = f->dev;
		own = f->ifa.addr;
		if (is_group(&f->ifa, daddr))
			f = NULL;
	}
	spin_unlock_bh(&table_lock);
	if (!f)
		return -ENETUNREACH;
	if (ip_addr_any(saddr))
		*saddr = ip_addr_v4(own);
	else if (!ip_addr_is_v4(saddr) || !ip4_is_ours(saddr->a[3]))
		return -EADDRNOTAVAIL;
	*next_hop = ip_addr_v4(hop);
	return 0;
}

static int route_v6(struct ip_addr *saddr, const struct ip_addr *daddr,
		    struct ip_route *rt, struct ip_addr *next_hop)
{
	struct lwip_route6 way;
	int err;

	if (ip_addr_is_v4(saddr) && !ip_addr_any(saddr))
		return -EADDRNOTAVAIL;
	err = lwip_route6(saddr, daddr, &way);
	if (err)
		return err;
	rt->dev = way.dev;
	rt->mtu = way.mtu;
	*next_hop = way.next_hop;
	return 0;
}

/*
 * Routes found lately, so that a new connection from where others came from
 * costs no walk of lwIP's tables. Only IPv4, from our own address, with the
 * neighbour known.
 */
#define ROUTE_SLOTS 64

struct route_slot {
	be32 daddr, saddr;
	struct ip_route rt;		/* gen 0: empty */
};

static struct route_slot route_cache[ROUTE_SLOTS];	/* table_lock */

static struct route_slot *slot_of(be32 daddr)
{
	/* The last two bytes of an address differ the most. */
	return &route_cache[(daddr >> 24 ^ daddr >> 16) % ROUTE_SLOTS];
}

static inline bool cache_get(struct ip_addr *saddr, const struct ip_addr *daddr,
		      struct ip_route *rt)
{
	const struct route_slot *slot = slot_of(daddr->a[3]);
	bool hit;

	spin_lock_bh(&table_lock);
	hit = slot->rt.gen == READ_ONCE(ip_route_gen) &&
	      slot->daddr == daddr->a[3];
	if (hit && !(saddr->a[3] == slot->saddr && ip_addr_is_v4(saddr))) {
		hit = ip_addr_any(saddr);
		if (hit)
			*saddr = ip_addr_v4(slot->saddr);
	}
	if (hit)
		*rt = slot->rt;
	spin_unlock_bh(&table_lock);
	return hit;
}

static void cache_put(const struct ip_addr *saddr,
		      const struct ip_addr *daddr, const struct ip_route *rt)
{
	struct route_slot *slot = slot_of(daddr->a[3]);

	spin_lock_bh(&table_lock);
	slot->daddr = daddr->a[3];
	slot->saddr = saddr->a[3];
	slot->rt = *rt;
	spin_unlock_bh(&table_lock);
}

static int find_route(struct ip_addr *saddr, const struct ip_addr *daddr,
		      struct ip_route *rt, struct ip_addr *next_hop)
{
	/* Read first: what changes meanwhile makes the route stale again. */
	u32 gen = READ_ONCE(ip_route_gen);
	int err;

	rt->mtu = UINT16_MAX;
	if (ip_addr_is_local(daddr))
		err = route_local(saddr, daddr, rt, next_hop);
	else if (ip_addr_is_v4(daddr))
		err = route_v4(saddr, daddr->a[3], rt, next_hop);
	else
		err = route_v6(saddr, daddr, rt, next_hop);
	if (err)
		return err;
	rt->mtu = min(rt->mtu, rt->dev->mtu);
	err = lwip_resolve(rt->dev, next_hop, rt->ll_hdr);
	rt->ll_len = err ? 0 : ETH_HLEN;
	/* Without a neighbour the route is stale from the start. */
	rt->gen = err ? gen - 1 : gen;
	return 0;
}

static noinline int lookup_slow(struct ip_addr *saddr,
				const struct ip_addr *daddr,
				struct ip_route *rt, struct ip_addr *next_hop)
{
	struct ip_addr hop;
	int err = find_route(saddr, daddr, rt, next_hop ? next_hop : &hop);

	if (!err && ip_addr_is_v4(daddr) && rt->ll_len &&
	    rt->dev != &loopback_dev)
		cache_put(saddr, daddr, rt);
	return err;
}

int ip_route_lookup(struct ip_addr *saddr, const struct ip_addr *daddr,
		    struct ip_route *rt, struct ip_addr *next_hop)
{
	if (ip_addr_is_v4(daddr) && likely(cache_get(saddr, daddr, rt)))
		return 0;
	return lookup_slow(saddr, daddr, rt, next_hop);
}

int ip_route_output(struct ip_addr *saddr, const struct ip_addr *daddr,
		    struct ip_route *rt)
{
	return ip_route_lookup(saddr, daddr, rt, NULL);
}
