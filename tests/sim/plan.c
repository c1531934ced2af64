/*
 * From a seed to a world. Most worlds are mildly bad, some are very bad in
 * one way, and a few in every way. A connection that may end in an error
 * (may_fail) is one whose plan gives it a reason to.
 */
#include "tests/sim/sim.h"

#include <stdio.h>

static void draw_dir(struct dir_plan *d, struct rng *r, u32 badness)
{
	d->delay = log_size(r, 120) * MS / (chance(r, 300) ? 20 : 1);
	if (chance(r, 400))
		d->jitter = log_size(r, 30) * MS;
	if (chance(r, 300))
		d->ns_per_byte = log_size(r, 4000);
	if (d->ns_per_byte)
		d->queue = (10 + log_size(r, 300)) * MS;
	if (!badness)
		return;
	if (chance(r, 700))
		d->loss = (u32)below(r, badness < 3 ? 60 : 400);
	if (chance(r, 200))
		d->burst = (u32)below(r, badness < 3 ? 5 : 30);
	if (chance(r, 300))
		d->dup = (u32)log_size(r, 200);
	if (chance(r, 300))
		d->reorder = (u32)log_size(r, 300);
	if (chance(r, 250))
		d->corrupt = (u32)below(r, badness < 3 ? 20 : 120);
}

static void draw_cut(struct plan *p, struct rng *r)
{
	struct dir_plan *d = &p->dir[below(r, 2)];

	d->cut_from = host_now + log_size(r, 2000) * MS;
	d->cut_to = chance(r, 150) ? NEVER
				   : d->cut_from + log_size(r, 60000) * MS;
}

static void draw_mtu(struct plan *p, struct rng *r)
{
	static const u16 mtus[] = { 1500, 1500, 1500, 1400, 1280, 576, 9000 };

	p->mtu = mtus[below(r, ARRAY_SIZE(mtus))];
	for (u32 i = 0; i < 2; i++) {
		p->dir[i].mtu = 65535;
		if (chance(r, 150)) {
			p->dir[i].mtu = (u16)(576 + below(r, 924));
			p->dir[i].mtu_at = host_now + log_size(r, 3000) * MS;
		}
	}
}

static void draw_app(struct app_plan *a, struct rng *r)
{
	a->to_send = chance(r, 100) ? 0 : (u32)log_size(r, 150000);
	a->write_max = (u32)log_size(r, 40000);
	a->read_max = (u32)log_size(r, 40000);
	/* Not more than some thousand calls. */
	a->write_max = max(a->write_max, a->to_send / 1000);
	if (chance(r, 300))
		a->write_pace = log_size(r, 400) * MS;
	if (chance(r, 300))
		a->read_pace = log_size(r, 400) * MS;
	if (a->write_pace)
		a->write_max = max(a->write_max, a->to_send / 100);
	if (chance(r, 100))
		a->read_after = log_size(r, 30000) * MS;
	if (chance(r, 200))
		a->sndbuf = 2048 + (u32)log_size(r, 200000);
	if (chance(r, 200))
		a->rcvbuf = 1024 + (u32)log_size(r, 200000);
	if (chance(r, 100))
		a->maxseg = (u16)(88 + below(r, 1400));
	a->nodelay = chance(r, 300);
	a->cork = chance(r, 100);
	a->keepalive = chance(r, 300);
	if (chance(r, 120))
		a->ending = chance(r, 500) ? END_RESET : END_CLOSE;
	a->quit_at = (u32)log_size(r, 100000);
}

/* Readers as slow as their own plan, and that much is to be read. */
static void pace_readers(struct conn_plan *c)
{
	for (u32 i = 0; i < 2; i++) {
		struct app_plan *a = &c->app[i];
		u32 calls = a->read_pace ? 100 : 1000;

		a->read_max = max(a->read_max, c->app[!i].to_send / calls);
	}
}

static void draw_conn(struct plan *p, struct conn_plan *c, struct rng *r)
{
	draw_app(&c->app[0], r);
	draw_app(&c->app[1], r);
	pace_readers(c);
	c->client = p->kind == OURS_OURS ? (u8)below(r, 2)
					 : p->kind == LWIP_TO_OURS;
	c->simultaneous = p->kind == OURS_OURS && chance(r, 100);
	c->start = host_now + (chance(r, 500) ? 0 : log_size(r, 500) * MS);
	c->may_fail = c->app[0].ending != END_SHUTDOWN ||
		      c->app[1].ending != END_SHUTDOWN;
}

/* So much goes wrong that a TCP may rightly give up. */
static bool hopeless(const struct plan *p)
{
	for (u32 i = 0; i < 2; i++) {
		const struct dir_plan *d = &p->dir[i];

		if (d->loss + d->corrupt + 4 * d->burst > 70 ||
		    (d->cut_from && d->cut_to - d->cut_from > 5 * SEC))
			return true;
	}
	return p->fail_alloc || p->tight_to || p->jump_by[0] > 60 * SEC ||
	       p->jump_by[1] > 60 * SEC;
}

