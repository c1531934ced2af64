/*
 * Two directions of a wire, each with its own troubles. A packet that is
 * spoilt on the way has one byte changed, which no ones' complement sum
 * misses, so nothing spoilt may reach an application.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "net/ip/ip.h"

struct packet {
	u32 len;
	u8 side;		/* where from */
	bool spoilt, too_big;
	u16 mtu;
	u8 bytes[];
};

static struct {
	const struct plan *plan;
	struct rng rng;
	u64 busy_until[2];
	u64 burst_until[2];
} lnk;

void link_start(const struct plan *p)
{
	memset(&lnk, 0, sizeof(lnk));
	lnk.plan = p;
	lnk.rng.state = p->seed ^ 0x11a2;
}

static bool is_lwip(u8 side)
{
	return side == 1 && lnk.plan->kind != OURS_OURS;
}

static void deliver(void *arg)
{
	struct packet *p = arg;
	u8 to = !p->side;

	if (p->too_big) {
		ours_icmp(p->bytes, p->mtu);
	} else {
		if (!p->spoilt)
			wire_delivered(to, p->bytes, p->len);
		if (is_lwip(to))
			lwip_rcv(p->bytes, p->len);
		else
			ours_rcv(p->bytes, p->len);
	}
	free(p);
}

static struct packet *copy(u8 side, const void *bytes, u32 len)
{
	struct packet *p = calloc(1, sizeof(*p) + len);

	if (!p)
		abort();
	p->len = len;
	p->side = side;
	memcpy(p->bytes, bytes, len);
	return p;
}

/* Turns option @kind of a SYN into NOPs, as some middleboxes do. */
static void strip_option(u8 *tcp, u8 kind)
{
	u8 *p = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;

	while (p < end && *p) {
		u8 len = *p == 1 ? 1 : p[1];

		if (*p == kind)
			memset(p, 1, len);
		p += len;
	}
}

static void strip_options(struct packet *p)
{
	static const u8 kinds[] = { 3, 4, 8 };
	struct iphdr *ip = (struct iphdr *)p->bytes;
	u8 *tcp = p->bytes + 20;
	struct ip_addr s = ip_addr_v4(ip->saddr), d = ip_addr_v4(ip->daddr);
	u32 len = p->len - 20;
	u16 sum;

	if (!(tcp[13] & 2))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (lnk.plan->strip & 1u << i)
			strip_option(tcp, kinds[i]);
	}
	memset(tcp + 16, 0, 2);
	sum = csum_fold(csum_partial(tcp, len, csum_pseudo(&s, &d, 6, len)));
	memcpy(tcp + 16, &sum, 2);
}

static bool lost(const struct dir_plan *d, u8 side)
{
	struct rng *r = &lnk.rng;

	if ((host_now >= d->cut_from && host_now < d->cut_to) || fault_loses())
		return true;
	if (chance(r, d->burst))
		lnk.burst_until[side] = host_now + log_size(r, 300) * MS;
	return chance(r, host_now < lnk.burst_until[side] ? 800 : d->loss);
}

static u64 arrival(const struct dir_plan *d, u8 side)
{
	u64 when = lnk.busy_until[side] + d->delay;

	when += below(&lnk.rng, d->jitter);
	if (chance(&lnk.rng, d->reorder))
		when += below(&lnk.rng, 3 * d->delay);
	return when;
}

static void spoil(struct packet *p)
{
	p->spoilt = true;
	p->bytes[below(&lnk.rng, p->len)] ^= (u8)(1 + below(&lnk.rng, 255));
}

/* A router on the way says so, if the packet must not be cut. */
static bool too_big(const struct dir_plan *d, u8 side, const u8 *packet,
		    u32 len)
{
	struct packet *p;

	if (len <= d->mtu || host_now < d->mtu_at || is_lwip(side))
		return false;
	trace_packet(side, TOO_BIG, packet, len);
	if (d->mute || chance(&lnk.rng, d->loss))
		return true;
	p = copy(side, packet, 28);
	p->too_big = true;
	p->mtu = d->mtu;
	at(host_now + d->delay, deliver, p);
	return true;
}

void link_send(u8 side, const void *packet, u32 len)
{
	const struct dir_plan *d = &lnk.plan->dir[side];
	u64 *busy = &lnk.busy_until[side];
	struct packet *p;

	shared->packets++;
	shared->bytes += len;
	if (!is_lwip(side)) {
		if (shared->fault)
			packet = fault_sent(packet, len);
		wire_sent(side, packet, len);
	}
	if (too_big(d, side, packet, len))
		return;
	*busy = max(*busy, host_now);
	if (lost(d, side) || (d->queue && *busy - host_now > d->queue)) {
		trace_packet(side, LOST, packet, len);
		return;
	}
	*busy += d->ns_per_byte * len;
	p = copy(side, packet, len);
	if (lnk.plan->strip)
		strip_options(p);
	if (shared->fault && !is_lwip(side))
		fault_on_the_way(p->bytes, len);
	if (chance(&lnk.rng, d->dup)) {
		trace_packet(side, REPEATED, packet, len);
		at(arrival(d, side), deliver, copy(side, p->bytes, len));
	}
	if (chance(&lnk.rng, d->corrupt))
		spoil(p);
	trace_packet(side, p->spoilt ? CORRUPTED : SENT, packet, len);
	at(arrival(d, side), deliver, p);
}
