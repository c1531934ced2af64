/*
 * Judges every packet that a TCP of ours sends: the bytes are those of the
 * stream, nothing lies beyond a window that the peer has offered, our own
 * window is never taken back, nothing is acknowledged that was not sent.
 */
#include "tests/sim/sim.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "net/tcp/tcp_seq.h"


enum { F_FIN = 1, F_SYN = 2, F_RST = 4, F_ACK = 16 };

struct segment {
	u32 conn, seq, ack, len, end;
	u16 wnd;
	u8 flags;
	s16 wscale;		/* -1: none */
	const u8 *data;
};

/* What one side of one connection has done. */
struct flow {
	bool syn, edge_known, adv_known, acked, fin, two;
	u32 iss, end;		/* end: behind the last byte sent */
	u32 other_iss;		/* two: a cookie and a request for one SYN */
	u32 fin_end;
	u32 edge;		/* how far the peer lets us go */
	u32 adv;		/* how far we let the peer go */
	u32 ack;
	s16 wscale;
	u16 syn_wnd;		/* of the peer's SYN */
};

static struct flow flows[SIM_CONNS][2];
static const struct plan *plan;

static u8 pattern[2 * WIRE_PERIOD];

const u8 *wire_pattern(u32 conn, u8 side, u64 off)
{
	return pattern + (off + 7919 * conn + 104729 * side) % WIRE_PERIOD;
}

void wire_start(const struct plan *p)
{
	struct rng r = { 1 };

	memset(flows, 0, sizeof(flows));
	for (u32 i = 0; i < WIRE_PERIOD; i++)
		pattern[i] = pattern[i + WIRE_PERIOD] = (u8)rnd(&r);
	plan = p;
}

static void find_wscale(const u8 *tcp, struct segment *s)
{
	const u8 *p = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;

	s->wscale = -1;
	while (p < end && *p) {
		if (*p == 3 && !(plan->strip & 1))
			s->wscale = p[2];
		p += *p == 1 ? 1 : p[1];
	}
}

/* Packets here were made by a TCP and are whole. */
static void parse(u8 side, const u8 *packet, u32 len, struct segment *s)
{
	const u8 *tcp = packet + 20;
	u16 sport = get_be16(tcp), dport = get_be16(tcp + 2);
	u32 hdr = (tcp[12] >> 4) * 4u;

	s->conn = sport - SIM_PORT < SIM_CONNS ? sport - SIM_PORT
					       : dport - SIM_PORT;
	if (s->conn >= SIM_CONNS)
		sim_fail("side %u: a segment from port %u to %u", side, sport,
			 dport);
	s->seq = get_be32(tcp + 4);
	s->ack = get_be32(tcp + 8);
	s->flags = tcp[13];
	s->wnd = get_be16(tcp + 14);
	s->len = len - 20 - hdr;
	s->end = s->seq + s->len + !!(s->flags & F_SYN) +
		 !!(s->flags & F_FIN);
	s->data = tcp + hdr;
	find_wscale(tcp, s);
}

/* The window of a segment from @from, scaled if both SYNs say so. */
static u32 scaled(const struct segment *s, const struct flow *from,
		  const struct flow *to)
{
	if (s->flags & F_SYN || from->wscale < 0 || to->wscale < 0)
		return s->wnd;
	return (u32)s->wnd << from->wscale;
}

#define complain(s, side, fmt, ...)					\
	do {								\
		shared->fail_conn = (s)->conn;				\
		sim_fail("connection %u side %u: " fmt, (s)->conn, side, \
			 __VA_ARGS__);					\
	} while (0)

static void check_data(const struct segment *s, const struct flow *f, u8 side)
{
	u32 off = s->seq - f->iss - 1;

	if (!s->len)
		return;
	if (memcmp(s->data, wire_pattern(s->conn, side, off), s->len))
		complain(s, side, "wrong bytes at offset %u, %u of them", off,
			 s->len);
	if (!f->edge_known || seq_after(s->end, f->edge))
		complain(s, side, "sends up to %u, the window ends at %u",
			 s->end - f->iss, f->edge - f->iss);
}

