/*
 * The connection block, and the small records that stand for a connection
 * before it is one (request) and after it was one (TIME-WAIT).
 *
 * LOCKING: the sk lock (net/sock.h) guards a tcp_sock. Tables have locks of
 * their own, taken inside it: hash stripes, the listener table, the port
 * table; of these never two at once. A request is changed only under its
 * listener's sk lock; a TIME-WAIT record under its own lock. A child's sk
 * lock is taken inside its listener's. Nothing here sleeps with any of them
 * but an owned sock.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/timer.h"
#include "net/inet.h"
#include "net/sock.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_header.h"

struct tcp_congestion_ops;
struct tcp_ext;

/* Both ends, seen from here. Ports in host order. */
struct tcp_tuple {
	struct ip_addr local, remote;
	u16 lport, rport;
	u32 hash;		/* tcp_tuple_hash() */
};

/* Values of tcp_sock.ca_state. */
enum tcp_ca_state {
	TCP_CA_OPEN,		/* nothing is amiss */
	TCP_CA_RECOVERY,	/* fast recovery, until snd_una >= recover */
	TCP_CA_LOSS,		/* after a timeout, until the same */
	NR_TCP_CA_STATES,
};

/* tcp_sock.nonagle */
#define TCP_NAGLE_OFF	0x1	/* TCP_NODELAY */
#define TCP_NAGLE_CORK	0x2	/* TCP_CORK */
#define TCP_NAGLE_PUSH	0x4	/* once: push what TCP_NODELAY uncovered */

/* tcp_sock.ack_state */
#define TCP_ACK_SCHED	0x1	/* an ACK is owed */
#define TCP_ACK_NOW	0x2	/* and must not wait */
#define TCP_ACK_PINGPONG 0x4	/* interactive: answers carry the ACKs */

/* tcp_sock.flags */
#define TCP_F_TIMER	0x01u	/* timer is armed and holds a reference */
#define TCP_F_HASHED	0x04u	/* in the connection table, which holds one */
#define TCP_F_OWNS_PORT	0x08u	/* explicitly bound: on the port's list */
#define TCP_F_SHARES_PORT 0x10u	/* counted at the port */
#define TCP_F_FIN_WANTED 0x20u	/* FIN waits for memory */
#define TCP_F_WND_PROBE	0x40u	/* rto_at is for zero-window probing */
#define TCP_F_FRTO	0x80u	/* RFC 5682: may the timeout be spurious? */
#define TCP_F_ORPHAN	0x02u	/* counted: nobody has it open any more */
#define TCP_F_TLP	0x200u	/* rto_at is for the tail loss probe */
#define TCP_F_REO	0x400u	/* rto_at ends the wait for reordering */
#define TCP_F_TLP_OUT	0x800u	/* a probe has been sent, see tlp_end */
#define TCP_F_TLP_RETRANS 0x1000u /* and it was old data */
#define TCP_F_RACK	0x2000u	/* rack_us, rack_end hold */
#define TCP_F_REORDER	0x4000u	/* segments have overtaken each other */
#define TCP_F_UNDO	0x8000u	/* undo_ members hold */
#define TCP_F_LOSS	0xfe80u	/* all of these: nothing amiss yet */
#define TCP_F_ECN_ECHO	0x10000u /* marked data came, peer must hear it */
#define TCP_F_ECN_CWR	0x20000u /* we have cut, peer must hear it */
#define TCP_F_FO_CHILD	0x40000u /* opened by data in a SYN, not yet acked */
#define TCP_F_FO_ASK	0x80000u /* our SYN has the option */
#define TCP_F_FO_DEFER	0x100000u /* SYN-SENT, but the SYN waits for data */
#define TCP_F_URG	0x200000u /* a mark at or ahead of the reader */
#define TCP_F_PACED	0x400000u /* sending has a rate */
#define TCP_F_MTU_LOW	0x800000u /* the path takes less than it should */
#define TCP_F_MTU_PROBE	0x1000000u /* a probe of it is under way */
#define TCP_F_PORT_STRICT 0x100u	/* counted there without SO_REUSEADDR */

/*
 * For TCP_INFO alone. Bytes, but for bytes_retrans, only to know how often the
 * sequence numbers have wrapped. Locks: s the sk lock.
 */
struct tcp_counts {
	u64 bytes_acked, bytes_received;	/* s */
	u64 bytes_retrans;		/* s */
	u32 segs_in, segs_out;		/* s */
	u32 data_segs_in, data_segs_out; /* s */
	u32 ooo_segs;			/* s  that came too early */
};

/*
 * Members with names in lower case RFC style are those of RFC 9293 and its
 * companions. Locks: s the sk lock, k its inner spinlock, c const once the
 * connection is established, l the sk lock of its listener, p the port table's,
 * w the timer wheel's, b bytes that are only stored and loaded, a atomic.
 */
