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

#define CODE_FRAG	4	/* RFC 792: fragmentation needed and DF set */
#define FATAL		0x80	/* beside an errno */

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
	port.tcp_up++;
	lwip_up_cb(skb)->deliver = deliver_tcp;
	skb_queue_tail(&port.up, skb);
	return 1;
}

/* What an ICMP error means, with whether it is final. */
static void set_errno(struct icmp_error *e, u8 error, bool fatal)
{
	e->error = error;
	e->fatal = fatal;
}

/* Destination unreachable, by code, as Linux reads RFC 792, 1122 and 1812. */
static void unreachable4(struct icmp_error *e)
{
	static const u8 codes[] = {
		ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT | FATAL,
		ECONNREFUSED | FATAL, EMSGSIZE, EOPNOTSUPP,
		ENETUNREACH | FATAL, EHOSTDOWN | FATAL, ENONET | FATAL,
		ENETUNREACH | FATAL, EHOSTUNREACH | FATAL, ENETUNREACH,
		EHOSTUNREACH, EHOSTUNREACH | FATAL, EHOSTUNREACH | FATAL,
		EHOSTUNREACH | FATAL,
	};
	u8 code = e->code < sizeof(codes) ? codes[e->code] : EHOSTUNREACH;

	set_errno(e, code & (FATAL - 1), code & FATAL);
}

static void read_icmp4(struct icmp_error *e, const u8 *icmp)
{
	if (e->type == ICMP_PP)
		set_errno(e, EPROTO, true);
	else if (e->type != ICMP_DUR)
		set_errno(e, EHOSTUNREACH, false);
	else
		unreachable4(e);
	if (e->type == ICMP_DUR && e->code == CODE_FRAG)
		e->mtu = get_be16(icmp + 6);
}

/*
 * Notes the error @e for when the lock is gone: takes @skb, which holds what
 * is quoted. One at a time: a second one meanwhile is lost, as any may be.
 */
static void note_error(struct sk_buff *skb, const struct icmp_error *e)
{
	struct lwip_icmp_error *noted = &port.icmp_error;

	if (noted->skb ||
	    (e->protocol != IPPROTO_TCP && e->protocol != IPPROTO_UDP))
		goto drop;
	noted->e = *e;
	if (e->protocol == IPPROTO_UDP) {
		noted->sk = lwip_udp_find(&e->saddr, get_be16(e->quoted),
					  &e->daddr, get_be16(e->quoted + 2));
		if (!noted->sk)
			goto drop;
	}
	noted->skb = skb;
	return;
drop:
	kfree_skb(skb);
}

static struct ip_addr read_addr4(const u8 *p)
{
	be32 a;

	memcpy(&a, p, sizeof(a));
	return ip_addr_v4(a);
}

static void refuse_icmp4(struct sk_buff *skb, enum drop_reason why)
{
	lwip_count_drop(why, true, skb->len);
	kfree_skb(skb);
}

void lwip_icmp4_error(struct sk_buff *skb)
{
	const u8 *ip = skb->data + ETH_HLEN;
	u32 hlen = (u32)(ip[0] & 15) * 4;
	const u8 *icmp = ip + hlen;
	const u8 *inner = icmp + ICMP_HLEN;
	u32 len = get_be16(ip + 2) - hlen;
	struct icmp_error e = { 0 };
	u32 inner_hlen;

	if (len < ICMP_HLEN + sizeof(struct iphdr)) {
		refuse_icmp4(skb, DROP_ICMP_HDR);
		return;
	}
	if (csum_fold(csum_partial(icmp, len, 0))) {
		refuse_icmp4(skb, DROP_ICMP_CSUM);
		return;
	}
	inner_hlen = (u32)(inner[0] & 15) * 4;
	if (inner_hlen < sizeof(struct iphdr) ||
	    len < ICMP_HLEN + inner_hlen + QUOTED) {
		refuse_icmp4(skb, DROP_ICMP_HDR);
		return;
	}
	e.type = icmp[0];
	e.code = icmp[1];
	e.protocol = inner[9];
	e.offender = read_addr4(ip + 12);
	e.saddr = read_addr4(inner + 12);
	e.daddr = read_addr4(inner + 16);
	e.quoted = inner + inner_hlen;
	e.len = len - ICMP_HLEN - inner_hlen;
	read_icmp4(&e, icmp);
	note_error(skb, &e);
}

/* RFC 4443 section 3, as Linux reads it. */
static void read_icmp6(struct icmp_error *e, const u8 *icmp)
{
	static const u8 codes[] = {
		ENETUNREACH, EACCES | FATAL, EHOSTUNREACH, EHOSTUNREACH,
		ECONNREFUSED | FATAL, EACCES | FATAL, EACCES | FATAL,
	};
	u8 code = EPROTO | FATAL;

	if (e->type == 1)
		code = e->code < sizeof(codes) ? codes[e->code] : EPROTO;
	else if (e->type == 2)
		code = EMSGSIZE;
	else if (e->type == 3)
		code = EHOSTUNREACH;
	set_errno(e, code & (FATAL - 1), code & FATAL);
	if (e->type == 2)
		e->mtu = get_be32(icmp + 4);
}

static bool icmp6_sum_ok(struct pbuf *p, u32 hlen)
{
	bool ok;

	pbuf_remove_header(p, hlen);
	ok = !ip6_chksum_pseudo(p, IPPROTO_ICMPV6, p->tot_len,
				ip6_current_src_addr(),
				ip6_current_dest_addr());
	pbuf_add_header_force(p, hlen);
	return ok;
}

/* ICMPv6 errors are also lwIP's business (path MTU): it goes on with them. */
static u8_t icmp6_raw_recv(void *arg, struct raw_pcb *pcb, struct pbuf *p,
			   const ip_addr_t *from)
{
	u32 hlen = ip_current_header_tot_len();
	const u8 *icmp = (const u8 *)p->payload + hlen;
	struct icmp_error e = { 0 };
	struct sk_buff *skb;
	const u8 *inner;

	(void)arg;
	(void)pcb;
	if (p->len < hlen + ICMP_HLEN + IP6_LEN + QUOTED || icmp[0] >= 128 ||
	    p->next || !icmp6_sum_ok(p, hlen))
		return 0;
	skb = lwip_skb_copy(p, 0);
	if (!skb)
		return 0;
	icmp = skb->data + hlen;
	inner = icmp + ICMP_HLEN;
	e.type = icmp[0];
	e.code = icmp[1];
	e.protocol = inner[6];
	e.offender = lwip_addr_out(from);
	memcpy(&e.saddr, inner + 8, sizeof(e.saddr));
	memcpy(&e.daddr, inner + 24, sizeof(e.daddr));
	e.quoted = inner + IP6_LEN;
	e.len = skb->len - hlen - ICMP_HLEN - IP6_LEN;
	read_icmp6(&e, icmp);
	note_error(skb, &e);
	return 0;
}

void lwip_icmp_error_deliver(struct lwip_icmp_error *err)
{
	if (err->e.protocol == IPPROTO_TCP)
		tcp_icmp_error(&err->e);
	else
		lwip_udp_error(err->sk, &err->e);
	kfree_skb(err->skb);
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
