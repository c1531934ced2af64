/* The fake card's driver, its packets, and what net/dev.c does for it. */
#include "tests/unit/virtnet_fixture.h"

#include "tests/unit/unit.h"

#include "drivers/virtio_net.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "tests/host/host.h"

struct fake_virtio card;
struct net_device *dev;
struct virtnet *vi;
struct napi_struct *scheduled;
struct sk_buff *received[300];
unsigned int nr_received, wakes, wake_sends, nr_gro;
bool gro_open;
int register_error;
u8 frame[70000], seen[70000];

/* --- what net/dev.c does in the kernel --- */

int register_netdev(struct net_device *d)
{
	if (register_error)
		return register_error;
	strcpy(d->name, "eth0");
	spin_lock_init(&d->tx_lock);
	dev = d;
	return 0;
}

void napi_init(struct napi_struct *napi, struct net_device *d,
	       int (*poll)(struct napi_struct *napi, int budget))
{
	napi->scheduled = 0;
	napi->dev = d;
	napi->poll = poll;
}

bool napi_schedule(struct napi_struct *napi)
{
	if (napi->scheduled)
		return false;
	napi->scheduled = 1;
	scheduled = napi;
	return true;
}

void (*on_complete)(void);

void napi_complete(struct napi_struct *napi)
{
	void (*then)(void) = on_complete;

	assert_int_equal(napi->scheduled, 1);
	napi->scheduled = 0;
	scheduled = NULL;
	on_complete = NULL;
	if (then)
		then();
}

void netif_receive_skb(struct sk_buff *skb)
{
	assert_ptr_equal(skb->dev, dev);
	dev->rx_packets++;
	received[nr_received++] = skb;
}

void napi_gro_receive(struct sk_buff *skb)
{
	gro_open = true;
	nr_gro++;
	netif_receive_skb(skb);
}

void napi_gro_flush(void)
{
	gro_open = false;
}

struct sk_buff *packet(u32 len, u32 headroom)
{
	struct sk_buff *skb = alloc_skb(headroom + len);

	assert_non_null(skb);
	skb_reserve(skb, headroom);
	memcpy(skb_put(skb, len), frame, len);
	return skb;
}

void netif_wake_queue(struct net_device *d)
{
	wakes++;
	while (wake_sends) {
		struct sk_buff *skb = packet(100, 64);

		wake_sends--;
		if (d->ops->start_xmit(d, skb)) {
			kfree_skb(skb);
			break;
		}
	}
	d->ops->kick(d);
}

/* Runs the softirq until nothing is scheduled; returns the polls. */
unsigned int softirq(void)
{
	unsigned int polls = 0;

	while (scheduled) {
		scheduled->poll(scheduled, NAPI_WEIGHT);
		assert_false(gro_open);
		assert_in_range(++polls, 1, 50);
	}
	return polls;
}

/* --- the test's own --- */

int setup(void **state)
{
	static bool once;

	host_reset();
	if (!once)
		skb_init();
	once = true;
	for (u32 i = 0; i < sizeof(frame); i++)
		frame[i] = (u8)(i * 7 + (i >> 8));
	dev = NULL;
	scheduled = NULL;
	nr_received = wakes = wake_sends = nr_gro = 0;
	register_error = 0;
	return 0;
}

void drop_received(void)
{
	while (nr_received)
		kfree_skb(received[--nr_received]);
}

/* There is no way to remove a card; the test takes it apart by hand. */
int teardown(void **state)
{
	drop_received();
	if (dev) {
		struct sk_buff *skb;

		del_timer(&vi->timer);
		while ((skb = virtqueue_detach_unused_buf(&vi->rx)))
			kfree_skb(skb);
		while ((skb = virtqueue_detach_unused_buf(&vi->tx)))
			kfree_skb(skb);
		virtqueue_free(&vi->rx);
		virtqueue_free(&vi->tx);
		kfree(vi);
	}
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

void make_card(u64 offered)
{
	static const u8 mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

	fake_virtio_init(&card, VIRTIO_ID_NET, offered);
	memcpy(card.config, mac, 6);
	card.config[6] = 1;
	card.config[10] = 1500 & 0xff;
	card.config[11] = 1500 >> 8;
}

void start(u64 offered)
{
	make_card(offered);
	assert_int_equal(virtnet_probe(&card.vdev), 0);
	vi = dev->priv;
	softirq();
	card.interrupts[RX] = card.interrupts[TX] = 0;
}

u32 hdr_len(void)
{
	return card.vdev.features & (VIRTIO_F_VERSION_1 |
				     VIRTIO_NET_F_MRG_RXBUF) ? 12 : 10;
}

/* The card receives @len bytes of frame[] behind @hdr, in @buffers. */
void card_receives_hdr(struct virtio_net_hdr hdr, u32 len)
{
	u32 n = hdr_len(), total = n + len, done = 0;
	struct fake_chain c[64];
	unsigned int k = 0;
	static u8 whole[70012];

	memcpy(whole, &hdr, n);
	memcpy(whole + n, frame, len);
	while (done < total) {
		u32 part;

		assert_true(fake_pop(&card, RX, &c[k]));
		assert_int_equal(c[k].out, 0);
		part = min(total - done, c[k].in_len);
		fake_write(&c[k], whole + done, part);
		done += part;
		c[k++].out_len = part;
	}
	if (n == 12 && hdr.num_buffers == 0)
		c[0].piece[0].mem[10] = (u8)k;
	/* Interrupts when the last one is in, as real cards flush. */
	for (unsigned int i = 0; i < k; i++)
		fake_push(&card, RX, c[i].head, c[i].out_len);
}

void card_receives(u32 len)
{
	card_receives_hdr((struct virtio_net_hdr){ 0 }, len);
}

void assert_received(unsigned int i, u32 len)
{
	struct sk_buff *skb = received[i];

	assert_in_range(i, 0, nr_received - 1);
	assert_int_equal(skb->len, len);
	skb_copy_bits(skb, 0, seen, len);
	assert_memory_equal(seen, frame, len);
}

int xmit(struct sk_buff *skb)
{
	int err = dev->ops->start_xmit(dev, skb);

	dev->ops->kick(dev);
	return err;
}

/* The card sends: takes the packet and its header, gives it back. */
u32 card_sends(struct virtio_net_hdr *hdr)
{
	struct fake_chain c;
	u32 n;

	assert_true(fake_pop(&card, TX, &c));
	assert_int_equal(c.in, 0);
	n = fake_read(&c, seen, sizeof(seen));
	assert_true(n >= hdr_len());
	memset(hdr, 0, sizeof(*hdr));
	memcpy(hdr, seen, hdr_len());
	memmove(seen, seen + hdr_len(), n - hdr_len());
	fake_push(&card, TX, c.head, 0);
	return n - hdr_len();
}
