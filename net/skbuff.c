/*
 * Packet buffers. A packet is one slab object, struct sk_buff in front and
 * its bytes behind; the slab's per-CPU front end recycles it, so that a
 * packet costs one pop and one push. Any context; the packet's owner calls,
 * no locks here.
 */
#include "net/skbuff.h"

#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/string.h"
#include "kernel/uio.h"

/*
 * Sizes of the objects: 384, then 256 << class. The smallest holds the headers
 * of any packet (IP_MAX_HEADER and 60 bytes of TCP) and a few words of
 * payload, 2048 a full Ethernet frame.
 */
#define SMALLEST	384u
#define LARGEST		4096u
static const char *const class_name[] = {
	"skbuff_384", "skbuff_512", "skbuff_1024", "skbuff_2048", "skbuff_4096",
};
#define NR_CLASSES	ARRAY_SIZE(class_name)
#define CLASS_KMALLOC	NR_CLASSES	/* larger than all of them */

/* csum_start and the header offsets are 16 bits wide. */
#define SKB_MAX_SIZE	0xffff

static struct kmem_cache *class_cache[NR_CLASSES] __ro_after_init;

static inline u32 class_size(u32 class)
{
	return class ? 256u << class : SMALLEST;
}

/* The smallest class whose objects have @total bytes; @total <= LARGEST. */
static inline u32 class_of(u32 total)
{
	return total <= SMALLEST ? 0 : 24 - (u32)__builtin_clz(total - 1);
}

__cold void skb_init(void)
{
	for (u32 i = 0; i < NR_CLASSES; i++) {
		class_cache[i] = kmem_cache_create(class_name[i],
						   class_size(i), 64, 0);
		if (!class_cache[i])
			panic("no memory for packet buffers: give the machine "
			      "more");
	}
}

void skb_no_room(const struct sk_buff *skb, u32 n)
{
	panic("skb: %u bytes do not fit (headroom %u, tailroom %u, len %u)", n,
	      skb_headroom(skb), skb_tailroom(skb), skb->len);
}

static inline void init_skb(struct sk_buff *skb, u32 class, u32 truesize,
			    u32 reserve)
{
	skb->frag_list = NULL;
	skb->dev = NULL;
	skb->destructor = NULL;
	skb->head = (u8 *)(skb + 1);
	skb->data = skb->head + reserve;
	skb->end = (u8 *)skb + truesize;
	skb->len = 0;
	skb->data_len = 0;
	skb->truesize = truesize;
	atomic_set(&skb->refs, 1);
	skb->network_header = 0;
	skb->transport_header = 0;
	skb->gso_size = 0;
	skb->gso_segs = 0;
	skb->gso_type = 0;
	skb->ip_summed = CHECKSUM_NONE;
	skb->csum_start = 0;
	skb->csum_offset = 0;
	skb->size_class = (u8)class;
	skb->free_data = NULL;
}

static noinline __cold struct sk_buff *alloc_large(u32 size)
{
	u32 total = size + sizeof(struct sk_buff);
	struct sk_buff *skb;

	if (size > SKB_MAX_SIZE)
		return NULL;
	skb = kmalloc(total);
	if (skb)
		init_skb(skb, CLASS_KMALLOC, total, 0);
	return skb;
}

__flatten struct sk_buff *alloc_skb(u32 size)
{
	struct sk_buff *skb;
	u32 class;

	if (unlikely(size > SKB_MAX_LINEAR))
		return alloc_large(size);
	class = class_of(size + sizeof(*skb));
	skb = kmem_cache_alloc(class_cache[class]);
	if (likely(skb))
		init_skb(skb, class, class_size(class), 0);
	return skb;
}

static noinline void free_large(struct sk_buff *skb)
{
	kfree(skb);
}

u32 alloc_skb_bulk(u32 size, u32 reserve, u32 n, struct sk_buff **skb)
{
	u32 class = class_of(size + sizeof(**skb));

	n = kmem_cache_alloc_bulk(class_cache[class], n, (void **)skb);
	for (u32 i = 0; i < n; i++)
		init_skb(skb[i], class, class_size(class), reserve);
	return n;
}

static inline void free_object(struct sk_buff *skb)
{
	if (likely(skb->size_class < CLASS_KMALLOC))
		kmem_cache_free(class_cache[skb->size_class], skb);
	else
		free_large(skb);
}

/* Pieces, what they borrowed included. */
static noinline void free_pieces(struct sk_buff *piece)
{
	while (piece) {
		struct sk_buff *next = piece->frag_next;

		if (piece->free_data)
			piece->free_data(piece);
		free_object(piece);
		piece = next;
	}
}

/* Who is to be told, what is borrowed, or in pieces. */
static noinline __flatten void free_odd(struct sk_buff *skb)
{
	if (skb->destructor)
		skb->destructor(skb);
	if (skb->frag_list)
		free_pieces(skb->frag_list);
	if (skb->free_data)
		skb->free_data(skb);
	free_object(skb);
}

__flatten void kfree_skb(struct sk_buff *skb)
{
	if (unlikely(!skb))
		return;
	/* The only holder needs no locked instruction to find that out. */
	if (atomic_read(&skb->refs) != 1 && !atomic_dec_and_test(&skb->refs))
		return;
	if ((uintptr_t)skb->destructor | (uintptr_t)skb->frag_list |
	    (uintptr_t)skb->free_data)
		free_odd(skb);
	else
		free_object(skb);
}

void kfree_skb_reason(struct sk_buff *skb, enum drop_reason why)
{
	if (!skb)
		return;
	count_drop(why, skb->len);
	kfree_skb(skb);
}

void skb_queue_purge(struct sk_buff_head *q)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(q)))
		kfree_skb(skb);
}

