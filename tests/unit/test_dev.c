/*
 * The device layer: polling and its budget, demultiplexing, the way out with
 * doorbells and a full ring, the loopback device.
 * sources: net/dev.c net/loopback.c net/skbuff.c net/drop.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/softirq.h"
#include "net/dev.h"
#include "net/ip/ip.h"
#include "net/loopback.h"
#include "net/lwip/lwip_port.h"
#include "tests/host/host.h"

/* ---- what the device layer calls ---- */

static void (*net_rx)(void);

void open_softirq(enum softirq nr, void (*action)(void))
{
	if (nr == NET_RX_SOFTIRQ)
		net_rx = action;
}

static u32 softirq_runs;

void do_softirq(void)
{
	while (softirq_pending & 1u << NET_RX_SOFTIRQ) {
		softirq_pending = 0;
		context_count += SOFTIRQ_ONE;
		softirq_runs++;
		net_rx();
		context_count -= SOFTIRQ_ONE;
	}
}

static struct sk_buff_head got_ip, got_ip6, got_lwip;

void ip_rcv(struct sk_buff *skb)
{
	skb_queue_tail(&got_ip, skb);
}

void ip6_rcv(struct sk_buff *skb)
{
	skb_queue_tail(&got_ip6, skb);
}

void lwip_input(struct sk_buff *skb)
{
	skb_queue_tail(&got_lwip, skb);
}

/* ---- a device ---- */

static struct sk_buff_head ring;	/* what start_xmit took */
static u32 ring_size, kicks, kicked_at, stuck_polls;

static int fake_xmit(struct net_device *dev, struct sk_buff *skb)
{
	assert_true(in_softirq());
	if (ring.qlen >= ring_size)
		return -EBUSY;
	skb_queue_tail(&ring, skb);
	return 0;
}

static void fake_kick(struct net_device *dev)
{
	kicks++;
	kicked_at = ring.qlen;
}

static void fake_poll_stuck(struct net_device *dev)
{
	stuck_polls++;
}

static const struct net_device_ops fake_ops = {
	.start_xmit = fake_xmit,
	.kick = fake_kick,
	.poll_stuck = fake_poll_stuck,
};

static struct net_device eth = {
	.dev_addr = { 2, 0, 0, 0, 0, 1 },
	.mtu = 1500,
	.link_up = true,
	.ops = &fake_ops,
};

static struct net_device eth1 = {
	.mtu = 1500,
	.link_up = true,
	.ops = &fake_ops,
};

static int group_setup(void **state)
{
	host_reset();
	skb_init();
	net_dev_init();
	assert_int_equal(register_netdev(&eth), 0);
	assert_int_equal(register_netdev(&eth1), 0);
	return 0;
}

/* Without the clock: the timer behind poll_stuck runs since boot. */
static int setup(void **state)
{
	host_memory_reset();
	host_tasks_reset();
	memset(drop_counts, 0, sizeof(drop_counts));
	skb_queue_head_init(&got_ip);
	skb_queue_head_init(&got_ip6);
	skb_queue_head_init(&got_lwip);
	skb_queue_head_init(&ring);
	ring_size = 100;
	kicks = kicked_at = softirq_runs = stuck_polls = 0;
	eth.tx_stopped = false;
	eth.link_up = true;
	return 0;
}

static int teardown(void **state)
{
	skb_queue_purge(&got_ip);
	skb_queue_purge(&got_ip6);
	skb_queue_purge(&got_lwip);
	skb_queue_purge(&ring);
	skb_queue_purge(&eth.tx_queue);
	assert_int_equal(host_allocs_outstanding(), 0);
	assert_int_equal(context_count, 0);
	assert_false(host_irqs_off);
	return 0;
}

static struct sk_buff *frame(const u8 *dest, u16 proto)
{
	struct sk_buff *skb = alloc_skb(100);
	struct ethhdr *eh = skb_put(skb, ETH_HLEN);

