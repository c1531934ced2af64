/*
 * What all virtio devices share, whatever bus they are on: agreeing on
 * features, going live, reading the configuration, giving up on a device.
 */
#include "drivers/virtio.h"

#include "kernel/errno.h"
#include "kernel/printk.h"

#define RING_FEATURES (VIRTIO_F_ANY_LAYOUT | VIRTIO_F_INDIRECT_DESC | \
		       VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)
#define CONFIG_TRIES 8

static void add_status(struct virtio_device *vdev, u8 bits)
{
	vdev->ops->set_status(vdev, vdev->ops->get_status(vdev) | bits);
}

/* 3.1.1, up to where features are agreed on: what the device offers. */
static u64 begin(struct virtio_device *vdev)
{
	vdev->ops->set_status(vdev, 0);
	add_status(vdev, VIRTIO_S_ACKNOWLEDGE);
	add_status(vdev, VIRTIO_S_DRIVER);
	return vdev->ops->get_features(vdev);
}

/* Asks for vdev->features; 0, or -ENODEV if the device refuses them. */
static int agree(struct virtio_device *vdev, u64 offered)
{
	if (vdev->features & ~offered ||
	    (!vdev->legacy && !(offered & VIRTIO_F_VERSION_1)))
		goto refused;
	vdev->ops->set_features(vdev, vdev->features);
	if (vdev->legacy)
		return 0;
	/* 3.1.1: the device answers whether it can live with our choice. */
	add_status(vdev, VIRTIO_S_FEATURES_OK);
	if (vdev->ops->get_status(vdev) & VIRTIO_S_FEATURES_OK)
		return 0;
refused:
	pr_err("%s: device does not accept features %llx of %llx; it is left alone\n",
	       vdev->name, (unsigned long long)vdev->features,
	       (unsigned long long)offered);
	add_status(vdev, VIRTIO_S_FAILED);
	return -ENODEV;
}

int virtio_negotiate(struct virtio_device *vdev,
		     u64 (*choose)(struct virtio_device *vdev, u64 offered))
{
	u64 offered = begin(vdev);

	vdev->features = offered & RING_FEATURES;
	if (choose)
		vdev->features |= offered & choose(vdev, offered);
	if (vdev->legacy)
		vdev->features &= ~VIRTIO_F_VERSION_1;
	return agree(vdev, offered);
}

int virtio_restart(struct virtio_device *vdev)
{
	return agree(vdev, begin(vdev));
}

void virtio_device_ready(struct virtio_device *vdev)
{
	add_status(vdev, VIRTIO_S_DRIVER_OK);
}

void virtio_read_config(struct virtio_device *vdev, u32 off, void *buf,
			u32 len)
{
	u32 before, after = vdev->ops->generation(vdev);

	for (unsigned int i = 0; i < CONFIG_TRIES; i++) {
		before = after;
		vdev->ops->read_config(vdev, off, buf, len);
		after = vdev->ops->generation(vdev);
		if (before == after)
			return;
	}
}

void virtio_break(struct virtio_device *vdev, const char *why)
{
	if (vdev->broken)
		return;
	vdev->broken = true;
	vdev->ops->set_status(vdev, 0);
	pr_err("%s: device breaks the rules (%s); it is stopped. Tell whoever wrote the device\n",
	       vdev->name, why);
	if (vdev->break_fn)
		vdev->break_fn(vdev->priv);
}

void virtio_check_alive(struct virtio_device *vdev)
{
	u8 status = vdev->broken ? VIRTIO_S_DRIVER_OK :
				   vdev->ops->get_status(vdev);

	if (status & VIRTIO_S_NEEDS_RESET)
		virtio_break(vdev, "wants to be reset");
	else if (!(status & VIRTIO_S_DRIVER_OK))
		virtio_break(vdev, "forgot that it was started");
}
