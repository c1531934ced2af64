/*
 * The timer of a connection. Lock: the sk lock; if a task owns the sock, the
 * work waits for release_sock(). An armed timer holds a reference.
 */
#include "net/tcp/tcp_timer.h"

#include "kernel/errno.h"
#include "net/snmp.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_rack.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_rtt.h"

#define BLACK_HOLE_TRIES 3	/* timeouts in a row (RFC 9293 R1) */

void tcp_arm(struct sock *sk, u64 *deadline, u64 when)
{
	struct tcp_sock *tp = tcp_sk(sk);

	*deadline = when;
	if (tp->flags & TCP_F_TIMER) {
		if (tp->timer.expires <= when)
			return;
		/* If it runs right now, it re-arms itself under our lock. */
		if (!del_timer(&tp->timer))
			return;
	} else {
		tp->flags |= TCP_F_TIMER;
		sock_hold(sk);
	}
	mod_timer(&tp->timer, when);
}

void tcp_timer_stop(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->rto_at = 0;
	tp->ack_at = 0;
	tp->keep_at = 0;
	if (tp->ext)
		tp->ext->pace_at = 0;
	if (tp->flags & TCP_F_TIMER && del_timer(&tp->timer)) {
		tp->flags &= ~TCP_F_TIMER;
		sock_put(sk);
	}
}

void tcp_rearm_rto(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->flags &= ~(TCP_F_WND_PROBE | TCP_F_TLP | TCP_F_REO);
	tcp_arm(sk, &tp->rto_at, now + tcp_rto_ns(tp));
}

void tcp_keepalive_start(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == TCP_LISTEN || sk->sk_state == TCP_CLOSE)
		return;
	if (sock_flag(sk, SOCK_KEEPOPEN))
		tcp_arm(sk, &tp->keep_at,
			now + (u64)tp->keep_idle * NSEC_PER_SEC);
	else if (!sock_flag(sk, SOCK_DEAD))
		tp->keep_at = 0;
}

static void give_up(struct sock *sk)
{
	u8 soft = tcp_sk(sk)->err_soft;

	SNMP_INC(TcpExt_TCPAbortOnTimeout);
	tcp_fail(sk, soft ? soft : ETIMEDOUT);
}

/* How often the state lets us try, after the first time. */
static u32 most_tries(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == TCP_SYN_SENT)
		return tp->syn_retries ? tp->syn_retries : TCP_SYN_RETRIES;
	if (sk->sk_state == TCP_SYN_RECV)
		return TCP_SYNACK_RETRIES;
	return sock_flag(sk, SOCK_DEAD) ? TCP_ORPHAN_RETRIES : TCP_RETRIES;
}

/* TCP_USER_TIMEOUT: how long data may stay unacknowledged (RFC 5482). */
static bool user_timeout_over(const struct tcp_sock *tp, u64 now)
{
	return tp->user_timeout &&
	       tcp_ms(now) - tp->rcv_at >= tp->user_timeout &&
	       tcp_ms(now) - tp->sent_at >= tp->user_timeout;
}

/* RFC 6298 section 5.4 to 5.7. */
static void retransmit_timer(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_rtx_head(tp);

	if (!skb)
		return;
	if (tp->retransmits >= most_tries(sk) || user_timeout_over(tp, now)) {
		give_up(sk);
		return;
	}
	if (tcp_tx(skb)->flags & TCP_SYN) {
		SNMP_INC(TcpExt_TCPSynRetrans);
		/* Some paths lose those that ask (RFC 3168 6.1.1.1). */
		if (sk->sk_state == TCP_SYN_SENT) {
			tp->opts &= (u8)~TCP_OPT_ECN;
			tcp_fastopen_fall_back(tp);
		}
	} else {
		SNMP_INC(TcpExt_TCPTimeouts);
		tcp_enter_loss(tp, now);
		if (tp->retransmits >= BLACK_HOLE_TRIES)
			tcp_mtu_suspect(tp, skb, now);
	}
	tcp_retransmit_skb(tp, skb, true, now);
	tp->retransmits++;
	tp->backoff += tp->backoff < 16;
	tcp_rearm_rto(sk, now);
}

/* The window is closed, or what waits was corked too long. */
static void probe_timer(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->send_head)
		return;
	if (tp->probes_out >= most_tries(sk) ||
	    (tp->probes_out && user_timeout_over(tp, now))) {
		give_up(sk);
		return;
	}
	tcp_write_wakeup(tp, now);
	if (tp->packets_out)
		return;
	tp->probes_out++;
	tp->backoff += tp->backoff < 16;
	tp->flags |= TCP_F_WND_PROBE;
	tcp_arm(sk, &tp->rto_at, now + tcp_rto_ns(tp));
}

