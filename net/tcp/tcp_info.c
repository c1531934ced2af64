/* What TCP_INFO tells about a connection. lock_sock held. */
#include "net/tcp/tcp_info.h"

#include "kernel/string.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_user.h"

/* Bits of tcpi_options. */
#define TCPI_OPT_TIMESTAMPS	1
#define TCPI_OPT_SACK		2
#define TCPI_OPT_WSCALE		4
#define TCPI_OPT_ECN		8
#define TCPI_OPT_ECN_SEEN	16

static u8 info_options(const struct tcp_sock *tp)
{
	u8 opts = 0;

	if (tp->opts & TCP_OPT_TS)
		opts |= TCPI_OPT_TIMESTAMPS;
	if (tp->opts & TCP_OPT_SACK_OK)
		opts |= TCPI_OPT_SACK;
	if (tp->opts & TCP_OPT_WSCALE)
		opts |= TCPI_OPT_WSCALE;
	if (tp->opts & TCP_OPT_ECN)
		opts |= TCPI_OPT_ECN;
	if (tp->ext && tp->ext->ecn_seen)
		opts |= TCPI_OPT_ECN_SEEN;
	return opts;
}

static u8 info_ca_state(const struct tcp_sock *tp)
{
	/* Linux's numbers: Open 0, Disorder 1, CWR 2, Recovery 3, Loss 4. */
	if (tp->ca_state == TCP_CA_LOSS)
		return 4;
	if (tp->ca_state == TCP_CA_RECOVERY)
		return 3;
	return tp->sacked_out || tp->dupacks ? 1 : 0;
}

/*
 * From the SYN, which is no byte, to @seq: the low half of the answer is
 * exact, @about (a few off) says how often it has wrapped.
 */
static u64 bytes(u64 about, u32 syn, u32 seq)
{
	u32 low = seq == syn ? 0 : seq - syn - 1;

	return about + (u64)(s64)(s32)(low - (u32)about);
}

/* What newer Linux says besides. */
static void more_info(const struct tcp_sock *tp, struct tcp_info *info)
{
	const struct tcp_ext *e = tp->ext;

	info->tcpi_pacing_rate = e && e->pace_rate ? e->pace_rate : UINT64_MAX;
	info->tcpi_max_pacing_rate = e && e->pace_max ? e->pace_max
						      : UINT64_MAX;
	info->tcpi_rcv_rtt = e ? e->rtt_us : 0;
	info->tcpi_notsent_bytes = tp->write_seq - tp->snd_nxt;
	info->tcpi_min_rtt = tp->min_rtt;
	info->tcpi_snd_wnd = tp->snd_wnd;
	info->tcpi_bytes_acked = bytes(tp->n.bytes_acked, tp->iss, tp->snd_una);
	info->tcpi_bytes_received = bytes(tp->n.bytes_received, tp->irs,
					  tp->rcv_nxt);
	info->tcpi_bytes_retrans = tp->n.bytes_retrans;
	info->tcpi_bytes_sent = bytes(tp->n.bytes_acked, tp->iss, tp->snd_nxt) +
				tp->n.bytes_retrans;
	info->tcpi_segs_in = tp->n.segs_in;
	info->tcpi_segs_out = tp->n.segs_out;
	info->tcpi_data_segs_in = tp->n.data_segs_in;
	info->tcpi_data_segs_out = tp->n.data_segs_out;
	info->tcpi_rcv_ooopack = tp->n.ooo_segs;
}

void tcp_get_info(const struct sock *sk, struct tcp_info *info, u64 now)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	memset(info, 0, sizeof(*info));
	info->tcpi_state = sk->sk_state;
	if (sk->sk_state == TCP_LISTEN) {
		/* As Linux: the accept queue, and its limit. */
		info->tcpi_unacked = tp->listen->qlen;
		info->tcpi_sacked = tp->listen->backlog;
		return;
	}
	info->tcpi_ca_state = info_ca_state(tp);
	info->tcpi_retransmits = tp->retransmits;
	info->tcpi_probes = tp->probes_out;
	info->tcpi_backoff = tp->backoff;
	info->tcpi_options = info_options(tp);
	info->tcpi_snd_wscale = tp->snd_wscale & 0xf;
	info->tcpi_rcv_wscale = tp->rcv_wscale & 0xf;
	info->tcpi_rto = tp->rto;
	info->tcpi_ato = (u32)(TCP_DELACK_NS / NSEC_PER_USEC);
	info->tcpi_snd_mss = tp->mss_cache;
	info->tcpi_rcv_mss = tp->rcv_mss;
	info->tcpi_unacked = tp->packets_out;
	info->tcpi_sacked = tp->sacked_out;
	info->tcpi_lost = tp->lost_out;
	info->tcpi_retrans = tp->retrans_out;
	info->tcpi_last_data_sent = tcp_ms(now) - tp->sent_at;
	info->tcpi_last_data_recv = tcp_ms(now) - tp->rcv_at;
	info->tcpi_last_ack_recv = tcp_ms(now) - tp->rcv_at;
	info->tcpi_pmtu = tcp_mtu_path(tp);
	info->tcpi_rcv_ssthresh = tp->rcv_wnd;
	info->tcpi_rtt = tp->srtt / 8;
	info->tcpi_rttvar = tp->rttvar / 4;
	info->tcpi_snd_ssthresh = tp->ssthresh;
	info->tcpi_snd_cwnd = tp->cwnd;
	info->tcpi_advmss = tp->advmss;
	info->tcpi_reordering = 3;
	info->tcpi_rcv_space = (u32)sk->sk_rcvbuf / 2;
	info->tcpi_total_retrans = tp->total_retrans;
	more_info(tp, info);
}
