/* virtio network card (VIRTIO 1.2, section 5.1). */
#pragma once

#include "drivers/virtio.h"

/*
 * Makes @vdev a registered network device: 0, -ENODEV, -ENOMEM or what the
 * transport says; on error nothing is left behind. Boot, task context.
 */
int virtnet_probe(struct virtio_device *vdev) __must_check;
