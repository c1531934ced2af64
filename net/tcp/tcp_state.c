/*
 * The states of RFC 9293 section 3.3.2, their names, and the edges between
 * them. Only tcp_set_state() writes sk_state of a TCP sock.
 */
#include "net/tcp/tcp_state.h"

#include "kernel/panic.h"
#include "kernel/trace.h"

#define TO(state)	(1u << TCP_##state)
#define ANY_END		(TO(CLOSE) | TO(TIME_WAIT))

const char *const tcp_state_names[NR_TCP_STATES] = {
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_SYN_SENT] = "SYN_SENT",
	[TCP_SYN_RECV] = "SYN_RECV",
	[TCP_FIN_WAIT1] = "FIN_WAIT1",
	[TCP_FIN_WAIT2] = "FIN_WAIT2",
	[TCP_TIME_WAIT] = "TIME_WAIT",
	[TCP_CLOSE] = "CLOSE",
	[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_LAST_ACK] = "LAST_ACK",
	[TCP_LISTEN] = "LISTEN",
	[TCP_CLOSING] = "CLOSING",
	[TCP_NEW_SYN_RECV] = "NEW_SYN_RECV",
};

/*
 * Which states may follow which. A child of a listener starts in SYN_RECV; a
 * simultaneous open reaches it from SYN_SENT. TIME_WAIT and NEW_SYN_RECV are
 * states of small records, a sock only passes through to CLOSE.
 */
static const u16 edges[NR_TCP_STATES] = {
	[TCP_CLOSE] = TO(LISTEN) | TO(SYN_SENT) | TO(SYN_RECV) | TO(CLOSE),
	[TCP_LISTEN] = TO(CLOSE),
	[TCP_SYN_SENT] = TO(SYN_RECV) | TO(ESTABLISHED) | TO(CLOSE),
	[TCP_SYN_RECV] = TO(ESTABLISHED) | TO(FIN_WAIT1) | TO(CLOSE_WAIT) |
			 TO(CLOSE),
	[TCP_ESTABLISHED] = TO(FIN_WAIT1) | TO(CLOSE_WAIT) | TO(CLOSE),
	[TCP_FIN_WAIT1] = TO(FIN_WAIT2) | TO(CLOSING) | ANY_END,
	[TCP_FIN_WAIT2] = ANY_END,
	[TCP_CLOSING] = ANY_END,
	[TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSE),
	[TCP_LAST_ACK] = TO(CLOSE),
	[TCP_TIME_WAIT] = TO(CLOSE),
};

void tcp_set_state(struct sock *sk, enum tcp_state state)
{
	BUG_ON(!(edges[sk->sk_state] & 1u << state));
	trace(TRACE_TCP_SET_STATE, sk, (u32)sk->sk_state << 16 | state);
	/* Poll reads it without the lock. */
	WRITE_ONCE(sk->sk_state, (u8)state);
}
