/*
 * Cuts of the window that were mistakes: by DSACK (RFC 3708), by timestamps
 * (RFC 3522), and by what a timeout's first ACKs bring (RFC 5682). sk lock.
 */
#pragma once

#include "net/tcp/tcp_recovery.h"

/* The window is about to be cut: what it was, if nothing else is amiss. */
void tcp_undo_note(struct tcp_sock *tp);

/*
 * TCP_F_UNDO: takes the cut back if @news shows that it was a mistake.
 * TCP_F_TLP_OUT: the probe.
 */
void tcp_recovery_news(struct tcp_sock *tp, const struct tcp_ack_news *news);

/*
 * TCP_F_FRTO: the first ACKs after a timeout. True: nothing is to be sent
 * again now; new data shows which of both it was.
 */
bool tcp_frto_ack(struct tcp_sock *tp, const struct tcp_ack_news *news);
