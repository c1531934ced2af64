/*
 * Half-open connections: a SYN makes a small record and a SYN-ACK, the ACK of
 * that makes a child sock (RFC 9293 section 3.10.7.2 and .4, SYN-RECEIVED).
 * The listener's sk lock is held throughout; softirq or task (backlog).
 */
#include "net/tcp/tcp_listen.h"

#include "kernel/errno.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cookie.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_isn.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_user.h"
#include "net/tcp/tcp_v4.h"

/* Requests per listener, and of all of them; 128 bytes each. */
#define REQUESTS_MAX	1024
#define REQUESTS_ALL	16384
/* First wait for the ACK; doubles with each repetition (RFC 6298 2.1). */
#define SYNACK_TIMEOUT	NSEC_PER_SEC

#define ANSWERED	(-1)

static struct atomic requests_all;

static bool accept_full(const struct sock *sk)
{
	const struct tcp_listen *l = tcp_sk(sk)->listen;

	return l->qlen > l->backlog;
}

static void send_synack(const struct sock *sk, struct tcp_mini *req, u64 now)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_reply reply = {
		.tuple = &req->tuple,
		.hdr.seq = req->snd_nxt - 1,
		.hdr.ack = req->rcv_nxt,
		.hdr.tsval = tcp_ms(now) + req->ts_off,
		.hdr.tsecr = req->ts_recent,
		.hdr.wnd = (u16)min((u32)sk->sk_rcvbuf / 2, 65535u),
		.hdr.flags = req->opts & TCP_OPT_ECN
			? TCP_SYN | TCP_ACK | TCP_ECE : TCP_SYN | TCP_ACK,
		.hdr.opts = req->opts | TCP_OPT_MSS,
		.hdr.wscale = req->rcv_wscale,
		.tos = sk->sk_tos,
	};
	struct ip_addr saddr = req->tuple.local;
	struct ip_route rt;
	u32 headers = ip_addr_is_v4(&saddr) ? 40 : 60;

	if (ip_route_output(&saddr, &req->tuple.remote, &rt))
		return;
	reply.hdr.mss = (u16)(rt.mtu - headers);
	if (tp->user_mss)
		reply.hdr.mss = min(reply.hdr.mss, tp->user_mss);
	tcp_send_reply(&reply, &rt);
}

/* Out of the table and uncounted; the timer's reference goes with it. */
static void request_drop(struct tcp_mini *req)
{
	if (!tcp_mini_unhash(req))
		return;
	if (del_timer(&req->timer))
		tcp_mini_put(req);
	atomic_dec(&tcp_sk(req->listener)->listen->requests);
	atomic_dec(&requests_all);
	tcp_mini_put(req);
}

void tcp_request_error(struct tcp_mini *req)
{
	request_drop(req);
}

/* TCP_DEFER_ACCEPT: tries that an ACK alone does not end; 0: none. */
static u8 defer_tries(const struct sock *sk)
{
	const struct tcp_ext *e = tcp_sk(sk)->ext;

	return e ? e->defer_accept : 0;
}

static __cold void request_timer(struct timer *timer)
{
	struct tcp_mini *req = container_of(timer, struct tcp_mini, timer);
	struct sock *sk = req->listener;
	u64 now = ktime_get_ns();
	u32 wait;

	if (hlist_unhashed(&req->node)) {
		tcp_mini_put(req);
		return;
	}
	if (sk->sk_state != TCP_LISTEN ||
	    req->retrans >= TCP_SYNACK_RETRIES) {
		SNMP_INC(Tcp_AttemptFails);
		request_drop(req);
		tcp_mini_put(req);
		return;
	}
	/*
	 * An ACK came but there was no room: only wait (as Linux does). The
	 * last wait for data is over: the answer's ACK will do.
	 */
	if (!req->acked || req->retrans + 1 == defer_tries(sk)) {
		trace(TRACE_TCP_RETRANSMIT, req,
		      (u64)(req->snd_nxt - 1) << 32);
		SNMP_INC(Tcp_RetransSegs);
		send_synack(sk, req, now);
	}
	req->retrans++;
	wait = min(1u << req->retrans, 60u);
	mod_timer(&req->timer, now + wait * SYNACK_TIMEOUT);
}

