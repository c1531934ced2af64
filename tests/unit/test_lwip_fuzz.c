/*
 * Frames that nobody should send: seeds of every protocol that lwIP serves,
 * with bytes changed, cut, repeated, sums made good again or not. lwIP must
 * not read past a frame, not assert, and give all memory back. Seeded: a
 * failure repeats. FUZZ_FRAMES and FUZZ_SEED in the environment make it longer.
 * sources: lwip tests/unit/lwip_fixture.c net/skbuff.c net/drop.c net/snmp.c
 * net/ip/checksum.c kernel/wait.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/time.h"
#include "tests/host/host.h"
#include "tests/unit/lwip_fixture.h"

#define FRAMES	20000
#define NR_SEEDS 14

static struct frame_buf seeds[NR_SEEDS];
static unsigned int nr_seeds;
static struct frame_buf f;
static u64 state64;

static u32 rnd(void)
{
	state64 = state64 * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(state64 >> 33);
}

static void add(void)
{
	assert_true(nr_seeds < NR_SEEDS);
	seeds[nr_seeds++] = f;
}

/* --- IPv6 --- */

static void add_icmp6(const void *msg, u32 len, bool group)
{
	put_ip6(&f, 58, peer_ip6, group ? all_nodes : my_ip6, msg, len);
	fix_icmp6(&f);
	add();
}

static void make_seeds6(void)
{
	static const u8 echo[24] = { 128, 0, 0, 0, 0, 1, 0, 1 };
	static const u8 ns[32] = { 135, [8] = 0xfe, 0x80, [16] = 0x50, 0x54, 0,
				   0xff, 0xfe, 0x12, 0x34, 0x56, 1, 1, 2 };
	static const u8 na[32] = { 136, 0, 0, 0, 0x60, [8] = 0xfe, 0x80,
				   [23] = 1, 2, 1, 2, 0, 0, 0, 0, 9 };
	static const u8 ra[64] = {
		134, 0, 0, 0, 64, 0, 0x10, 0, [16] = 1, 1, 2, 0, 0, 0, 0, 9,
		5, 1, 0, 0, 0, 0, 5, 0, 3, 4, 64, 0xc0, 0, 0, 0x10, 0, 0, 0,
		0x10, 0, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8,
	};
	static const u8 mld[24] = { 130, [4] = 3, [8] = 0xff, 2, [23] = 1 };
	static const u8 big[56] = { 2, [6] = 5, [8] = 0x60, [14] = 17 };
	static const u8 hbh[32] = { 58, 0, 5, 2, 0, 0, 1, 0, 130, 0, 0, 0 };
	static const u8 frag[40] = { 58, 0, 0, 1, 0, 0, 0, 7, 128 };

	add_icmp6(echo, sizeof(echo), false);
	add_icmp6(ns, sizeof(ns), false);
	add_icmp6(na, sizeof(na), false);
	add_icmp6(ra, sizeof(ra), true);
	add_icmp6(mld, sizeof(mld), true);
	add_icmp6(big, sizeof(big), false);
	put_ip6(&f, 0, peer_ip6, all_nodes, hbh, sizeof(hbh));
	add();
	put_ip6(&f, 44, peer_ip6, my_ip6, frag, sizeof(frag));
	add();
}

/* --- IPv4 --- */

static void make_seeds4(void)
{
	u8 msg[600] = { 0 }, data[64] = { 0x45 };

	put_arp(&f, ARP_REQ, peer_mac, PEER, all_mac, ME);
	add();
	put_ip4(&f, IPPROTO_ICMP, PEER, ME, 0, msg,
		make_icmp(msg, 8, 0, 1, data, sizeof(data)));
	add();
	data[9] = IPPROTO_TCP;
	put_be32(ME, data + 12);
	put_ip4(&f, IPPROTO_ICMP, PEER, ME, 0, msg,
		make_icmp(msg, 3, 3, 0, data, sizeof(data)));
	add();
	put_ip4(&f, IPPROTO_UDP, PEER, ME, 0, msg,
		make_udp(msg, PEER, 5, ME, 68, data, sizeof(data)));
	add();
	put_ip4(&f, IPPROTO_TCP, PEER, ME, IP_MF, data, sizeof(data));
	add();
	put_ip4(&f, 99, PEER, ME, 8, data, sizeof(data));
	add();
}

/* --- the sender --- */

static void mutate(void)
{
	u32 changes = rnd() % 6;

	while (changes--) {
		u32 at = 12 + rnd() % (f.len - 12);

		switch (rnd() % 4) {
		case 0:
			f.data[at] = (u8)rnd();
			break;
		case 1:
			f.data[at] ^= (u8)(1u << rnd() % 8);
			break;
		case 2:
			f.data[at] = rnd() % 2 ? 0 : 255;
			break;
		default:
			f.data[at] = (u8)(f.data[at] + rnd() % 17 - 8);
		}
	}
	if (rnd() % 4 == 0)
		f.len = ETH_HLEN + rnd() % (f.len - ETH_HLEN + 1);
	else if (rnd() % 8 == 0)
		f.len += rnd() % 1400;
}

/* Past the sums, to where the rest is believed. */
static void make_good(void)
{
	u8 *ip = f.data + ETH_HLEN;

	if (get_be16(f.data + 12) == ETH_P_IPV6) {
		if (f.len >= ETH_HLEN + 40 && rnd() % 4)
			put_be16((u16)(f.len - ETH_HLEN - 40), ip + 4);
		fix_icmp6(&f);
		return;
	}
	if (get_be16(f.data + 12) != ETH_P_IP || f.len < ETH_HLEN + 20)
		return;
	if (rnd() % 2)
		put_be16((u16)(f.len - ETH_HLEN), ip + 2);
	if (f.len >= ETH_HLEN + (ip[0] & 15u) * 4)
		fix_ip4(&f);
	if (ip[9] == IPPROTO_ICMP && ip[0] == 0x45 &&
	    f.len >= ETH_HLEN + 24) {
		put_be16(0, ip + 22);
		put_be16(inet_sum(ip + 20, f.len - ETH_HLEN - 20, 0), ip + 22);
	}
}

static u64 env(const char *name, u64 otherwise)
{
	const char *val = getenv(name);

	return val ? strtoull(val, NULL, 0) : otherwise;
}

static void test_mutated_frames(void **state)
{
	u64 frames = env("FUZZ_FRAMES", FRAMES);

	state64 = env("FUZZ_SEED", 1);
	for (u64 i = 0; i < frames; i++) {
		f = seeds[rnd() % nr_seeds];
		mutate();
		if (rnd() % 8)
			make_good();
		wire_rx_exact(&f);
		if (rnd() % 64 == 0)
			host_advance(rnd() % 4000 * NSEC_PER_MSEC);
		if (wire_count() > 200)
			wire_clear();
		if (rnd() % 512 == 0)
			host_fail_alloc(1 + rnd() % 8);
	}
	host_fail_alloc(0);
	host_advance(700 * NSEC_PER_SEC);
	wire_clear();
	assert_int_equal(wire_exact_held(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated_frames),
	};

	wire_init("10.0.0.2::10.0.0.1:255.255.255.0::eth0:off");
	make_seeds4();
	make_seeds6();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
