/*
 * A virtio device for tests: it lives in this process, follows the rules of
 * VIRTIO 1.2 section 2.7 when told to work, and can be made to break them.
 */
#pragma once

#include "drivers/virtio.h"
#include "drivers/virtio_ring.h"
#include "kernel/types.h"

#define FAKE_QUEUES	4
#define FAKE_PIECES	128

struct fake_virtio {
	struct virtio_device vdev;	/* what the driver gets */
	u64 offered;
	u32 queue_max;
	u32 nr_queues;
	bool refuse_features;		/* FEATURES_OK does not stick */
	int enable_error;		/* what enable_queue answers */
	bool deaf;			/* raises no interrupt at all */
	u8 status;
	unsigned int resets, unbound;
	u32 generation;
	unsigned int restless;		/* so often does it change by itself */
	unsigned int config_reads;
	u8 config[64];
	struct virtqueue *vq[FAKE_QUEUES];
	u16 next_avail[FAKE_QUEUES];	/* how far the device has read */
	unsigned int notified[FAKE_QUEUES];
	unsigned int interrupts[FAKE_QUEUES];
};

/* A chain that the device has taken. */
struct fake_chain {
	u16 head;
	unsigned int out, in;		/* pieces */
	struct {
		u8 *mem;
		u32 len;
	} piece[FAKE_PIECES];
	u32 out_len, in_len;
};

void fake_virtio_init(struct fake_virtio *f, u32 id, u64 offered);
/* Takes the next chain; false if there is none. Asks to be notified. */
bool fake_pop(struct fake_virtio *f, unsigned int q, struct fake_chain *c);
/* Gives it back, having written @len bytes; interrupts if it should. */
void fake_push(struct fake_virtio *f, unsigned int q, u16 head, u32 len);
/* The same with any id. */
void fake_push_raw(struct fake_virtio *f, unsigned int q, u32 id, u32 len);
/* How many chains wait for the device. */
unsigned int fake_waiting(struct fake_virtio *f, unsigned int q);
/* Copies between a flat buffer and the pieces. */
u32 fake_read(const struct fake_chain *c, void *buf, u32 size);
void fake_write(const struct fake_chain *c, const void *buf, u32 len);
