/*
 * lwIP's clockwork. Each part of it wants a call every so often, but only
 * while it has something pending; a job runs from the poke that started it
 * until it says that it is done, and one kernel timer serves them all. With
 * nothing pending there is no timer. The timer fires in softirq.
 */
#include "net/lwip/port_internal.h"

#include "kernel/time.h"
#include "kernel/timer.h"

/* Called each period under port.lock; false when nothing is pending. */
struct job {
	u32 period_ms;
	bool (*tick)(void);
};

struct job_state {
	bool on;
	u32 quiet;		/* ticks since the last poke */
	u64 due;		/* ns */
};

static struct job_state state[NR_LWIP_JOBS];	/* port.lock */
static struct timer timer;
static u64 timer_due;		/* port.lock; 0: not running */

#define CATCH_UP_TICKS	16	/* more than that were missed: let them go */

static bool tick_reass4(void)
{
	ip_reass_tmr();
	return state[JOB_REASS4].quiet <= IP_REASS_MAXAGE + 1;
}

static bool tick_reass6(void)
{
	ip6_reass_tmr();
	return state[JOB_REASS6].quiet <= IPV6_REASS_MAXAGE + 1;
}

static bool tick_dhcp_fine(void)
{
	struct netif *netif;

	dhcp_fine_tmr();
	NETIF_FOREACH(netif) {
		struct dhcp *dhcp = netif_dhcp_data(netif);

		if (dhcp && dhcp->request_timeout)
			return true;
	}
	return false;
}

/* Renewals begin here; their answers are waited for with the fine job. */
static bool tick_dhcp_coarse(void)
{
	struct netif *netif;

	dhcp_coarse_tmr();
	lwip_poke(JOB_DHCP_FINE);
	NETIF_FOREACH(netif) {
		struct dhcp *dhcp = netif_dhcp_data(netif);

		if (dhcp && dhcp->state != DHCP_STATE_OFF)
			return true;
	}
	return false;
}

static bool tick_nd6(void)
{
	struct netif *netif;

	lwip_neigh_nd6_tick();
	NETIF_FOREACH(netif) {
		if (netif->flags & NETIF_FLAG_MLD6 && netif_is_up(netif) &&
		    !ip6_addr_isinvalid(netif_ip6_addr_state(netif, 0)))
			return true;
	}
	return false;
}

static bool tick_mld6(void)
{
	struct netif *netif;
	struct mld_group *g;

	mld6_tmr();
	NETIF_FOREACH(netif) {
		for (g = netif_mld6_data(netif); g; g = g->next) {
			if (g->timer)
				return true;
		}
	}
	return false;
}

/* Waits for links that were down when their device came. */
static bool tick_link(void)
{
	struct netif *netif;
	bool waiting = false;

	NETIF_FOREACH(netif) {
		if (netif_is_link_up(netif))
			continue;
		if (READ_ONCE(((struct lwip_netif *)netif)->dev->link_up))
			netif_set_link_up(netif);
		else
			waiting = true;
	}
	return waiting;
}

static const struct job jobs[NR_LWIP_JOBS] = {
	[JOB_ARP] = { ARP_TMR_INTERVAL, lwip_neigh_arp_tick },
	[JOB_REASS4] = { IP_TMR_INTERVAL, tick_reass4 },
	[JOB_REASS6] = { IP6_REASS_TMR_INTERVAL, tick_reass6 },
	[JOB_DHCP_FINE] = { DHCP_FINE_TIMER_MSECS, tick_dhcp_fine },
	[JOB_DHCP_COARSE] = { DHCP_COARSE_TIMER_MSECS, tick_dhcp_coarse },
	[JOB_ND6] = { ND6_TMR_INTERVAL, tick_nd6 },
	[JOB_MLD6] = { MLD6_TMR_INTERVAL, tick_mld6 },
	[JOB_LINK] = { 100, tick_link },
};

static u64 period_ns(enum lwip_job i)
{
	return jobs[i].period_ms * NSEC_PER_MSEC;
}

static void run_job(enum lwip_job i, u64 now)
{
	struct job_state *s = &state[i];

	for (u32 n = 0; s->on && s->due <= now; n++) {
		s->due += period_ns(i);
		if (n == CATCH_UP_TICKS)
			s->due = now + period_ns(i);
		s->quiet++;
		s->on = jobs[i].tick();
	}
}

/* Starts the kernel timer if some job is due before it would fire. */
static void arm(void)
{
	u64 due = KTIME_MAX;

	for (u32 i = 0; i < NR_LWIP_JOBS; i++) {
		if (state[i].on)
			due = min(due, state[i].due);
	}
	if (due == KTIME_MAX || (timer_due && timer_due <= due))
		return;
	timer_due = due;
	mod_timer(&timer, due);
}

void lwip_timers_update(void)
{
	u64 now = ktime_get_ns();
	u32 pokes = port.pokes;

	port.pokes = 0;
	for (u32 i = 0; i < NR_LWIP_JOBS; i++) {
		if (!(pokes & 1u << i))
			continue;
		state[i].quiet = 0;
		if (state[i].on)
			continue;
		state[i].on = true;
		state[i].due = now + period_ns(i);
	}
	arm();
}

static void timer_fired(struct timer *t)
{
	u64 now = ktime_get_ns();

	(void)t;
	lwip_lock();
	timer_due = 0;
	for (u32 i = 0; i < NR_LWIP_JOBS; i++)
		run_job(i, now);
	arm();
	lwip_count_drops(0);
	lwip_unlock();
}

void lwip_timers_init(void)
{
	timer_setup(&timer, timer_fired);
}
