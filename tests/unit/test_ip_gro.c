/*
 * Receive offload: what is joined, what must not be, and in which order it
 * goes up.
 * sources: net/ip/ip_gro.c net/ip/checksum.c net/skbuff.c net/drop.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "net/dev.h"
#include "net/ip/ip_internal.h"
#include "net/tcp/tcp_header.h"
#include "tests/host/host.h"

#define MSS	1000u
#define TS	12u
#define V4_LEN	(ETH_HLEN + 20 + TCP_HDR_LEN + TS)
#define V6_LEN	(ETH_HLEN + 40 + TCP_HDR_LEN + TS)

static struct net_device eth;
static struct sk_buff *up[100];
static unsigned int nr_up;

void netif_receive_skb(struct sk_buff *skb)
{
	assert_true(nr_up < ARRAY_SIZE(up));
	eth.rx_packets++;
	eth.rx_bytes += skb->len;
	up[nr_up++] = skb;
}

static int setup(void **state)
{
	static bool once;

	host_reset();
	if (!once)
		skb_init();
	once = true;
	eth = (struct net_device){ .mtu = 1500 };
	nr_up = 0;
	return 0;
}

static int teardown(void **state)
{
	while (nr_up)
		kfree_skb(up[--nr_up]);
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static u8 byte_at(u32 seq)
{
	return (u8)(seq * 7 + (seq >> 8));
}

static struct iphdr *ip_of(struct sk_buff *skb)
{
	return (struct iphdr *)(skb->data + ETH_HLEN);
}

static struct tcphdr *tcp_of(struct sk_buff *skb)
{
	u32 at = ip_of(skb)->ver_ihl >> 4 == 4 ? 20 : 40;

	return (struct tcphdr *)(skb->data + ETH_HLEN + at);
}

/* Checksums as a sender makes them. */
static void sum(struct sk_buff *skb)
{
	struct iphdr *iph = ip_of(skb);
	u32 th = (u32)((u8 *)tcp_of(skb) - skb->data);
	struct ip_addr s, d;

	if (iph->ver_ihl >> 4 == 4) {
		iph->check = 0;
		iph->check = (u16)~ip4_header_sum(iph);
		s = ip_addr_v4(iph->saddr);
		d = ip_addr_v4(iph->daddr);
	} else {
		memcpy(s.a, (u8 *)iph + 8, 16);
		memcpy(d.a, (u8 *)iph + 24, 16);
	}
	tcp_of(skb)->check = 0;
	tcp_of(skb)->check =
		csum_fold(skb_checksum(skb, th, skb->len - th,
				       csum_pseudo(&s, &d, IPPROTO_TCP,
						   skb->len - th)));
}

static void set_len(struct sk_buff *skb)
{
	u8 *ip = (u8 *)ip_of(skb);
	bool v4 = ip[0] >> 4 == 4;

	put_be16((u16)(skb->len - ETH_HLEN - (v4 ? 0 : 40)), ip + (v4 ? 2 : 4));
}

/* @len bytes from @seq on, with timestamps; the checksum is still to come. */
static struct sk_buff *raw(bool v4, u32 seq, u32 len, u8 flags)
{
	u32 hdr_len = v4 ? V4_LEN : V6_LEN;
	struct sk_buff *skb = alloc_skb(hdr_len + len);
	u8 *p = skb_put(skb, hdr_len + len);
	struct tcphdr *th;

	memset(p, 0, hdr_len);
	memset(p, 2, 12);
	put_be16(v4 ? ETH_P_IP : ETH_P_IPV6, p + 12);
	p[ETH_HLEN] = v4 ? 0x45 : 0x60;
	if (v4) {
		put_be16((u16)seq, p + 18);		/* id */
		put_be16(IP_DF, p + 20);
		p[22] = 64;
		p[23] = IPPROTO_TCP;
		memset(p + 26, 10, 8);
	} else {
		p[20] = IPPROTO_TCP;
		p[21] = 64;
		memset(p + 22, 0xfd, 32);
	}
	set_len(skb);
	th = tcp_of(skb);
	th->source = cpu_to_be16(5000);
	th->dest = cpu_to_be16(80);
	th->seq = cpu_to_be32(seq);
	th->ack = cpu_to_be32(77);
	th->doff = (TCP_HDR_LEN + TS) / 4 << 4;
	th->flags = flags;
	th->window = cpu_to_be16(500);
	put_be32(TCP_TS_WORD, th + 1);
	put_be32(1234, (u8 *)(th + 1) + 4);
	for (u32 i = 0; i < len; i++)
		p[hdr_len + i] = byte_at(seq + i);
	skb->dev = &eth;
	return skb;
}

