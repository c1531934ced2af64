/* virtio over PCI (VIRTIO 1.2, section 4.1), modern interface, MSI-X. */
#pragma once

#include "drivers/virtio.h"

/*
 * Finds all virtio devices on PCI and calls @probe for each; a probe that
 * returns an error leaves the device alone for good. Boot, task context.
 */
void virtio_pci_scan(int (*probe)(struct virtio_device *vdev));
