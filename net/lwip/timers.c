/*
 * lwIP's clockwork. Each part of it wants a call every so often, but only
 * while it has something pending; a job runs from the poke that started it
 * until it says that it is done. Where time only ages what is there, a job
 * sleeps for many periods and then catches up. One kernel timer serves them
 * all; with nothing pending there is none. It fires in softirq.
 */
#include "net/lwip/port_internal.h"

#include "kernel/time.h"
#include "kernel/timer.h"

/*
 * Called for each period that has passed, under port.lock. Returns after how
 * many periods it wants to look again, 0 when nothing is pending.
 */
struct job {
	u32 period_ms;
	u32 (*tick)(void);
};

/* port.lock */
struct job_state {
	bool on;
	u32 quiet;		/* ticks since the last poke */
	u64 last;		/* ns: ticks are done up to here */
	u64 due;		/* ns: when to look again */
};

static struct job_state state[NR_LWIP_JOBS];
static struct timer timer;
static u64 timer_due;		/* port.lock; 0: not running */

#define CATCH_UP_TICKS	600	/* if more were missed, let them go */
#define AGEING_PACE	10	/* periods: nothing happens, things grow old */
#define ARP_BUSY_TICKS	7	/* longer than an unanswered entry lives */

static u32 tick_arp(void)
{
	if (lwip_neigh_arp_tick())
		return state[JOB_ARP].quiet > ARP_BUSY_TICKS ? AGEING_PACE : 1;
	return state[JOB_ARP].quiet <= ARP_BUSY_TICKS;
}

static u32 tick_reass4(void)
{
	lwip_count_ageing(true, ip_reass_tmr);
	return state[JOB_REASS4].quiet <= IP_REASS_MAXAGE + 1;
}

static u32 tick_reass6(void)
{
	lwip_count_ageing(false, ip6_reass_tmr);
	return state[JOB_REASS6].quiet <= IPV6_REASS_MAXAGE + 1;
}

static u32 tick_dhcp_fine(void)
{
	struct netif *netif;

	dhcp_fine_tmr();
	NETIF_FOREACH(netif) {
		struct dhcp *dhcp = netif_dhcp_data(netif);

		if (dhcp && dhcp->request_timeout)
			return 1;
	}
	return 0;
}

/* Renewals begin here; their answers are waited for with the fine job. */
static u32 tick_dhcp_coarse(void)
{
	struct netif *netif;

	dhcp_coarse_tmr();
	lwip_poke(JOB_DHCP_FINE);
	NETIF_FOREACH(netif) {
		struct dhcp *dhcp = netif_dhcp_data(netif);

		if (dhcp && dhcp->state != DHCP_STATE_OFF)
			return 1;
	}
	return 0;
}

/* Addresses on trial, or routers still to be asked for. */
static bool ip6_starting(void)
{
	struct netif *netif;

	NETIF_FOREACH(netif) {
		if (!(netif->flags & NETIF_FLAG_MLD6) || !netif_is_up(netif) ||
		    ip6_addr_isinvalid(netif_ip6_addr_state(netif, 0)))
			continue;
		if (netif->rs_count)
			return true;
		for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
			if (ip6_addr_istentative(
				    netif_ip6_addr_state(netif, i)))
				return true;
		}
	}
	return false;
}

static bool ip6_lifetimes(void)
{
	struct netif *netif;

	for (int i = 0; i < LWIP_ND6_NUM_ROUTERS; i++) {
		if (default_router_list[i].neighbor_entry)
			return true;
	}
	for (int i = 0; i < LWIP_ND6_NUM_PREFIXES; i++) {
		if (prefix_list[i].netif)
			return true;
	}
	NETIF_FOREACH(netif) {
		for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
			if (!ip6_addr_isinvalid(
				    netif_ip6_addr_state(netif, i)) &&
			    !netif_ip6_addr_isstatic(netif, i))
				return true;
		}
	}
	return false;
}

