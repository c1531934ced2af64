/*
 * The plainest ping, answered in the frame that it came in. lwIP answers
 * every other one, and would answer this one just the same, at three times
 * the cost. NET_RX softirq, under the port's lock.
 */
#include "net/lwip/port_internal.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"

#define ECHO_TO_REPLY	((u16)(ICMP_ECHO << 8))	/* of the first word */

struct echo_frame {
	struct ethhdr eth;
	struct iphdr ip;
	u8 type, code;
	u16 check;
} __packed;

/* The neighbour that leads to @to; false if lwIP has to think about it. */
static bool find_way(struct netif *netif, be32 to, u8 *mac)
{
	be32 ours = netif_ip4_addr(netif)->addr;
	be32 mask = netif_ip4_netmask(netif)->addr;
	struct ip_addr hop = ip_addr_v4(to);

	if ((to ^ ours) & mask)
		hop = ip_addr_v4(netif_ip4_gw(netif)->addr);
	else if (to == (to | ~mask) || to == ours)
		return false;
	return hop.a[3] && lwip_neigh_find(netif, &hop, mac);
}

/*
 * Guaranteed by check_ip4(): an IPv4 header without options, not a fragment,
 * whose length is inside the frame. By ip_rcv(): its checksum, and a source
 * that is a host. Here: the rest.
 */
bool lwip_echo(struct lwip_netif *nf, struct sk_buff *skb)
{
	struct echo_frame *f = (struct echo_frame *)skb->data;
	u32 len = be16_to_cpu(f->ip.tot_len) - (u32)sizeof(f->ip);
	be32 from = f->ip.saddr;
	u8 mac[ETH_ALEN];

	if (len < sizeof(struct icmp_echo_hdr) || f->type != ICMP_ECHO ||
	    f->eth.h_dest[0] & 1 ||
	    f->ip.daddr != netif_ip4_addr(&nf->netif)->addr ||
	    csum_fold(csum_partial(&f->type, len, 0)) ||
	    !find_way(&nf->netif, from, mac))
		return false;
	memcpy(f->eth.h_dest, mac, ETH_ALEN);
	memcpy(f->eth.h_source, nf->dev->dev_addr, ETH_ALEN);
	f->ip.saddr = f->ip.daddr;
	f->ip.daddr = from;
	f->ip.ttl = ICMP_TTL;
	f->ip.check = 0;
	f->ip.check = csum_fold(csum_partial(&f->ip, sizeof(f->ip), 0));
	f->type = ICMP_ER;
	/* RFC 1624: the sum loses what the first word lost. */
	f->check = csum_fold((u16)~f->check +
			     (u16)~cpu_to_be16(ECHO_TO_REPLY));
	skb->len = ETH_HLEN + (u32)sizeof(f->ip) + len;
	skb->dev = nf->dev;
	lwip_count_out(skb->data, skb->len);
	skb_queue_tail(&port.out, skb);
	return true;
}