struct tcp_sock {
	struct sock sk;			/* s  first, to cast */

	/* Sending. All s unless said. */
	u32 snd_una;		/* s  oldest unacknowledged */
	u32 snd_nxt;		/* s  next to send; never goes back */
	u32 write_seq;		/* s  behind the last byte queued */
	u32 snd_wnd;		/* s  peer's window, scaled up */
	u32 snd_wl1, snd_wl2;	/* s  SEG.SEQ, SEG.ACK of last window update */
	u32 snd_sml;		/* s  end of the last short segment (Nagle) */
	u32 max_window;		/* s  largest window the peer ever offered */
	u32 iss;		/* s */
	u32 rack_us;		/* s  RFC 8985: latest delivered's sending */
	struct list_head write_queue;	/* s  by tx_link: sent, then unsent */
	struct sk_buff *send_head;	/* s  first unsent, or NULL */

	/* Receiving. */
	u32 rcv_nxt;		/* s, read freely by poll */
	u32 copied_seq;		/* s, read freely by poll; next for the user */
	u32 rcv_wnd;		/* s  window advertised last */
	u32 rcv_wup;		/* s  rcv_nxt when it was advertised */
	u32 irs;		/* s */
	u32 rack_end;		/* s  and its end */
	struct tcp_ofo *ofo;	/* s  what came too early; mostly NULL */
	struct tcp_ext *ext;	/* s  what few need; mostly NULL */

	/* Timestamps (RFC 7323), in ms. */
	u32 ts_recent;		/* s */
	u32 ts_recent_at;	/* s  our clock when it was set, ms */
	u32 ts_off;		/* c  hides our clock */

	/* Round trip (RFC 6298), in us: srtt * 8, rttvar * 4. */
	u32 srtt, rttvar;	/* s */
	u32 rto;		/* s  us, without backoff */

	/* Congestion (RFC 5681), in segments. */
	u32 cwnd, ssthresh;	/* s */
	u32 cwnd_cnt;		/* s  acked since cwnd grew last */
	u32 recover;		/* s  snd_nxt when the loss was found */
	u32 packets_out;	/* s  sent and not acknowledged */
	u32 sacked_out;		/* s  of these, reported received */
	u32 lost_out;		/* s  of these, taken for lost */
	u32 retrans_out;	/* s  of these, sent again, still out */
	u32 prr_delivered;	/* s  RFC 6937 */
	u32 prr_out;		/* s */
	u32 prr_flight;		/* s  RecoverFS */
	u32 tlp_end;		/* s  RFC 8985: snd_nxt after the probe */
	const struct tcp_congestion_ops *ca;	/* s */
	u32 ca_priv[6];		/* s  the algorithm's own */

	/* Deadlines, ktime ns; 0: not set. One timer serves them all. */
	u64 rto_at;		/* s  retransmission or zero-window probe */
	u64 ack_at;		/* s  delayed ACK */
	u64 keep_at;		/* s  keepalive, or the end of FIN-WAIT-2 */
	struct timer timer;	/* w */

	struct hlist_node bind_node;	/* p */
	union {
		struct tcp_listen *listen;	/* s  listeners */
		struct sock *accept_next;	/* l */
	};

	u32 flags;		/* s  TCP_F_ bits */
	u32 rcv_at;		/* s  last segment came, ms */
	u32 sent_at;		/* s  last data went, ms */
	u32 total_retrans;	/* s  TCP_INFO */
	u32 undo_stamp;		/* s  ms, first retransmission since the cut */
	u32 undo_ssthresh;	/* s  ssthresh before it */
	u16 undo_cwnd;		/* s  cwnd before it */
	u16 undo_retrans;	/* s  segments sent again, not known useless */
	u16 keep_idle;		/* s  TCP_KEEPIDLE, s */
	u16 keep_intvl;		/* s  TCP_KEEPINTVL, s */
	u8 keep_cnt;		/* s  TCP_KEEPCNT */
	u8 syn_retries;		/* s  TCP_SYNCNT, 0: default */
	s16 linger2;		/* s  TCP_LINGER2, s; < 0: no FIN-WAIT-2 */
	u32 user_timeout;	/* s  TCP_USER_TIMEOUT, ms, 0: none */

