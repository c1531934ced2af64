/*
 * Devices as lwIP's interfaces: frames in (after the checks that lwIP leaves
 * out), frames out, and the loopback. Frames come from the NET_RX softirq.
 */
#include "net/lwip/port_internal.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/lwip/lwip_port.h"
#include "net/snmp.h"

#define ARP_LEN		28
#define ARP_SENDER_IP	14
#define ARP_TARGET_IP	24
#define IP_DADDR	16
#define IP6_LEN		40
#define IP_MAX_PAYLOAD	(65535 - 20)
#define IPPROTO_HOPOPTS	0

/* lwIP may look at the first bytes of a header that is cut off. */
#define SAFE_TAIL	8

#define DHCP_CLIENT_PORT 68

/* Larger datagrams to ourselves go in fragments, as lwIP counts in 16 bits. */
#define LO_MTU		16384

/* Our own ICMP errors: one per ms, 50 in a row (as Linux's icmp_ratelimit). */
#define ICMP_ERROR_COST	NSEC_PER_MSEC
#define ICMP_ERROR_BURST (50 * NSEC_PER_MSEC)

struct netif *lwip_netif_of(struct net_device *dev)
{
	struct lwip_netif *nf = dev->netif;

	return nf ? &nf->netif : NULL;
}

bool lwip_is_ours_locked(const ip_addr_t *ip)
{
	struct netif *netif;

	if (!IP_IS_V4(ip)) {
		NETIF_FOREACH(netif) {
			if (netif_get_ip6_addr_match(netif, ip_2_ip6(ip)) >= 0)
				return true;
		}
		return false;
	}
	NETIF_FOREACH(netif) {
		if (ip4_addr_cmp(ip_2_ip4(ip), netif_ip4_addr(netif)))
			return !ip4_addr_isany(ip_2_ip4(ip));
	}
	return false;
}

bool lwip_addr_is_ours(const struct ip_addr *ip)
{
	ip_addr_t addr;
	bool ours;

	lwip_addr_in(&addr, ip);
	lwip_lock();
	ours = lwip_is_ours_locked(&addr);
	lwip_unlock();
	return ours;
}

/* --- out --- */

static bool is_error4(u8 type)
{
	return type == ICMP_DUR || type == ICMP_TE || type == ICMP_PP;
}

/* True for an ICMP or ICMPv6 error; @p starts with the Ethernet header. */
static bool is_icmp_error(const struct pbuf *p)
{
	const u8 *b = p->payload;
	u16 proto;

	if (p->len < ETH_HLEN + IP6_LEN + 1)
		return false;
	proto = get_be16(b + 12);
	if (proto == ETH_P_IP && b[ETH_HLEN + 9] == IPPROTO_ICMP)
		return is_error4(b[ETH_HLEN + (b[ETH_HLEN] & 15) * 4]);
	return proto == ETH_P_IPV6 && b[ETH_HLEN + 6] == IPPROTO_ICMPV6 &&
	       b[ETH_HLEN + IP6_LEN] < 128;
}

/* A bucket that drains with time; RFC 1812 section 4.3.2.8. */
static bool icmp_error_allowed(void)
{
	u64 now = ktime_get_ns();
	u64 busy_until = max(port.icmp_errors_until, now);

	if (busy_until - now > ICMP_ERROR_BURST - ICMP_ERROR_COST)
		return false;
	port.icmp_errors_until = busy_until + ICMP_ERROR_COST;
	return true;
}

/* A question that lwIP asks is a question it waits for. */
static void poke_asker(const struct sk_buff *skb)
{
	if (skb->protocol == cpu_to_be16(ETH_P_ARP))
		lwip_poke(JOB_ARP);
	else if (skb->protocol == cpu_to_be16(ETH_P_IPV6) &&
		 skb->len > ETH_HLEN + IP6_LEN &&
		 skb->data[ETH_HLEN + 6] == IPPROTO_ICMPV6 &&
		 skb->data[ETH_HLEN + IP6_LEN] == ICMP6_TYPE_NS)
		lwip_poke(JOB_ND6);
}

