/*
 * Neighbours: what TCP asks of lwIP's ARP and ND tables, and news of them.
 *
 * A connection keeps the link header it was given and goes past lwIP from
 * then on, so lwIP cannot know that an entry is in use. Two rules keep that
 * honest. An entry that was given out is asked for again shortly before it
 * expires. And when an entry that was given out changes or goes, or one comes
 * that was asked for in vain, ip_route_gen grows, which makes every kept
 * header stale. So a kept header is never older than its entry.
 */
#include "net/lwip/port_internal.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/lwip/lwip_port.h"

#define REFRESH_AGE	(ARP_MAXAGE - 30)	/* seconds */
#define REFRESH_EVERY	5
#define ASK_AGAIN	NSEC_PER_SEC
#define ASKED_MAX	(ARP_TABLE_SIZE / 2)
#define ASKED_FOR	(6 * NSEC_PER_SEC)	/* an entry's life unanswered */
#define STALE_SECONDS	30	/* IPv6: then an entry in use is probed */
#define TX_HEADROOM	96	/* for a packet that had to be copied */

/* One entry of lwIP's table as we last saw it. port.lock. */
struct neigh {
	bool known;
	bool used;		/* given out by lwip_resolve() */
	u8 mac[ETH_ALEN];
	u16 age;		/* ARP: seconds since we saw it confirmed */
	struct ip_addr ip;
};

static struct neigh arp[ARP_TABLE_SIZE];
static struct neigh nd[LWIP_ND6_NUM_NEIGHBORS];

/*
 * Who was asked for, and when last. For a new entry lwIP gives up those of
 * live neighbours before those that nobody has answered for: made-up senders
 * must not have more than half of the table. port.lock.
 */
struct asked {
	struct ip_addr ip;
	u64 until, again;
};

static struct asked asked[ASKED_MAX];

static bool wanted;		/* somebody asked and got no answer */

/*
 * True if routes hang on the change: others' comings and goings must not cost
 * every connection a look-up.
 */
static bool note(struct neigh *n, bool known, const struct ip_addr *ip,
		 const u8 *mac)
{
	bool matters = n->used || (known && wanted);

	if (!known && !n->known)
		return false;
	if (known && n->known && ip_addr_eq(&n->ip, ip) &&
	    !memcmp(n->mac, mac, ETH_ALEN))
		return false;
	/* Whoever was given it asks again, as the routes are stale now. */
	n->used = false;
	n->known = known;
	if (known) {
		n->ip = *ip;
		n->age = 0;
		memcpy(n->mac, mac, ETH_ALEN);
	}
	return matters;
}

static bool check_arp(void)
{
	static const struct ip_addr none;
	bool changed = false;

	for (u32 i = 0; i < ARP_TABLE_SIZE; i++) {
		struct ip_addr ip = none;
		struct eth_addr *mac = NULL;
		struct netif *netif;
		ip4_addr_t *ip4;
		bool known = etharp_get_entry(i, &ip4, &netif, &mac);

		if (known)
			ip = ip_addr_v4(ip4->addr);
		changed |= note(&arp[i], known, &ip,
				known ? mac->addr : NULL);
	}
	return changed;
}

static bool nd_entry_valid(const struct nd6_neighbor_cache_entry *e)
{
	return e->state >= ND6_REACHABLE;
}

static bool check_nd(void)
{
	bool changed = false;

	for (u32 i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
		const struct nd6_neighbor_cache_entry *e = &neighbor_cache[i];
		struct ip_addr ip;

		memcpy(&ip, &e->next_hop_address, sizeof(ip));
		changed |= note(&nd[i], nd_entry_valid(e), &ip, e->lladdr);
	}
	return changed;
}

void lwip_neigh_check(void)
{
	bool changed = check_arp();

	changed |= check_nd();
	if (!changed)
		return;
	wanted = false;
	WRITE_ONCE(ip_route_gen, ip_route_gen + 1);
}

