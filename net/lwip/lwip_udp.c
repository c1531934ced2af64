/*
 * UDP sockets' way through lwIP: a pcb per socket, datagrams in and out, and
 * the choice of the interface, which for our own addresses is the loopback.
 */
#include "net/lwip/lwip_udp.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/random.h"
#include "net/drop.h"
#include "net/lwip/port_internal.h"
#include "net/sock.h"

#define UDP_HEADER	8
#define FIRST_PORT	32768u
#define NR_PORTS	(61000u - FIRST_PORT)
#define RANDOM_PORTS	16		/* tries */

void (*lwip_udp_rcv)(struct sock *sk, struct sk_buff *skb);
void (*lwip_udp_err)(struct sock *sk, const struct icmp_error *e);

static int errno_of(err_t err)
{
	switch (err) {
	case ERR_OK:
		return 0;
	case ERR_RTE:
		return -ENETUNREACH;
	case ERR_USE:
		return -EADDRINUSE;
	case ERR_VAL:
		return -EACCES;
	case ERR_MEM:
	case ERR_BUF:
		return -ENOBUFS;
	default:
		return -EINVAL;
	}
}

/* --- in --- */

struct lwip_udp_from lwip_udp_from(struct sk_buff *skb)
{
	struct lwip_up_cb *cb = lwip_up_cb(skb);

	return (struct lwip_udp_from){ cb->saddr, cb->sport };
}

static void deliver(struct sk_buff *skb)
{
	struct sock *sk = lwip_up_cb(skb)->sk;

	lwip_udp_rcv(sk, skb);
	sock_put(sk);
}

/*
 * @p at the data. lwIP has checked the sum, but takes the data's length from
 * IP; RFC 768's length says how much of it counts.
 */
static void udp_received(void *arg, struct udp_pcb *pcb, struct pbuf *p,
			 const ip_addr_t *from, u16_t port_from)
{
	u32 len = get_be16((u8 *)p->payload - UDP_HEADER + 4);
	struct ip_addr saddr = lwip_addr_out(from);
	struct sk_buff *skb;
	struct sock *sk = arg;

	(void)pcb;
	if (len < UDP_HEADER || len - UDP_HEADER > p->tot_len) {
		count_drop(DROP_UDP_HDR, p->tot_len);
		pbuf_free(p);
		return;
	}
	len -= UDP_HEADER;
	skb = lwip_skb_from_pbuf(p, 0);
	if (!skb) {
		count_drop(DROP_NO_MEMORY, p->tot_len);
		pbuf_free(p);
		return;
	}
	/* Before cb gets its new meaning: the pbuf may lie in it. */
	pbuf_free(p);
	skb_trim(skb, len);
	sock_hold(sk);
	*lwip_up_cb(skb) = (struct lwip_up_cb){
		deliver, sk, saddr, port_from
	};
	skb_queue_tail(&port.up, skb);
}

struct sock *lwip_udp_find(const struct ip_addr *saddr, u16 sport,
			   const struct ip_addr *daddr, u16 dport)
{
	struct sock *found = NULL;
	struct udp_pcb *pcb;
	ip_addr_t local, remote;

	lwip_addr_in(&local, saddr);
	lwip_addr_in(&remote, daddr);
	for (pcb = udp_pcbs; pcb; pcb = pcb->next) {
		if (pcb->recv != udp_received || pcb->local_port != sport)
			continue;
		if (!ip_addr_isany_val(pcb->local_ip) &&
		    !ip_addr_cmp(&pcb->local_ip, &local))
			continue;
		if (!(pcb->flags & UDP_FLAGS_CONNECTED)) {
			found = pcb->recv_arg;
		} else if (pcb->remote_port == dport &&
			   ip_addr_cmp(&pcb->remote_ip, &remote)) {
			found = pcb->recv_arg;
			break;
		}
	}
	if (found)
		sock_hold(found);
	return found;
}

