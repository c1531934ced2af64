/*
 * IP below our TCP: headers, checksums in software (net/ip/ip_gso.c), a
 * device that reads a packet only some time after it was handed over, and
 * the way up again.
 */
#include "tests/sim/ours.h"

#include <stdio.h>

#include "kernel/errno.h"
#include "kernel/softirq.h"
#include "kernel/string.h"
#include "net/ip/ip_internal.h"
#include "net/tcp/tcp_hash.h"
#include "tests/host/host.h"

const struct net_proto_family *our_inet;
u32 ip_route_gen;

static struct net_device dev = { .name = "sim0" };
/* Cuts and sums nothing: so all is done in software. */
static struct net_device plain = { .name = "plain" };
static const struct plan *plan;
static struct rng rng;
static unsigned long baseline;
static u32 nr_left;

be32 our_addr(u8 side)
{
	return cpu_to_be32(0x0a000001 + side);
}

int sock_register(const struct net_proto_family *family)
{
	if (family->family == AF_INET)
		our_inet = family;
	return 0;
}

void sk_send_sigurg(const struct sock *sk)
{
	(void)sk;
}

struct net_device *dev_get_by_name(const char *name)
{
	return NULL;
}

struct net_device *dev_get_by_index(int ifindex)
{
	return NULL;
}

bool ip_addr_is_local(const struct ip_addr *ip)
{
	return ip->a[3] == our_addr(0) ||
	       (plan->kind == OURS_OURS && ip->a[3] == our_addr(1));
}

bool ip_addr_is_multicast(const struct ip_addr *ip)
{
	return (ip->a[3] & 0xf0) == 0xe0;
}

int ip_route_output(struct ip_addr *saddr, const struct ip_addr *daddr,
		    struct ip_route *rt)
{
	if (ip_addr_any(saddr))
		*saddr = ip_addr_v4(our_addr(0));
	*rt = (struct ip_route){
		.dev = &dev, .mtu = plan->mtu, .ll_len = 14
	};
	return 0;
}

static void dma(void *arg)
{
	static u8 wire[65536];
	struct sk_buff *skb = arg;
	const struct iphdr *ip = (const struct iphdr *)skb->data;

	skb_copy_bits(skb, 0, wire, skb->len);
	link_send(ip->saddr == our_addr(1), wire, skb->len);
	kfree_skb(skb);
}

static void to_device(struct ip_sender *to, struct sk_buff *skb)
{
	if (plan->dma_us)
		at(host_now + plan->dma_us * 1000ull, dma, skb);
	else
		dma(skb);
}

int ip_queue_xmit(struct sk_buff *skb, struct ip_route *rt,
		  struct ip_out out)
{
	struct ip_sender to = { .send = to_device, .dev = &plain, .rt = rt };
	struct iphdr *ip = skb_push(skb, sizeof(*ip));

	memset(ip, 0, sizeof(*ip));
	ip->ver_ihl = 0x45;
	ip->tot_len = cpu_to_be16((u16)skb->len);
	ip->frag_off = cpu_to_be16(IP_DF);
	ip->ttl = 64;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = out.saddr->a[3];
	ip->daddr = out.daddr->a[3];
	ip->check = csum_fold(csum_partial(ip, sizeof(*ip), 0));
	skb->network_header = (u16)(skb->data - skb->head);
	if (!skb->gso_size && skb->len > rt->mtu)
		sim_fail("a packet of %u bytes, the MTU is %u", skb->len,
			 rt->mtu);
	ip_gso_send(skb, &to);
	return 0;
}

static struct sk_buff *piece(const u8 *bytes, u32 n)
{
	struct sk_buff *skb = alloc_skb(n);

	if (skb)
		memcpy(skb_put(skb, n), bytes, n);
	return skb;
}

/* As mergeable buffers come: a head and further pieces. */
static struct sk_buff *in_pieces(const u8 *packet, u32 len)
{
	u32 n = plan->pieces ? 40 + (u32)below(&rng, len - 39) : len;
	struct sk_buff *skb = piece(packet, n);

	for (u32 off = n; skb && off < len; off += n) {
		struct sk_buff *frag;

		n = 1 + (u32)below(&rng, len - off);
		frag = piece(packet + off, n);
		if (!frag) {
			kfree_skb(skb);
			return NULL;
		}
		skb_add_frag(skb, frag);
	}
	return skb;
}

void ours_rcv(const u8 *packet, u32 len)
{
	struct sk_buff *skb;

	if (csum_fold(csum_partial(packet, 20, 0)))
		return;
	skb = in_pieces(packet, len);
	if (!skb)
		return;
	skb->network_header = (u16)(skb->data - skb->head);
	skb_pull(skb, 20);
	skb->transport_header = (u16)(skb->data - skb->head);
	skb->ip_summed = CHECKSUM_NONE;
	skb->tstamp = host_now;
	local_bh_disable();
	tcp_v4_rcv(skb);
	local_bh_enable();
}

void ours_icmp(const u8 *packet, u16 mtu)
{
	const struct iphdr *ip = (const struct iphdr *)packet;
	struct icmp_error e = {
		.saddr = ip_addr_v4(ip->saddr),
		.daddr = ip_addr_v4(ip->daddr),
		.error = EMSGSIZE,
		.mtu = mtu,
		.quoted = packet + 20,
		.len = 8,
	};

	local_bh_disable();
	tcp_icmp_error(&e);
	local_bh_enable();
}

/* --- life --- */

void ours_init(void)
{
	static struct plan none;

	plan = &none;
	host_reset();
	skb_init();
	sock_init();
	inet_init();
	tcp_init();
}

void ours_start(const struct plan *p)
{
	host_reset();
	plan = p;
	rng.state = p->seed ^ 0x0a25;
	host_random_seed(p->seed);
	dev.features = p->tso ? NETIF_F_TSO : 0;
	baseline = host_allocs_outstanding();
}

static void note_sock(struct sock *sk, void *arg)
{
	bool *print = arg;

	shared->fail_conn = sk->sk_num - SIM_PORT < SIM_CONNS
		? sk->sk_num - SIM_PORT : sk->sk_dport - SIM_PORT;
	if (*print)
		printf("left: %u to %u in %s\n", sk->sk_num, sk->sk_dport,
		       tcp_state_names[sk->sk_state]);
	nr_left++;
}

static void note_mini(struct tcp_mini *mini, void *arg)
{
	bool *print = arg;

	if (*print)
		printf("left: record of kind %u, port %u\n", mini->kind,
		       mini->tuple.lport);
	nr_left++;
}

bool ours_busy(bool print)
{
	nr_left = 0;
	tcp_for_each(note_sock, note_mini, &print);
	return nr_left;
}

void ours_print_drops(void)
{
	printf("  drops:");
	for (u32 i = 0; i < NR_DROP_REASONS; i++) {
		if (drop_counts[i])
			printf(" %s %llu", drop_name(i),
			       (unsigned long long)drop_counts[i]);
	}
	printf("\n");
}

unsigned long ours_leaked(void)
{
	return host_allocs_outstanding() - baseline;
}

void ours_fail_alloc(u32 nth)
{
	host_fail_alloc(nth);
}

void ours_tight(bool on)
{
	memory_tight = on;
	memory_pressed = on;
}
