/* See lwip_fixture.h. */
#include "tests/unit/lwip_fixture.h"

#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/time.h"
#include "net/lwip/ipconfig.h"
#include "net/tcp/tcp.h"
#include "tests/host/host.h"

#define MAX_SENT 256
#define QUIET_NS (700 * NSEC_PER_SEC)	/* every table is empty by then */

const u8 my_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
const u8 peer_mac[6] = { 2, 0, 0, 0, 0, 9 };
const u8 other_mac[6] = { 2, 0, 0, 0, 0, 0xaa };
const u8 all_mac[6] = { 255, 255, 255, 255, 255, 255 };

struct net_device wire_dev = {
	.name = "eth0", .ifindex = 2, .mtu = 1500, .headroom = 12,
	.dev_addr = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, .link_up = true,
};
struct net_device wire_lo = {
	.name = "lo", .ifindex = 1, .mtu = 65535, .link_up = true,
	.features = NETIF_F_LOOPBACK,
};

u32 ip_route_gen;
struct tcp_seen tcp_seen;
struct icmp_seen icmp_seen;

static struct wire_frame *sent[MAX_SENT];
static unsigned int nsent;
static struct sk_buff_head lo_queue;
static u64 drops_before[NR_DROP_REASONS];
static unsigned long allocs_before;

/* --- what the port calls --- */

struct net_device *wire_first = &wire_dev;

struct net_device *dev_first(void)
{
	return wire_first;
}

struct net_device *dev_get_by_name(const char *name)
{
	if (!strcmp(name, "lo"))
		return &wire_lo;
	return strcmp(name, "eth0") ? NULL : &wire_dev;
}

struct net_device *dev_get_by_index(int ifindex)
{
	return NULL;
}

static void record(struct net_device *dev, const struct sk_buff *skb)
{
	struct wire_frame *f;

	if (nsent == MAX_SENT)
		return;
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	assert_true(skb->len <= sizeof(f->data));
	f->dev = dev;
	f->len = skb->len;
	f->ip_summed = skb->ip_summed;
	f->csum_start = (u16)(skb->csum_start - skb_headroom(skb));
	f->csum_offset = skb->csum_offset;
	skb_copy_bits(skb, 0, f->data, skb->len);
	sent[nsent++] = f;
}

int dev_queue_xmit(struct net_device *dev, struct sk_buff *skb)
{
	assert_ptr_equal(skb->dev, dev);
	assert_false(skb_shared(skb));
	assert_true(skb_headroom(skb) >= dev->headroom || dev == &wire_lo ||
		    skb->ip_summed == CHECKSUM_NONE);
	record(dev, skb);
	if (dev == &wire_lo) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		skb_queue_tail(&lo_queue, skb);
		return 0;
	}
	/* The driver writes its own header in front. */
	if (skb_headroom(skb) >= dev->headroom)
		memset(skb->data - dev->headroom, 0xee, dev->headroom);
	kfree_skb(skb);
	return 0;
}

void wire_run_lo(void)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&lo_queue)))
		lwip_input(skb);
}

void tcp_v4_rcv(struct sk_buff *skb)
{
	tcp_seen.count++;
	tcp_seen.len = skb->len;
	tcp_seen.network = skb->network_header;
	tcp_seen.transport = skb->transport_header;
	tcp_seen.ip_summed = skb->ip_summed;
	tcp_seen.linear = !skb->data_len;
	assert_ptr_equal(skb_transport_header(skb), skb->data);
	skb_copy_bits(skb, 0, tcp_seen.data, skb->len);
	memcpy(tcp_seen.ip, skb_network_header(skb),
	       skb->transport_header - skb->network_header);
	kfree_skb(skb);
}

void tcp_v6_rcv(struct sk_buff *skb)
{
	tcp_v4_rcv(skb);
}

void tcp_icmp_error(const struct icmp_error *e)
{
	icmp_seen.count++;
	icmp_seen.error = e->error;
	icmp_seen.mtu = e->mtu;
	icmp_seen.saddr = e->saddr;
	icmp_seen.daddr = e->daddr;
	memcpy(icmp_seen.quoted, e->quoted, 8);
}

__attribute__((weak)) void sock_free(struct sock *sk)
{
	fail();
}