static void give(struct sk_buff *skb)
{
	sum(skb);
	napi_gro_receive(skb);
}

static void segment(u32 seq, u32 len, u8 flags)
{
	give(raw(true, seq, len, flags));
}

/* The @n'th that went up is @len bytes from @seq on and in itself right. */
static void assert_up(unsigned int n, u32 seq, u32 len)
{
	struct sk_buff *skb = up[n];
	u32 th, hdr_len;
	u8 got;

	assert_in_range(n, 0, nr_up - 1);
	th = (u32)((u8 *)tcp_of(skb) - skb->data);
	hdr_len = th + (tcp_of(skb)->doff >> 4) * 4u;
	assert_int_equal(skb->len, hdr_len + len);
	assert_int_equal(be32_to_cpu(tcp_of(skb)->seq), seq);
	if (ip_of(skb)->ver_ihl >> 4 == 4) {
		assert_int_equal(be16_to_cpu(ip_of(skb)->tot_len),
				 skb->len - ETH_HLEN);
		assert_int_equal(ip4_header_sum(ip_of(skb)), 0xffff);
	} else {
		assert_int_equal(get_be16((u8 *)ip_of(skb) + 4),
				 skb->len - th);
	}
	for (u32 i = 0; i < len; i++) {
		skb_copy_bits(skb, hdr_len + i, &got, 1);
		assert_int_equal(got, byte_at(seq + i));
	}
}

static void run_of(bool v4)
{
	u32 hdr_len = v4 ? V4_LEN : V6_LEN;

	for (u32 i = 0; i < 10; i++)
		give(raw(v4, 1 + i * MSS, MSS, TCP_ACK));
	assert_int_equal(nr_up, 0);
	napi_gro_flush();
	assert_int_equal(nr_up, 1);
	assert_up(0, 1, 10 * MSS);
	assert_int_equal(up[0]->ip_summed, CHECKSUM_UNNECESSARY);
	/* Counted as they came, here and by TCP_INFO. */
	assert_int_equal(up[0]->gso_segs, 10);
	assert_int_equal(eth.rx_packets, 10);
	assert_int_equal(eth.rx_bytes, 10 * (hdr_len + MSS));
	napi_gro_flush();
	assert_int_equal(nr_up, 1);
}

static void test_a_run_is_one(void **state)
{
	run_of(true);
}

static void test_a_run_over_ipv6_is_one(void **state)
{
	run_of(false);
}

/* The last of a burst: a PSH or less than the others have ends it at once. */
static void test_push_and_short_end_it(void **state)
{
	segment(1, MSS, TCP_ACK);
	segment(1 + MSS, MSS, TCP_ACK | TCP_PSH);
	assert_int_equal(nr_up, 1);
	assert_up(0, 1, 2 * MSS);
	assert_int_equal(tcp_of(up[0])->flags, TCP_ACK | TCP_PSH);
	segment(1 + 2 * MSS, MSS, TCP_ACK);
	segment(1 + 3 * MSS, MSS - 1, TCP_ACK);
	assert_int_equal(nr_up, 2);
	assert_up(1, 1 + 2 * MSS, 2 * MSS - 1);
	/* One with PSH is not kept. */
	segment(5 * MSS, MSS, TCP_ACK | TCP_PSH);
	assert_int_equal(nr_up, 3);
	/* More than the first had: another path MTU; the next run. */
	segment(6 * MSS, MSS, TCP_ACK);
	segment(7 * MSS, MSS + 9, TCP_ACK);
	napi_gro_flush();
	assert_int_equal(nr_up, 5);
	assert_up(4, 7 * MSS, MSS + 9);
}

