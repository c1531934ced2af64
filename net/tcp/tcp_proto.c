/*
 * Where TCP meets the socket layer: struct proto, the operations, new socks,
 * and boot.
 */
#include "net/tcp/tcp.h"

#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/string.h"
#include "net/inet.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_cookie.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_isn.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_pages.h"
#include "net/tcp/tcp_ofo.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_pace.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_rtt.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_user.h"
#include "net/tcp/tcp_v4.h"

/* The accept queue's link is the listener's own pointer before listen(2). */
static void tcp_destruct(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_purge_tx(tp);
	tcp_ofo_purge(tp);
	tcp_port_release(sk);
	kfree(tp->listen);
	kfree(tp->ext);
}

static void tcp_keepalive_switch(struct sock *sk, bool on)
{
	(void)on;
	tcp_keepalive_start(sk, ktime_get_ns());
}

static struct proto tcp_prot = {
	.name = "TCP",
	.backlog_rcv = tcp_v4_do_rcv,
	.release_cb = tcp_timer_deferred,
	.keepalive = tcp_keepalive_switch,
	.max_pacing = tcp_pace_option,
	.destruct = tcp_destruct,
};

/* RFC 7323 section 2.3: so that the largest buffer we ever use fits. */
static u8 choose_wscale(const struct sock *sk)
{
	u32 space = sock_flag(sk, SOCK_RCVBUF_LOCK) ? (u32)sk->sk_rcvbuf
						    : READ_ONCE(tcp_rmem[2]);
	u8 scale = 0;

	for (; space > 65535 && scale < TCP_MAX_WSCALE; scale++)
		space >>= 1;
	return scale;
}

void tcp_init_sock(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->srtt = 0;
	tp->rttvar = 0;
	tp->rto = TCP_RTO_INIT;
	tp->write_seq = 0;
	tp->snd_una = 0;
	tp->snd_nxt = 0;
	tp->snd_wnd = 0;
	tp->max_window = 0;
	tp->rcv_nxt = 0;
	tp->copied_seq = 0;
	tp->ts_recent = 0;
	tp->opts = 0;
	tp->dupacks = 0;
	tp->retransmits = 0;
	tp->backoff = 0;
	tp->probes_out = 0;
	tp->err_soft = 0;
	tp->total_retrans = 0;
	memset(&tp->n, 0, sizeof(tp->n));
	tp->mss_clamp = 536;
	tp->mss_cache = 536;
	tp->rcv_mss = 536;
	tp->rcv_wscale = choose_wscale(sk);
	tp->flags &= ~TCP_F_URG;
	tcp_ext_reset(tp);
	tcp_cong_init(tp);
}

/* What every new block has, whoever makes it. */
static struct sock *new_sock(u16 family)
{
	struct sock *sk = sk_alloc(&tcp_prot, family, SOCK_STREAM,
				   IPPROTO_TCP);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!sk)
		return NULL;
	sk->sk_write_space = sk_stream_write_space;
	INIT_LIST_HEAD(&tp->write_queue);
	tcp_timer_setup(sk);
	return sk;
}

struct sock *tcp_create(u16 family)
{
	struct sock *sk = new_sock(family);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!sk)
		return NULL;
	sk->sk_rcvbuf = (s32)READ_ONCE(tcp_rmem[1]);
	sk->sk_sndbuf = (s32)READ_ONCE(tcp_wmem[1]);
	tp->keep_idle = TCP_KEEPALIVE_IDLE;
	tp->keep_intvl = TCP_KEEPALIVE_INTVL;
	tp->keep_cnt = TCP_KEEPALIVE_CNT;
	tcp_init_sock(sk);
	return sk;
}

/* Options that a child inherits (accept(2), as Linux). */
struct sock *tcp_sock_clone(const struct sock *listener)
{
	const u32 own = 1u << SOCK_DEAD | 1u << SOCK_DONE | 1u << SOCK_NOSPACE;
	const struct tcp_sock *from = tcp_sk(listener);
	struct sock *sk = new_sock(listener->sk_family);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!sk)
		return NULL;
	sk->sk_flags = listener->sk_flags & ~own;
	sk->sk_rcvbuf = listener->sk_rcvbuf;
	sk->sk_sndbuf = listener->sk_sndbuf;
	sk->sk_rcvlowat = listener->sk_rcvlowat;
	sk->sk_lingertime = listener->sk_lingertime;
	sk->sk_rcvtimeo = listener->sk_rcvtimeo;
	sk->sk_sndtimeo = listener->sk_sndtimeo;
	sk->sk_tos = listener->sk_tos;
	sk->sk_ttl = listener->sk_ttl;
	sk->sk_priority = listener->sk_priority;
	sk->sk_mark = listener->sk_mark;
	sk->sk_bound_dev_if = listener->sk_bound_dev_if;
	tp->keep_idle = from->keep_idle;
	tp->keep_intvl = from->keep_intvl;
	tp->keep_cnt = from->keep_cnt;
	tp->user_timeout = from->user_timeout;
	tp->linger2 = from->linger2;
	tp->nonagle = from->nonagle;
	tp->user_mss = from->user_mss;
	tp->ca = from->ca;
	tp->rto = TCP_RTO_INIT;
	return sk;
}

static const struct proto_ops inet_stream_ops = {
	.family = AF_INET,
	.release = tcp_release,
	.bind = tcp_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.getname = tcp_getname,
	.poll = tcp_poll,
	.sendmsg = tcp_sendmsg,
	.takes_pages = true,
	.recvmsg = tcp_recvmsg,
	.shutdown = tcp_shutdown,
	.setsockopt = tcp_setsockopt,
	.getsockopt = tcp_getsockopt,
	.ioctl = tcp_ioctl,
};

static const struct inet_protosw tcp_protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.ops = &inet_stream_ops,
	.create = tcp_create,
};

__cold void tcp_init(void)
{
	tcp_prot.slab = kmem_cache_create("tcp_sock", sizeof(struct tcp_sock),
					  0, SLAB_ZERO);
	if (!tcp_prot.slab || tcp_mini_init() || tcp_hash_init())
		panic("tcp_init: out of memory; give the machine more (-m)");
	tcp_port_init();
	tcp_isn_init();
	tcp_cookie_init();
	tcp_fastopen_init();
	tcp_pages_init();
	inet_register_protosw(&tcp_protosw);
}