	u16 mss_cache;		/* s  payload of a full segment */
	u16 mss_clamp;		/* s  the peer's MSS option */
	u16 advmss;		/* s  our MSS option */
	u16 user_mss;		/* s  TCP_MAXSEG, 0: none */
	u16 rcv_mss;		/* s  full segments from the peer, a guess */
	u8 dupacks;		/* s */
	u8 ca_state : 4;	/* s  enum tcp_ca_state */
	u8 reo_steps : 4;	/* s  RFC 8985: reordering window, 16ths */
	u8 retransmits;		/* s  timeouts in a row */
	u8 backoff;		/* s  doublings of rto */
	u8 probes_out;		/* s  probes without answer */
	u8 nonagle;		/* s  TCP_NAGLE_ bits */
	u8 ack_state;		/* s  TCP_ACK_ bits */
	u8 quick;		/* s  ACKs still to be sent at once */
	u8 opts;		/* c  TCP_OPT_ bits both agreed on */
	u8 snd_wscale, rcv_wscale; /* c */
	u8 nospace;		/* b  writer awaits space */
	u8 timer_owed;		/* k  timer fired while a task owned us */
	u8 err_soft;		/* s  errno of the last ICMP error */
	u32 notsent_lowat;	/* s, read freely by poll; 0: none */
	u32 min_rtt;		/* s  us, least so far; for TCP_INFO */
	struct tcp_counts n;	/* s */
};

/* The promise: 1 KiB for each idle connection, with socket, file and watch. */
_Static_assert(sizeof(struct tcp_sock) <= 680, "connection block");

static inline struct tcp_sock *tcp_sk(const struct sock *sk)
{
	return (struct tcp_sock *)(uintptr_t)sk;
}

/* One more segment, or as many with data as the device or GRO made one of. */
static inline void tcp_count_in(struct tcp_sock *tp, const struct sk_buff *skb)
{
	tp->n.segs_in++;
	if (unlikely(skb->gso_segs)) {
		tp->n.segs_in += skb->gso_segs - 1;
		tp->n.data_segs_in += skb->gso_segs - 1;
	}
}

/* TCP's notes on a segment on its way out: lives in skb->cb. */
struct tcp_tx {
	u32 seq, end_seq;	/* SYN and FIN counted */
	u16 data_off;		/* of the payload, from skb->head */
	u16 segs;		/* what it counts in packets_out */
	u8 flags;		/* SYN, FIN, PSH */
	u8 tags;		/* TCP_TAG_ */
	u8 retrans;		/* times sent again */
	struct sk_buff *run_end; /* TCP_TAG_SACKED: so are all up to here */
};

#define TCP_TAG_SACKED	0x1	/* peer has it */
#define TCP_TAG_LOST	0x2	/* taken for lost */
#define TCP_TAG_RETRANS	0x4	/* sent again, and that one still out */

_Static_assert(sizeof(struct tcp_tx) <= 48, "fits skb->cb");

static inline struct tcp_tx *tcp_tx(const struct sk_buff *skb)
{
	return (struct tcp_tx *)(uintptr_t)skb->cb;
}

/* Payload bytes of an outgoing segment. */
static inline u32 tcp_tx_len(const struct tcp_tx *tx)
{
	return tx->end_seq - tx->seq - !!(tx->flags & TCP_SYN) -
	       !!(tx->flags & TCP_FIN);
}

/*
 * What a listener has more: its queue of finished connections. Locks: s its sk
 * lock, a atomic.
 */
struct tcp_listen {
	struct sock *head, *tail;	/* s  by accept_next */
	u32 qlen;			/* s, read freely by poll */
	u32 backlog;			/* s  of listen(2) */
	struct atomic requests;		/* a  half-open connections */
	struct atomic fo_pending;	/* a  TCP_F_FO_CHILD of its children */
	u64 cookies_until;		/* s  ACKs of SYN cookies come, ktime */
};

enum tcp_mini_kind {
	TCP_MINI_REQUEST,	/* SYN seen, SYN-ACK sent */
	TCP_MINI_FIN_WAIT2,	/* nobody has it open, waits for the FIN */
	TCP_MINI_TIME_WAIT,
};

/*
 * Locks: c const once hashed, h hash stripe, r see LOCKING above, a atomic,
 * w the timer wheel's, or its timer alone, b a byte that is only stored and
 * loaded.
 */
struct tcp_mini {
	struct hlist_node node;		/* h */
	struct tcp_tuple tuple;		/* c */
	struct timer timer;		/* w */
	u32 snd_nxt;			/* c  request: iss + 1 */
	u32 rcv_nxt;			/* r  request: irs + 1 */
	u32 ts_recent;			/* r */
	u32 ts_off;			/* c */
	union {
		struct sock *listener;	/* c  request: until freed, held */
		struct {
			u32 ts_recent_at;	/* r  ms */
			u32 rcv_wnd;		/* c */
		};
	};
	struct atomic refs;		/* a */
	u16 mss;			/* c  request: peer's MSS */
	u8 kind;			/* r  enum tcp_mini_kind */
	u8 opts;			/* c  TCP_OPT_ bits */
	u8 snd_wscale : 4, rcv_wscale : 4;	/* c */
	u8 retrans;			/* w  SYN-ACKs sent again */
	union {
		u8 acked;		/* r  request: ACK came, no room yet */
		u8 reuse;		/* c  else: had SO_REUSEADDR */
	};
	u8 answered;			/* b  when, see tcp_mini_may_answer() */
};

_Static_assert(sizeof(struct tcp_mini) <= 128, "small record");