	memcpy(eh->h_dest, dest, ETH_ALEN);
	memset(eh->h_source, 9, ETH_ALEN);
	eh->h_proto = cpu_to_be16(proto);
	memset(skb_put(skb, 50), 7, 50);
	skb->dev = &eth;
	return skb;
}

/* ---- registration ---- */

static void test_names_and_numbers(void **state)
{
	struct net_device again = { .name = "eth0", .ops = &fake_ops };

	assert_int_equal(loopback_dev.ifindex, 1);
	assert_string_equal(eth.name, "eth0");
	assert_string_equal(eth1.name, "eth1");
	assert_int_equal(eth.ifindex, 2);
	assert_ptr_equal(dev_get_by_name("eth0"), &eth);
	assert_ptr_equal(dev_get_by_index(3), &eth1);
	assert_null(dev_get_by_name("eth2"));
	assert_null(dev_get_by_index(9));
	assert_ptr_equal(dev_first(), &eth);
	assert_int_equal(register_netdev(&again), -EEXIST);
}

/* ---- in ---- */

static void test_demultiplexes(void **state)
{
	const u8 all[] = { 255, 255, 255, 255, 255, 255 };
	const u8 other[] = { 2, 0, 0, 0, 0, 2 };
	struct sk_buff *runt = alloc_skb(20);
	u64 before = eth.rx_packets;

	netif_receive_skb(frame(eth.dev_addr, ETH_P_IP));
	netif_receive_skb(frame(eth.dev_addr, ETH_P_IPV6));
	netif_receive_skb(frame(all, ETH_P_ARP));
	netif_receive_skb(frame(eth.dev_addr, 0x88cc));
	netif_receive_skb(frame(other, ETH_P_IP));
	skb_put(runt, 13);
	runt->dev = &eth;
	netif_receive_skb(runt);
	assert_int_equal(got_ip.qlen, 1);
	assert_int_equal(skb_peek(&got_ip)->len, 50);
	assert_int_equal(skb_peek(&got_ip)->protocol, cpu_to_be16(ETH_P_IP));
	assert_int_equal(got_ip6.qlen, 1);
	assert_int_equal(got_lwip.qlen, 2);
	assert_int_equal(skb_peek(&got_lwip)->len, 64);
	assert_int_equal(drop_counts[DROP_ETH_OTHER_HOST], 1);
	assert_int_equal(drop_counts[DROP_DEV_RUNT], 1);
	assert_int_equal(eth.rx_packets - before, 6);
}

struct fake_queue {
	struct napi_struct napi;
	u32 frames;		/* still to come */
	u32 polls;
	u64 cost;		/* ns a frame */
};

static int fake_poll(struct napi_struct *napi, int budget)
{
	struct fake_queue *q = (struct fake_queue *)napi;
	int done = 0;

	q->polls++;
	while (done < budget && q->frames) {
		q->frames--;
		netif_receive_skb(frame(eth.dev_addr, ETH_P_IP));
		host_now += q->cost;
		done++;
	}
	if (done < budget)
		napi_complete(napi);
	return done;
}

static void test_polls_until_done(void **state)
{
	struct fake_queue q = { .frames = 5 };

	napi_init(&q.napi, &eth, fake_poll);
	assert_true(napi_schedule(&q.napi));
	assert_false(napi_schedule(&q.napi));
	do_softirq();
	assert_int_equal(q.frames, 0);
	assert_int_equal(q.polls, 1);
	assert_int_equal(skb_peek(&got_ip)->tstamp, host_now);
	assert_true(napi_schedule(&q.napi));
	do_softirq();
}

