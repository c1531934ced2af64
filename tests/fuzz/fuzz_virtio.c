/*
 * libFuzzer target: the network card's driver against a hostile card. An
 * input is a program of what such a card can do to memory that it shares, to
 * its registers and to its interrupt, of packets both ways, and of time.
 * Whatever it did: afterwards the card can be started and works, and all
 * memory is back. Wild writes are the sanitiser's to find.
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_net.h"
#include "kernel/errno.h"
#include "tests/fuzz/input.h"
#include "tests/host/host.h"
#include "tests/unit/virtnet_fixture.h"

#define MAX_OPS		200
#define RESTART_TRIES	2000

/*
 * A card that has given back what it still needs would use memory that is
 * ours again. That is its own fault, and not what we look for: until it is
 * restarted it touches no packet.
 */
static u64 lied_after = UINT64_MAX;	/* so many restarts; none: has not */

static void lie(void)
{
	lied_after = vi->stats.restarts;
}

static bool may_touch_packets(void)
{
	return !card.vdev.broken && lied_after != vi->stats.restarts;
}

static void settle(void)
{
	softirq();
	drop_received();
}

/* Does the card have buffers for so long a packet? */
static bool has_room(u32 len)
{
	return may_touch_packets() &&
	       fake_waiting(&card, RX) * (vi->rx_buf_size - 256) >
		       len + hdr_len() &&
	       fake_waiting(&card, RX) <= vi->rx.num;
}

static void receive(struct input *in, bool lies)
{
	struct virtio_net_hdr hdr = { 0 };
	u32 len = 1 + word(in) % (vi->mergeable ? 20000 : 1514);

	if (lies) {
		hdr.flags = (u8)byte(in);
		hdr.gso_type = (u8)byte(in);
		hdr.hdr_len = (u16)word(in);
		hdr.gso_size = (u16)word(in);
		hdr.csum_start = (u16)word(in);
		hdr.csum_offset = (u16)word(in);
		hdr.num_buffers = (u16)(byte(in) % 80);
	}
	for (u32 i = 0; i < 64; i++)
		frame[i] = (u8)byte(in);
	if (has_room(len))
		card_receives_hdr(hdr, len);
}

static void send(struct input *in)
{
	u32 len = 60 + word(in) % 3000;
	struct sk_buff *skb = alloc_skb(64 + len);

	if (!skb)
		return;
	skb_reserve(skb, byte(in) & 1 ? 64 : 0);
	memset(skb_put(skb, len), 'x', len);
	if (xmit(skb))
		kfree_skb(skb);
}

/* The card takes what there is to send, as it should, and gives it back. */
static void card_works(struct input *in)
{
	struct virtio_net_hdr hdr;

	for (u32 n = byte(in) % 64; n && may_touch_packets(); n--) {
		if (!fake_waiting(&card, TX) ||
		    fake_waiting(&card, TX) > vi->tx.num)
			return;
		card_sends(&hdr);
	}
}

/* Bytes of the used ring: its index, its entries, its flags and event. */
static void scribble(struct input *in)
{
	struct virtqueue *vq = byte(in) & 1 ? &vi->tx : &vi->rx;
	u8 *used = (u8 *)vq->used;
	u32 size = 4 + vq->num * 8 + 2;

	lie();
	for (u32 n = 1 + byte(in) % 16; n; n--)
		used[word(in) % size] = (u8)byte(in);
}

static void change_config(struct input *in)
{
	card.config[byte(in) % 16] = (u8)byte(in);
	card.generation += byte(in) & 1;
	if (card.vdev.config_fn)
		card.vdev.config_fn(card.vdev.priv);
	/* A link that goes down, or up, is seen once the softirq has run. */
	settle();
	if (!card.vdev.broken && virtio_has(&card.vdev, VIRTIO_NET_F_STATUS))
		BUG_ON(dev->link_up != (card.config[6] & 1));
}

static void step(struct input *in)
{
	u32 q;

	switch (byte(in) % 12) {
	case 0:
		receive(in, false);
		break;
	case 1:
		receive(in, true);
		break;
	case 2:
		send(in);
		break;
	case 3:
		card_works(in);
		break;
	case 4:
		q = byte(in) & 1;
		lie();
		fake_push_raw(&card, q, word(in), word(in));
		break;
	case 5:
		q = byte(in) & 1;
		lie();
		card.vq[q]->used->idx = (u16)word(in);
		break;
	case 6:
		scribble(in);
		break;
	case 7:
		change_config(in);
		break;
	case 8:
		card.status = (u8)byte(in);
		break;
	case 9:
		card.deaf = byte(in) & 1;
		break;
	case 10:
		host_fail_alloc(1 + byte(in) % 8);
		break;
	default:
		vi->rx.irq_fn(vi->rx.irq_data);
		break;
	}
}

/* The card is reset once more and is honest then: it must come to work. */
static void make_honest(void)
{
	host_fail_alloc(0);
	card.deaf = false;
	card.config[6] = 1;
	card.vdev.config_fn(card.vdev.priv);
	virtio_break(&card.vdev, "is to be honest from now on");
	settle();
	for (u32 i = 0; i < RESTART_TRIES; i++) {
		host_advance(100 * NSEC_PER_MSEC);
		settle();
		if (!card.vdev.broken)
			break;
	}
	BUG_ON(card.vdev.broken);
	BUG_ON(!dev->link_up);
	for (u32 i = 0; i < 3 && !fake_waiting(&card, RX); i++) {
		host_advance(100 * NSEC_PER_MSEC);
		settle();
	}
	card_receives(100);
	softirq();
	BUG_ON(nr_received != 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };
	u64 features = BASE;

	setup(NULL);
	features |= byte(&in) & 1 ? RING : 0;
	features |= byte(&in) & 1 ? OFFLOADS : 0;
	features |= byte(&in) & 1 ? VIRTIO_NET_F_MRG_RXBUF : 0;
	features |= byte(&in) & 1 ? VIRTIO_NET_F_STATUS : 0;
	start(features);
	lied_after = UINT64_MAX;
	for (u32 i = 0; i < MAX_OPS && in.p < in.end; i++) {
		step(&in);
		if (byte(&in) & 1)
			settle();
		if (byte(&in) & 1)
			host_advance(byte(&in) * NSEC_PER_MSEC);
		settle();
	}
	make_honest();
	teardown(NULL);
	return 0;
}
