/* virtio over memory-mapped registers (VIRTIO 1.2, section 4.2). */
#pragma once

#include "drivers/virtio.h"

/*
 * Finds the devices that the command line names (virtio_mmio.device=), or
 * else, on a machine without PCI, those in the place where QEMU's microvm
 * has them; calls @probe for each. Boot, task context.
 */
void virtio_mmio_scan(int (*probe)(struct virtio_device *vdev));

/* Handles virtio_mmio.device=SIZE@ADDRESS:IRQ[:ID]; 0 or -EINVAL. Boot. */
int virtio_mmio_param(const char *val);
