/*
 * Protocol counters under Linux's names, as /proc/net/snmp and
 * /proc/net/netstat show them (RFC 4293, 4022, 4113; TcpExt is Linux's own).
 * Per-CPU, only ever added to.
 */
#pragma once

#include "kernel/percpu.h"
#include "kernel/types.h"

#define SNMP_COUNTERS(X)						\
	X(Ip, InReceives) X(Ip, InHdrErrors) X(Ip, InAddrErrors)	\
	X(Ip, InUnknownProtos) X(Ip, InDiscards) X(Ip, InDelivers)	\
	X(Ip, OutRequests) X(Ip, OutDiscards) X(Ip, OutNoRoutes)	\
	X(Tcp, ActiveOpens) X(Tcp, PassiveOpens) X(Tcp, AttemptFails)	\
	X(Tcp, EstabResets) X(Tcp, InSegs) X(Tcp, OutSegs)		\
	X(Tcp, RetransSegs) X(Tcp, InErrs) X(Tcp, OutRsts)		\
	X(Tcp, InCsumErrors)						\
	X(Udp, InDatagrams) X(Udp, NoPorts) X(Udp, InErrors)		\
	X(Udp, OutDatagrams) X(Udp, RcvbufErrors) X(Udp, InCsumErrors)	\
	X(TcpExt, SyncookiesSent) X(TcpExt, SyncookiesRecv)		\
	X(TcpExt, SyncookiesFailed) X(TcpExt, EmbryonicRsts)		\
	X(TcpExt, TW) X(TcpExt, TWRecycled) X(TcpExt, PAWSActive)	\
	X(TcpExt, PAWSEstab) X(TcpExt, DelayedACKs)			\
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
	X(TcpExt, TCPFullUndo) X(TcpExt, TCPMemoryPressures)		\
	X(TcpExt, TCPReqQFullDoCookies) X(TcpExt, TCPLossProbes)	\
	X(TcpExt, TCPLossProbeRecovery) X(TcpExt, TCPDSACKUndo)	\
	X(TcpExt, TCPFastOpenActive) X(TcpExt, TCPFastOpenActiveFail)	\
	X(TcpExt, TCPFastOpenPassiveFail)				\
	X(TcpExt, TCPFastOpenListenOverflow)				\
	X(TcpExt, TCPFastOpenCookieReqd)				\
	X(TcpExt, TCPDeferAcceptDrop) X(TcpExt, TCPMTUPFail)		\
	X(TcpExt, TCPSpuriousRTOs)

enum snmp_counter {
#define X(group, name) SNMP_##group##_##name,
	SNMP_COUNTERS(X)
#undef X
	NR_SNMP_COUNTERS,
};

/* "Tcp", "InSegs", ... by counter. */
extern const char *const snmp_groups[NR_SNMP_COUNTERS];
extern const char *const snmp_names[NR_SNMP_COUNTERS];
extern PERCPU_SECTION u64 snmp_counts[NR_SNMP_COUNTERS];

/* Softirq, or softirqs off, or a task that does not sleep in between. */
#define SNMP_INC(which)		this_cpu_add(snmp_counts[SNMP_##which], 1)
#define SNMP_ADD(which, n)	this_cpu_add(snmp_counts[SNMP_##which], n)
