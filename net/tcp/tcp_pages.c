/*
 * Segments whose payload stays in its pages: see the header. A piece is an skb
 * of its own with somebody else's bytes; who gets hold of it last, the write
 * queue or the device's ring, gives the page back.
 */
#include "net/tcp/tcp_pages.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/timer.h"
#include "kernel/uio.h"
#include "net/sock_errqueue.h"

/* Pieces of one segment; more than a driver would take are copied anyway. */
#define PIECES_BYTES	(16 * 384u)

struct tcp_zc_note {
	struct atomic refs;	/* a */
	struct list_head list;	/* done_lock; once they are gone */
	struct sock *sk;	/* c  referenced */
	u32 id;			/* s  of the call, once it is over */
	bool sent;		/* s  */
};

/* Notes whose pieces are all gone, in that order, and who goes through. */
static struct spinlock done_lock;
static LIST_HEAD(done_notes);
static struct timer done_timer;

/* Which note a piece's end counts for. */
static struct tcp_zc_note **note_of(struct sk_buff *piece)
{
	return (struct tcp_zc_note **)piece->cb;
}

static void tell(struct sock *sk, u32 id, u8 code)
{
	const struct sock_exterr e = { .ee = {
		.ee_origin = SO_EE_ORIGIN_ZEROCOPY,
		.ee_code = code,
		.ee_info = id,
		.ee_data = id,
	} };

	(void)sock_queue_err(sk, &e, NULL, 0);
}

/* The first of those whose last piece has gone; NULL: none. */
static struct tcp_zc_note *first_done(bool take)
{
	struct tcp_zc_note *note = NULL;
	unsigned long irq = spin_lock_irqsave(&done_lock);

	if (!list_empty(&done_notes))
		note = list_first_entry(&done_notes, struct tcp_zc_note, list);
	if (note && take)
		list_del(&note->list);
	spin_unlock_irqrestore(&done_lock, irq);
	return note;
}

/*
 * The last piece's end finds any lock held: the device's, this connection's
 * or another's. So the word is passed on from here, in order. Softirq.
 */
static void done_timer_fired(struct timer *timer)
{
	struct tcp_zc_note *note;

	while ((note = first_done(false))) {
		struct sock *sk = note->sk;
		bool owned;

		bh_lock_sock(sk);
		owned = sock_owned_by_user(sk);
		if (!owned && note->sent)
			tell(sk, note->id, 0);
		bh_unlock_sock(sk);
		if (owned) {
			mod_timer(timer, ktime_get_ns() + NSEC_PER_MSEC);
			return;
		}
		kfree(first_done(true));
		sock_put(sk);
	}
}

static void note_put(struct tcp_zc_note *note)
{
	unsigned long irq;

	if (!atomic_dec_and_test(&note->refs))
		return;
	irq = spin_lock_irqsave(&done_lock);
	list_add_tail(&note->list, &done_notes);
	spin_unlock_irqrestore(&done_lock, irq);
	mod_timer(&done_timer, 0);
}

__cold void tcp_pages_init(void)
{
	timer_setup(&done_timer, done_timer_fired);
}

struct tcp_zc_note *tcp_zc_begin(struct tcp_sock *tp)
{
	struct tcp_zc_note *note = kmalloc(sizeof(*note));

	if (note) {
		atomic_set(&note->refs, 1);
		note->sk = &tp->sk;
		note->sent = false;
		sock_hold(&tp->sk);
	}
	return note;
}

void tcp_zc_end(struct tcp_sock *tp, struct tcp_zc_note *note, bool sent)
{
	u32 id = sent ? sock_errqueue_next_id(&tp->sk) : 0;

	if (note) {
		note->id = id;
		note->sent = sent;
		note_put(note);
	} else if (sent) {
		tell(&tp->sk, id, SO_EE_CODE_ZEROCOPY_COPIED);
	}
}

static void piece_end(struct sk_buff *piece)
{
	if (piece->free_arg)
		put_page(piece->free_arg);
	if (*note_of(piece))
		note_put(*note_of(piece));
}