/* Both get turns of 64; after 300 packets the softirq ends and comes again. */
static void test_budget_and_turns(void **state)
{
	struct fake_queue a = { .frames = 400 }, b = { .frames = 70 };

	napi_init(&a.napi, &eth, fake_poll);
	napi_init(&b.napi, &eth, fake_poll);
	napi_schedule(&a.napi);
	napi_schedule(&b.napi);
	softirq_pending = 0;
	net_rx();
	assert_int_equal(b.frames, 0);
	assert_int_equal(got_ip.qlen, 300);
	assert_int_equal(softirq_pending, 1u << NET_RX_SOFTIRQ);
	do_softirq();
	assert_int_equal(a.frames, 0);
	assert_int_equal(softirq_pending, 0);
}

static void test_time_limit(void **state)
{
	struct fake_queue q = { .frames = 200, .cost = 20000 };

	napi_init(&q.napi, &eth, fake_poll);
	napi_schedule(&q.napi);
	softirq_pending = 0;
	net_rx();
	assert_int_equal(got_ip.qlen, 128);
	assert_int_equal(softirq_pending, 1u << NET_RX_SOFTIRQ);
	do_softirq();
	assert_int_equal(q.frames, 0);
}

static void test_stuck_devices_are_polled(void **state)
{
	host_advance(NET_STUCK_NS);
	assert_int_equal(stuck_polls, 2);
	host_advance(NET_STUCK_NS);
	assert_int_equal(stuck_polls, 4);
}

/* ---- out ---- */

static void test_each_packet_rings_without_a_batch(void **state)
{
	u64 bytes = eth.tx_bytes;

	dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	assert_int_equal(kicks, 1);
	dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	assert_int_equal(kicks, 2);
	assert_int_equal(eth.tx_bytes - bytes, 128);
}

static void test_a_batch_rings_once(void **state)
{
	dev_xmit_batch_begin();
	dev_xmit_batch_begin();
	dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	/* A second device in the same batch is not made to wait. */
	dev_queue_xmit(&eth1, frame(eth.dev_addr, ETH_P_IP));
	assert_int_equal(kicks, 1);
	dev_xmit_batch_end();
	assert_int_equal(kicks, 1);
	dev_xmit_batch_end();
	assert_int_equal(kicks, 2);
	assert_int_equal(kicked_at, 3);
	dev_xmit_batch_begin();
	dev_xmit_batch_end();
	assert_int_equal(kicks, 2);
}

/* A softirq between the end of a batch and its kick has rung already. */
static void test_a_batch_that_owes_nothing(void **state)
{
	dev_xmit_batch_begin();
	dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	this_cpu_add(xmit_depth, -1);
	dev_xmit_batch_begin();
	dev_xmit_batch_end();
	assert_int_equal(kicks, 1);
	dev_xmit_batch_kick();
	assert_int_equal(kicks, 1);
}

static int echo_poll(struct napi_struct *napi, int budget)
{
	for (int i = 0; i < 3; i++)
		dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	napi_complete(napi);
	return 3;
}

static void test_a_softirq_is_a_batch(void **state)
{
	struct napi_struct napi;

	napi_init(&napi, &eth, echo_poll);
	napi_schedule(&napi);
	do_softirq();
	assert_int_equal(kicks, 1);
	assert_int_equal(kicked_at, 3);
}

static void test_full_ring_queues_in_order(void **state)
{
	struct sk_buff *skb[4];

	ring_size = 1;
	for (u32 i = 0; i < 4; i++) {
		skb[i] = frame(eth.dev_addr, ETH_P_IP);
		dev_queue_xmit(&eth, skb[i]);
	}
	assert_int_equal(ring.qlen, 1);
	assert_int_equal(eth.tx_queue.qlen, 3);
	assert_true(eth.tx_stopped);
	ring_size = 3;
	netif_wake_queue(&eth);
	assert_int_equal(kicks, 2);
	assert_true(eth.tx_stopped);
	assert_int_equal(eth.tx_queue.qlen, 1);
	ring_size = 100;
	netif_wake_queue(&eth);
	assert_false(eth.tx_stopped);
	assert_true(skb_queue_empty(&eth.tx_queue));
	for (u32 i = 0; i < 4; i++) {
		assert_ptr_equal(skb_dequeue(&ring), skb[i]);
		kfree_skb(skb[i]);
	}
}

