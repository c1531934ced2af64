/*
 * A virtio device as its driver sees it, whatever it hangs on: PCI
 * (virtio_pci.c) or memory-mapped registers (virtio_mmio.c). VIRTIO 1.2,
 * sections 2 and 3.
 *
 * Life of a device: a transport finds it and calls the driver's probe, which
 * calls virtio_negotiate(), virtqueue_setup() for each queue (virtio_ring.h)
 * and virtio_device_ready(). Devices are never removed.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/irq.h"
#include "kernel/types.h"

#define VIRTIO_ID_NET	1
#define VIRTIO_ID_BLOCK	2
#define VIRTIO_ID_RNG	4
#define VIRTIO_ID_BALLOON 5
#define VIRTIO_ID_9P	9

/* Device status (2.1). */
#define VIRTIO_S_ACKNOWLEDGE	0x01
#define VIRTIO_S_DRIVER		0x02
#define VIRTIO_S_DRIVER_OK	0x04
#define VIRTIO_S_FEATURES_OK	0x08
#define VIRTIO_S_NEEDS_RESET	0x40
#define VIRTIO_S_FAILED		0x80

/* Feature bits of every device (6). */
#define VIRTIO_F(bit)			(1ull << (bit))
#define VIRTIO_F_ANY_LAYOUT		VIRTIO_F(27)
#define VIRTIO_F_INDIRECT_DESC		VIRTIO_F(28)
#define VIRTIO_F_EVENT_IDX		VIRTIO_F(29)
#define VIRTIO_F_VERSION_1		VIRTIO_F(32)

struct virtio_device;
struct virtqueue;

/* Linked in, it drives devices of that kind. Probe: 0 or -errno. Task. */
struct virtio_driver {
	u32 id;
	int (*probe)(struct virtio_device *vdev);
	void (*init)(void);	/* boot, after slab_init(); may be NULL */
};

#define VIRTIO_DRIVER(_id, _probe, _init)				\
	static const struct virtio_driver driver_##_probe __used	\
		__section("virtio_driver") __aligned(8) = {		\
		.id = _id, .probe = _probe, .init = _init,		\
	}

/* Weak: there may be none. */
extern const struct virtio_driver __start_virtio_driver[] __weak;
extern const struct virtio_driver __stop_virtio_driver[] __weak;

/* The devices that drivers exist for; transports pass over the others. */
static inline bool virtio_id_known(u32 id)
{
	const struct virtio_driver *d = __start_virtio_driver;

	while (d < __stop_virtio_driver && d->id != id)
		d++;
	return id == VIRTIO_ID_NET || id == VIRTIO_ID_RNG ||
	       d < __stop_virtio_driver;
}

/* What a transport can do. Task context unless said otherwise. */
struct virtio_transport_ops {
	u8 (*get_status)(struct virtio_device *vdev);
	/* 0 resets, and returns when the device has. Any context. */
	void (*set_status)(struct virtio_device *vdev, u8 status);
	u64 (*get_features)(struct virtio_device *vdev);
	void (*set_features)(struct virtio_device *vdev, u64 features);
	/* Changes whenever the configuration does; constant if legacy. */
	u32 (*generation)(struct virtio_device *vdev);
	/* Any context. */
	void (*read_config)(struct virtio_device *vdev, u32 off, void *buf,
			    u32 len);
	/* 32 bits at once. */
	void (*write_config)(struct virtio_device *vdev, u32 off, u32 v);
	/* The most entries queue @index can have; 0 if there is none. */
	u32 (*queue_max)(struct virtio_device *vdev, u32 index);
	/*
	 * Tells the device where @vq lies and binds vq->irq_fn; 0, -errno.
	 * Any context if it is for the second time, after a reset.
	 */
	int (*enable_queue)(struct virtio_device *vdev, struct virtqueue *vq);
	/* Takes the interrupts back. The device has been reset. */
	void (*unbind)(struct virtio_device *vdev);
	/* The doorbell. Any context. */
	void (*notify)(struct virtqueue *vq);
};

/* Locks: c const once probed. */
struct virtio_device {
	const struct virtio_transport_ops *ops;	/* c */
	u32 id;				/* c  VIRTIO_ID_ */
	bool legacy;			/* c  before VIRTIO 1.0 */
	bool broken;			/* stopped, until it is restarted */
	bool no_config_irq;		/* c  may miss one: look at times */
	bool no_irq;			/* c  raises none: look by yourself */
	u64 features;			/* c  agreed on */
	char name[24];			/* c  for the log */
	/* Hardirq: the configuration has changed. Set before queues. */
	irq_handler_t config_fn;	/* c */
	/* Any context: the device has been stopped. NULL: nobody asks. */
	void (*break_fn)(void *priv);	/* c */
	void *priv;			/* c  the driver's, argument to them */
};

static inline bool virtio_has(const struct virtio_device *vdev, u64 feature)
{
	return vdev->features & feature;
}

/*
 * Resets the device and agrees on features: what @choose picks of those that
 * are offered (NULL: none), and what the rings can do. 0, or -ENODEV (the
 * device insists on something else). Task.
 */
int virtio_negotiate(struct virtio_device *vdev,
		     u64 (*choose)(struct virtio_device *vdev,
				   u64 offered)) __must_check;
/*
 * The same features once more, after virtio_break(). The caller then gives the
 * device its queues (virtqueue_restart()), clears vdev->broken, and says that
 * it is ready. 0 or -ENODEV. Any context.
 */
int virtio_restart(struct virtio_device *vdev) __must_check;
/* The queues are set up: the device may start. Any context. */
void virtio_device_ready(struct virtio_device *vdev);

/*
 * Reads configuration bytes, again if they changed meanwhile (2.5.1): a
 * bounded number of times, the last answer stands. Any context.
 */
void virtio_read_config(struct virtio_device *vdev, u32 off, void *buf,
			u32 len);

/*
 * The device broke the rules: says so once, stops it (so that it touches our
 * memory no more) and marks it. Any context.
 */
void virtio_break(struct virtio_device *vdev, const char *why) __cold;
/*
 * Breaks the device if it wants to be reset (2.1.2) or has been, behind our
 * back. Any context.
 */
void virtio_check_alive(struct virtio_device *vdev);
