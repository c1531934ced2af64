/*
 * Packets. An sk_buff is one piece of contiguous memory with room in front
 * for headers; a packet larger than one piece is a head with a chain of
 * further pieces behind it (frag_list). Buffers are counted: the TCP write
 * queue and the device ring may hold the same one, nobody clones.
 *
 *	head      data            data+headlen     end
 *	 |headroom |payload ...    |tailroom        |
 */
#pragma once

#include "kernel/atomic.h"
#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/types.h"
#include "net/drop.h"

struct net_device;
struct sock;

/* What is known of the TCP/UDP checksum. */
enum ip_summed {
	CHECKSUM_NONE,		/* in: not checked; out: complete already */
	CHECKSUM_UNNECESSARY,	/* in: the device found it right */
	CHECKSUM_PARTIAL,	/* out: device finishes from csum_start on */
};

#define SKB_GSO_TCPV4	0x01
#define SKB_GSO_TCPV6	0x02
#define SKB_GSO_ECN	0x04

/*
 * Members are the owner's alone, except refs. For a piece in a frag_list only
 * data, len, head, end, frag_next and truesize mean something.
 *
 * A TCP segment on its way out has two holders: tx_link and cb stay TCP's
 * until it is acknowledged; whoever is below (IP, device, lwIP) queues it by
 * list and leaves cb alone.
 */
struct sk_buff {
	union {
		struct list_head list;	/* the queue that it is in */
		struct sk_buff *next;
	};
	struct list_head tx_link;	/* TCP's write queue, see above */
	struct sk_buff *frag_list;	/* head: first further piece */
	struct sk_buff *frag_next;	/* piece: the next one */
	struct net_device *dev;		/* in: came from, out: goes to */
	struct sock *sk;		/* whose memory it counts as */
	void (*destructor)(struct sk_buff *skb); /* undoes the accounting */
	u8 *head, *data, *end;
	u32 len;			/* bytes in all pieces */
	u32 data_len;			/* of these, in frag_list */
	u32 truesize;			/* memory behind it, all pieces */
	struct atomic refs;
	u16 network_header;		/* offsets from head */
	u16 transport_header;
	u16 gso_size;			/* payload per segment, 0: no GSO */
	u16 gso_segs;
	u8 gso_type;			/* SKB_GSO_ bits */
	u8 ip_summed;			/* enum ip_summed */
	u16 csum_start;			/* offset from head */
	u16 csum_offset;		/* of the field, from csum_start */
	be16 protocol;			/* Ethernet type */
	u64 tstamp;			/* ktime ns: received, or (re)sent */
	u8 cb[48] __aligned(8);		/* the current layer's own notes */
	/* Set if the bytes are not the skb's own: gives them back. */
	void (*free_data)(struct sk_buff *skb);
	void *free_arg;
};

/*
 * A packet with one reference and @size bytes of room, all of it tailroom
 * (skb_reserve() moves it to the front). NULL if memory is out. Any context.
 */
struct sk_buff *alloc_skb(u32 size) __must_check;
/* One reference back; the last frees all pieces. Any context. NULL is fine. */
void kfree_skb(struct sk_buff *skb);
/* The same for a packet that is thrown away: counts and traces @why. */
void kfree_skb_reason(struct sk_buff *skb, enum drop_reason why);

static inline void skb_get(struct sk_buff *skb)
{
	atomic_inc(&skb->refs);
}

/* Somebody else (the device ring) holds it too: its bytes must not change. */
static inline bool skb_shared(const struct sk_buff *skb)
{
	return atomic_read(&skb->refs) > 1;
}

static inline u32 skb_headlen(const struct sk_buff *skb)
{
	return skb->len - skb->data_len;
}

static inline u32 skb_headroom(const struct sk_buff *skb)
{
	return (u32)(skb->data - skb->head);
}

static inline u32 skb_tailroom(const struct sk_buff *skb)
{
	return (u32)(skb->end - skb->data) - skb_headlen(skb);
}

/* Empty buffers only. */
static inline void skb_reserve(struct sk_buff *skb, u32 n)
{
	skb->data += n;
}

/* The caller has made sure of the room (BUG otherwise, see skbuff.c). */
void *skb_put(struct sk_buff *skb, u32 n);	/* grow at the end */
void *skb_push(struct sk_buff *skb, u32 n);	/* grow at the front */

/* Shortens at the front by @n <= skb_headlen() bytes; returns new data. */
static inline void *skb_pull(struct sk_buff *skb, u32 n)
{
	skb->data += n;
	skb->len -= n;
	return skb->data;
}

/*
 * Makes the first @n bytes contiguous (copies up from the pieces). False if
 * the packet is shorter or memory is out. After it, old pointers are stale.
 */
bool pskb_may_pull(struct sk_buff *skb, u32 n) __must_check;
/* Cuts the packet to @len bytes in all; @len <= skb->len. */
void skb_trim(struct sk_buff *skb, u32 len);
/* Drops the first @n bytes across pieces, freeing emptied pieces. */
void skb_consume(struct sk_buff *skb, u32 n);
/* Copies bytes [off, off+n) out. @off + @n <= skb->len. */
void skb_copy_bits(const struct sk_buff *skb, u32 off, void *to, u32 n);
/* Appends piece @frag (takes it over) behind @skb's last piece. */
void skb_add_frag(struct sk_buff *skb, struct sk_buff *frag);
/* A linear copy of bytes [off, off+n) with @headroom in front, or NULL. */
struct sk_buff *skb_copy_range(const struct sk_buff *skb, u32 off, u32 n,
			       u32 headroom) __must_check;

struct iov_iter;
/* Copies [off, off+n) to the iterator; bytes copied (short: EFAULT). Task. */
u32 skb_copy_to_iter(const struct sk_buff *skb, u32 off, u32 n,
		     struct iov_iter *to);

static inline u8 *skb_network_header(const struct sk_buff *skb)
{
	return skb->head + skb->network_header;
}

static inline u8 *skb_transport_header(const struct sk_buff *skb)
{
	return skb->head + skb->transport_header;
}

/* A queue of packets, in order. The owner's lock guards it. */
struct sk_buff_head {
	struct list_head list;
	u32 qlen;
};

static inline void skb_queue_head_init(struct sk_buff_head *q)
{
	INIT_LIST_HEAD(&q->list);
	q->qlen = 0;
}

static inline bool skb_queue_empty(const struct sk_buff_head *q)
{
	return list_empty(&q->list);
}

static inline struct sk_buff *skb_peek(const struct sk_buff_head *q)
{
	if (skb_queue_empty(q))
		return NULL;
	return list_first_entry(&q->list, struct sk_buff, list);
}

static inline struct sk_buff *skb_peek_tail(const struct sk_buff_head *q)
{
	if (skb_queue_empty(q))
		return NULL;
	return list_last_entry(&q->list, struct sk_buff, list);
}

static inline void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *skb)
{
	list_add_tail(&skb->list, &q->list);
	q->qlen++;
}

static inline void skb_unlink(struct sk_buff_head *q, struct sk_buff *skb)
{
	list_del(&skb->list);
	q->qlen--;
}

static inline struct sk_buff *skb_dequeue(struct sk_buff_head *q)
{
	struct sk_buff *skb = skb_peek(q);

	if (skb)
		skb_unlink(q, skb);
	return skb;
}

/* Frees everything in @q. */
void skb_queue_purge(struct sk_buff_head *q);

void skb_init(void);