static void free_kmalloc_data(struct sk_buff *skb)
{
	kfree(skb->free_arg);
}

/* Moves the first piece to larger memory, with room for @n bytes of data. */
static bool skb_expand_head(struct sk_buff *skb, u32 n)
{
	u32 headroom = skb_headroom(skb);
	u8 *head = kmalloc(headroom + n);

	if (!head)
		return false;
	memcpy(head, skb->head, headroom + skb_headlen(skb));
	if (skb->free_data)
		skb->free_data(skb);
	skb->free_data = free_kmalloc_data;
	skb->free_arg = head;
	skb->head = head;
	skb->data = head + headroom;
	skb->end = skb->data + n;
	return true;
}

/* Drops @n bytes from the front of the pieces; @n <= skb->data_len. */
static void consume_pieces(struct sk_buff *skb, u32 n)
{
	skb->len -= n;
	skb->data_len -= n;
	while (n) {
		struct sk_buff *piece = skb->frag_list;

		if (n < piece->len) {
			skb_pull(piece, n);
			return;
		}
		n -= piece->len;
		skb->frag_list = piece->frag_next;
		piece->frag_next = NULL;
		free_pieces(piece);
	}
	if (!skb->frag_list)
		skb->frag_tail = NULL;
}

bool skb_pull_pieces(struct sk_buff *skb, u32 n)
{
	u32 have = skb_headlen(skb);
	u32 more = n - have;

	if (n > skb->len)
		return false;
	if (skb_tailroom(skb) < more && !skb_expand_head(skb, n))
		return false;
	skb_copy_bits(skb, have, skb->data + have, more);
	consume_pieces(skb, more);
	skb->len += more;
	return true;
}

void skb_consume(struct sk_buff *skb, u32 n)
{
	u32 linear = min(n, skb_headlen(skb));

	skb_pull(skb, linear);
	if (n > linear)
		consume_pieces(skb, n - linear);
}

void skb_trim(struct sk_buff *skb, u32 len)
{
	u32 left = len;
	struct sk_buff *piece;

	if (len <= skb_headlen(skb)) {
		free_pieces(skb->frag_list);
		skb->frag_list = NULL;
		skb->frag_tail = NULL;
		skb->data_len = 0;
		skb->len = len;
		return;
	}
	left -= skb_headlen(skb);
	piece = skb->frag_list;
	while (left > piece->len) {
		left -= piece->len;
		piece = piece->frag_next;
	}
	piece->len = left;
	free_pieces(piece->frag_next);
	piece->frag_next = NULL;
	skb->frag_tail = piece;
	skb->data_len -= skb->len - len;
	skb->len = len;
}

void skb_add_frag(struct sk_buff *skb, struct sk_buff *frag)
{
	struct sk_buff *last = frag;
	u32 len = frag->len;

	if (frag->frag_list) {
		last = frag->frag_tail;
		frag->frag_next = frag->frag_list;
		frag->frag_list = NULL;
		frag->len -= frag->data_len;
		frag->data_len = 0;
	} else {
		frag->frag_next = NULL;
	}
	if (skb->frag_list)
		skb->frag_tail->frag_next = frag;
	else
		skb->frag_list = frag;
	skb->frag_tail = last;
	skb->len += len;
	skb->data_len += len;
	skb->truesize += frag->truesize;
}

void skb_copy_bits(const struct sk_buff *skb, u32 off, void *to, u32 n)
{
	const struct sk_buff *piece;
	u8 *out = to;

	skb_for_each_piece(piece, skb) {
		u32 have = skb_headlen(piece);
		u32 run;

		if (!n)
			return;
		if (off >= have) {
			off -= have;
			continue;
		}
		run = min(have - off, n);
		memcpy(out, piece->data + off, run);
		out += run;
		n -= run;
		off = 0;
	}
	BUG_ON(n);
}

static noinline u32 copy_pieces_to_iter(const struct sk_buff *skb, u32 off,
					u32 n, struct iov_iter *to)
{
	const struct sk_buff *piece;
	u32 done = 0;

	skb_for_each_piece(piece, skb) {
		u32 have = skb_headlen(piece);
		u32 run, copied;

		if (off >= have) {
			off -= have;
			continue;
		}
		run = min(have - off, n - done);
		copied = (u32)copy_to_iter(piece->data + off, run, to);
		done += copied;
		off = 0;
		if (copied < run || done == n)
			break;
	}
	return done;
}

u32 skb_copy_to_iter(const struct sk_buff *skb, u32 off, u32 n,
		     struct iov_iter *to)
{
	if (unlikely(off + n > skb_headlen(skb)))
		return copy_pieces_to_iter(skb, off, n, to);
	return (u32)copy_to_iter(skb->data + off, n, to);
}

struct sk_buff *skb_copy_range(const struct sk_buff *skb, u32 off, u32 n,
			       u32 headroom)
{
	struct sk_buff *copy = alloc_skb(headroom + n);

	if (!copy)
		return NULL;
	skb_reserve(copy, headroom);
	skb_copy_bits(skb, off, skb_put(copy, n), n);
	return copy;
}

__cold struct sk_buff *skb_copy(const struct sk_buff *skb, u32 headroom)
{
	u32 n = min(skb->len, (u32)SKB_MAX_LINEAR - headroom);
	struct sk_buff *copy = skb_copy_range(skb, 0, n, headroom);
	u32 off;

	for (off = n; copy && off < skb->len; off += n) {
		struct sk_buff *piece;

		n = min(skb->len - off, (u32)SKB_MAX_LINEAR);
		piece = skb_copy_range(skb, off, n, 0);
		if (!piece) {
			kfree_skb(copy);
			return NULL;
		}
		skb_add_frag(copy, piece);
	}
	return copy;
}
