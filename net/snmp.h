/*
 * Protocol counters under Linux's names, as /proc/net/snmp and
 * /proc/net/netstat show them (RFC 4293, 4022, 4113; TcpExt is Linux's own).
 * Per-CPU, only ever added to.
 */
#pragma once

#include "kernel/percpu.h"
#include "kernel/types.h"

/*
 * G: a group; X: its counters, in Linux's order, so that readers by position
 * are right, too. Those that nothing here counts stay 0; snmp_value() knows
 * the few that are no counters.
 */
#define SNMP_COUNTERS(G, X)						\
	G(Ip)								\
	X(Ip, Forwarding) X(Ip, DefaultTTL) X(Ip, InReceives)		\
	X(Ip, InHdrErrors) X(Ip, InAddrErrors) X(Ip, ForwDatagrams)	\
	X(Ip, InUnknownProtos) X(Ip, InDiscards) X(Ip, InDelivers)	\
	X(Ip, OutRequests) X(Ip, OutDiscards) X(Ip, OutNoRoutes)	\
	X(Ip, ReasmTimeout) X(Ip, ReasmReqds) X(Ip, ReasmOKs)		\
	X(Ip, ReasmFails) X(Ip, FragOKs) X(Ip, FragFails)		\
	X(Ip, FragCreates)						\
	G(Ip6)								\
	X(Ip6, InReceives) X(Ip6, InHdrErrors) X(Ip6, InAddrErrors)	\
	X(Ip6, InDelivers) X(Ip6, OutRequests) X(Ip6, OutDiscards)	\
	X(Ip6, OutNoRoutes) X(Ip6, ReasmTimeout) X(Ip6, ReasmReqds)	\
	X(Ip6, ReasmOKs) X(Ip6, ReasmFails) X(Ip6, FragOKs)		\
	X(Ip6, FragFails) X(Ip6, FragCreates)				\
	G(Icmp)								\
	X(Icmp, InErrors) X(Icmp, InCsumErrors)				\
	G(Icmp6)							\
	X(Icmp6, InErrors) X(Icmp6, InCsumErrors)			\
	G(Tcp)								\
	X(Tcp, RtoAlgorithm) X(Tcp, RtoMin) X(Tcp, RtoMax)		\
	X(Tcp, MaxConn) X(Tcp, ActiveOpens) X(Tcp, PassiveOpens)	\
	X(Tcp, AttemptFails) X(Tcp, EstabResets) X(Tcp, CurrEstab)	\
	X(Tcp, InSegs) X(Tcp, OutSegs) X(Tcp, RetransSegs)		\
	X(Tcp, InErrs) X(Tcp, OutRsts) X(Tcp, InCsumErrors)		\
	G(Udp)								\
	X(Udp, InDatagrams) X(Udp, NoPorts) X(Udp, InErrors)		\
	X(Udp, OutDatagrams) X(Udp, RcvbufErrors) X(Udp, SndbufErrors)	\
	X(Udp, InCsumErrors) X(Udp, IgnoredMulti) X(Udp, MemErrors)	\
	G(Udp6)								\
	X(Udp6, InDatagrams) X(Udp6, NoPorts) X(Udp6, InErrors)		\
	X(Udp6, OutDatagrams) X(Udp6, RcvbufErrors) X(Udp6, InCsumErrors) \
	G(TcpExt)							\
	X(TcpExt, SyncookiesSent) X(TcpExt, SyncookiesRecv)		\
	X(TcpExt, SyncookiesFailed) X(TcpExt, EmbryonicRsts)		\
	X(TcpExt, TW) X(TcpExt, TWRecycled) X(TcpExt, PAWSEstab)	\
	X(TcpExt, DelayedACKs)						\
	X(TcpExt, ListenOverflows) X(TcpExt, ListenDrops)		\
	X(TcpExt, TCPHPHits) X(TcpExt, TCPPureAcks) X(TcpExt, TCPHPAcks) \
	X(TcpExt, TCPLostRetransmit) X(TcpExt, TCPFastRetrans)		\
	X(TcpExt, TCPTimeouts) X(TcpExt, TCPBacklogDrop)		\
	X(TcpExt, TCPAbortOnData) X(TcpExt, TCPAbortOnClose)		\
	X(TcpExt, TCPAbortOnMemory) X(TcpExt, TCPAbortOnTimeout)	\
	X(TcpExt, TCPOFOQueue) X(TcpExt, TCPOFODrop)			\
	X(TcpExt, TCPChallengeACK) X(TcpExt, TCPReqQFullDrop)		\
	X(TcpExt, TCPRcvQDrop) X(TcpExt, TCPZeroWindowDrop)		\
	X(TcpExt, TCPTimeWaitOverflow) X(TcpExt, TCPOrigDataSent)	\
	X(TcpExt, DelayedACKLost) X(TcpExt, TCPRenoRecovery)		\
	X(TcpExt, TCPSackRecovery) X(TcpExt, TCPSACKDiscard)		\
	X(TcpExt, TCPDSACKOldSent) X(TcpExt, TCPDSACKOfoSent)		\
	X(TcpExt, TCPDSACKRecv) X(TcpExt, TCPSynRetrans)		\
	X(TcpExt, TCPKeepAlive) X(TcpExt, TCPWinProbe)			\
	X(TcpExt, TCPFastOpenPassive) X(TcpExt, TCPAbortOnLinger)	\
	X(TcpExt, TCPAbortFailed) X(TcpExt, TCPSlowStartRetrans)	\
	X(TcpExt, OutOfWindowIcmps) X(TcpExt, LockDroppedIcmps)		\
	X(TcpExt, TCPACKSkippedSynRecv) X(TcpExt, TCPSYNChallenge)	\
	X(TcpExt, TCPFullUndo) X(TcpExt, TCPReqQFullDoCookies)		\
	X(TcpExt, TCPLossProbes) X(TcpExt, TCPLossProbeRecovery)	\
	X(TcpExt, TCPDSACKUndo)	\
	X(TcpExt, TCPFastOpenActive) X(TcpExt, TCPFastOpenActiveFail)	\
	X(TcpExt, TCPFastOpenPassiveFail)				\
	X(TcpExt, TCPFastOpenListenOverflow)				\
	X(TcpExt, TCPFastOpenCookieReqd)				\
	X(TcpExt, TCPDeferAcceptDrop) X(TcpExt, TCPMTUPFail)		\
	X(TcpExt, TCPMTUPSuccess) X(TcpExt, TCPWqueueTooBig)		\
	X(TcpExt, TCPACKSkippedSeq) X(TcpExt, TCPACKSkippedChallenge)	\
	X(TcpExt, TCPSpuriousRTOs) X(TcpExt, TCPACKSkippedTimeWait)	\
	X(TcpExt, TCPACKSkippedFinWait2)				\
	G(IpExt)							\
	X(IpExt, InOctets) X(IpExt, OutOctets) X(IpExt, InNoECTPkts)	\
	X(IpExt, InECT1Pkts) X(IpExt, InECT0Pkts) X(IpExt, InCEPkts)

