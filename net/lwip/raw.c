/*
 * What comes back from lwIP to TCP: segments that arrived in fragments or
 * with IP options (a raw pcb claims them all), and ICMP errors about packets
 * of ours, for TCP and UDP.
 */
#include "net/lwip/port_internal.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/drop.h"
#include "net/lwip/lwip_udp.h"
#include "net/sock.h"
#include "net/tcp/tcp.h"

#define TCP_MIN_HLEN	20
#define IP6_LEN		40
#define ICMP_HLEN	8
#define QUOTED		8	/* transport bytes that an error quotes */

/* ICMP destination unreachable codes, RFC 792 and RFC 1122 section 3.2.2.1 */
#define CODE_PROTO	2
#define CODE_PORT	3
#define CODE_FRAG	4

static void deliver_tcp(struct sk_buff *skb)
{
	skb->tstamp = 0;	/* no device stamped it: TCP reads the clock */
	if (skb->protocol == cpu_to_be16(ETH_P_IPV6))
		tcp_v6_rcv(skb);
	else
		tcp_v4_rcv(skb);
}

/* @p at the IP header of a whole segment; eats it. */
static u8_t tcp_raw_recv(void *arg, struct raw_pcb *pcb, struct pbuf *p,
			 const ip_addr_t *from)
{
	struct net_device *dev =
		((struct lwip_netif *)ip_current_input_netif())->dev;
	bool v6 = IP_IS_V6(from);
	u32 hlen = ip_current_header_tot_len();
	u32 len = v6 ? p->tot_len : get_be16((u8 *)p->payload + 2);
	struct sk_buff *skb;

	(void)arg;
	(void)pcb;
	if (len > p->tot_len || len < hlen + TCP_MIN_HLEN) {
		count_drop(DROP_TCP_HDR, p->tot_len);
		pbuf_free(p);
		return 1;
	}
	skb = lwip_skb_from_pbuf(p, 0);
	pbuf_free(p);
	if (!skb) {
		count_drop(DROP_NO_MEMORY, len);
		return 1;
	}
	skb_trim(skb, len);
	skb->dev = dev;
	skb->protocol = cpu_to_be16(v6 ? ETH_P_IPV6 : ETH_P_IP);
	skb->ip_summed = CHECKSUM_NONE;
	skb->network_header = (u16)(skb->data - skb->head);
	skb_pull(skb, hlen);
	skb->transport_header = (u16)(skb->data - skb->head);
	lwip_up_cb(skb)->deliver = deliver_tcp;
	skb_queue_tail(&port.up, skb);
	return 1;
}

static int icmp4_errno(u8 type, u8 code)
{
	if (type != ICMP_DUR)
		return EHOSTUNREACH;
	switch (code) {
	case CODE_PORT:
		return ECONNREFUSED;
	case CODE_PROTO:
		return ENOPROTOOPT;
	case CODE_FRAG:
		return EMSGSIZE;
	case 0:
	case 6:
	case 11:
		return ENETUNREACH;
	default:
		return EHOSTUNREACH;
	}
}