/* --- life --- */

void wire_init(const char *ip)
{
	host_reset();
	skb_queue_head_init(&lo_queue);
	skb_init();
	lwip_port_init();
	if (!ip)
		return;
	assert_int_equal(lwip_param_ip(ip), 0);
	lwip_configure();
	host_advance(QUIET_NS);
	wire_clear();
}

int wire_setup(void **state)
{
	host_log_clear();
	wire_clear();
	memset(&tcp_seen, 0, sizeof(tcp_seen));
	memset(&icmp_seen, 0, sizeof(icmp_seen));
	memcpy(drops_before, drop_counts, sizeof(drops_before));
	allocs_before = host_allocs_outstanding();
	return 0;
}

int wire_teardown(void **state)
{
	host_fail_all_allocs(false);
	host_fail_alloc(0);
	wire_run_lo();
	host_advance(QUIET_NS);
	wire_clear();
	assert_int_equal(host_allocs_outstanding(), allocs_before);
	return 0;
}

unsigned int wire_count(void)
{
	return nsent;
}

struct wire_frame *wire_sent(unsigned int i)
{
	assert_true(i < nsent);
	return sent[i];
}

unsigned int wire_count_ip4(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nsent; i++) {
		if (get_be16(sent[i]->data + 12) == ETH_P_IPV6)
			free(sent[i]);
		else
			sent[n++] = sent[i];
	}
	nsent = n;
	return n;
}

void wire_clear(void)
{
	while (nsent)
		free(sent[--nsent]);
}

u64 drops(enum drop_reason why)
{
	return drop_counts[why] - drops_before[why];
}

/* --- sums --- */

