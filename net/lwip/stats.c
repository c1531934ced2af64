/*
 * lwIP counts what it throws away by protocol and cause; this tells the
 * kernel's drop counters, so that a frame that lwIP refuses shows up under a
 * name like any other. Called after every frame, under the port's lock.
 */
#include "net/lwip/port_internal.h"

#include "net/drop.h"
#include "net/snmp.h"

/* The finer cause first: the first counter that moved names the drop. */
#define CAUSES(X)							\
	X(ip.chkerr, IP_CSUM) X(ip.lenerr, IP_HDR) X(ip.err, IP_HDR)	\
	X(ip.opterr, IP_HDR) X(ip.proterr, IP_PROTO)			\
	X(udp.chkerr, UDP_CSUM) X(udp.lenerr, UDP_HDR)			\
	X(udp.proterr, UDP_NO_SOCKET) X(udp.drop, UDP_NO_SOCKET)	\
	X(icmp.chkerr, ICMP_CSUM) X(icmp.lenerr, ICMP_HDR)		\
	X(icmp.err, ICMP_REFUSED) X(icmp.drop, ICMP_REFUSED)		\
	X(ip_frag.memerr, IP_FRAG_FULL) X(ip_frag.drop, IP_FRAG)	\
	X(etharp.lenerr, ARP_HDR) X(etharp.proterr, ARP_HDR)		\
	X(ip.drop, IP_OTHER_ADDR)					\
	X(ip6.lenerr, IP_HDR) X(ip6.err, IP_HDR) X(ip6.opterr, IP_HDR)	\
	X(ip6.proterr, IP_PROTO) X(ip6.drop, IP_OTHER_ADDR)		\
	X(ip6_frag.memerr, IP_FRAG_FULL) X(ip6_frag.drop, IP_FRAG)	\
	X(icmp6.chkerr, ICMP_CSUM) X(icmp6.lenerr, ICMP_HDR)		\
	X(icmp6.drop, ICMP_REFUSED)					\
	X(nd6.lenerr, ICMP_HDR) X(nd6.proterr, ICMP_HDR)		\
	X(nd6.drop, ICMP_REFUSED)					\
	X(mld6.lenerr, ICMP_HDR) X(mld6.drop, ICMP_REFUSED)

struct cause {
	const u32 *counter;
	enum drop_reason reason;
};

static const struct cause causes[] = {
#define X(member, name) { &lwip_stats.member, DROP_##name },
	CAUSES(X)
#undef X
};

static u32 seen[ARRAY_SIZE(causes)];	/* port.lock */
static u32 seen_sum;			/* port.lock */

static u32 sum_now(void)
{
#define X(member, name) + lwip_stats.member
	return 0 CAUSES(X);
#undef X
}

void lwip_drop_counted(enum drop_reason why, u32 len)
{
	count_drop(why, len);
	switch ((int)why) {
	case DROP_UDP_NO_SOCKET:
		SNMP_INC(Udp_NoPorts);
		break;
	case DROP_UDP_CSUM:
		SNMP_INC(Udp_InCsumErrors);
		SNMP_INC(Udp_InErrors);
		break;
	case DROP_UDP_HDR:
		SNMP_INC(Udp_InErrors);
		break;
	default:
		break;
	}
}

void lwip_count_drops(u32 len)
{
	bool counted = false;
	u32 sum = sum_now();

	if (likely(sum == seen_sum))
		return;
	seen_sum = sum;
	for (u32 i = 0; i < ARRAY_SIZE(causes); i++) {
		if (*causes[i].counter != seen[i] && !counted) {
			lwip_drop_counted(causes[i].reason, len);
			counted = true;
		}
		seen[i] = *causes[i].counter;
	}
}