/* lwIP gives a frame away; the pbuf stays lwIP's. */
static err_t link_output(struct netif *netif, struct pbuf *p)
{
	struct net_device *dev = ((struct lwip_netif *)netif)->dev;
	struct sk_buff *skb;

	if (unlikely(is_icmp_error(p)) && !icmp_error_allowed()) {
		count_drop(DROP_ICMP_RATELIMIT, p->tot_len);
		return ERR_OK;
	}
	skb = lwip_skb_from_pbuf(p, dev->headroom);
	if (unlikely(!skb)) {
		lwip_no_memory(DROP_NO_MEMORY, p->tot_len);
		return ERR_MEM;
	}
	skb->dev = dev;
	skb->protocol = ((const struct ethhdr *)skb->data)->h_proto;
	if (unlikely(skb->protocol != cpu_to_be16(ETH_P_IP)))
		poke_asker(skb);
	lwip_count_out(skb->data, skb->len);
	skb_queue_tail(&port.out, skb);
	return ERR_OK;
}

static const struct eth_addr no_mac;

static err_t lo_output(struct netif *netif, struct pbuf *p,
		       const ip4_addr_t *to)
{
	(void)to;
	return ethernet_output(netif, p, &no_mac, &no_mac, ETH_P_IP);
}

static err_t lo_output_ip6(struct netif *netif, struct pbuf *p,
			   const ip6_addr_t *to)
{
	(void)to;
	return ethernet_output(netif, p, &no_mac, &no_mac, ETH_P_IPV6);
}

/* --- in --- */

/* What is to be looked at again after a frame. */
struct frame {
	u16 proto;
	u32 pokes;
	bool neigh;		/* may have changed the neighbour tables */
	bool fragment;
	bool plain_ip4;		/* no options: ip_rcv() has checked the sum */
	bool icmp;
	bool icmp4;		/* plain, and not a fragment */
	bool icmp4_error;
};

#define POKE(job)	(1u << (job))

/* The checks that lwIP does not make before it reads; see check_frame(). */
static bool check_ip4(const struct sk_buff *skb, struct frame *f,
		      enum drop_reason *why)
{
	const u8 *ip = skb->data + ETH_HLEN;
	u32 have = skb->len - ETH_HLEN;
	u32 hlen, len, frag, udp_len;

	*why = DROP_IP_HDR;
	if (have < sizeof(struct iphdr))
		return false;
	hlen = (u32)(ip[0] & 15) * 4;
	len = get_be16(ip + 2);
	if (hlen < sizeof(struct iphdr) || len < hlen || len > have)
		return false;
	frag = get_be16(ip + 6);
	f->fragment = frag & (IP_MF | IP_OFFSET);
	if (f->fragment) {
		f->pokes |= POKE(JOB_REASS4);
		*why = DROP_IP_FRAG;
		return (frag & IP_OFFSET) * 8 + len - hlen <= IP_MAX_PAYLOAD;
	}
	f->plain_ip4 = ip[0] == 0x45;
	if (ip[9] == IPPROTO_ICMP) {
		f->icmp = true;
		f->icmp4 = f->plain_ip4;
		f->icmp4_error = len > hlen && is_error4(ip[hlen]);
	}
	if (ip[9] != IPPROTO_UDP)
		return true;
	*why = DROP_UDP_HDR;
	if (len < hlen + UDP_HLEN)
		return false;
	udp_len = get_be16(ip + hlen + 4);
	if (udp_len < UDP_HLEN || hlen + udp_len > len)
		return false;
	/* Else a closed port would answer a datagram that is none. */
	udp_len = get_be16(ip + hlen + 4);
	if (udp_len < 8 || udp_len > get_be16(ip + 2) - hlen)
		return false;
	if (get_be16(ip + hlen + 2) == DHCP_CLIENT_PORT)
		f->pokes |= POKE(JOB_DHCP_FINE) | POKE(JOB_DHCP_COARSE);
	return true;
}

static bool check_ip6(const struct sk_buff *skb, struct frame *f,
		      enum drop_reason *why)
{
	const u8 *ip = skb->data + ETH_HLEN;

	*why = DROP_IP_HDR;
	if (skb->len < ETH_HLEN + IP6_LEN)
		return false;
	switch (ip[6]) {
	case IPPROTO_UDP:
	case IPPROTO_TCP:
		break;
	case IPPROTO_ICMPV6:
	case IPPROTO_HOPOPTS:
		f->pokes |= POKE(JOB_ND6) | POKE(JOB_MLD6);
		f->neigh = true;
		f->icmp = true;
		break;
	default:
		f->pokes |= POKE(JOB_REASS6);
		f->fragment = true;
	}
	return true;
}

