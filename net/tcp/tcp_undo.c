/*
 * Taking back a cut of the congestion window. The members undo_ keep what was
 * before the first cut; each of three signs tells that nothing was lost.
 */
#include "net/tcp/tcp_undo.h"

#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_rack.h"
#include "net/tcp/tcp_seq.h"

void tcp_undo_note(struct tcp_sock *tp)
{
	tp->flags &= ~(TCP_F_TLP_OUT | TCP_F_TLP_RETRANS);
	tcp_ecn_reduced(tp);
	if (tp->ca_state != TCP_CA_OPEN)
		return;
	tp->flags |= TCP_F_UNDO;
	tp->undo_cwnd = (u16)tp->cwnd;
	tp->undo_ssthresh = tp->ssthresh;
	tp->undo_retrans = 0;
}

static void undo(struct tcp_sock *tp)
{
	struct sk_buff *skb;

	/* What has let it look like loss is that segments were overtaken. */
	if (tp->ca_state == TCP_CA_RECOVERY && tcp_sack_on(tp))
		tp->flags |= TCP_F_REORDER;
	for (skb = tcp_rtx_head(tp); skb; skb = tcp_rtx_next(tp, skb))
		tcp_tx(skb)->tags &= (u8)~TCP_TAG_LOST;
	tp->lost_out = 0;
	tp->flags &= ~(TCP_F_UNDO | TCP_F_FRTO);
	tp->cwnd = max(tp->cwnd, (u32)tp->undo_cwnd);
	tp->ssthresh = max(tp->ssthresh, tp->undo_ssthresh);
	/* It goes on in its first slow start, with what belongs to that. */
	if (tp->ssthresh == TCP_INFINITE_SSTHRESH && tp->ca->init)
		tp->ca->init(tp);
	tp->ca_state = TCP_CA_OPEN;
	tp->dupacks = 0;
	if (!tcp_sack_on(tp))
		tp->sacked_out = 0;
}

static void try_undo(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
	if (!tp->undo_retrans)
		return;
	/* RFC 3522: the ACK was sent before anything was sent again. */
	if (news->advanced && news->seg->opts & TCP_OPT_TS &&
	    (s32)(news->seg->tsecr - tp->ts_off - tp->undo_stamp) < 0) {
		SNMP_INC(TcpExt_TCPFullUndo);
		undo(tp);
		return;
	}
	/* RFC 3708: all that was sent again had arrived already. */
	tp->undo_retrans = (u16)(tp->undo_retrans -
				 min((u32)tp->undo_retrans, news->dsack));
	if (!tp->undo_retrans) {
		SNMP_INC(TcpExt_TCPDSACKUndo);
		undo(tp);
	}
}

void tcp_recovery_news(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
	if (tp->flags & TCP_F_UNDO)
		try_undo(tp, news);
	if (tp->flags & TCP_F_TLP_OUT)
		tcp_tlp_ack(tp, news);
}

/* New data that the peer's window takes is there: two segments may go. */
static bool has_new_data(const struct tcp_sock *tp)
{
	return tp->send_head &&
	       seq_before(tp->snd_nxt, tp->snd_una + tp->snd_wnd);
}

/*
 * RFC 5682 section 3.1, without SACK section 2. What was sent only once and
 * arrives now shows that the rest, too, is only late. Without SACK, an ACK
 * that passes both a repetition and what follows it shows nothing: that may
 * have waited for the repetition.
 */
bool tcp_frto_ack(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
	bool step3 = seq_after(tp->snd_nxt, tp->recover);

	if (tp->ca_state != TCP_CA_LOSS) {
		tp->flags &= ~TCP_F_FRTO;
		return false;
	}
	if (news->orig && (tcp_sack_on(tp) || !news->again)) {
		SNMP_INC(TcpExt_TCPSpuriousRTOs);
		undo(tp);
		return false;
	}
	/* Step 2b. What arrives below here counts in step 3. */
	if (!step3 && news->advanced && has_new_data(tp) &&
	    seq_before(tp->snd_una, tp->recover)) {
		tp->cwnd = 2;
		return true;
	}
	/* Steps 2a and 3a: the loss was real. */
	if (news->advanced || news->dup || news->sacked)
		tp->flags &= ~TCP_F_FRTO;
	return false;
}
