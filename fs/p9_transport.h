/*
 * What carries 9P messages to a server and back: a driver registers one per
 * device, fs/p9_client.c calls it.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/io_call.h"
#include "kernel/list.h"
#include "kernel/types.h"

#define P9_TAG_MAX	64u

/* A request and where its answer goes; memory that has a physical address. */
struct p9_io {
	void *out, *out2;	/* sent in that order; @out2 may be NULL */
	u32 out_len, out2_len;
	void *in, *in2;		/* filled one after the other */
	u32 in_len, in2_len;
	struct io_call call;	/* the transport's; how much came back */
};

struct p9_transport {
	struct list_head list;
	char tag[P9_TAG_MAX];	/* the share's name: mount=9p:TAG: */
	/*
	 * Sends @io, which must stay until it is done. 0 or -EIO. Task; may
	 * sleep until there is room.
	 */
	int (*send)(struct p9_transport *t, struct p9_io *io);
	/*
	 * Sleeps until @io is done: 0; or, if @killable, -EINTR when the
	 * program is to end. Task.
	 */
	int (*wait)(struct p9_transport *t, struct p9_io *io, bool killable);
};

/* Makes @t known, for good. Boot. */
void p9_register(struct p9_transport *t);