/*
 * lwIP reads some headers before it knows that they are there, and counts
 * lengths in 16 bits: frames that would hurt it end here, with their reason.
 */
static bool check_frame(struct sk_buff *skb, struct frame *f,
			enum drop_reason *why)
{
	*why = DROP_DEV_RUNT;
	if (skb->len <= ETH_HLEN)
		return false;
	*why = DROP_DEV_BAD_LENGTH;
	if (skb->len > 0xffff)
		return false;
	*why = DROP_NO_MEMORY;
	if (!pskb_may_pull(skb, skb->len))
		return false;
	f->proto = get_be16(skb->data + 12);
	switch (f->proto) {
	case ETH_P_ARP:
		f->neigh = true;
		f->pokes |= POKE(JOB_ARP);
		*why = DROP_ARP_HDR;
		return skb->len >= ETH_HLEN + ARP_LEN;
	case ETH_P_IP:
		return check_ip4(skb, f, why);
	case ETH_P_IPV6:
		return check_ip6(skb, f, why);
	default:
		*why = DROP_ETH_PROTO;
		return false;
	}
}

/* lwIP writes into the bytes: they must be ours alone, with a safe tail. */
static struct sk_buff *make_own(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (likely(!skb_shared(skb) && skb_tailroom(skb) >= SAFE_TAIL))
		return skb;
	copy = alloc_skb(skb->len + SAFE_TAIL);
	if (!copy) {
		kfree_skb_reason(skb, DROP_NO_MEMORY);
		return NULL;
	}
	memcpy(skb_put(copy, skb->len), skb->data, skb->len);
	copy->dev = skb->dev;
	copy->ip_summed = skb->ip_summed;
	kfree_skb(skb);
	return copy;
}

/* What lwIP shall sum: a device vouches for whole UDP packets only. */
static u16 checks(const struct sk_buff *skb, const struct frame *f)
{
	u16 flags = NETIF_CHECKSUM_ENABLE_ALL;

	if (f->plain_ip4)
		flags &= ~NETIF_CHECKSUM_CHECK_IP;
	if (skb->ip_summed != CHECKSUM_NONE && !f->fragment)
		flags &= ~NETIF_CHECKSUM_CHECK_UDP;
	return flags;
}

/* A word of an address in the frame. */
static be32 word_at(const struct sk_buff *skb, u32 off)
{
	be32 word;

	memcpy(&word, skb->data + ETH_HLEN + off, sizeof(word));
	return word;
}

/* The interface with address @ip on the same device, else @nf. */
static struct lwip_netif *alias_of(struct lwip_netif *nf, be32 ip)
{
	struct netif *netif;

	NETIF_FOREACH(netif) {
		if (((struct lwip_netif *)netif)->dev == nf->dev &&
		    netif_ip4_addr(netif)->addr == ip)
			return (struct lwip_netif *)netif;
	}
	return nf;
}

void lwip_input(struct sk_buff *skb)
{
	struct lwip_netif *nf = skb->dev->netif;
	struct frame f = { 0 };
	enum drop_reason why;
	u32 len = skb->len, taken;
	u16 nf_flags;
	bool dropped;

	if (unlikely(!nf)) {
		kfree_skb_reason(skb, DROP_DEV_DOWN);
		return;
	}
	if (unlikely(!check_frame(skb, &f, &why))) {
		lwip_count_drop(why, f.proto == ETH_P_IP, len);
		kfree_skb(skb);
		return;
	}
	skb = make_own(skb);
	if (unlikely(!skb))
		return;
	nf_flags = checks(skb, &f);
	skb->ip_summed = CHECKSUM_NONE;
	lwip_lock();
	if (f.icmp)
		lwip_count_in(skb->data, len);
	if (f.icmp4 && lwip_echo(nf, skb)) {
		SNMP_INC(Ip_InDelivers);
		lwip_unlock();
		return;
	}
	if (unlikely(f.pokes))
		lwip_timers_catch_up(f.pokes);
	if (unlikely(f.proto == ETH_P_ARP)) {
		lwip_neigh_confirm(word_at(skb, ARP_SENDER_IP));
		nf = alias_of(nf, word_at(skb, ARP_TARGET_IP));
	} else if (f.proto == ETH_P_IP) {
		nf = alias_of(nf, word_at(skb, IP_DADDR));
	}
	nf->netif.chksum_flags = nf_flags;
	taken = lwip_taken_up();
	if (unlikely(f.icmp4_error))
		lwip_icmp4_error(skb);
	else
		ethernet_input(lwip_pbuf_from_skb(skb), &nf->netif);
	dropped = lwip_count_drops(f.proto == ETH_P_IP, len);
	if (unlikely(f.fragment))
		lwip_count_fragment(f.proto == ETH_P_IP,
				    lwip_taken_up() != taken);
	else if (!dropped && f.proto != ETH_P_ARP)
		SNMP_INC46(f.proto == ETH_P_IP, Ip, Ip6, InDelivers);
	if (unlikely(f.neigh))
		lwip_neigh_check();
	if (unlikely(f.pokes & POKE(JOB_DHCP_FINE)))
		lwip_config_check();
	lwip_unlock();
}

