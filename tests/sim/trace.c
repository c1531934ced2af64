/*
 * What a failing seed leaves behind: its packets as a pcap, and a plot of one
 * connection's sequence numbers over time.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

#include "kernel/byteorder.h"

#define LINKTYPE_RAW	101
#define WIDTH		1600.0
#define HEIGHT		500.0

void trace_packet(u8 side, enum fate fate, const u8 *packet, u32 len)
{
	struct trace_record *r;

	if (!shared->tracing || shared->nr_traced == TRACE_MAX)
		return;
	r = &shared->traced[shared->nr_traced++];
	r->at = host_now;
	r->side = side;
	r->fate = (u8)fate;
	r->len = (u16)len;
	r->kept = (u16)min(len, (u32)sizeof(r->bytes));
	memcpy(r->bytes, packet, r->kept);
}

void trace_write_pcap(const char *path)
{
	u32 head[6] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, LINKTYPE_RAW };
	FILE *f = fopen(path, "wb");

	if (!f)
		return;
	fwrite(head, sizeof(head), 1, f);
	for (u32 i = 0; i < shared->nr_traced; i++) {
		const struct trace_record *r = &shared->traced[i];
		u32 rec[4] = { (u32)(r->at / SEC), (u32)(r->at % SEC),
			       r->kept, r->len };

		fwrite(rec, sizeof(rec), 1, f);
		fwrite(r->bytes, r->kept, 1, f);
	}
	fclose(f);
}

/* One record as the plot sees it; false if it is of another connection. */
struct point {
	u32 seq, len, ack, edge;
	bool has_ack, syn;
};

static bool to_point(const struct trace_record *r, u32 conn, struct point *p)
{
	const u8 *tcp = r->bytes + 20;
	u32 port = SIM_PORT + conn;

	if (get_be16(tcp) != port && get_be16(tcp + 2) != port)
		return false;
	p->seq = get_be32(tcp + 4);
	p->len = r->len - 20 - (tcp[12] >> 4) * 4u;
	p->ack = get_be32(tcp + 8);
	p->has_ack = tcp[13] & 16 && !(tcp[13] & 4);
	p->syn = tcp[13] & 2;
	return true;
}

struct scale {
	u32 iss[2];		/* by side */
	u32 top[2];
	u64 from, to;
};

static struct scale measure(u32 conn)
{
	struct scale s = { .from = NEVER };
	struct point p;

	for (u32 i = 0; i < shared->nr_traced; i++) {
		const struct trace_record *r = &shared->traced[i];

		if (!to_point(r, conn, &p))
			continue;
		s.from = min(s.from, r->at);
		s.to = max(s.to, r->at);
		if (p.syn)
			s.iss[r->side] = p.seq;
		else if (p.len)
			s.top[r->side] = max(s.top[r->side],
					     p.seq + p.len - s.iss[r->side]);
	}
	s.top[0] = max(s.top[0], 1u);
	s.top[1] = max(s.top[1], 1u);
	s.to = max(s.to, s.from + 1);
	return s;
}

static double y_of(const struct scale *s, u8 side, u32 seq)
{
	double part = (double)(seq - s->iss[side]) / s->top[side];

	return 20 + HEIGHT * (side + 1) - (HEIGHT - 40) * min(part, 1.02);
}

static void plot_record(FILE *f, const struct scale *s,
			const struct trace_record *r, const struct point *p)
{
	static const char *const color[NR_FATES] = {
		"#2050c0", "#d02020", "#e08000", "#8040c0", "#804000",
	};
	double x = 20 + (WIDTH - 40) * (double)(r->at - s->from) /
		   (double)(s->to - s->from);

	if (p->len)
		fprintf(f, "<path d='M%.2f %.2fV%.2f' stroke='%s'/>\n", x,
			y_of(s, r->side, p->seq),
			y_of(s, r->side, p->seq + p->len) - 0.5,
			color[r->fate]);
	if (p->has_ack)
		fprintf(f, "<circle cx='%.2f' cy='%.2f' r='1' fill='%s'/>\n",
			x, y_of(s, !r->side, p->ack),
			r->fate == SENT ? "#20a040" : "#d02020");
}

void trace_write_svg(const char *path, u32 conn)
{
	struct scale s = measure(conn);
	FILE *f = fopen(path, "w");
	struct point p;

	if (!f)
		return;
	fprintf(f, "<svg xmlns='http://www.w3.org/2000/svg' width='%g' "
		"height='%g' font-family='sans-serif' font-size='12'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n", WIDTH,
		2 * HEIGHT + 40);
	for (u32 side = 0; side < 2; side++)
		fprintf(f, "<text x='20' y='%g'>connection %u, bytes from side "
			"%u (0 to %u) over %.3f s; blue sent, red lost, orange "
			"corrupted, violet repeated, green ACKs</text>\n",
			16 + HEIGHT * side, conn, side, s.top[side],
			(double)(s.to - s.from) / SEC);
	for (u32 i = 0; i < shared->nr_traced; i++) {
		if (to_point(&shared->traced[i], conn, &p))
			plot_record(f, &s, &shared->traced[i], &p);
	}
	fprintf(f, "</svg>\n");
	fclose(f);
}
