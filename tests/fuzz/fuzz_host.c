/*
 * The machine around net/ in the fuzzer: device, softirqs, time. What our
 * side sends is looked at for its sequence numbers and thrown away.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/softirq.h"
#include "kernel/string.h"
#include "net/dev.h"
#include "net/inet.h"
#include "net/ip/ip.h"
#include "net/lwip/ipconfig.h"
#include "net/lwip/lwip_port.h"
#include "net/tcp/tcp.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/sim/sim.h"

struct fuzz_conn fuzz_conns[FUZZ_CONNS];

static void (*actions[NR_SOFTIRQS])(void);
static const struct net_proto_family *inet;
static struct napi_struct napi;
static struct sk_buff *incoming;

/* --- softirqs, as the real ones but without a budget --- */

void open_softirq(enum softirq nr, void (*action)(void))
{
	actions[nr] = action;
}

void do_softirq(void)
{
	u32 pending;

	while (in_task() && (pending = softirq_pending)) {
		softirq_pending = 0;
		this_cpu_add(context_count, SOFTIRQ_ONE);
		for (u32 i = 0; i < NR_SOFTIRQS; i++) {
			if (pending & 1u << i && actions[i])
				actions[i]();
		}
		this_cpu_add(context_count, -SOFTIRQ_ONE);
	}
}

void raise_softirq(enum softirq nr)
{
	softirq_pending |= 1u << nr;
}

void fuzz_softirqs(void)
{
	do_softirq();
}

void fuzz_advance(u64 ns)
{
	u64 end = host_now + ns;
	bool more = true;

	while (more) {
		local_bh_disable();
		more = clock_step(end);
		local_bh_enable();
	}
	host_now = end;
}

/* --- the device --- */

static void learn(const u8 *tcp, u32 len)
{
	u32 hdr = (tcp[12] >> 4) * 4u;
	u32 i = (u32)get_be16(tcp + 2) - FUZZ_PEER_PORT;
	struct fuzz_conn *c;

	if (i >= FUZZ_CONNS || tcp[13] & 4 || hdr > len)
		return;
	c = &fuzz_conns[i];
	c->our_port = get_be16(tcp);
	c->our_seq = get_be32(tcp + 4) + len - hdr + (tcp[13] & 1) +
		     !!(tcp[13] & 2);
	if (tcp[13] & 16)
		c->our_ack = get_be32(tcp + 8);
	if (hdr == 32 && get_be32(tcp + 20) == 0x0101080a)
		c->ts_recent = get_be32(tcp + 24);
}

static int start_xmit(struct net_device *dev, struct sk_buff *skb)
{
	static u8 buf[70000];

	skb_copy_bits(skb, 0, buf, skb->len);
	if (skb->len >= 54 && get_be16(buf + 12) == ETH_P_IP && buf[23] == 6)
		learn(buf + 34, skb->len - 34);
	kfree_skb(skb);
	return 0;
}

static void kick(struct net_device *dev)
{
}

static const struct net_device_ops dev_ops = {
	.start_xmit = start_xmit, .kick = kick,
};

static struct net_device dev = {
	.name = "eth0", .mtu = 1500, .headroom = 12, .link_up = true,
	.dev_addr = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, .ops = &dev_ops,
	.features = NETIF_F_HW_CSUM | NETIF_F_TSO,
};

static int poll(struct napi_struct *n, int budget)
{
	struct sk_buff *skb = incoming;

	incoming = NULL;
	if (skb && skb->len >= GRO_FRAME_MIN)
		napi_gro_receive(skb);
	else if (skb)
		netif_receive_skb(skb);
	napi_gro_flush();
	napi_complete(n);
	return !!skb;
}

void fuzz_rx(const u8 *frame, u32 len)
{
	struct sk_buff *skb = alloc_skb(len);

	if (!skb)
		return;
	memcpy(skb_put(skb, len), frame, len);
	skb->dev = &dev;
	skb->ip_summed = CHECKSUM_NONE;
	incoming = skb;
	napi_schedule(&napi);
	fuzz_softirqs();
}

u32 fuzz_headers(u8 *to, u8 proto, u32 len)
{
	static const u8 eth[14] = {
		0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 9, 8, 0,
	};
	struct iphdr ip = {
		.ver_ihl = 0x45, .ttl = 64, .protocol = proto,
		.tot_len = cpu_to_be16((u16)(len + 20)),
		.saddr = cpu_to_be32(0x0a000009),
		.daddr = cpu_to_be32(0x0a000002),
	};

	ip.check = csum_fold(csum_partial(&ip, sizeof(ip), 0));
	memcpy(to, eth, sizeof(eth));
	memcpy(to + sizeof(eth), &ip, sizeof(ip));
	return sizeof(eth) + sizeof(ip);
}

/* --- sockets --- */

int sock_register(const struct net_proto_family *family)
{
	if (family->family == AF_INET)
		inet = family;
	return 0;
}

void sk_send_sigurg(const struct sock *sk)
{
	(void)sk;
}

struct socket *fuzz_socket(u16 type)
{
	struct socket *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	init_waitqueue_head(&s->wq);
	s->type = type;
	if (!inet->create(s, type, 0))
		return s;
	kfree(s);
	return NULL;
}

/* --- start --- */

static void say_arp(void)
{
	static const u8 arp[60] = {
		0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 9, 8, 6,
		0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9,
		0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
	};

	fuzz_rx(arp, sizeof(arp));
}

void fuzz_init(void)
{
	host_reset();
	skb_init();
	net_dev_init();
	sock_init();
	inet_init();
	lwip_port_init();
	udp_sockets_init();
	tcp_init();
	napi_init(&napi, &dev, poll);
	BUG_ON(register_netdev(&dev));
	BUG_ON(lwip_param_ip("10.0.0.2::10.0.0.1:255.255.255.0"));
	lwip_configure();
	fuzz_advance(5 * SEC);
	say_arp();
}