void lwip_neigh_confirm(be32 ip4)
{
	struct ip_addr ip = ip_addr_v4(ip4);

	for (u32 i = 0; i < ARP_TABLE_SIZE; i++) {
		if (arp[i].known && ip_addr_eq(&arp[i].ip, &ip))
			arp[i].age = 0;
	}
}

/* Asks for @n again while it is still valid; an answer resets its age. */
static void refresh(struct neigh *n)
{
	struct ip4_addr ip = { n->ip.a[3] };
	struct netif *netif = ip4_route(&ip);

	if (netif)
		etharp_request(netif, &ip);
}

bool lwip_neigh_arp_tick(void)
{
	bool any = false;

	etharp_tmr();
	lwip_neigh_check();
	for (u32 i = 0; i < ARP_TABLE_SIZE; i++) {
		struct neigh *n = &arp[i];

		if (!n->known)
			continue;
		any = true;
		n->age++;
		if (n->used && n->age >= REFRESH_AGE &&
		    (n->age - REFRESH_AGE) % REFRESH_EVERY == 0)
			refresh(n);
	}
	return any;
}

u32 lwip_neigh_nd6_tick(void)
{
	u32 pace = 0;

	for (u32 i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
		struct nd6_neighbor_cache_entry *e = &neighbor_cache[i];

		if (!nd[i].used || e->state != ND6_STALE ||
		    e->counter.stale_time < STALE_SECONDS)
			continue;
		/* As if lwIP had sent to it: RFC 4861 section 7.3.3. */
		e->state = ND6_DELAY;
		e->counter.delay_time = LWIP_ND6_DELAY_FIRST_PROBE_TIME /
					ND6_TMR_INTERVAL;
	}
	nd6_tmr();
	lwip_neigh_check();
	for (u32 i = 0; i < LWIP_ND6_NUM_NEIGHBORS && pace != 1; i++) {
		u8 now = neighbor_cache[i].state;

		if (now == ND6_REACHABLE || now == ND6_STALE)
			pace = 2;
		else if (now != ND6_NO_ENTRY)
			pace = 1;
	}
	return pace;
}

/* Its place in the table, negative if it is not there. */
static ssize_t find_arp(struct netif *netif, const struct ip_addr *hop,
			u8 *mac)
{
	struct ip4_addr ip = { hop->a[3] };
	const ip4_addr_t *found;
	struct eth_addr *eth;
	ssize_t i = etharp_find_addr(netif, &ip, &eth, &found);

	if (i >= 0)
		memcpy(mac, eth->addr, ETH_ALEN);
	return i;
}

static bool use_arp(struct netif *netif, const struct ip_addr *hop, u8 *mac)
{
	ssize_t i = find_arp(netif, hop, mac);

	if (i < 0)
		return false;
	arp[i].used = true;
	return true;
}

bool lwip_neigh_find(struct netif *netif, const struct ip_addr *hop, u8 *mac)
{
	return find_arp(netif, hop, mac) >= 0;
}

static bool use_nd(struct netif *netif, const struct ip_addr *hop, u8 *mac)
{
	for (u32 i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
		struct nd6_neighbor_cache_entry *e = &neighbor_cache[i];

		if (!nd_entry_valid(e) || e->netif != netif ||
		    memcmp(&e->next_hop_address, hop, sizeof(*hop)))
			continue;
		nd[i].used = true;
		memcpy(mac, e->lladdr, ETH_ALEN);
		return true;
	}
	return false;
}

/* Notes that @hop is being asked for, and where; NULL if too many are. */
static struct asked *asked_for(const struct ip_addr *hop, u64 now)
{
	struct asked *place = NULL;

	for (u32 i = 0; i < ASKED_MAX; i++) {
		struct asked *a = &asked[i];

		if (now < a->until && ip_addr_eq(&a->ip, hop)) {
			place = a;
			break;
		}
		if (now >= a->until) {
			a->again = 0;
			place = a;
		}
	}
	if (place) {
		place->ip = *hop;
		place->until = now + ASKED_FOR;
	}
	return place;
}

