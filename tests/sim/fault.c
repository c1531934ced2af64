/*
 * Faults made on purpose (--fault NAME), by which tests/tools/test_sim.py sees
 * that every check of the simulator fires: in what our TCP sends, from the
 * 20th segment with data on, on the way, or in what is given back.
 */
#include "tests/sim/sim.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "net/ip/ip.h"
#include "net/skbuff.h"

#define FIRST	20u

static const char *const names[] = {
	[FAULT_SENT] = "sent", [FAULT_WINDOW] = "window", [FAULT_ACK] = "ack",
	[FAULT_SHRINK] = "shrink", [FAULT_READ] = "read",
	[FAULT_STUCK] = "stuck", [FAULT_LEAK] = "leak",
};

static u32 segments;	/* with data, so far */

enum fault fault_by_name(const char *name)
{
	for (u32 i = 1; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], name))
			return (enum fault)i;
	}
	return NO_FAULT;
}

void fault_start(void)
{
	segments = 0;
	if (shared->fault == FAULT_LEAK && !alloc_skb(100))
		sim_fail("no memory to leak");
}

/* The sum of a packet without IP options, after a change. */
static void sum_again(u8 *packet, u32 len)
{
	const struct iphdr *ip = (const struct iphdr *)packet;
	struct ip_addr s = ip_addr_v4(ip->saddr), d = ip_addr_v4(ip->daddr);
	u8 *tcp = packet + 20;
	u16 sum;

	memset(tcp + 16, 0, 2);
	sum = csum_fold(csum_partial(tcp, len - 20,
				     csum_pseudo(&s, &d, 6, len - 20)));
	memcpy(tcp + 16, &sum, 2);
}

const u8 *fault_sent(const u8 *packet, u32 len)
{
	static u8 broken[65536];
	u8 *tcp = broken + 20;
	u32 hdr = 20 + (packet[32] >> 4) * 4u;

	segments += len > hdr;
	if (segments < FIRST || len == hdr)
		return packet;
	memcpy(broken, packet, len);
	switch (shared->fault) {
	case FAULT_SENT:
		broken[len - 1] ^= 1;
		break;
	case FAULT_WINDOW:
		/* The same bytes, but far ahead. */
		put_be32(get_be32(tcp + 4) + 512 * WIRE_PERIOD, tcp + 4);
		break;
	case FAULT_ACK:
		put_be32(get_be32(tcp + 8) + 0x1000000, tcp + 8);
		break;
	case FAULT_SHRINK:
		put_be16(0, tcp + 14);
		break;
	case NO_FAULT:
	case FAULT_READ:
	case FAULT_STUCK:
	case FAULT_LEAK:
	case NR_FAULTS:
		break;
	}
	return broken;
}

void fault_on_the_way(u8 *packet, u32 len)
{
	u32 hdr = 20 + (packet[32] >> 4) * 4u;

	if (shared->fault != FAULT_READ || segments < FIRST || len == hdr)
		return;
	packet[len - 1] ^= 1;
	sum_again(packet, len);
}

bool fault_loses(void)
{
	return shared->fault == FAULT_STUCK && segments >= FIRST;
}