static void test_at_most_what_ip_can_say(void **state)
{
	for (u32 i = 0; i < 70; i++)
		segment(1 + i * MSS, MSS, TCP_ACK);
	napi_gro_flush();
	assert_int_equal(nr_up, 2);
	assert_up(0, 1, 65 * MSS);
	assert_up(1, 1 + 65 * MSS, 5 * MSS);
}

/* Each change to the last of three that must be seen higher up. */
enum { SYN, FIN, RST, URG, ECE, CWR, NO_ACK, CE, TTL, FRAGMENT, FLOW_PORT,
       FLOW_ADDR, FLOW_DEST, LINK, ACK_MORE, WINDOW, STAMP, SACKS, HOLE, AGAIN,
       NO_DATA, BAD_SUM, BAD_IP_SUM, NO_STAMP, PADDED, TSO, UDP, OPTIONS,
       NR_CHANGES };

static const u8 flag_of[] = {
	[SYN] = TCP_SYN, [FIN] = TCP_FIN, [RST] = TCP_RST, [URG] = TCP_URG,
	[ECE] = TCP_ECE, [CWR] = TCP_CWR, [NO_ACK] = TCP_ACK,
};

static void change_ip(struct sk_buff *skb, unsigned int what)
{
	struct iphdr *iph = ip_of(skb);
	bool v4 = iph->ver_ihl >> 4 == 4;
	u8 *p = (u8 *)iph;

	if (what == CE)
		p[1] |= v4 ? 3 : 3 << 4;
	else if (what == TTL)
		p[v4 ? 8 : 7]--;
	else if (what == FRAGMENT)
		p[6] |= v4 ? IP_MF >> 8 : 1;
	else if (what == FLOW_ADDR)
		p[v4 ? 15 : 23] ^= 8;
	else if (what == FLOW_DEST)
		p[v4 ? 19 : 39] ^= 8;
	else if (what == UDP)
		p[v4 ? 9 : 6] = IPPROTO_UDP;
	else if (what == OPTIONS)
		p[0] ^= v4 ? 3 : 0xf0;
	else if (what == PADDED)
		memset(skb_put(skb, 4), 0, 4);
	else if (what == LINK)
		skb->data[0] ^= 1;
	else if (what == TSO)
		skb->gso_size = 500;
}

static void change_tcp(struct sk_buff *skb, unsigned int what)
{
	struct tcphdr *th = tcp_of(skb);

	if (what < ARRAY_SIZE(flag_of))
		th->flags ^= flag_of[what];
	else if (what == FLOW_PORT)
		th->source ^= cpu_to_be16(8);
	else if (what == ACK_MORE)
		th->ack ^= cpu_to_be32(1);
	else if (what == WINDOW)
		th->window ^= cpu_to_be16(1);
	else if (what == STAMP)
		((u8 *)(th + 1))[11]++;
	else if (what == NO_STAMP)
		th->doff = TCP_HDR_LEN / 4 << 4;
	else if (what == SACKS)
		th->doff += 1 << 4;
	else if (what == HOLE)
		th->seq = cpu_to_be32(be32_to_cpu(th->seq) + MSS);
	else if (what == AGAIN)
		th->seq = cpu_to_be32(be32_to_cpu(th->seq) - MSS);
	if (what == NO_DATA)
		skb_trim(skb, skb->len - MSS);
	else if (what == NO_STAMP)
		skb_trim(skb, skb->len - TS);
	set_len(skb);
}

static void nothing_is_lost(bool v4, unsigned int what)
{
	struct sk_buff *skb = raw(v4, 1 + 2 * MSS, MSS, TCP_ACK);

	give(raw(v4, 1, MSS, TCP_ACK));
	give(raw(v4, 1 + MSS, MSS, TCP_ACK));
	change_tcp(skb, what);
	change_ip(skb, what);
	sum(skb);
	if (what == BAD_SUM)
		tcp_of(skb)->check ^= 1;
	else if (what == BAD_IP_SUM)
		ip_of(skb)->check ^= 1;
	napi_gro_receive(skb);
	napi_gro_flush();
	assert_int_equal(nr_up, 2);
	assert_up(0, 1, 2 * MSS);
	assert_ptr_equal(up[1], skb);
	assert_int_equal(skb->data_len, 0);
	teardown(NULL);
}

