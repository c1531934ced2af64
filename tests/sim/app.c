/*
 * The application at one end: writes a known stream and checks the other's,
 * at its plan's sizes and paces. It acts only when it was woken, until
 * -EAGAIN, so a wakeup that is missing shows as a connection that is stuck.
 */
#include "tests/sim/sim.h"

#include <string.h>

#include "kernel/errno.h"

u64 app_progress_at;

static void progress(void)
{
	app_progress_at = host_now;
}

static void leave(struct end *e, bool reset)
{
	e->done = true;
	progress();
	if (reset)
		e->ops->reset(e);
	else
		e->ops->close(e);
}

static void failed(struct end *e, const struct conn_plan *c, int err,
		   const char *doing)
{
	if (!c->may_fail) {
		shared->fail_conn = e->conn;
		sim_fail("connection %u side %u: %s fails with %d after %llu "
			 "sent, %llu received", e->conn, e->side, doing, -err,
			 e->sent + 0ull, e->got + 0ull);
	}
	e->failed = true;
	leave(e, false);
}

static u64 pause(struct end *e, u64 pace)
{
	return pace ? host_now + 1 + below(&e->rng, pace) : 0;
}

static void write_some(struct end *e, const struct conn_plan *c)
{
	const struct app_plan *a = e->app;

	while (!e->done && e->can_write && e->sent < a->to_send &&
	       host_now >= e->next_write) {
		u64 wish = 1 + below(&e->rng, a->write_max);
		u32 n = (u32)min(wish, a->to_send - e->sent);
		ssize_t got = e->ops->send(e, wire_pattern(e->conn, e->side,
							   e->sent), n);

		if (got == -EAGAIN) {
			e->can_write = false;
		} else if (got == -ENOBUFS || got == -ENOMEM) {
			e->next_write = host_now + 10 * MS;
		} else if (got <= 0) {
			failed(e, c, (int)got, "send");
		} else {
			e->sent += (u64)got;
			e->next_write = pause(e, a->write_pace);
			progress();
		}
	}
}

/*
 * lwIP 2.1.3 leaves the FIN on the first part of a segment that it splits for
 * a small window: then the end comes early, and rightly so for us.
 */
static bool lwip_ends_early(const struct end *e)
{
	return e->peer->ops == &lwip_end && e->peer->shut &&
	       wire_fin_seen(e->conn, !e->side, e->got);
}

static void check_end(struct end *e)
{
	const struct end *from = e->peer;

	if (lwip_ends_early(e))
		return;
	if (!from->shut || e->got != from->sent) {
		shared->fail_conn = e->conn;
		sim_fail("connection %u side %u: the stream ends at %llu of "
			 "%llu%s", e->conn, e->side, e->got + 0ull,
			 from->sent + 0ull, from->shut ? "" : ", still open");
	}
}

static void check_bytes(struct end *e, const u8 *buf, u32 n)
{
	const u8 *want = wire_pattern(e->conn, !e->side, e->got);

	if (memcmp(buf, want, n) || e->got + n > e->peer->sent) {
		shared->fail_conn = e->conn;
		sim_fail("connection %u side %u: wrong bytes at %llu, %u of "
			 "them", e->conn, e->side, e->got + 0ull, n);
	}
	e->got += n;
}

static void read_some(struct end *e, const struct conn_plan *c)
{
	static u8 buf[65536];
	const struct app_plan *a = e->app;

	while (!e->done && e->can_read && !e->eof &&
	       host_now >= e->next_read) {
		u32 n = 1 + (u32)below(&e->rng, min(a->read_max, 65000u));
		ssize_t got = e->ops->recv(e, buf, n);

		if (got == -EAGAIN) {
			e->can_read = false;
			break;
		}
		progress();
		if (got < 0) {
			failed(e, c, (int)got, "recv");
		} else if (got == 0) {
			check_end(e);
			e->eof = true;
		} else {
			check_bytes(e, buf, (u32)got);
			e->next_read = pause(e, a->read_pace);
		}
	}
}

static void finish(struct end *e)
{
	const struct app_plan *a = e->app;
	bool all = e->sent == a->to_send;

	if (e->done)
		return;
	if (a->ending == END_RESET && e->sent + e->got >= a->quit_at) {
		leave(e, true);
		return;
	}
	if (a->ending == END_CLOSE && all && e->sent + e->got >= a->quit_at) {
		e->shut = true;
		leave(e, false);
		return;
	}
	if (all && !e->shut) {
		e->shut = true;
		e->ops->shutdown(e);
		progress();
	}
	if (e->shut && e->eof)
		leave(e, false);
}

static void connect_or_wait(struct end *e, const struct conn_plan *c)
{
	int r = e->ops->ready(e);

	if (r < 0)
		failed(e, c, r, "connect");
	if (r <= 0)
		return;
	e->connected = true;
	e->next_read = e->app->read_after ? host_now + e->app->read_after : 0;
	progress();
}

void app_run(struct end *e, const struct conn_plan *c)
{
	if (e->done || !e->app)
		return;
	if (!e->connected)
		connect_or_wait(e, c);
	if (!e->connected)
		return;
	write_some(e, c);
	read_some(e, c);
	finish(e);
}

u64 app_next(const struct end *e)
{
	u64 next = NEVER;

	if (e->done || !e->connected)
		return NEVER;
	if (e->can_write && e->sent < e->app->to_send)
		next = e->next_write;
	if (e->can_read && !e->eof)
		next = min(next, e->next_read);
	return next;
}
