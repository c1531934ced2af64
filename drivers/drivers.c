/* The order of drivers, read top to bottom. Called from boot/main.c. */
#include "drivers/drivers.h"

#include "drivers/debug_exit.h"
#include "drivers/serial.h"
#include "drivers/virtio.h"
#include "drivers/virtio_mmio.h"
#include "drivers/virtio_net.h"
#include "drivers/virtio_pci.h"
#include "drivers/virtio_rng.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "net/dev.h"

void drivers_early_init(void)
{
	debug_exit_init();
	serial_init();
}

void virtio_drivers_init(void)
{
	const struct virtio_driver *d;

	for (d = __start_virtio_driver; d < __stop_virtio_driver; d++) {
		if (d->init)
			d->init();
	}
}

static int probe(struct virtio_device *vdev)
{
	const struct virtio_driver *d;

	if (vdev->id == VIRTIO_ID_NET)
		return virtnet_probe(vdev);
	if (vdev->id == VIRTIO_ID_RNG)
		return virtio_rng_probe(vdev);
	for (d = __start_virtio_driver; d < __stop_virtio_driver; d++) {
		if (d->id == vdev->id)
			return d->probe(vdev);
	}
	return -ENODEV;
}

void drivers_init(void)
{
	serial_input_init();
	virtio_pci_scan(probe);
	virtio_mmio_scan(probe);
	if (!dev_first())
		pr_warn("no network card found, only the loopback works. Pollux drives virtio-net; with QEMU: -netdev user,id=n0 -device virtio-net-pci,netdev=n0 (microvm: virtio-net-device)\n");
}