/* What both sides offer. */
static void take_options(const struct sock *sk, struct tcp_mini *req,
			 const struct sk_buff *syn)
{
	const struct tcp_segment *seg = tcp_seg(syn);

	req->mss = seg->opts & TCP_OPT_MSS ? seg->mss : 536;
	req->opts = seg->opts & (TCP_OPT_TS | TCP_OPT_SACK_OK |
				 TCP_OPT_WSCALE);
	if (tcp_ecn_accepts(syn))
		req->opts |= TCP_OPT_ECN;
	if (req->opts & TCP_OPT_TS)
		req->ts_recent = seg->tsval;
	if (req->opts & TCP_OPT_WSCALE) {
		req->snd_wscale = seg->wscale & 0xf;
		req->rcv_wscale = tcp_sk(sk)->rcv_wscale & 0xf;
	}
}

/* The queue is full: answers without keeping anything. */
static noinline int answer_by_cookie(struct sock *sk,
				     const struct tcp_tuple *tuple,
				     const struct sk_buff *syn, u64 now)
{
	struct tcp_mini req = {
		.tuple = *tuple, .rcv_nxt = tcp_seg(syn)->seq + 1,
	};

	SNMP_INC(TcpExt_TCPReqQFullDoCookies);
	SNMP_INC(TcpExt_SyncookiesSent);
	take_options(sk, &req, syn);
	tcp_cookie_fill(&req, now);
	tcp_sk(sk)->listen->cookies_until = now + TCP_COOKIE_LIFE;
	send_synack(sk, &req, now);
	return ANSWERED;
}

static bool requests_full(const struct tcp_listen *l)
{
	return atomic_read(&l->requests) >= REQUESTS_MAX ||
	       atomic_read(&requests_all) >= REQUESTS_ALL;
}

/*
 * A SYN for nobody known: RFC 9293 section 3.10.7.2, third. Borrows @skb.
 * ANSWERED, or the drop_reason for which it is not.
 */
static int conn_request(struct sock *sk, const struct tcp_tuple *tuple,
			const struct sk_buff *skb, bool give, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_listen *l = tcp_sk(sk)->listen;
	u32 iss = seg->iss;
	struct tcp_start start;
	struct tcp_mini *req;

	if (accept_full(sk)) {
		SNMP_INC(TcpExt_ListenOverflows);
		return DROP_TCP_LISTEN_OVERFLOW;
	}
	req = requests_full(l) ? NULL : tcp_mini_alloc(TCP_MINI_REQUEST);
	if (!req)
		return answer_by_cookie(sk, tuple, skb, now);
	start = tcp_new_start(tuple, now);
	req->tuple = *tuple;
	req->rcv_nxt = seg->seq + 1;
	req->snd_nxt = (iss ? iss : start.isn) + 1;
	req->ts_off = start.ts_off;
	req->listener = sk;
	sock_hold(sk);
	take_options(sk, req, skb);
	if (unlikely(give))
		req->opts |= TCP_OPT_FASTOPEN;
	timer_setup(&req->timer, request_timer);
	if (!tcp_mini_add(req)) {
		tcp_mini_put(req);
		return DROP_TCP_REQ_DUP;
	}
	atomic_inc(&l->requests);
	atomic_inc(&requests_all);
	/* Our reference becomes the timer's. */
	mod_timer(&req->timer, now + SYNACK_TIMEOUT);
	send_synack(sk, req, now);
	return ANSWERED;
}