static void draw_host(struct plan *p, struct rng *r)
{
	p->tso = chance(r, 400);
	p->pieces = chance(r, 200);
	p->dma_us = chance(r, 300) ? (u16)log_size(r, 2000) : 0;
	if (chance(r, 150))
		p->strip = (u8)below(r, 8);
	for (u32 i = 0; i < 2; i++) {
		if (!chance(r, 80))
			continue;
		p->jump_at[i] = host_now + log_size(r, 5000) * MS;
		p->jump_by[i] = log_size(r, 300000) * MS;
	}
	if (chance(r, 60))
		p->fail_alloc = 2 + (u32)log_size(r, 200);
	if (chance(r, 40)) {
		p->tight_from = host_now + log_size(r, 1000) * MS;
		p->tight_to = p->tight_from + log_size(r, 5000) * MS;
	}
}

void plan_draw(struct plan *p, u64 seed)
{
	struct rng r = { seed };
	u32 badness = (u32)below(&r, 4);

	*p = (struct plan){ .seed = seed };
	p->kind = (enum world_kind)below(&r, 3);
	draw_dir(&p->dir[0], &r, badness);
	draw_dir(&p->dir[1], &r, badness);
	draw_mtu(p, &r);
	if (chance(&r, 80))
		draw_cut(p, &r);
	draw_host(p, &r);
	p->nr_conns = chance(&r, 700) ? 1 : 1 + (u32)below(&r, SIM_CONNS);
	for (u32 i = 0; i < p->nr_conns; i++) {
		draw_conn(p, &p->conn[i], &r);
		p->conn[i].may_fail |= hopeless(p);
	}
	for (u32 i = 0; i < 2; i++)
		p->dir[i].mute = p->dir[i].mtu_at && chance(&r, 300);
}

static void print_dir(const struct dir_plan *d, u32 i)
{
	printf("  %u: loss %u burst %u dup %u reorder %u corrupt %u of 1000, "
	       "delay %llu + %llu us, %llu ns/byte, queue %llu ms\n", i,
	       d->loss, d->burst, d->dup, d->reorder, d->corrupt,
	       d->delay / 1000ull, d->jitter / 1000ull,
	       d->ns_per_byte + 0ull, d->queue / MS);
	if (d->cut_from)
		printf("     cut from %llu to %llu ms\n", d->cut_from / MS,
		       d->cut_to / MS);
	if (d->mtu_at)
		printf("     MTU %u from %llu ms%s\n", d->mtu, d->mtu_at / MS,
		       d->mute ? ", untold" : "");
}

static void print_app(const struct app_plan *a, u32 i)
{
	printf("    %u: %u bytes by %u per %llu ms, reads %u per %llu ms after "
	       "%llu ms, ending %d at %u, sndbuf %u rcvbuf %u maxseg %u%s%s%s\n",
	       i, a->to_send, a->write_max, a->write_pace / MS, a->read_max,
	       a->read_pace / MS, a->read_after / MS, a->ending, a->quit_at,
	       a->sndbuf, a->rcvbuf, a->maxseg, a->nodelay ? " nodelay" : "",
	       a->cork ? " cork" : "", a->keepalive ? " keepalive" : "");
}

void plan_print(const struct plan *p)
{
	static const char *const kinds[] = {
		"ours with ours", "ours to lwIP", "lwIP to ours",
	};

	printf("seed %llu: %s, MTU %u%s%s, DMA %u us, options stripped %u\n",
	       p->seed + 0ull, kinds[p->kind], p->mtu, p->tso ? ", TSO" : "",
	       p->pieces ? ", pieces" : "", p->dma_us, p->strip);
	print_dir(&p->dir[0], 0);
	print_dir(&p->dir[1], 1);
	for (u32 i = 0; i < 2; i++) {
		if (p->jump_at[i])
			printf("  clock leaps %llu ms at %llu ms\n",
			       p->jump_by[i] / MS, p->jump_at[i] / MS);
	}
	if (p->fail_alloc)
		printf("  allocations fail around one event of %u\n",
		       p->fail_alloc);
	if (p->tight_to)
		printf("  memory tight from %llu to %llu ms\n",
		       p->tight_from / MS, p->tight_to / MS);
	for (u32 i = 0; i < p->nr_conns; i++) {
		const struct conn_plan *c = &p->conn[i];

		printf("  connection %u: client %u%s at %llu ms%s\n", i,
		       c->client, c->simultaneous ? ", simultaneous" : "",
		       c->start / MS, c->may_fail ? ", may fail" : "");
		print_app(&c->app[0], 0);
		print_app(&c->app[1], 1);
	}
	fflush(stdout);
}
