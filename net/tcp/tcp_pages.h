/*
 * Sending without a copy: a segment whose payload stays where it is, in pages
 * of a file (sendfile(2)) or of the program (MSG_ZEROCOPY). Its skb has the
 * headers' room only, and a piece for each run of bytes behind it; every
 * piece holds a reference to its page. All with the sk lock held.
 */
#pragma once

#include "net/tcp/tcp_output.h"

struct page_run;		/* kernel/uio.h */
struct tcp_zc_note;

/* Boot. */
void tcp_pages_init(void);

/*
 * Queues bytes from the front of @run, behind the last segment or as a new
 * one of up to @goal bytes; the pages get references of their own. @note may
 * be NULL. Bytes, or -ENOBUFS.
 */
ssize_t tcp_queue_run(struct tcp_sock *tp, const struct page_run *run,
		      u32 goal, struct tcp_zc_note *note);

/*
 * One call's word to the program, by the error queue, that nobody reads its
 * memory any more. NULL: no memory. It lives until tcp_zc_end() and until the
 * last piece that was queued with it is gone.
 */
struct tcp_zc_note *tcp_zc_begin(struct tcp_sock *tp) __must_check;
/*
 * The call is over; @sent: it has queued something, so it gets a number. @note
 * may be NULL: then all of it was copied. Zerocopy is on.
 */
void tcp_zc_end(struct tcp_sock *tp, struct tcp_zc_note *note, bool sent);

/* Copies payload bytes [off, off + n) of queued @skb. */
void tcp_tx_copy(const struct sk_buff *skb, u32 off, void *to, u32 n);
/* Makes unshared @skb, which has pieces, begin @n payload bytes later. */
void tcp_tx_consume(struct sk_buff *skb, u32 n);
/* Unshared @skb of pieces: from payload byte @len on they go to @rest. */
bool tcp_tx_split(struct tcp_sock *tp, struct sk_buff *skb,
		  struct sk_buff *rest, u32 len) __must_check;
