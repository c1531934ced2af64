/*
 * A request that a task has sent to a device and waits for. It lives in the
 * caller's frame until the device has answered.
 */
#pragma once

#include "kernel/list.h"
#include "kernel/types.h"

/* Of the driver that carries it, but for got. */
struct io_call {
	struct list_head list;
	bool done;
	int got;		/* bytes that the device wrote, or -EIO */
};
