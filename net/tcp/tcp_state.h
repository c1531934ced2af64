/*
 * The states of RFC 9293 section 3.3.2 and the one place that changes them.
 */
#pragma once

#include "net/tcp/tcp.h"

/*
 * Moves @sk to @state. A transition that RFC 9293 does not know is our own
 * bug and stops the machine. Fires TRACE_TCP_SET_STATE. sk lock.
 */
void tcp_set_state(struct sock *sk, enum tcp_state state);