void lwip_udp_for_each(void (*fn)(struct sock *sk, void *arg), void *arg)
{
	lwip_lock();
	for (struct udp_pcb *pcb = udp_pcbs; pcb; pcb = pcb->next) {
		if (pcb->recv == udp_received)
			fn(pcb->recv_arg, arg);
	}
	lwip_unlock();
}

void lwip_udp_error(struct sock *sk, const struct icmp_error *e)
{
	lwip_udp_err(sk, e);
	sock_put(sk);
}

/* --- the pcb --- */

struct udp_pcb *lwip_udp_new(struct sock *sk, bool v6)
{
	struct udp_pcb *pcb;

	lwip_lock();
	pcb = udp_new_ip_type(v6 ? IPADDR_TYPE_ANY : IPADDR_TYPE_V4);
	if (pcb)
		udp_recv(pcb, udp_received, sk);
	lwip_unlock();
	return pcb;
}

void lwip_udp_set_v6only(struct udp_pcb *pcb, bool on)
{
	u8 type = on ? IPADDR_TYPE_V6 : IPADDR_TYPE_ANY;

	lwip_lock();
	IP_SET_TYPE_VAL(pcb->local_ip, type);
	IP_SET_TYPE_VAL(pcb->remote_ip, type);
	lwip_unlock();
}

/* A number that no device has is one by which nothing comes. */
#define NO_SUCH_NETIF	0xff

void lwip_udp_set_dev(struct udp_pcb *pcb, s32 ifindex)
{
	struct net_device *dev = dev_get_by_index(ifindex);
	struct netif *netif = dev ? lwip_netif_of(dev) : NULL;

	lwip_lock();
	pcb->netif_idx = netif ? netif_get_index(netif) :
			 ifindex ? NO_SUCH_NETIF : NETIF_NO_INDEX;
	lwip_unlock();
}

void lwip_udp_remove(struct udp_pcb *pcb)
{
	lwip_lock();
	udp_remove(pcb);
	lwip_unlock();
}

/* "Any" has a type of its own in lwIP: that of the pcb. */
static void bind_addr(const struct udp_pcb *pcb, const struct ip_addr *ip,
		      ip_addr_t *out)
{
	lwip_addr_in(out, ip);
	if (ip_addr_any(ip))
		ip_addr_copy(*out, pcb->local_ip);
}

/*
 * A port that nobody can guess (RFC 6056 section 3.3.1), from Linux's range;
 * lwIP's own choice, which counts up, when most are taken.
 */
static err_t bind_any_port(struct udp_pcb *pcb, const ip_addr_t *addr)
{
	for (int i = 0; i < RANDOM_PORTS; i++) {
		u16 sport = (u16)(FIRST_PORT + get_random_below(NR_PORTS));

		if (udp_bind(pcb, addr, sport) == ERR_OK)
			return ERR_OK;
	}
	return udp_bind(pcb, addr, 0);
}

/* Before the first packet of a pcb that nobody has bound. */
static err_t autobind(struct udp_pcb *pcb)
{
	return pcb->local_port ? ERR_OK : bind_any_port(pcb, &pcb->local_ip);
}

int lwip_udp_bind(struct udp_pcb *pcb, const struct ip_addr *ip, u16 *sport,
		  bool reuse)
{
	ip_addr_t addr;
	err_t err;

	lwip_lock();
	if (reuse)
		ip_set_option(pcb, SOF_REUSEADDR);
	bind_addr(pcb, ip, &addr);
	err = *sport ? udp_bind(pcb, &addr, *sport) :
		       bind_any_port(pcb, &addr);
	*sport = pcb->local_port;
	lwip_unlock();
	return errno_of(err);
}

/* --- routes --- */

static struct netif *loopback(void)
{
	struct netif *netif;

	NETIF_FOREACH(netif) {
		if (((struct lwip_netif *)netif)->dev->features &
		    NETIF_F_LOOPBACK)
			return netif;
	}
	return NULL;
}