enum snmp_counter {
#define G(group)
#define X(group, name) SNMP_##group##_##name,
	SNMP_COUNTERS(G, X)
#undef X
#undef G
	NR_SNMP_COUNTERS,
};

extern PERCPU_SECTION u64 snmp_counts[NR_SNMP_COUNTERS];

/* Where a walk over all counters is; starts zeroed. */
struct snmp_walk {
	const char *group, *name;	/* "Tcp", "InSegs" */
	const char *next;
	u32 which;			/* enum snmp_counter */
};

/* On to the next one; false: that was the last. */
bool snmp_next(struct snmp_walk *w);
/* What counter @which shows: net/proc_snmp.c. Task. */
u64 snmp_value(u32 which);

/*
 * ICMP messages by type: those of both versions that are in use, side by side.
 */
#define ICMP_TYPES	19u		/* 0 to 18 of ICMP */
#define ICMP6_ERRORS	5u		/* 0 to 4 of ICMPv6 ... */
#define ICMP6_INFO	128u		/* ... and from here on */
#define ICMP_SLOTS	41u		/* to type 143; the last: all others */

extern PERCPU_SECTION u64 icmp_in[ICMP_SLOTS], icmp_out[ICMP_SLOTS];

/* Where @type counts; the last slot is for all that is not listed. */
static inline u32 icmp_slot(bool v4, u8 type)
{
	u32 slot = type;

	if (v4)
		return type < ICMP_TYPES ? slot : ICMP_SLOTS - 1;
	slot += ICMP_TYPES;
	if (type >= ICMP6_ERRORS)
		slot = type < ICMP6_INFO ? ICMP_SLOTS - 1
					 : slot - ICMP6_INFO + ICMP6_ERRORS;
	return slot < ICMP_SLOTS ? slot : ICMP_SLOTS - 1;
}

/* Softirq, or softirqs off, or a task that does not sleep in between. */
#define SNMP_INC(which)		this_cpu_add(snmp_counts[SNMP_##which], 1)
#define SNMP_ADD(which, n)	this_cpu_add(snmp_counts[SNMP_##which], n)
/* The counter of group @a if @v4, else that of @b. */
#define SNMP_INC46(v4, a, b, name) \
	this_cpu_add(snmp_counts[(v4) ? SNMP_##a##_##name : \
				 SNMP_##b##_##name], 1)