static void test_queue_is_bounded(void **state)
{
	ring_size = 0;
	for (u32 i = 0; i < TX_QUEUE_LEN + 5; i++)
		dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	assert_int_equal(eth.tx_queue.qlen, TX_QUEUE_LEN);
	assert_int_equal(drop_counts[DROP_DEV_TX_FULL], 5);
	assert_int_equal(kicks, 0);
}

static void test_link_down_drops(void **state)
{
	eth.link_up = false;
	dev_queue_xmit(&eth, frame(eth.dev_addr, ETH_P_IP));
	assert_int_equal(drop_counts[DROP_DEV_DOWN], 1);
	assert_int_equal(ring.qlen, 0);
}

/* ---- loopback ---- */

static void test_loopback_comes_in_by_softirq(void **state)
{
	const u8 zero[ETH_ALEN] = { 0 };
	struct sk_buff *skb = frame(zero, ETH_P_IP);

	skb->ip_summed = CHECKSUM_PARTIAL;
	context_count += SOFTIRQ_ONE;
	dev_queue_xmit(&loopback_dev, skb);
	assert_int_equal(got_ip.qlen, 0);
	context_count -= SOFTIRQ_ONE;
	dev_queue_xmit(&loopback_dev, frame(zero, ETH_P_IPV6));
	assert_int_equal(got_ip.qlen, 1);
	assert_int_equal(got_ip6.qlen, 1);
	assert_ptr_equal(skb_peek(&got_ip), skb);
	assert_int_equal(skb->ip_summed, CHECKSUM_UNNECESSARY);
	assert_ptr_equal(skb->dev, &loopback_dev);
	assert_int_equal(softirq_runs, 1);
}

/* TCP keeps what it sent: the receiver must get memory of its own. */
static void test_loopback_copies_what_is_shared(void **state)
{
	const u8 zero[ETH_ALEN] = { 0 };
	struct sk_buff *skb = frame(zero, ETH_P_IP);

	skb->gso_size = 1000;
	skb_get(skb);
	dev_queue_xmit(&loopback_dev, skb);
	assert_int_equal(got_ip.qlen, 1);
	assert_ptr_not_equal(skb_peek(&got_ip), skb);
	assert_int_equal(skb_peek(&got_ip)->gso_size, 1000);
	assert_false(skb_shared(skb));
	skb_get(skb);
	host_fail_alloc(1);
	dev_queue_xmit(&loopback_dev, skb);
	assert_int_equal(drop_counts[DROP_NO_MEMORY], 1);
	kfree_skb(skb);
}

static void test_loopback_is_bounded(void **state)
{
	const u8 zero[ETH_ALEN] = { 0 };

	context_count += SOFTIRQ_ONE;
	for (u32 i = 0; i < 1003; i++)
		dev_queue_xmit(&loopback_dev, frame(zero, ETH_P_IP));
	context_count -= SOFTIRQ_ONE;
	assert_int_equal(drop_counts[DROP_DEV_TX_FULL], 3);
	do_softirq();
	assert_int_equal(got_ip.qlen, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_names_and_numbers),
		T(test_demultiplexes),
		T(test_polls_until_done),
		T(test_budget_and_turns),
		T(test_time_limit),
		T(test_stuck_devices_are_polled),
		T(test_each_packet_rings_without_a_batch),
		T(test_a_batch_rings_once),
		T(test_a_batch_that_owes_nothing),
		T(test_a_softirq_is_a_batch),
		T(test_full_ring_queues_in_order),
		T(test_queue_is_bounded),
		T(test_link_down_drops),
		T(test_loopback_comes_in_by_softirq),
		T(test_loopback_copies_what_is_shared),
		T(test_loopback_is_bounded),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