/* How to reach @to from @local; @src is what stands in the packet. */
static struct netif *route(const ip_addr_t *local, const ip_addr_t *to,
			   ip_addr_t *src)
{
	bool bound = !ip_addr_isany(local);
	struct netif *netif;
	const ip_addr_t *chosen;

	if (lwip_is_ours_locked(to)) {
		chosen = bound ? local : to;
		ip_addr_copy(*src, *chosen);
		return loopback();
	}
	if (bound && IP_GET_TYPE(local) == IP_GET_TYPE(to)) {
		ip_addr_copy(*src, *local);
		return ip_route(local, to);
	}
	if (IP_IS_V4(to)) {
		netif = ip4_route(ip_2_ip4(to));
		if (netif)
			ip_addr_copy(*src, *netif_ip_addr4(netif));
		return netif;
	}
	netif = ip6_route(IP6_ADDR_ANY6, ip_2_ip6(to));
	chosen = netif ? ip6_select_source_address(netif, ip_2_ip6(to)) : NULL;
	if (!chosen)
		return NULL;
	ip_addr_copy(*src, *chosen);
	return netif;
}

/* The loopback's is no broadcast device, and yet 127.255.255.255 is one. */
static bool is_broadcast(const ip_addr_t *to, struct netif *netif)
{
	return ip_addr_isbroadcast(to, netif) ||
	       (IP_IS_V4(to) && ip_2_ip4(to)->addr == PP_HTONL(0x7fffffff));
}

int lwip_udp_connect(struct udp_pcb *pcb, const struct ip_addr *ip, u16 dport,
		     bool broadcast, struct ip_addr *local, u16 *local_port)
{
	ip_addr_t from, to, src;
	struct netif *netif;
	int ret = -ENETUNREACH;

	lwip_lock();
	lwip_addr_in(&to, ip);
	lwip_addr_in(&from, local);
	if (autobind(pcb) != ERR_OK) {
		ret = -EAGAIN;
	} else if ((netif = route(&from, &to, &src)) && !broadcast &&
		   is_broadcast(&to, netif)) {
		ret = -EACCES;
	} else if (netif) {
		ret = udp_connect(pcb, &to, dport) == ERR_OK ? 0 : -EAGAIN;
		*local = lwip_addr_out(&src);
		*local_port = pcb->local_port;
	}
	lwip_unlock();
	return ret;
}

void lwip_udp_disconnect(struct udp_pcb *pcb)
{
	lwip_lock();
	udp_disconnect(pcb);
	lwip_unlock();
}

/* --- out --- */

static err_t send_locked(struct udp_pcb *pcb, struct pbuf *p,
			 const struct lwip_udp_to *to)
{
	ip_addr_t local, addr, src;
	struct netif *netif;

	lwip_addr_in(&local, to->local);
	lwip_addr_in(&addr, to->addr);
	if (autobind(pcb) != ERR_OK)
		return ERR_MEM;
	netif = route(&local, &addr, &src);
	if (!netif || (pcb->netif_idx != NETIF_NO_INDEX &&
		       pcb->netif_idx != netif_get_index(netif)))
		return ERR_RTE;
	if (!to->broadcast && is_broadcast(&addr, netif))
		return ERR_VAL;
	pcb->tos = to->tos;
	pcb->ttl = to->ttl ? to->ttl : UDP_TTL;
	ip_reset_option(pcb, SOF_BROADCAST);
	if (to->broadcast)
		ip_set_option(pcb, SOF_BROADCAST);
	return udp_sendto_if_src(pcb, p, &addr, to->port, netif, &src);
}

int lwip_udp_send(struct udp_pcb *pcb, struct sk_buff *skb,
		  const struct lwip_udp_to *to, u16 *sport)
{
	struct pbuf *p;
	err_t err;

	if (skb->len > LWIP_UDP_MAX_LEN) {
		kfree_skb(skb);
		return -EMSGSIZE;
	}
	lwip_lock();
	p = lwip_pbuf_from_skb(skb);
	err = send_locked(pcb, p, to);
	pbuf_free(p);
	*sport = pcb->local_port;
	lwip_unlock();
	return errno_of(err);
}
