/* One seed's world from its first event to the last allocation given back. */
#include "tests/sim/sim.h"

#include <string.h>

#include "kernel/errno.h"

/* Nothing was achieved for so long: no timer of TCP takes longer. */
#define STUCK_NS	(1200 * SEC)
/* After the applications are done: retransmissions, FIN-WAIT-2, TIME-WAIT. */
/* lwIP waits up to 1,328 s between two tries, and makes a dozen. */
#define LINGER_NS	(16000 * SEC)
#define STEPS_MAX	3000000u

static struct plan plan;
static struct end ends[SIM_CONNS][2];
static struct rng rng;

static void wake(void *arg)
{
}

static void open_conn(void *arg)
{
	struct conn_plan *c = arg;
	struct end *e = ends[c - plan.conn];
	u8 order[2] = { !c->client, c->client };

	for (u32 i = 0; i < 2; i++) {
		struct end *x = &e[order[i]];
		int err = x->ops->open(x, x->active);

		if (!err)
			continue;
		/* lwIP sometimes finds no port, and is not judged. */
		if (!c->may_fail && x->ops == &our_end)
			sim_fail("side %u cannot open: %d", x->side, -err);
		e[0].done = true;
		e[1].done = true;
		e[0].ops->close(&e[0]);
		e[1].ops->close(&e[1]);
		break;
	}
	app_progress_at = host_now;
}

static void leap(void *arg)
{
	u64 *by = arg;

	clock_leap(*by);
	app_progress_at += *by;
}

static void tight(void *arg)
{
	ours_tight(arg != NULL);
}

static void start_ends(struct conn_plan *c, u32 conn)
{
	for (u8 side = 0; side < 2; side++) {
		struct end *e = &ends[conn][side];

		*e = (struct end){
			.ops = side && plan.kind != OURS_OURS ? &lwip_end
							      : &our_end,
			.app = &c->app[side],
			.peer = &ends[conn][!side],
			.conn = conn,
			.side = side,
			.active = c->client == side || c->simultaneous,
		};
		e->rng.state = plan.seed ^ (conn * 2 + side + 77);
	}
	at(c->start, open_conn, c);
}

static void start(u64 seed)
{
	host_now = SEC;
	plan_draw(&plan, seed);
	rng.state = seed ^ 0x4021d;
	ours_start(&plan);
	if (plan.kind != OURS_OURS)
		lwip_start(&plan);
	link_start(&plan);
	wire_start(&plan);
	fault_start();
	for (u32 i = 0; i < plan.nr_conns; i++)
		start_ends(&plan.conn[i], i);
	for (u32 i = 0; i < 2; i++) {
		if (plan.jump_at[i])
			at(plan.jump_at[i], leap, &plan.jump_by[i]);
	}
	if (plan.tight_to) {
		at(plan.tight_from, tight, &plan);
		at(plan.tight_to, tight, NULL);
	}
	app_progress_at = host_now;
}

/* All applications act on what has happened. True if some still live. */
static bool run_apps(void)
{
	bool live = false;

	for (u32 i = 0; i < plan.nr_conns; i++) {
		for (u32 k = 0; k < 2; k++) {
			struct end *e = &ends[i][k];

			if (host_now >= plan.conn[i].start && !e->done &&
			    (e->sock || e->listener || e->err))
				app_run(e, &plan.conn[i]);
			live |= !e->done;
		}
	}
	return live;
}

static void check_ends(void)
{
	for (u32 i = 0; i < plan.nr_conns; i++) {
		for (u32 k = 0; k < 2; k++) {
			struct end *e = &ends[i][k];

			shared->fail_conn = i;
			if (!e->done && e->ops->check)
				e->ops->check(e);
		}
	}
}

/* When the first application goes on without being woken. */
static void schedule_apps(u64 *scheduled)
{
	u64 next = NEVER;

	for (u32 i = 0; i < plan.nr_conns; i++) {
		for (u32 k = 0; k < 2; k++) {
			u64 mine = app_next(&ends[i][k]);

			next = min(next, mine);
		}
	}
	if (next == NEVER || (*scheduled > host_now && next >= *scheduled))
		return;
	*scheduled = max(next, host_now + 1);
	at(*scheduled, wake, NULL);
}

/* lwIP ends a connection in LAST-ACK after two minutes, sent or not. */
static bool lwip_left(const struct end *e)
{
	return e->peer->ops == &lwip_end && e->peer->done && !lwip_busy();
}

/* Nothing moves: an error only for those that had no reason to fail. */
static void stuck(void)
{
	for (u32 i = 0; i < plan.nr_conns; i++) {
		for (u32 k = 0; k < 2; k++) {
			struct end *e = &ends[i][k];

			if (e->done)
				continue;
			shared->fail_conn = i;
			if (!plan.conn[i].may_fail && !lwip_left(e))
				sim_fail("connection %u side %u is stuck: %s, "
					 "%llu of %u sent, %llu of %u received",
					 i, e->side, e->connected ? "connected"
					 : "not connected", e->sent + 0ull,
					 e->app->to_send, e->got + 0ull,
					 e->peer->app->to_send);
			e->done = true;
			e->ops->reset(e);
		}
	}
}

static void fail_sometimes(void)
{
	if (plan.fail_alloc && !below(&rng, plan.fail_alloc))
		ours_fail_alloc(1 + (u32)below(&rng, 6));
}

static void talk(void)
{
	u64 scheduled = 0;
	u32 steps = 0;

	while (run_apps()) {
		check_ends();
		schedule_apps(&scheduled);
		fail_sometimes();
		if (!clock_step(NEVER) ||
		    host_now > app_progress_at + STUCK_NS)
			stuck();
		if (++steps > STEPS_MAX)
			sim_fail("no end after %u events", steps);
	}
}

/* The stack alone: all must be given back. */
static void drain(void)
{
	u64 until = host_now + LINGER_NS;
	bool lwip = plan.kind != OURS_OURS;
	u32 steps = 0;

	ours_tight(false);
	ours_fail_alloc(0);
	while (clock_step(until)) {
		if (++steps % 64 == 0 && !ours_busy(false) &&
		    !(lwip && lwip_busy()))
			break;
	}
	for (u64 end = host_now + 10 * SEC; clock_step(end);)
		;
	if (ours_busy(true))
		sim_fail("connections are left after the applications");
	if (ours_leaked())
		sim_fail("%lu allocations are left", ours_leaked());
	if (lwip && lwip_busy())
		sim_fail("lwIP has connections left");
}

void world_run(u64 seed, bool verbose)
{
	start(seed);
	if (verbose)
		plan_print(&plan);
	talk();
	drain();
	shared->virtual_ns += host_now;
}
