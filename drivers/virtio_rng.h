/* virtio entropy device (VIRTIO 1.2, section 5.4). */
#pragma once

#include "drivers/virtio.h"

/*
 * Starts @vdev: asks for entropy at once and every few minutes, and hands it
 * to add_entropy() when it comes. Waits for it (at most 200 ms) only if the
 * generator has nothing else to go by. 0 or -errno. Boot, task context.
 */
int virtio_rng_probe(struct virtio_device *vdev) __must_check;
