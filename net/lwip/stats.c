/*
 * lwIP counts what it throws away by protocol and cause; this tells the
 * kernel's drop counters, so that a frame that lwIP refuses shows up under a
 * name like any other. Called after every frame, under the port's lock.
 */
#include "net/lwip/port_internal.h"

#include "kernel/byteorder.h"
#include "net/drop.h"
#include "net/snmp.h"

#define IP6_LEN		40
#define HOPOPTS_LEN	8	/* as MLD sends it */
#define IPPROTO_FRAGMENT 44

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
static u32 seen_fragments;		/* port.lock */

static u32 sum_now(void)
{
#define X(member, name) + lwip_stats.member
	return 0 CAUSES(X);
#undef X
}

/* What an IP packet in a frame is, as far as the counters care. */
struct kind {
	bool v4, tcp;
	bool first, fragment;	/* first: no later fragment */
	int icmp;		/* type; -1: no ICMP */
};

/* False: no IP. At least an IP header is there. */
static bool kind_of(const u8 *frame, u32 len, struct kind *k)
{
	const u8 *ip = frame + ETH_HLEN;
	u32 at = ETH_HLEN + IP6_LEN;
	u8 proto = ip[6];

	u16 frag = 0, offset = IP_OFFSET;

	k->v4 = get_be16(frame + 12) == ETH_P_IP;
	if (k->v4) {
		frag = get_be16(ip + 6) & (IP_OFFSET | IP_MF);
		at = ETH_HLEN + (ip[0] & 15u) * 4;
		proto = ip[9];
	} else if (get_be16(frame + 12) != ETH_P_IPV6 || len < at) {
		return false;
	} else if (!proto && len > at) {
		proto = frame[at];
		at += HOPOPTS_LEN;
	} else if (proto == IPPROTO_FRAGMENT) {
		frag = get_be16(frame + at + 2);
		offset = 0xfff8;
	}
	k->fragment = frag;
	k->first = !(frag & offset);
	k->tcp = proto == IPPROTO_TCP;
	k->icmp = k->first && len > at &&
		  proto == (k->v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)
		? frame[at] : -1;
	return true;
}

static void count_timeout(bool v4)
{
	SNMP_INC46(v4, Ip, Ip6, ReasmTimeout);
	SNMP_INC46(v4, Ip, Ip6, ReasmFails);
}

/* TCP has counted its own on the way to a neighbour that was not known. */
void lwip_count_out(const u8 *frame, u32 len)
{
	struct kind k;

	if (len < ETH_HLEN + sizeof(struct iphdr) ||
	    !kind_of(frame, len, &k) || k.tcp)
		return;
	if (k.v4)
		SNMP_ADD(IpExt_OutOctets, len - ETH_HLEN);
	if (k.first)
		SNMP_INC46(k.v4, Ip, Ip6, OutRequests);
	if (k.fragment) {
		SNMP_INC46(k.v4, Ip, Ip6, FragCreates);
		if (k.first)
			SNMP_INC46(k.v4, Ip, Ip6, FragOKs);
	}
	/* Time exceeded in reassembly. */
	if (k.icmp == (k.v4 ? 11 : 3))
		count_timeout(k.v4);
	if (k.icmp >= 0)
		this_cpu_add(icmp_out[icmp_slot(k.v4, (u8)k.icmp)], 1);
}

void lwip_count_ageing(bool v4, void (*age)(void))
{
	const struct stats_mem *waiting =
		lwip_stats.memp[v4 ? MEMP_REASSDATA : MEMP_IP6_REASSDATA];
	const u32 *errors = v4 ? &lwip_stats.icmp.xmit
			       : &lwip_stats.icmp6.xmit;
	u32 silent = waiting->used + *errors;

	age();
	for (silent -= waiting->used + *errors; silent; silent--)
		count_timeout(v4);
}

void lwip_count_in(const u8 *frame, u32 len)
{
	struct kind k;

	if (kind_of(frame, len, &k) && k.icmp >= 0)
		this_cpu_add(icmp_in[icmp_slot(k.v4, (u8)k.icmp)], 1);
}

u32 lwip_taken_up(void)
{
	return lwip_stats.udp.recv + lwip_stats.icmp.recv +
	       lwip_stats.icmp6.recv + port.tcp_up;
}

void lwip_count_fragment(bool v4, bool whole)
{
	u32 recv = lwip_stats.ip_frag.recv + lwip_stats.ip6_frag.recv;

	if (whole)
		SNMP_INC46(v4, Ip, Ip6, InDelivers);
	/* Else some other header that only lwIP reads. */
	if (recv == seen_fragments)
		return;
	seen_fragments = recv;
	SNMP_INC46(v4, Ip, Ip6, ReasmReqds);
	if (whole)
		SNMP_INC46(v4, Ip, Ip6, ReasmOKs);
}

void lwip_count_drop(enum drop_reason why, bool v4, u32 len)
{
	count_drop(why, len);
	switch ((int)why) {
	case DROP_UDP_NO_SOCKET:
		SNMP_INC46(v4, Udp, Udp6, NoPorts);
		break;
	case DROP_UDP_CSUM:
		SNMP_INC46(v4, Udp, Udp6, InCsumErrors);
		SNMP_INC46(v4, Udp, Udp6, InErrors);
		break;
	case DROP_UDP_HDR:
		SNMP_INC46(v4, Udp, Udp6, InErrors);
		break;
	case DROP_ICMP_CSUM:
		SNMP_INC46(v4, Icmp, Icmp6, InCsumErrors);
		SNMP_INC46(v4, Icmp, Icmp6, InErrors);
		break;
	case DROP_ICMP_HDR:
	case DROP_ICMP_REFUSED:
		SNMP_INC46(v4, Icmp, Icmp6, InErrors);
		break;
	case DROP_IP_HDR:
	case DROP_IP_CSUM:
		SNMP_INC46(v4, Ip, Ip6, InHdrErrors);
		break;
	case DROP_IP_OTHER_ADDR:
		SNMP_INC46(v4, Ip, Ip6, InAddrErrors);
		break;
	case DROP_IP_PROTO:
		if (v4)
			SNMP_INC(Ip_InUnknownProtos);
		break;
	case DROP_IP_FRAG:
	case DROP_IP_FRAG_FULL:
		SNMP_INC46(v4, Ip, Ip6, ReasmFails);
		break;
	default:
		break;
	}
}

bool lwip_count_drops(bool v4, u32 len)
{
	bool counted = false;
	u32 sum = sum_now();

	if (likely(sum == seen_sum))
		return false;
	seen_sum = sum;
	for (u32 i = 0; i < ARRAY_SIZE(causes); i++) {
		if (*causes[i].counter != seen[i] && !counted) {
			lwip_count_drop(causes[i].reason, v4, len);
			counted = true;
		}
		seen[i] = *causes[i].counter;
	}
	return counted;
}