static void rto_timer(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->flags & TCP_F_FIN_WANTED) {
		bool out = tp->packets_out;

		tcp_send_fin(tp, now);
		if (!out)
			return;
	}
	if (tp->flags & TCP_F_WND_PROBE && !tp->packets_out)
		probe_timer(sk, now);
	else if (tp->flags & TCP_F_REO && tp->packets_out)
		tcp_recovery_timeout(tp, now);
	else if (tp->flags & TCP_F_TLP && tp->packets_out)
		tcp_tlp_send(tp, now);
	else
		retransmit_timer(sk, now);
}

static void ack_timer(struct tcp_sock *tp, u64 now)
{
	if (!(tp->ack_state & TCP_ACK_SCHED))
		return;
	/* No answer came in time: this is no dialogue. */
	tp->ack_state &= (u8)~TCP_ACK_PINGPONG;
	SNMP_INC(TcpExt_DelayedACKs);
	tcp_send_ack(tp, now);
}

/* RFC 9293 section 3.8.4; the time counts from the last segment received. */
static void keepalive_timer(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 idle = tcp_ms(now) - tp->rcv_at;
	u64 next = (u64)tp->keep_idle * 1000;

	if (sk->sk_state == TCP_FIN_WAIT2 && sock_flag(sk, SOCK_DEAD)) {
		tcp_send_active_reset(tp, now);
		tcp_done(sk);
		return;
	}
	if (!sock_flag(sk, SOCK_KEEPOPEN) || sk->sk_state == TCP_SYN_SENT)
		return;
	if (!tp->packets_out && !tp->send_head && idle >= next) {
		if (tp->user_timeout ? tp->probes_out &&
				       idle >= tp->user_timeout
				     : tp->probes_out >= tp->keep_cnt) {
			tcp_send_active_reset(tp, now);
			give_up(sk);
			return;
		}
		SNMP_INC(TcpExt_TCPKeepAlive);
		tcp_send_probe(tp, now);
		tp->probes_out++;
		next = (u64)tp->keep_intvl * 1000;
	} else if (idle < next) {
		next -= idle;
	}
	tcp_arm(sk, &tp->keep_at, now + next * NSEC_PER_MSEC);
}

static bool take_due(u64 *deadline, u64 now)
{
	if (!*deadline || *deadline > now)
		return false;
	*deadline = 0;
	return true;
}

/* The earliest deadline that is set, or 0. */
static u64 next_deadline(const struct tcp_sock *tp)
{
	u64 next = KTIME_MAX;

	if (tp->rto_at)
		next = min(next, tp->rto_at);
	if (tp->ack_at)
		next = min(next, tp->ack_at);
	if (tp->keep_at)
		next = min(next, tp->keep_at);
	if (unlikely(tp->ext) && tp->ext->pace_at)
		next = min(next, tp->ext->pace_at);
	return next == KTIME_MAX ? 0 : next;
}

/* sk lock held; the armed timer's reference is ours. */
static void timer_run(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 next;

	if (take_due(&tp->ack_at, now))
		ack_timer(tp, now);
	if (take_due(&tp->rto_at, now))
		rto_timer(sk, now);
	if (take_due(&tp->keep_at, now))
		keepalive_timer(sk, now);
	if (unlikely(tp->ext) && take_due(&tp->ext->pace_at, now))
		tcp_data_snd_check(tp, now);
	next = sk->sk_state == TCP_CLOSE ? 0 : next_deadline(tp);
	if (next)
		mod_timer(&tp->timer, next);
	else
		tp->flags &= ~TCP_F_TIMER;
}

void tcp_timer_deferred(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->timer_owed)
		return;
	tp->timer_owed = 0;
	timer_run(sk, ktime_get_ns());
	if (!(tp->flags & TCP_F_TIMER))
		sock_put(sk);
}

static void tcp_timer_fired(struct timer *timer)
{
	struct tcp_sock *tp = container_of(timer, struct tcp_sock, timer);
	struct sock *sk = &tp->sk;
	bool keep;

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		tp->timer_owed = 1;
		sock_defer_work(sk);
		keep = true;
	} else {
		timer_run(sk, ktime_get_ns());
		keep = tp->flags & TCP_F_TIMER;
	}
	bh_unlock_sock(sk);
	if (!keep)
		sock_put(sk);
}

void tcp_timer_setup(struct sock *sk)
{
	timer_setup(&tcp_sk(sk)->timer, tcp_timer_fired);
}
