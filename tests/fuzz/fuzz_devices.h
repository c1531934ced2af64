/* What the devices of fuzz_devices.c have in common. */
#pragma once

#include "tests/fuzz/input.h"
#include "tests/unit/fake_virtio.h"

extern struct fake_virtio card;
extern struct input in;

/* A driver's function is called: the device has its patience once more. */
void begin_use(void);
/* Frees the queue; what the driver gave as its interrupt's data. */
void *drop_queue(unsigned int q);
/* That driver's probe. */
int probe_driver(u32 id);

void fuzz_9p(void);
/* An answer to what @c asks that the client may well take. */
u32 answer_9p(const struct fake_chain *c, u8 *msg, u32 size);
void fuzz_balloon(void);
