/* The simulated link: a list of packets by time of arrival. */
#include "tests/unit/tcp_link.h"

#include "tests/unit/unit.h"

#include "kernel/time.h"
#include "net/ip/ip.h"

static struct th_link cfg;
static u64 rng;
static struct sk_buff *flying;		/* by tstamp, through next */
static u64 busy_until;

u64 th_link_sent, th_link_lost;

static u64 rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static bool chance(u32 per_mille)
{
	return rnd() % 1000 < per_mille;
}

static void launch(struct sk_buff *skb, u64 when)
{
	struct sk_buff **at = &flying;

	while (*at && (*at)->tstamp <= when)
		at = &(*at)->next;
	skb->tstamp = when;
	skb->next = *at;
	*at = skb;
}

static u64 arrival(u32 len)
{
	u64 when = max(host_now, busy_until) + cfg.ns_per_byte * len;

	busy_until = when;
	when += cfg.delay_ns;
	if (cfg.jitter_ns)
		when += rnd() % cfg.jitter_ns;
	if (chance(cfg.reorder))
		when += rnd() % (3 * cfg.delay_ns + 1);
	return when;
}

/* Each packet of what is cut later would be as large. */
static bool too_large(const struct sk_buff *skb)
{
	u32 len = skb->gso_size ? skb->gso_size + 32u : skb->len;

	return cfg.mtu && len + 20 > cfg.mtu;
}

static void link_xmit(struct sk_buff *skb, const struct ip_out *ip)
{
	th_link_sent++;
	if (too_large(skb) || chance(cfg.loss)) {
		th_link_lost++;
		kfree_skb(skb);
		return;
	}
	if (chance(cfg.dup))
		launch(th_packet(ip->saddr, ip->daddr, skb->data, skb->len),
		       arrival(skb->len));
	launch(skb, arrival(skb->len));
}

void th_link_start(const struct th_link *link, u64 seed)
{
	cfg = *link;
	rng = seed * 0x9e3779b97f4a7c15ull + 1;
	busy_until = 0;
	th_link_sent = 0;
	th_link_lost = 0;
	th_xmit_hook = link_xmit;
}

bool th_link_step(void)
{
	struct sk_buff *skb = flying;
	u64 end;

	if (!skb)
		return host_advance_to_next();
	end = max(skb->tstamp, host_now);
	/* Timers that are due before come first, and may send. */
	host_advance(end - host_now);
	skb = flying;
	flying = skb->next;
	skb->next = NULL;
	th_receive(skb);
	return true;
}

void th_link_stop(void)
{
	while (flying) {
		struct sk_buff *skb = flying;

		flying = skb->next;
		kfree_skb(skb);
	}
	th_xmit_hook = NULL;
}
