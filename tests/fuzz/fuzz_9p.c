/*
 * A hostile share: the 9P client and its driver, fuzz_devices.c says how. The
 * answers have the right head most of the time, and the greeting is right, or
 * nothing behind it would be reached.
 */
#include "tests/unit/unit.h"

#include "fs/p9.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "tests/fuzz/fuzz_devices.h"

#define MAX_CALLS	40
#define TAG_MAX		60u	/* what fits the fake configuration */

/* Once in a while. */
static bool odd(void)
{
	return byte(&in) % 8 == 7;
}

u32 answer_9p(const struct fake_chain *c, u8 *msg, u32 size)
{
	static const char version[] = "\x08\0" "9P2000.L";
	u8 asked[P9_HEAD] = { 0 };
	u32 n = P9_HEAD + byte(&in) % 64;

	if (c->out)
		memcpy(asked, c->piece[0].mem,
		       min(c->piece[0].len, (u32)sizeof(asked)));
	for (u32 i = P9_HEAD; i < n; i++)
		msg[i] = (u8)byte(&in);
	msg[4] = (u8)(odd() ? P9_RLERROR : asked[4] + 1);
	memcpy(msg + 5, asked + 5, 2);
	if (asked[4] == P9_TVERSION && !odd()) {
		memcpy(msg + P9_HEAD, "\0\x20\0", 4);
		memcpy(msg + P9_HEAD + 4, version, sizeof(version) - 1);
		n = P9_HEAD + 4 + sizeof(version) - 1;
	}
	if (odd())
		msg[byte(&in) % P9_HEAD] = (u8)byte(&in);
	msg[0] = (u8)n;
	msg[1] = (u8)(n >> 8);
	msg[2] = msg[3] = odd();
	return min(n, size);
}

static void call(struct p9_client *c, u32 fid)
{
	static u8 page[4096];
	struct p9_data data = { .buf = page, .in = byte(&in) & 1 };
	struct p9_qid qid;
	char text[64];
	u32 a = 0, b = 0, len = 0;
	u64 q = 0;
	int err;

	data.len = 1 + word(&in) % sizeof(page);
	begin_use();
	switch (byte(&in) % 6) {
	case 0:
		err = p9_rpc(c, data.in ? P9_TREAD : P9_TWRITE, &data,
			     "dqd|d", fid, q, data.len, &a);
		BUG_ON(!err && data.len > sizeof(page));
		break;
	case 1:
		(void)!p9_rpc(c, P9_TREADLINK, NULL, "d|s", fid, text,
			      sizeof(text), &len);
		BUG_ON(len > sizeof(text));
		break;
	case 2:
		(void)!p9_rpc(c, P9_TWALK, NULL, "ddws|wQ", fid, 1u, 1u,
			      "name", (size_t)4, &a, &qid);
		break;
	case 3:
		(void)!p9_rpc(c, P9_TSTATFS, NULL, "d|ddq", fid, &a, &b, &q);
		break;
	case 4:
		a = p9_fid_get(c);
		if (a != P9_NOFID)
			p9_fid_put(c, a, byte(&in) & 1);
		break;
	default:
		memset(page, 'n', sizeof(page));
		(void)!p9_rpc(c, P9_TMKDIR, NULL, "dsdd|Q", fid, page,
			      (size_t)(word(&in) % 1024), 0755u, 0u, &qid);
		break;
	}
}

void fuzz_9p(void)
{
	/* The program is to end: whoever waits gives up. */
	static struct sighand dying = { .exiting = true };
	struct sighand *own = current->sighand;
	struct p9_transport *t;
	struct p9_client *c;
	struct p9_qid qid;
	char tag[P9_TAG_MAX];
	u16 len = (u16)(byte(&in) % TAG_MAX);
	u32 fid;

	fake_virtio_init(&card, VIRTIO_ID_9P, VIRTIO_F_VERSION_1 |
			 VIRTIO_F_INDIRECT_DESC | VIRTIO_F(0));
	card.nr_queues = 1;
	for (u32 i = 0; i < len; i++)
		card.config[2 + i] = (u8)byte(&in);
	memcpy(card.config, &len, sizeof(len));
	memcpy(tag, card.config + 2, len);
	tag[len] = '\0';
	if (probe_driver(VIRTIO_ID_9P))
		return;
	t = p9_find(tag);
	BUG_ON(!t);
	begin_use();
	c = p9_connect(t, &fid, &qid);
	for (u32 i = 0; c && i < MAX_CALLS && in.p < in.end; i++) {
		current->sighand = odd() ? &dying : own;
		call(c, fid);
	}
	current->sighand = own;
	if (c)
		kfree(c->fids);
	kfree(c);
	list_del(&t->list);
	kfree(drop_queue(0));
}