/* An ARP request, at most one in a second for the same address. */
static void ask(struct netif *netif, const struct ip_addr *hop)
{
	struct ip4_addr ip = { hop->a[3] };
	u64 now = ktime_get_ns();
	struct asked *a = asked_for(hop, now);

	if (!a || now < a->again)
		return;
	a->again = now + ASK_AGAIN;
	lwip_timers_catch_up(LWIP_JOB_ARP);
	etharp_query(netif, &ip, NULL);
}

int lwip_resolve(struct net_device *dev, const struct ip_addr *next_hop,
		 u8 ll_hdr[ETH_HLEN])
{
	bool v4 = ip_addr_is_v4(next_hop);
	struct netif *netif = lwip_netif_of(dev);
	bool found;

	if (dev->features & NETIF_F_LOOPBACK) {
		memset(ll_hdr, 0, 2 * ETH_ALEN);
		put_be16(v4 ? ETH_P_IP : ETH_P_IPV6, ll_hdr + 2 * ETH_ALEN);
		return 0;
	}
	if (!netif)
		return -EAGAIN;
	lwip_lock();
	found = v4 ? use_arp(netif, next_hop, ll_hdr) :
		     use_nd(netif, next_hop, ll_hdr);
	if (!found) {
		wanted = true;
		if (v4)
			ask(netif, next_hop);
	}
	lwip_unlock();
	if (!found)
		return -EAGAIN;
	memcpy(ll_hdr + ETH_ALEN, dev->dev_addr, ETH_ALEN);
	put_be16(v4 ? ETH_P_IP : ETH_P_IPV6, ll_hdr + 2 * ETH_ALEN);
	return 0;
}

/*
 * The packet in memory that is ours alone: TCP may keep @skb to send it again,
 * and its notes (cb) are TCP's. Takes @skb; NULL if memory is out.
 */
static struct sk_buff *own_copy(struct net_device *dev, struct sk_buff *skb)
{
	u32 room = max(dev->headroom + ETH_HLEN, (u32)TX_HEADROOM);
	struct sk_buff *copy;
	u32 moved;

	if (!skb_shared(skb) && !skb->free_data && !skb->frag_list &&
	    skb_headroom(skb) >= dev->headroom + ETH_HLEN)
		return skb;
	copy = skb_copy_range(skb, 0, skb->len, room);
	if (!copy) {
		kfree_skb_reason(skb, DROP_NO_MEMORY);
		return NULL;
	}
	moved = skb_headroom(copy) - skb_headroom(skb);
	copy->ip_summed = skb->ip_summed;
	copy->csum_start = (u16)(skb->csum_start + moved);
	copy->csum_offset = skb->csum_offset;
	copy->network_header = (u16)(skb->network_header + moved);
	copy->transport_header = (u16)(skb->transport_header + moved);
	copy->gso_size = skb->gso_size;
	copy->gso_segs = skb->gso_segs;
	copy->gso_type = skb->gso_type;
	kfree_skb(skb);
	return copy;
}

void lwip_output(struct net_device *dev, struct sk_buff *skb,
		 const struct ip_addr *next_hop)
{
	struct netif *netif = lwip_netif_of(dev);
	u8 mac[ETH_ALEN];
	struct pbuf *p;
	ip_addr_t hop;

	if (!netif || skb->len > 0xffff - ETH_HLEN) {
		kfree_skb_reason(skb, DROP_IP_NO_ROUTE);
		return;
	}
	skb = own_copy(dev, skb);
	if (!skb)
		return;
	lwip_addr_in(&hop, next_hop);
	lwip_lock();
	lwip_timers_catch_up(IP_IS_V4(&hop) ? LWIP_JOB_ARP : LWIP_JOB_ND6);
	p = lwip_pbuf_from_skb(skb);
	lwip_pbuf_count_unsent(p);
	if (IP_IS_V4(&hop)) {
		if (lwip_neigh_find(netif, next_hop, mac) ||
		    asked_for(next_hop, ktime_get_ns()))
			etharp_query(netif, ip_2_ip4(&hop), p);
	} else {
		ethip6_output(netif, p, ip_2_ip6(&hop));
	}
	pbuf_free(p);
	lwip_unlock();
}