/* Copies the handshake's result into the new block. */
static void child_fill(struct tcp_sock *tp, const struct tcp_mini *req)
{
	tp->iss = req->snd_nxt - 1;
	tp->snd_una = req->snd_nxt - 1;
	tp->snd_nxt = req->snd_nxt;
	tp->write_seq = req->snd_nxt;
	tp->snd_sml = req->snd_nxt;
	tp->recover = tp->iss;
	tp->irs = req->rcv_nxt - 1;
	tp->rcv_nxt = req->rcv_nxt;
	tp->copied_seq = req->rcv_nxt;
	tp->rcv_wup = req->rcv_nxt;
	tp->rcv_wnd = min((u32)tp->sk.sk_rcvbuf / 2, 65535u);
	tp->opts = req->opts & (u8)~TCP_OPT_FASTOPEN;
	tp->mss_clamp = req->mss;
	tp->snd_wscale = req->snd_wscale;
	tp->rcv_wscale = req->rcv_wscale;
	tp->ts_recent = req->ts_recent;
	tp->ts_off = req->ts_off;
	tp->retransmits = req->retrans;
}

/*
 * A sock for @req in SYN-RECEIVED, in the table, with one reference for the
 * accept queue; NULL: memory or way out missing.
 */
static struct sock *make_child(struct sock *listener,
			       const struct tcp_mini *req, u64 now)
{
	struct sock *sk = tcp_sock_clone(listener);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!sk)
		return NULL;
	sk->sk_rcv_saddr = req->tuple.local;
	sk->sk_daddr = req->tuple.remote;
	sk->sk_num = req->tuple.lport;
	sk->sk_dport = req->tuple.rport;
	sk->sk_hash = req->tuple.hash;
	child_fill(tp, req);
	tp->ts_recent_at = tcp_ms(now);
	if (ip_route_output(&sk->sk_rcv_saddr, &sk->sk_daddr, &sk->sk_route))
		goto put_child;
	tp->advmss = tcp_advmss(sk);
	tcp_set_state(sk, TCP_SYN_RECV);
	if (tcp_port_share(sk))
		goto put_child;
	if (tcp_hash_add(sk))
		goto release_port;
	return sk;

release_port:
	tcp_port_release(sk);
put_child:
	/* Never seen by anybody: no reset, no TIME-WAIT. */
	tcp_set_state(sk, TCP_CLOSE);
	sock_put(sk);
	return NULL;
}

static void accept_push(struct sock *sk, struct sock *child)
{
	struct tcp_listen *l = tcp_sk(sk)->listen;

	if (l->tail)
		tcp_sk(l->tail)->accept_next = child;
	else
		l->head = child;
	l->tail = child;
	WRITE_ONCE(l->qlen, l->qlen + 1);
}

/*
 * The handshake is done. @skb is the ACK, for the child; takes it. @kept: what
 * stands in the table, @req itself unless that came back in a cookie; or NULL.
 */
static void finish_request(struct sock *sk, struct tcp_mini *req,
			   struct tcp_mini *kept, struct sk_buff *skb, u64 now)
{
	struct sock *child;

	if (accept_full(sk)) {
		SNMP_INC(TcpExt_ListenOverflows);
		req->acked = 1;
		kfree_skb_reason(skb, DROP_TCP_LISTEN_OVERFLOW);
		return;
	}
	child = make_child(sk, req, now);
	if (!child) {
		SNMP_INC(TcpExt_ListenDrops);
		kfree_skb_reason(skb, DROP_NO_MEMORY);
		return;
	}
	/* The child is in its table before the request leaves the other. */
	bh_lock_sock(child);
	if (kept)
		request_drop(kept);
	SNMP_INC(Tcp_PassiveOpens);
	tcp_count_in(tcp_sk(child), skb);
	tcp_rcv_state_process(child, skb, now);
	bh_unlock_sock(child);
	/* A reset child is accepted all the same, and read(2) says so. */
	accept_push(sk, child);
	sk->sk_data_ready(sk);
}

