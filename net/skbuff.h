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

/* The largest contiguous piece that comes from the packet caches. */
#define SKB_MAX_LINEAR	(4096u - (u32)sizeof(struct sk_buff))

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
	union {
		struct sk_buff *frag_next;	/* piece: the next one */
		struct sk_buff *frag_tail;	/* head: the last piece */
	};
	struct net_device *dev;		/* in: came from, out: goes to */
	struct sock *sk;		/* whose memory it counts as */
	void (*destructor)(struct sk_buff *skb); /* undoes the accounting */
	u8 *head, *data, *end;
	u32 len;			/* bytes in all pieces */
	u32 data_len;			/* of these, in frag_list */
	u32 truesize;			/* memory charged, all pieces */
	struct atomic refs;
	u16 network_header;		/* offsets from head */
	u16 transport_header;
	u16 gso_size;			/* payload per segment, 0: no GSO */
	u16 gso_segs;
	u8 gso_type;			/* SKB_GSO_ bits */
	u8 ip_summed;			/* enum ip_summed */
	u16 csum_start;			/* offset from head */
	u8 csum_offset;			/* of the field, from csum_start */
	u8 size_class;			/* skbuff.c: where it came from */
	be16 protocol;			/* Ethernet type */
	u64 tstamp;			/* ktime ns: received, or (re)sent */
	u8 cb[48] __aligned(8);		/* the current layer's own notes */
	/* Set if the bytes are not the skb's own: gives them back. */
	void (*free_data)(struct sk_buff *skb);
	void *free_arg;
};

_Static_assert(sizeof(struct sk_buff) <= 200, "sk_buff grew");

/*
 * A packet with one reference and @size bytes of room, all of it tailroom
 * (skb_reserve() moves it to the front). cb, tstamp, protocol and list hold
 * garbage. NULL if memory is out. Any context.
 */
struct sk_buff *alloc_skb(u32 size) __must_check;
/*
 * Up to @n of them at once, each with @size <= SKB_MAX_LINEAR bytes of room,
 * @reserve of them headroom, into skb[]; how many there were. Any context.
 */
u32 alloc_skb_bulk(u32 size, u32 reserve, u32 n, struct sk_buff **skb)
	__must_check;
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

/* The caller had to make sure of the room, and did not. */
void skb_no_room(const struct sk_buff *skb, u32 n) __noreturn __cold;

/* Grows at the end by @n <= skb_tailroom() bytes; returns the new bytes. */
static inline void *skb_put(struct sk_buff *skb, u32 n)
{
	u8 *at = skb->data + skb_headlen(skb);

	if (unlikely(n > (u32)(skb->end - at)))
		skb_no_room(skb, n);
	skb->len += n;
	return at;
}

/* Grows at the front by @n <= skb_headroom() bytes; returns new data. */
static inline void *skb_push(struct sk_buff *skb, u32 n)
{
	if (unlikely(n > skb_headroom(skb)))
		skb_no_room(skb, n);
	skb->data -= n;
	skb->len += n;
	return skb->data;
}

/* Shortens at the front by @n <= skb_headlen() bytes; returns new data. */
static inline void *skb_pull(struct sk_buff *skb, u32 n)
{
	skb->data += n;
	skb->len -= n;
	return skb->data;
}

/* pskb_may_pull() when bytes must be copied up. */
bool skb_pull_pieces(struct sk_buff *skb, u32 n) __must_check;

/*
 * Makes the first @n bytes contiguous (copies up from the pieces). False if
 * the packet is shorter or memory is out. After it, old pointers are stale.
 */
static inline __must_check bool pskb_may_pull(struct sk_buff *skb, u32 n)
{
	if (likely(n <= skb_headlen(skb)))
		return true;
	return skb_pull_pieces(skb, n);
}

/*
 * Cuts the packet to @len bytes in all; @len <= skb->len. Like all that free
 * pieces: truesize stays as charged until the whole packet is freed.
 */
void skb_trim(struct sk_buff *skb, u32 len);
/* Drops the first @n <= skb->len bytes, freeing emptied pieces. */
void skb_consume(struct sk_buff *skb, u32 n);
/* Copies bytes [off, off+n) out. @off + @n <= skb->len. */
void skb_copy_bits(const struct sk_buff *skb, u32 off, void *to, u32 n);
/*
 * Appends @frag (takes it over, with pieces of its own) behind @skb's last
 * piece. @frag is in no queue and counts as nobody's memory.
 */
void skb_add_frag(struct sk_buff *skb, struct sk_buff *frag);
/* A linear copy of bytes [off, off+n) with @headroom in front, or NULL. */
struct sk_buff *skb_copy_range(const struct sk_buff *skb, u32 off, u32 n,
			       u32 headroom) __must_check;

struct iov_iter;
/* Copies [off, off+n) to the iterator; bytes copied (short: EFAULT). Task. */
u32 skb_copy_to_iter(const struct sk_buff *skb, u32 off, u32 n,
		     struct iov_iter *to);

/* The same with pieces, of any length; nothing but the bytes is copied. */
struct sk_buff *skb_copy(const struct sk_buff *skb, u32 headroom) __must_check;

/* The pieces of a packet, the head first; each has skb_headlen() bytes. */
#define skb_for_each_piece(piece, skb)					\
	for (piece = (skb); piece;					\
	     piece = piece == (skb) ? (skb)->frag_list : piece->frag_next)

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

/* Ends the accounting: nobody's memory from here on. */
static inline void skb_orphan(struct sk_buff *skb)
{
	if (skb->destructor) {
		skb->destructor(skb);
		skb->destructor = NULL;
		skb->sk = NULL;
	}
}

/* Frees everything in @q. */
void skb_queue_purge(struct sk_buff_head *q);

void skb_init(void);