static void test_what_differs_stays_apart(void **state)
{
	for (unsigned int what = 0; what < NR_CHANGES; what++) {
		nothing_is_lost(true, what);
		if (what != BAD_IP_SUM)
			nothing_is_lost(false, what);
	}
}

/* Bytes behind the packet's end are the link's, not TCP's. */
static void test_padded_frames_are_not_joined(void **state)
{
	for (u32 v4 = 0; v4 < 2; v4++) {
		for (u32 i = 0; i < 2; i++) {
			struct sk_buff *skb = raw(v4, 1 + i * MSS, MSS,
						  TCP_ACK);

			sum(skb);
			skb->ip_summed = CHECKSUM_UNNECESSARY;
			skb_put(skb, 4);
			tcp_of(skb)->seq = cpu_to_be32(1 + i * (MSS + 4));
			napi_gro_receive(skb);
		}
		assert_int_equal(nr_up, 2);
		teardown(NULL);
	}
}

/* Options that are not timestamps alone: SACK blocks are told apart above. */
static void test_other_options_are_not_joined(void **state)
{
	for (u32 i = 0; i < 2; i++) {
		struct sk_buff *skb = raw(true, 1 + i * (MSS + 4), MSS,
					  TCP_ACK);

		tcp_of(skb)->doff = 7 << 4;
		give(skb);
	}
	napi_gro_flush();
	assert_int_equal(nr_up, 2);
}

/* What lwIP must put together first looks like a run when it is alike. */
static void test_fragments_are_not_joined(void **state)
{
	struct sk_buff *skb;

	for (u32 i = 0; i < 2; i++) {
		skb = raw(true, 1 + i * MSS, MSS, TCP_ACK);
		change_ip(skb, FRAGMENT);
		give(skb);
	}
	assert_int_equal(nr_up, 2);
}

/* Frames that are no TCP, or cut off in their headers. */
static void test_others_pass(void **state)
{
	struct sk_buff *skb;

	for (u32 len = ETH_HLEN; len < V4_LEN + MSS; len += 13) {
		segment(1, MSS, TCP_ACK);
		skb = raw(true, 1 + MSS, MSS, TCP_ACK);
		skb_trim(skb, len);
		napi_gro_receive(skb);
		assert_int_equal(nr_up, 2);
		assert_ptr_equal(up[1], skb);
		teardown(NULL);
	}
	skb = raw(true, 1, MSS, TCP_ACK);
	put_be16(ETH_P_ARP, skb->data + 12);
	napi_gro_receive(skb);
	assert_int_equal(nr_up, 1);
}

/* A checksum that the device has seen, or left to us, is not made again. */
static void test_checked_by_the_device(void **state)
{
	struct sk_buff *skb;

	for (u32 i = 0; i < 2; i++) {
		skb = raw(true, 1 + i * MSS, MSS, TCP_ACK);
		sum(skb);
		tcp_of(skb)->check = 0x1234;
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		napi_gro_receive(skb);
	}
	napi_gro_flush();
	assert_int_equal(nr_up, 1);
	assert_up(0, 1, 2 * MSS);
}

/* Runs of several connections that come mixed are joined each by itself. */
static void test_flows_are_kept_apart(void **state)
{
	struct sk_buff *skb;

	for (u32 i = 0; i < 12; i++) {
		skb = raw(true, 1 + i / 4 * MSS, MSS, TCP_ACK);
		tcp_of(skb)->source = cpu_to_be16((u16)(5000 + i % 4));
		give(skb);
	}
	napi_gro_flush();
	assert_int_equal(nr_up, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_up(i, 1, 3 * MSS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_run_is_one),
		T(test_a_run_over_ipv6_is_one),
		T(test_push_and_short_end_it),
		T(test_at_most_what_ip_can_say),
		T(test_what_differs_stays_apart),
		T(test_padded_frames_are_not_joined),
		T(test_other_options_are_not_joined),
		T(test_fragments_are_not_joined),
		T(test_others_pass),
		T(test_checked_by_the_device),
		T(test_flows_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