/* Is the ACK @skb one of a cookie? False: no, @skb is the caller's. */
static noinline bool cookie_rcv(struct sock *sk, const struct tcp_tuple *tuple,
		       struct tcp_mini *kept, struct sk_buff *skb, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_mini req = { .kind = TCP_MINI_REQUEST };

	/* Guesses have a chance only while cookies are about. */
	if (now >= tcp_sk(sk)->listen->cookies_until)
		return false;
	if (seg->flags & TCP_SYN ||
	    !tcp_cookie_check(&req, tuple, seg, now)) {
		SNMP_INC(TcpExt_SyncookiesFailed);
		return false;
	}
	SNMP_INC(TcpExt_SyncookiesRecv);
	if (req.opts & TCP_OPT_WSCALE)
		req.rcv_wscale = tcp_sk(sk)->rcv_wscale & 0xf;
	finish_request(sk, &req, kept, skb, now);
	return true;
}

/*
 * An ACK for nobody known; or not for @kept, which came of a SYN that before
 * was answered by a cookie. Takes @skb.
 */
static __cold void stray_ack(struct sock *sk, const struct tcp_tuple *tuple,
			     struct tcp_mini *kept, struct sk_buff *skb,
			     u64 now)
{
	if (cookie_rcv(sk, tuple, kept, skb, now))
		return;
	tcp_send_reset(tuple, skb);
	kfree_skb_reason(skb, kept ? DROP_TCP_TOO_NEW_ACK
				   : DROP_TCP_NO_SOCKET);
}