/* NULL: no memory. */
static struct sk_buff *make_piece(u8 *data, u32 n, struct page *page,
				  struct tcp_zc_note *note)
{
	struct sk_buff *piece = alloc_skb(0);

	if (!piece)
		return NULL;
	piece->head = data;
	piece->data = data;
	piece->end = data + n;
	piece->len = n;
	piece->truesize += n;
	piece->free_data = piece_end;
	piece->free_arg = page;
	*note_of(piece) = note;
	if (page)
		get_page(page);
	if (note)
		atomic_inc(&note->refs);
	return piece;
}

/* The last segment, if it is unsent, has pieces and takes more; else NULL. */
static struct sk_buff *open_pieces(const struct tcp_sock *tp, u32 goal)
{
	struct sk_buff *skb;

	if (!tp->send_head)
		return NULL;
	skb = list_last_entry(&tp->write_queue, struct sk_buff, tx_link);
	if (!skb->frag_list || skb->len >= goal || skb_shared(skb) ||
	    skb->truesize - skb->len >= PIECES_BYTES)
		return NULL;
	return skb;
}

ssize_t tcp_queue_run(struct tcp_sock *tp, const struct page_run *run,
		      u32 goal, struct tcp_zc_note *note)
{
	struct sk_buff *skb = open_pieces(tp, goal), *piece;
	struct sk_buff *new = skb ? NULL : tcp_alloc_tx(tp, 0, 0);
	u32 n;

	skb = skb ? skb : new;
	if (!skb)
		return -ENOBUFS;
	n = (u32)min(run->len, (size_t)(goal - skb->len));
	piece = make_piece(run->data, n, run->page, note);
	if (!piece) {
		kfree_skb(new);
		return -ENOBUFS;
	}
	tp->sk.sk_wmem_queued += (s32)piece->truesize;
	if (new)
		tcp_queue_tx(tp, new);
	skb_add_frag(skb, piece);
	tcp_tx(skb)->end_seq += n;
	tp->write_seq += n;
	return n;
}

void tcp_tx_copy(const struct sk_buff *skb, u32 off, void *to, u32 n)
{
	/* In front of the pieces are headers, or nothing yet. */
	if (skb->frag_list)
		skb_copy_bits(skb, skb_headlen(skb) + off, to, n);
	else
		memcpy(to, skb->head + tcp_tx(skb)->data_off + off, n);
}

/* Without the headers of the last transmission. */
static void bare(struct sk_buff *skb)
{
	skb->data = skb->head + tcp_tx(skb)->data_off;
	skb->len = skb->data_len;
}

void tcp_tx_consume(struct sk_buff *skb, u32 n)
{
	bare(skb);
	skb_consume(skb, n);
}

bool tcp_tx_split(struct tcp_sock *tp, struct sk_buff *skb,
		  struct sk_buff *rest, u32 len)
{
	struct sk_buff *piece = skb->frag_list, *cut = NULL, *next;
	u32 moved = 0;

	bare(skb);
	while (len > piece->len) {
		len -= piece->len;
		piece = piece->frag_next;
	}
	/* Part of this one stays, perhaps all of it; never none. */
	if (len < piece->len) {
		cut = make_piece(piece->data + len, piece->len - len,
				 piece->free_arg, *note_of(piece));
		if (!cut)
			return false;
		tp->sk.sk_wmem_queued += (s32)cut->truesize;
		skb_add_frag(rest, cut);
		skb->len -= piece->len - len;
		skb->data_len = skb->len;
		piece->len = len;
	}
	next = piece->frag_next;
	piece->frag_next = NULL;
	skb->frag_tail = piece;
	while ((piece = next)) {
		next = piece->frag_next;
		skb->len -= piece->len;
		skb->data_len = skb->len;
		moved += piece->truesize;
		skb_add_frag(rest, piece);
	}
	skb->truesize -= moved;
	return true;
}