static u32 tick_nd6(void)
{
	u32 pace = lwip_neigh_nd6_tick();

	if (pace == 1 || ip6_starting())
		return 1;
	return pace || ip6_lifetimes() ? AGEING_PACE : 0;
}

static u32 tick_mld6(void)
{
	struct netif *netif;
	struct mld_group *g;

	mld6_tmr();
	NETIF_FOREACH(netif) {
		for (g = netif_mld6_data(netif); g; g = g->next) {
			if (g->timer)
				return 1;
		}
	}
	return 0;
}

/* Waits for links that were down when their device came. */
static u32 tick_link(void)
{
	struct netif *netif;
	u32 waiting = 0;

	NETIF_FOREACH(netif) {
		if (netif_is_link_up(netif))
			continue;
		if (READ_ONCE(((struct lwip_netif *)netif)->dev->link_up)) {
			netif_set_link_up(netif);
			port.pokes |= 1u << JOB_DHCP_FINE | 1u << JOB_ND6 |
				      1u << JOB_MLD6;
		} else {
			waiting = 1;
		}
	}
	return waiting;
}

static const struct job jobs[NR_LWIP_JOBS] = {
	[JOB_ARP] = { ARP_TMR_INTERVAL, tick_arp },
	[JOB_REASS4] = { IP_TMR_INTERVAL, tick_reass4 },
	[JOB_REASS6] = { IP6_REASS_TMR_INTERVAL, tick_reass6 },
	[JOB_DHCP_FINE] = { DHCP_FINE_TIMER_MSECS, tick_dhcp_fine },
	[JOB_DHCP_COARSE] = { DHCP_COARSE_TIMER_MSECS, tick_dhcp_coarse },
	[JOB_ND6] = { ND6_TMR_INTERVAL, tick_nd6 },
	[JOB_MLD6] = { MLD6_TMR_INTERVAL, tick_mld6 },
	[JOB_LINK] = { 100, tick_link },
	[JOB_IP6_START] = { 100, lwip_config_ip6_tick },
};

static void run_job(enum lwip_job i, u64 now)
{
	struct job_state *s = &state[i];
	u64 period = jobs[i].period_ms * NSEC_PER_MSEC;
	u32 pace = 1;

	if (now - s->last > CATCH_UP_TICKS * period)
		s->last = now - period;
	while (pace && s->last + period <= now) {
		s->last += period;
		s->quiet++;
		pace = jobs[i].tick();
	}
	s->on = pace;
	s->due = s->last + pace * period;
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

void lwip_timers_catch_up(u32 which)
{
	u64 now = ktime_get_ns();

	for (u32 i = 0; i < NR_LWIP_JOBS; i++) {
		if (which & 1u << i && state[i].on)
			run_job(i, now);
	}
	port.pokes |= which;
}

void lwip_timers_update(void)
{
	u64 now = ktime_get_ns();
	u32 pokes = port.pokes;

	port.pokes = 0;
	for (u32 i = 0; i < NR_LWIP_JOBS; i++) {
		struct job_state *s = &state[i];
		u64 period = jobs[i].period_ms * NSEC_PER_MSEC;

		if (!(pokes & 1u << i))
			continue;
		/* What is new must not age by what passed before it came. */
		if (!s->on)
			s->last = now;
		else if (now - s->last > period)
			s->last = now - period;
		s->on = true;
		s->quiet = 0;
		s->due = s->last + period;
	}
	arm();
}

static void timer_fired(struct timer *t)
{
	u64 now = ktime_get_ns();

	(void)t;
	lwip_lock();
	timer_due = 0;
	for (u32 i = 0; i < NR_LWIP_JOBS; i++) {
		if (state[i].on && state[i].due <= now)
			run_job(i, now);
	}
	arm();
	lwip_count_drops(true, 0);
	lwip_unlock();
}

void lwip_timers_init(void)
{
	timer_setup(&timer, timer_fired);
}
