/*
 * SYN cookies. The sequence number is 26 bits of a keyed hash over addresses,
 * ports, the peer's number, the minute and the MSS, then 3 bits of the minute
 * and 3 of the MSS. With a timestamp, its low 6 bits keep the other options;
 * without one they are not offered. Softirq, no locks.
 */
#include "net/tcp/tcp_cookie.h"

#include "kernel/random.h"
#include "kernel/siphash.h"
#include "kernel/time.h"
#include "net/tcp/tcp_isn.h"
#include "net/tcp/tcp_timer.h"

#define SLOT_NS		(TCP_COOKIE_LIFE / 2)
#define SLOT_MASK	7u
#define MSS_BITS	3
#define LOW_BITS	(MSS_BITS + 3)

/* What the timestamp's low bits say. */
#define TS_WSCALE	0x0fu	/* the peer's; 15: none offered */
#define TS_SACK		0x10u
#define TS_ECN		0x20u
#define TS_LOW		0x3fu

static struct siphash_key cookie_key;

/* The usual ones: IPv6's least, tunnels, PPPoE, Ethernet, large frames. */
static const u16 mss_table[1 << MSS_BITS] = {
	216, 536, 1220, 1360, 1400, 1440, 1460, 8940,
};

void tcp_cookie_init(void)
{
	get_random_bytes(&cookie_key, sizeof(cookie_key));
}

static u32 mss_index(u16 mss)
{
	u32 i = ARRAY_SIZE(mss_table) - 1;

	while (i && mss_table[i] > mss)
		i--;
	return i;
}

static u32 make_cookie(const struct tcp_tuple *t, u32 irs, u64 slot, u32 mss)
{
	struct {
		struct ip_addr local, remote;
		u64 slot;
		u32 irs, mss;
		u32 lport, rport;
	} in = {
		.local = t->local,
		.remote = t->remote,
		.slot = slot,
		.irs = irs,
		.mss = mss,
		.lport = t->lport,
		.rport = t->rport,
	};
	u32 hash = (u32)siphash(&in, sizeof(in), &cookie_key);

	return hash << LOW_BITS | ((u32)slot & SLOT_MASK) << MSS_BITS | mss;
}

/* The clock of @t's timestamps, with @low in its place; never ahead. */
static u32 stamp(const struct tcp_tuple *t, u32 low, u64 now)
{
	u32 clock = tcp_ms(now) + tcp_new_start(t, now).ts_off;
	u32 ts = (clock & ~TS_LOW) | low;

	return (s32)(ts - clock) > 0 ? ts - TS_LOW - 1 : ts;
}

void tcp_cookie_fill(struct tcp_mini *req, u64 now)
{
	u32 mss = mss_index(req->mss), low = TS_WSCALE;

	req->mss = mss_table[mss];
	req->snd_nxt = make_cookie(&req->tuple, req->rcv_nxt - 1,
				   now / SLOT_NS, mss) + 1;
	if (!(req->opts & TCP_OPT_TS)) {
		req->opts = 0;
		return;
	}
	if (req->opts & TCP_OPT_WSCALE)
		low = req->snd_wscale;
	if (req->opts & TCP_OPT_SACK_OK)
		low |= TS_SACK;
	if (req->opts & TCP_OPT_ECN)
		low |= TS_ECN;
	/* So that the SYN-ACK, which adds the clock, says just this. */
	req->ts_off = stamp(&req->tuple, low, now) - tcp_ms(now);
}

/* The options that our timestamp, come back, tells. False: no such stamp. */
static bool take_stamp(struct tcp_mini *req, const struct tcp_segment *seg,
		       u64 now)
{
	u32 age;

	if (!(seg->opts & TCP_OPT_TS))
		return true;
	req->ts_off = tcp_new_start(&req->tuple, now).ts_off;
	req->ts_recent = seg->tsval;
	req->opts = TCP_OPT_TS;
	age = tcp_ms(now) + req->ts_off - seg->tsecr;
	if (age > (TCP_COOKIE_LIFE + NSEC_PER_SEC) / NSEC_PER_MSEC)
		return false;
	if (seg->tsecr & TS_SACK)
		req->opts |= TCP_OPT_SACK_OK;
	if (seg->tsecr & TS_ECN)
		req->opts |= TCP_OPT_ECN;
	req->snd_wscale = seg->tsecr & TS_WSCALE;
	if (req->snd_wscale <= TCP_MAX_WSCALE)
		req->opts |= TCP_OPT_WSCALE;
	else
		req->snd_wscale = 0;
	return true;
}

bool tcp_cookie_check(struct tcp_mini *req, const struct tcp_tuple *tuple,
		      const struct tcp_segment *seg, u64 now)
{
	u32 cookie = seg->ack - 1, irs = seg->seq - 1;
	u32 mss = cookie % ARRAY_SIZE(mss_table);
	u64 slot = now / SLOT_NS;

	/* Of this half of its life or the one before. */
	slot -= (slot - (cookie >> MSS_BITS)) & SLOT_MASK;
	if (now / SLOT_NS - slot > 1 ||
	    make_cookie(tuple, irs, slot, mss) != cookie)
		return false;
	req->tuple = *tuple;
	req->mss = mss_table[mss];
	req->rcv_nxt = seg->seq;
	req->snd_nxt = seg->ack;
	return take_stamp(req, seg, now);
}