/* First and second of SYN-RECEIVED: the window, PAWS, RST, SYN. */
static enum tcp_step check_request(struct sock *sk, struct tcp_mini *req,
				   struct sk_buff *skb, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	u32 wnd = min((u32)sk->sk_rcvbuf / 2, 65535u);
	bool paws = req->opts & seg->opts & TCP_OPT_TS &&
		    seq_before(seg->tsval, req->ts_recent);

	/* The SYN again: our answer was lost. */
	if ((seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN &&
	    seg->seq + 1 == req->rcv_nxt) {
		if (!paws && tcp_mini_may_answer(req, seg, now))
			send_synack(sk, req, now);
		kfree_skb_reason(skb, DROP_TCP_REQ_DUP);
		return TCP_DONE;
	}
	if (paws || seq_before(seg->end_seq, req->rcv_nxt) ||
	    seq_after(seg->seq, req->rcv_nxt + wnd)) {
		tcp_mini_ack(req, seg, wnd, now);
		kfree_skb_reason(skb, paws ? DROP_TCP_PAWS
					   : DROP_TCP_OUT_OF_WINDOW);
		return TCP_DONE;
	}
	if (seg->flags & TCP_RST) {
		/* RFC 5961 section 3.2: only the exact number. */
		if (seg->seq == req->rcv_nxt) {
			SNMP_INC(TcpExt_EmbryonicRsts);
			request_drop(req);
		}
		kfree_skb_reason(skb, DROP_TCP_RESET);
		return TCP_DONE;
	}
	if (seg->flags & TCP_SYN || !(seg->flags & TCP_ACK)) {
		kfree_skb_reason(skb, seg->flags & TCP_SYN
				 ? DROP_TCP_INVALID_SYN : DROP_TCP_NO_ACK);
		return TCP_DONE;
	}
	return TCP_CONTINUE;
}

static bool waits_for_data(const struct sock *sk, const struct tcp_mini *req,
			   const struct tcp_segment *seg)
{
	return unlikely(req->retrans < defer_tries(sk)) &&
	       seg->end_seq == req->rcv_nxt;
}

void tcp_request_rcv(struct sock *sk, struct tcp_mini *req,
		     struct sk_buff *skb, u64 now)
{
	if (check_request(sk, req, skb, now) == TCP_DONE)
		return;
	if (tcp_seg(skb)->ack != req->snd_nxt) {
		stray_ack(sk, &req->tuple, req, skb, now);
		return;
	}
	if (waits_for_data(sk, req, tcp_seg(skb))) {
		SNMP_INC(TcpExt_TCPDeferAcceptDrop);
		req->acked = 1;
		kfree_skb(skb);
		return;
	}
	finish_request(sk, req, req, skb, now);
}

/* A SYN with a good cookie opens the connection. False: no memory for it. */
static __cold bool fast_open(struct sock *sk, const struct tcp_tuple *tuple,
			     struct sk_buff *skb, u64 now)
{
	struct tcp_start start = tcp_new_start(tuple, now);
	struct tcp_mini req = {
		.tuple = *tuple,
		.rcv_nxt = tcp_seg(skb)->seq + 1,
		.snd_nxt = start.isn + 1,
		.ts_off = start.ts_off,
	};
	struct sock *child;
	int err;

	take_options(sk, &req, skb);
	child = make_child(sk, &req, now);
	if (!child)
		return false;
	bh_lock_sock(child);
	err = tcp_fastopen_child(sk, child, skb, now);
	if (err)
		tcp_done(child);
	bh_unlock_sock(child);
	if (err) {
		sock_put(child);
		return false;
	}
	SNMP_INC(Tcp_PassiveOpens);
	accept_push(sk, child);
	sk->sk_data_ready(sk);
	return true;
}

/* Third: a SYN. As conn_request(). */
static int syn_rcv(struct sock *sk, const struct tcp_tuple *tuple,
		   struct sk_buff *skb, u64 now)
{
	enum tcp_fastopen_verdict fast = TCP_FASTOPEN_NO;

	if (unlikely(tcp_seg(skb)->opts & TCP_OPT_FASTOPEN))
		fast = tcp_fastopen_check(sk, tuple, skb);
	if (fast == TCP_FASTOPEN_TAKE && !accept_full(sk) &&
	    fast_open(sk, tuple, skb, now))
		return ANSWERED;
	return conn_request(sk, tuple, skb, fast == TCP_FASTOPEN_GIVE, now);
}

/* RFC 9293 section 3.10.7.2: first RST, second ACK, third SYN. */
static void new_rcv(struct sock *sk, const struct tcp_tuple *tuple,
		    struct sk_buff *skb, u64 now)
{
	u8 flags = tcp_seg(skb)->flags;
	int why = DROP_TCP_FLAGS;

	if (flags & TCP_RST) {
		why = DROP_TCP_INVALID_RST;
	} else if (flags & TCP_ACK) {
		stray_ack(sk, tuple, NULL, skb, now);
		return;
	} else if ((flags & (TCP_SYN | TCP_FIN)) == TCP_SYN) {
		why = syn_rcv(sk, tuple, skb, now);
		if (why != ANSWERED)
			SNMP_INC(TcpExt_ListenDrops);
	}
	if (why != ANSWERED)
		kfree_skb_reason(skb, (enum drop_reason)why);
	else
		kfree_skb(skb);
}

void tcp_listen_new(struct sock *sk, const struct tcp_tuple *tuple,
		    struct sk_buff *skb, u64 now)
{
	/* While the lock was waited for, the connection may have come. */
	struct sock *child = tcp_lookup(tuple);

	if (unlikely(child)) {
		tcp_sock_rcv(child, skb);
		sock_put(child);
		return;
	}
	new_rcv(sk, tuple, skb, now);
}

/* From the backlog: the request may be there, or gone, or a connection. */
noinline void tcp_listen_rcv(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_tuple tuple;
	struct tcp_mini *req;

	local_bh_disable();
	tcp_skb_tuple(skb, &tuple);
	req = tcp_mini_lookup(&tuple);
	if (req && req->kind == TCP_MINI_REQUEST && req->listener == sk)
		tcp_request_rcv(sk, req, skb, now);
	else
		tcp_listen_new(sk, &tuple, skb, now);
	if (req)
		tcp_mini_put(req);
	local_bh_enable();
}