static void check_ack(const struct segment *s, struct flow *f,
		      const struct flow *peer, u8 side)
{
	u32 edge = s->ack + scaled(s, f, peer);

	if (seq_after(s->ack, peer->end))
		complain(s, side, "acknowledges %u, only %u was sent",
			 s->ack - peer->iss, peer->end - peer->iss);
	if (f->acked && seq_before(s->ack, f->ack))
		complain(s, side, "acknowledges %u after %u",
			 s->ack - peer->iss, f->ack - peer->iss);
	/* A SYN sent again cannot say as much as a scaled window did. */
	if (f->adv_known && seq_before(edge, f->adv) && !(s->flags & F_SYN))
		complain(s, side, "takes its window back from %u to %u",
			 f->adv - peer->iss, edge - peer->iss);
	f->ack = s->ack;
	f->acked = true;
	if (!f->adv_known || seq_after(edge, f->adv))
		f->adv = edge;
	f->adv_known = true;
}

static void begin(struct flow *f, u32 iss, s16 wscale)
{
	*f = (struct flow){
		.syn = true,
		.iss = iss,
		.end = iss + 1,
		.wscale = wscale,
		.edge = iss + 1 + f->syn_wnd,
		.edge_known = f->syn_wnd,
		.syn_wnd = f->syn_wnd,
	};
}

/*
 * A listener that gave up a request, or had sent a cookie, answers the next
 * SYN with a new number. The peer's first ACK says which of the last two it is.
 */
static void note_syn(const struct segment *s, struct flow *f,
		     const struct flow *peer)
{
	u32 old = f->iss;
	bool again = f->syn;

	if (again && s->seq == old)
		return;
	if (again && peer->acked && peer->ack == old + 1)
		f->other_iss = s->seq;
	else
		begin(f, s->seq, s->wscale);
	if (again && f->iss != old)
		f->other_iss = old;
	f->two = again;
}

static void choose(const struct segment *s, struct flow *f)
{
	u32 old = f->iss;

	if (!f->two || s->ack != f->other_iss + 1 || f->end != f->iss + 1)
		return;
	begin(f, f->other_iss, f->wscale);
	f->other_iss = old;
	f->two = true;
}

static void note_sent(const struct segment *s, struct flow *f,
		      const struct flow *peer)
{
	if (s->flags & F_SYN) {
		note_syn(s, f, peer);
		return;
	}
	if (seq_after(s->end, f->end))
		f->end = s->end;
	if (s->flags & F_FIN && (!f->fin || seq_before(s->end, f->fin_end))) {
		f->fin = true;
		f->fin_end = s->end;
	}
}

bool wire_fin_seen(u32 conn, u8 side, u64 off)
{
	const struct flow *f = &flows[conn][side];

	return f->fin && f->fin_end == f->iss + 2 + (u32)off;
}

void wire_sent(u8 side, const u8 *packet, u32 len)
{
	struct segment s;
	struct flow *f, *peer;

	parse(side, packet, len, &s);
	f = &flows[s.conn][side];
	peer = &flows[s.conn][!side];
	if (s.flags & F_RST) {
		shared->resets++;
		return;
	}
	note_sent(&s, f, peer);
	check_data(&s, f, side);
	if (s.flags & F_ACK) {
		choose(&s, peer);
		check_ack(&s, f, peer, side);
	}
}

void wire_delivered(u8 side_to, const u8 *packet, u32 len)
{
	struct segment s;
	struct flow *from, *to;
	u32 edge;

	parse(!side_to, packet, len, &s);
	from = &flows[s.conn][!side_to];
	to = &flows[s.conn][side_to];
	if (s.flags & F_RST)
		return;
	/* lwIP's packets are noted when they arrive: they are not judged. */
	if (plan->kind != OURS_OURS && side_to == 0)
		note_sent(&s, from, to);
	if (s.flags & F_SYN && !to->syn)
		to->syn_wnd = s.wnd;
	if (!(s.flags & F_ACK))
		return;
	edge = s.ack + scaled(&s, from, to);
	if (!to->edge_known || seq_after(edge, to->edge))
		to->edge = edge;
	to->edge_known = true;
}
