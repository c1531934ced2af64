/*
 * Packets between our world and lwIP's, mostly without a copy: the pbuf lies
 * in the skb's own notes (cb) and points at its bytes, and a packet that lwIP
 * hands out whole (an answered ping, a datagram) leaves as the skb it was.
 * Under the port's lock.
 */
#include "net/lwip/port_internal.h"

/* What lies in cb. */
struct skb_pbuf {
	struct pbuf_custom pc;	/* first */
	bool unsent;		/* waits for its neighbour's address */
};

static struct sk_buff *skb_of(struct pbuf *p)
{
	return container_of((u8(*)[48])p, struct sk_buff, cb);
}

static void pbuf_skb_free(struct pbuf *p)
{
	struct sk_buff *skb = skb_of(p);

	if (unlikely(((struct skb_pbuf *)p)->unsent))
		count_drop(DROP_NEIGH_UNRESOLVED, skb->len);
	kfree_skb(skb);
}

static bool is_skb(const struct pbuf *p)
{
	const struct pbuf_custom *pc = (const struct pbuf_custom *)p;

	return p->flags & PBUF_FLAG_IS_CUSTOM &&
	       pc->custom_free_function == pbuf_skb_free;
}

/*
 * lwIP lets headers grow towards the front of a PBUF_RAM as long as they stay
 * above the struct pbuf, which here lies below the bytes in the same object.
 * They never reach it: a received frame grows back to its Ethernet header at
 * most, and senders leave room for all headers. Bytes that lie elsewhere make
 * a PBUF_REF, which does not grow: lwIP copies instead.
 */
struct pbuf *lwip_pbuf_from_skb(struct sk_buff *skb)
{
	struct skb_pbuf *sp = (struct skb_pbuf *)skb->cb;
	bool grows = skb->data >= (u8 *)(skb + 1);
	pbuf_type type = grows ? PBUF_RAM : PBUF_REF;

	_Static_assert(sizeof(*sp) <= sizeof(skb->cb), "pbuf does not fit");
	sp->unsent = false;
	sp->pc.custom_free_function = pbuf_skb_free;
	return pbuf_alloced_custom(PBUF_RAW, (u16)skb->len, type, &sp->pc,
				   skb->data, (u16)skb->len);
}

void lwip_pbuf_count_unsent(struct pbuf *p)
{
	((struct skb_pbuf *)p)->unsent = true;
}

struct sk_buff *lwip_skb_steal(struct pbuf *p)
{
	struct sk_buff *skb;

	if (p->next || p->ref != 1 || !is_skb(p))
		return NULL;
	skb = skb_of(p);
	if (skb_shared(skb))
		return NULL;
	((struct skb_pbuf *)p)->unsent = false;
	skb_get(skb);
	skb->data = p->payload;
	skb->len = p->len;
	return skb;
}

struct sk_buff *lwip_skb_copy(const struct pbuf *p, u32 headroom)
{
	struct sk_buff *skb = alloc_skb(headroom + p->tot_len);

	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	pbuf_copy_partial(p, skb_put(skb, p->tot_len), p->tot_len, 0);
	return skb;
}

struct sk_buff *lwip_skb_from_pbuf(struct pbuf *p, u32 headroom)
{
	struct sk_buff *skb = lwip_skb_steal(p);

	return skb ? skb : lwip_skb_copy(p, headroom);
}