/* --- set-up --- */

static err_t init_netif(struct netif *netif)
{
	struct net_device *dev = ((struct lwip_netif *)netif)->dev;
	bool lo = dev->features & NETIF_F_LOOPBACK;

	netif->name[0] = dev->name[0];
	netif->name[1] = dev->name[1];
	netif->mtu = lo ? min((u16)LO_MTU, dev->mtu) : dev->mtu;
	netif->mtu6 = netif->mtu;
	netif->hwaddr_len = ETH_ALEN;
	memcpy(netif->hwaddr, dev->dev_addr, ETH_ALEN);
	netif->linkoutput = link_output;
	netif->output = lo ? lo_output : etharp_output;
	netif->output_ip6 = lo ? lo_output_ip6 : ethip6_output;
	netif->flags = NETIF_FLAG_ETHERNET;
	if (!lo)
		netif->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
				NETIF_FLAG_MLD6;
	if (lo || dev->link_up)
		netif->flags |= NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

/* 127.0.0.1 and ::1, valid at once. */
static void configure_lo(struct netif *netif)
{
	ip4_addr_t addr, mask;

	IP4_ADDR(&addr, 127, 0, 0, 1);
	IP4_ADDR(&mask, 255, 0, 0, 0);
	netif_set_addr(netif, &addr, &mask, NULL);
	IP_ADDR6(&netif->ip6_addr[0], 0, 0, 0, cpu_to_be32(1));
	netif->ip6_addr_state[0] = IP6_ADDR_PREFERRED;
	netif_set_up(netif);
	netif->rs_count = 0;
	/* lwIP takes IPv4 frames only from interfaces with ARP. */
	netif->flags |= NETIF_FLAG_ETHARP;
}

int lwip_add_netdev(struct net_device *dev)
{
	struct lwip_netif *nf = kzalloc(sizeof(*nf));

	if (!nf)
		return -ENOMEM;
	nf->dev = dev;
	lwip_lock();
	netif_add(&nf->netif, NULL, NULL, NULL, NULL, init_netif,
		  ethernet_input);
	dev->netif = nf;
	if (dev->features & NETIF_F_LOOPBACK)
		configure_lo(&nf->netif);
	netif_set_status_callback(&nf->netif, lwip_status_changed);
	lwip_unlock();
	return 0;
}

/* lwIP routes by the first that fits: the device's own stays first. */
static void move_last(struct netif *netif)
{
	struct netif **at = &netif_list;

	*at = netif->next;
	while (*at)
		at = &(*at)->next;
	*at = netif;
	netif->next = NULL;
}

int lwip_add_alias(struct net_device *dev, const struct lwip_ifaddr *ifa)
{
	struct lwip_netif *nf = kzalloc(sizeof(*nf));
	struct ip4_addr addr = { ifa->addr }, mask = { ifa->mask };

	if (!nf)
		return -ENOMEM;
	nf->dev = dev;
	netif_add(&nf->netif, &addr, &mask, NULL, NULL, init_netif,
		  ethernet_input);
	move_last(&nf->netif);
	nf->netif.flags &= (u8)~NETIF_FLAG_MLD6;
	nf->netif.flags |= NETIF_FLAG_LINK_UP;
	nf->netif.rs_count = 0;
	netif_set_up(&nf->netif);
	WRITE_ONCE(ip_route_gen, ip_route_gen + 1);
	return 0;
}