u16 inet_sum(const void *data, u32 len, u32 sum)
{
	const u8 *b = data;

	for (u32 i = 0; i < len; i++)
		sum += i & 1 ? b[i] : b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

u32 pseudo4(u32 src, u32 dst, u8 proto, u32 len)
{
	return (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) +
	       proto + len;
}

/* --- frames --- */

void put_eth(struct frame_buf *f, const u8 *dst, const u8 *src, u16 type)
{
	memcpy(f->data, dst, 6);
	memcpy(f->data + 6, src, 6);
	put_be16(type, f->data + 12);
	f->len = ETH_HLEN;
}

void put_arp(struct frame_buf *f, u16 op, const u8 *sha, u32 spa,
	     const u8 *tha, u32 tpa)
{
	u8 *a = f->data + ETH_HLEN;

	put_eth(f, op == ARP_REQ ? all_mac : my_mac, sha, ETH_P_ARP);
	put_be16(1, a);
	put_be16(ETH_P_IP, a + 2);
	a[4] = 6;
	a[5] = 4;
	put_be16(op, a + 6);
	memcpy(a + 8, sha, 6);
	put_be32(spa, a + 14);
	memcpy(a + 18, tha, 6);
	put_be32(tpa, a + 24);
	f->len += 28;
}

void fix_ip4(struct frame_buf *f)
{
	u8 *ip = f->data + ETH_HLEN;

	put_be16(0, ip + 10);
	put_be16(inet_sum(ip, (ip[0] & 15u) * 4, 0), ip + 10);
}

void put_ip4(struct frame_buf *f, u8 proto, u32 src, u32 dst, u16 frag,
	     const void *payload, u32 len)
{
	u8 *ip = f->data + ETH_HLEN;

	put_eth(f, my_mac, peer_mac, ETH_P_IP);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put_be16((u16)(20 + len), ip + 2);
	put_be16(0x1234, ip + 4);
	put_be16(frag, ip + 6);
	ip[8] = 64;
	ip[9] = proto;
	put_be32(src, ip + 12);
	put_be32(dst, ip + 16);
	memcpy(ip + 20, payload, len);
	f->len += 20 + len;
	fix_ip4(f);
}

const u8 all_nodes[16] = { 0xff, 2, [15] = 1 };
const u8 peer_ip6[16] = { 0xfe, 0x80, [15] = 1 };
const u8 my_ip6[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0, 0xff,
			0xfe, 0x12, 0x34, 0x56 };

void put_ip6(struct frame_buf *f, u8 next, const u8 *src, const u8 *dst,
	     const void *payload, u32 len)
{
	u8 *ip6 = f->data + ETH_HLEN;

	put_eth(f, my_mac, peer_mac, ETH_P_IPV6);
	memset(ip6, 0, 40);
	ip6[0] = 0x60;
	put_be16((u16)len, ip6 + 4);
	ip6[6] = next;
	ip6[7] = 255;
	memcpy(ip6 + 8, src, 16);
	memcpy(ip6 + 24, dst, 16);
	memcpy(ip6 + 40, payload, len);
	f->len += 40 + len;
}

u32 pseudo6(const u8 *ip6, u8 next, u32 len)
{
	u32 sum = next + len;

	for (int i = 8; i < 40; i += 2)
		sum += get_be16(ip6 + i);
	return sum;
}

void fix_icmp6(struct frame_buf *f)
{
	u8 *ip6 = f->data + ETH_HLEN;
	u32 len = get_be16(ip6 + 4);

	if (f->len < ETH_HLEN + 44 || ip6[6] != 58 ||
	    len > f->len - ETH_HLEN - 40)
		return;
	put_be16(0, ip6 + 42);
	put_be16(inet_sum(ip6 + 40, len, pseudo6(ip6, 58, len)), ip6 + 42);
}

u32 make_icmp(u8 *to, u8 type, u8 code, u32 rest, const void *data, u32 len)
{
	to[0] = type;
	to[1] = code;
	put_be16(0, to + 2);
	put_be32(rest, to + 4);
	memcpy(to + 8, data, len);
	put_be16(inet_sum(to, 8 + len, 0), to + 2);
	return 8 + len;
}

u32 make_udp(u8 *to, u32 src, u16 sport, u32 dst, u16 dport,
	     const void *data, u32 len)
{
	put_be16(sport, to);
	put_be16(dport, to + 2);
	put_be16((u16)(8 + len), to + 4);
	put_be16(0, to + 6);
	memcpy(to + 8, data, len);
	put_be16(inet_sum(to, 8 + len, pseudo4(src, dst, 17, 8 + len)),
		 to + 6);
	return 8 + len;
}

static bool rx(const struct frame_buf *f, enum ip_summed summed)
{
	struct sk_buff *skb = alloc_skb(12 + f->len);

	if (!skb)
		return false;
	skb_reserve(skb, 12);
	memcpy(skb_put(skb, f->len), f->data, f->len);
	skb->dev = &wire_dev;
	skb->ip_summed = summed;
	skb->protocol = cpu_to_be16(get_be16(f->data + 12));
	lwip_input(skb);
	wire_run_lo();
	return true;
}

bool wire_rx(const struct frame_buf *f)
{
	return rx(f, CHECKSUM_NONE);
}

bool wire_rx_checked(const struct frame_buf *f)
{
	return rx(f, CHECKSUM_UNNECESSARY);
}

void rx_fragment(u8 proto, const u8 *what, u32 total, u32 off, u32 n)
{
	u16 frag = (u16)(off / 8 | (off + n < total ? IP_MF : 0));
	static struct frame_buf f;

	put_ip4(&f, proto, PEER, ME, frag, what + off, n);
	wire_rx(&f);
}

static unsigned int exact_held;

unsigned int wire_exact_held(void)
{
	return exact_held;
}

static void free_exact(struct sk_buff *skb)
{
	free(skb->free_arg);
	exact_held--;
}

bool wire_rx_exact(const struct frame_buf *f)
{
	struct sk_buff *skb = alloc_skb(0);

	if (!skb)
		return false;
	skb->free_arg = malloc(f->len + 8);
	skb->free_data = free_exact;
	exact_held++;
	skb->head = skb->free_arg;
	skb->data = skb->head;
	skb->end = skb->head + f->len + 8;
	memcpy(skb_put(skb, f->len), f->data, f->len);
	skb->dev = &wire_dev;
	lwip_input(skb);
	wire_run_lo();
	return true;
}

void peer_says_arp(u16 op, const u8 *mac, u32 ip)
{
	static struct frame_buf f;

	put_arp(&f, op, mac, ip, my_mac, ME);
	assert_true(wire_rx(&f));
	wire_clear();
}