/* Notes the error; the quoted header is the one we sent. */
static void note_error(const struct ip_addr *saddr,
		       const struct ip_addr *daddr, u8 protocol,
		       const u8 *quoted, int error, u32 mtu)
{
	struct lwip_icmp_error *e = &port.icmp_error;

	if (e->set || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
		return;
	*e = (struct lwip_icmp_error){
		.set = true,
		.protocol = protocol,
		.error = error,
		.mtu = mtu,
		.saddr = *saddr,
		.daddr = *daddr,
	};
	memcpy(e->quoted, quoted, QUOTED);
	if (protocol != IPPROTO_UDP)
		return;
	e->sk = lwip_udp_find(saddr, get_be16(quoted), daddr,
			      get_be16(quoted + 2));
	e->set = e->sk != NULL;
}

void lwip_icmp4_error(struct sk_buff *skb)
{
	const u8 *ip = skb->data + ETH_HLEN;
	u32 hlen = (u32)(ip[0] & 15) * 4;
	const u8 *icmp = ip + hlen;
	const u8 *inner = icmp + ICMP_HLEN;
	u32 len = get_be16(ip + 2) - hlen;
	struct ip_addr saddr, daddr;
	u32 inner_hlen;
	be32 s, d;

	if (len < ICMP_HLEN + sizeof(struct iphdr)) {
		kfree_skb_reason(skb, DROP_ICMP_HDR);
		return;
	}
	if (csum_fold(csum_partial(icmp, len, 0))) {
		kfree_skb_reason(skb, DROP_ICMP_CSUM);
		return;
	}
	inner_hlen = (u32)(inner[0] & 15) * 4;
	if (inner_hlen < sizeof(struct iphdr) ||
	    len < ICMP_HLEN + inner_hlen + QUOTED) {
		kfree_skb_reason(skb, DROP_ICMP_HDR);
		return;
	}
	memcpy(&s, inner + 12, 4);
	memcpy(&d, inner + 16, 4);
	saddr = ip_addr_v4(s);
	daddr = ip_addr_v4(d);
	note_error(&saddr, &daddr, inner[9], inner + inner_hlen,
		   icmp4_errno(icmp[0], icmp[1]),
		   icmp[0] == ICMP_DUR && icmp[1] == CODE_FRAG ?
			get_be16(icmp + 6) : 0);
	kfree_skb(skb);
}

static int icmp6_errno(u8 type, u8 code)
{
	switch (type) {
	case 1:
		return code == 4 ? ECONNREFUSED :
		       code == 0 ? ENETUNREACH : EHOSTUNREACH;
	case 2:
		return EMSGSIZE;
	case 3:
		return EHOSTUNREACH;
	default:
		return EPROTO;
	}
}

/* ICMPv6 errors are also lwIP's business (path MTU): it goes on with them. */
static u8_t icmp6_raw_recv(void *arg, struct raw_pcb *pcb, struct pbuf *p,
			   const ip_addr_t *from)
{
	u32 hlen = ip_current_header_tot_len();
	const u8 *icmp = (const u8 *)p->payload + hlen;
	const u8 *inner = icmp + ICMP_HLEN;
	struct ip_addr saddr, daddr;

	(void)arg;
	(void)pcb;
	(void)from;
	if (p->len < hlen + ICMP_HLEN + IP6_LEN + QUOTED || icmp[0] >= 128 ||
	    p->next)
		return 0;
	pbuf_remove_header(p, hlen);
	if (ip6_chksum_pseudo(p, IPPROTO_ICMPV6, p->tot_len,
			      ip6_current_src_addr(),
			      ip6_current_dest_addr())) {
		pbuf_add_header_force(p, hlen);
		return 0;
	}
	pbuf_add_header_force(p, hlen);
	memcpy(&saddr, inner + 8, sizeof(saddr));
	memcpy(&daddr, inner + 24, sizeof(daddr));
	note_error(&saddr, &daddr, inner[6], inner + IP6_LEN,
		   icmp6_errno(icmp[0], icmp[1]),
		   icmp[0] == 2 ? get_be32(icmp + 4) : 0);
	return 0;
}

void lwip_icmp_error_deliver(struct lwip_icmp_error *err)
{
	if (err->protocol == IPPROTO_TCP)
		tcp_icmp_error(&err->saddr, &err->daddr, err->quoted,
			       err->error, err->mtu);
	else
		lwip_udp_error(err->sk, err->error);
}

static int claim(u8 type, u8 protocol, raw_recv_fn recv)
{
	struct raw_pcb *pcb = raw_new_ip_type(type, protocol);

	if (!pcb)
		return -ENOMEM;
	raw_recv(pcb, recv, NULL);
	return 0;
}

int lwip_raw_init(void)
{
	if (claim(IPADDR_TYPE_ANY, IPPROTO_TCP, tcp_raw_recv) ||
	    claim(IPADDR_TYPE_V6, IPPROTO_ICMPV6, icmp6_raw_recv))
		return -ENOMEM;
	return 0;
}
