/*
 * A hostile peer: segments with random fields around what is valid, in every
 * state, while the user does random things. Nothing may break, the sums of
 * the scoreboard hold, and everything is given back.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "net/dev.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_seq.h"
#include "tests/unit/tcp_harness.h"

static u64 rng;
static u8 buf[20000];

static u32 rnd(u32 n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (u32)(rng >> 16) % n;
}

/* Mostly @x, or close to it, now and then anything. */
static u32 near(u32 x)
{
	switch (rnd(6)) {
	case 0:
		return x + rnd(3000) - 1500;
	case 1:
		return x + rnd(3) - 1;
	case 2:
		return rnd(40) ? x : (u32)rng;
	default:
		return x;
	}
}

static u8 random_flags(void)
{
	static const u8 usual[] = {
		ACK, ACK, ACK, ACK, ACK | PSH, ACK | PSH, FIN | ACK, RST,
		RST | ACK, SYN, SYN | ACK, 0, URG | ACK, FIN, 0xff,
	};
	u8 flags = usual[rnd(sizeof(usual))];

	/* A reset ends the fun: not too often. */
	if (flags & (RST | FIN) && rnd(8))
		flags = ACK;
	return flags;
}

static void random_segment(const struct tcp_sock *tp)
{
	u32 una = tp->snd_una - tp->iss;
	u32 out_bytes = tp->snd_nxt - tp->snd_una;
	struct th_seg seg = {
		.flags = random_flags(),
		.seq = near(tp->rcv_nxt - TH_PEER_ISS),
		.ack = near(una + (rnd(2) ? 0 : rnd(out_bytes + 1))),
		.wnd = rnd(4) ? 60000 : rnd(3000),
		.len = rnd(2) ? 0 : rnd(3000),
		.tsval = rnd(2) ? 1500 + rnd(1000) : 0,
		.nr_sacks = rnd(3) ? 0 : 1 + rnd(3),
	};

	for (u32 i = 0; i < seg.nr_sacks; i++) {
		seg.sacks[i].start = near(una + rnd(out_bytes + 1));
		seg.sacks[i].end = seg.sacks[i].start + rnd(4000);
	}
	if (!seg.wnd)
		seg.wnd = 1;
	in(.flags = seg.flags, .seq = seg.seq, .ack = seg.ack, .wnd = seg.wnd,
	   .len = seg.len, .tsval = seg.tsval, .nr_sacks = seg.nr_sacks,
	   .sacks = { seg.sacks[0], seg.sacks[1], seg.sacks[2] });
}

/* The sums must be those of the tags. */
static void check_sums(const struct tcp_sock *tp)
{
	u32 out = 0, sacked = 0, lost = 0, retrans = 0;
	struct sk_buff *skb;
	u32 seq = tp->snd_una;

	list_for_each_entry(skb, &tp->write_queue, tx_link) {
		const struct tcp_tx *tx = tcp_tx(skb);

		if (skb == tp->send_head)
			break;
		assert_false(seq_after(tx->seq, seq));
		seq = tx->end_seq;
		out += tx->segs;
		sacked += tx->tags & TCP_TAG_SACKED ? tx->segs : 0;
		lost += tx->tags & TCP_TAG_LOST ? tx->segs : 0;
		retrans += tx->tags & TCP_TAG_RETRANS ? tx->segs : 0;
	}
	assert_int_equal(tp->packets_out, out);
	assert_int_equal(tp->lost_out, lost);
	assert_int_equal(tp->retrans_out, retrans);
	if (tp->opts & TCP_OPT_SACK_OK)
		assert_int_equal(tp->sacked_out, sacked);
	assert_true(tp->sacked_out + tp->lost_out <= tp->packets_out);
	assert_true(tp->sk.sk_wmem_queued >= 0);
	assert_true(tp->sk.sk_rmem_alloc >= 0);
}

static void random_action(struct th_conn *c)
{
	switch (rnd(12)) {
	case 0:
	case 1:
		th_send(c->s, buf, 1 + rnd(8000), rnd(4) ? 0 : MSG_MORE);
		break;
	case 2:
		th_recv(c->s, buf, 1 + rnd(8000), 0);
		break;
	case 3:
		th_sleep_ms(rnd(3) ? rnd(300) : rnd(5000));
		break;
	case 4:
		if (!rnd(20))
			c->s->ops->shutdown(c->s, (int)rnd(3));
		break;
	case 5:
		if (!rnd(10))
			th_fail_next = 1 + rnd(3);
		break;
	default:
		random_segment(th_tp(c->s));
		break;
	}
	th_flush();
	check_sums(th_tp(c->s));
}

static void one_life(u64 seed)
{
	struct th_conn c;

	rng = seed * 0x9e3779b97f4a7c15ull + 1;
	th_dev_features = rnd(2) ? NETIF_F_TSO : 0;
	th_port++;
	c = th_established(rnd(2));
	for (u32 i = 0; i < 400; i++)
		random_action(&c);
	th_fail_next = 0;
	th_conn_close(&c);
	th_flush();
}

/* TCP_CHAOS_SEEDS=N in the environment runs more of them. */
static void test_hostile_peer(void **state)
{
	const char *more = getenv("TCP_CHAOS_SEEDS");
	u64 n = more ? strtoull(more, NULL, 10) : 300;

	for (u64 seed = 1; seed <= n; seed++) {
		one_life(seed);
		if (seed % 100 == 0)
			th_sleep_ms(400000);
		th_flush();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hostile_peer, th_setup,
						th_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
