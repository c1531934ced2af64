/*
 * The PCI transport of virtio. Four register areas lie where vendor
 * capabilities say; each is checked against its BAR and mapped. The doorbell
 * is one 16-bit write, an interrupt (MSI-X) needs no register access at all.
 * Used at boot, but for set_status (virtio_break) and read_config.
 */
#include "drivers/virtio_pci.h"

#include "drivers/pci.h"
#include "drivers/virtio_ring.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/x86/io.h"

#define VIRTIO_VENDOR		0x1af4
#define DEVICE_TRANSITIONAL	0x1000	/* to 0x103f; id is the subsystem */
#define DEVICE_MODERN		0x1040	/* to 0x107f; id is the difference */
#define DEVICE_END		0x1080

/* Vendor capability (4.1.4). */
#define CAP_LEN			2
#define CAP_TYPE		3
#define CAP_BAR			4
#define CAP_OFFSET		8
#define CAP_LENGTH		12
#define CAP_NOTIFY_MULTIPLIER	16
#define CAP_SIZE		16
#define CAP_NOTIFY_SIZE		20

enum area_type {
	AREA_COMMON = 1,
	AREA_NOTIFY = 2,
	AREA_ISR = 3,
	AREA_DEVICE = 4,
};

/* Common configuration (4.1.4.3). */
#define COMMON_DEVICE_FEATURE_SELECT	0x00
#define COMMON_DEVICE_FEATURE		0x04
#define COMMON_DRIVER_FEATURE_SELECT	0x08
#define COMMON_DRIVER_FEATURE		0x0c
#define COMMON_MSIX_CONFIG		0x10
#define COMMON_DEVICE_STATUS		0x14
#define COMMON_GENERATION		0x15
#define COMMON_QUEUE_SELECT		0x16
#define COMMON_QUEUE_SIZE		0x18
#define COMMON_QUEUE_MSIX		0x1a
#define COMMON_QUEUE_ENABLE		0x1c
#define COMMON_QUEUE_NOTIFY_OFF		0x1e
#define COMMON_QUEUE_DESC		0x20
#define COMMON_QUEUE_DRIVER		0x28
#define COMMON_QUEUE_DEVICE		0x30
#define COMMON_SIZE			0x38

#define NO_VECTOR	0xffff
#define VECTORS_MAX	4
/* More of an area than this nobody needs. */
#define AREA_MAX	65536u
#define RESET_PATIENCE	1000000u

/* Locks: c const once probed. */
struct virtio_pci {
	struct virtio_device vdev;
	struct pci_dev pci;		/* c */
	volatile u8 *common;		/* c */
	volatile u8 *notify;		/* c */
	volatile u8 *device;		/* c  NULL: no configuration */
	u32 notify_len;			/* c */
	u32 notify_multiplier;		/* c */
	u32 device_len;			/* c */
	u16 used_msix;			/* c  MSI-X entries given out */
	u16 config_msix;		/* c  the configuration's */
	int vectors[VECTORS_MAX];	/* c  and what they raise */
	irq_handler_t last_fn;		/* c  what the newest one calls */
	void *last_data;		/* c */
};

static struct virtio_pci *to_vp(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_pci, vdev);
}

static u8 vp_get_status(struct virtio_device *vdev)
{
	return readb(to_vp(vdev)->common + COMMON_DEVICE_STATUS);
}

static void vp_set_status(struct virtio_device *vdev, u8 status)
{
	struct virtio_pci *vp = to_vp(vdev);

	writeb(status, vp->common + COMMON_DEVICE_STATUS);
	/* 4.1.4.3.1: a reset is done when the status reads 0. */
	for (u32 i = 0; !status && i < RESET_PATIENCE; i++) {
		if (!vp_get_status(vdev))
			return;
	}
}

static u64 vp_get_features(struct virtio_device *vdev)
{
	struct virtio_pci *vp = to_vp(vdev);
	u64 features;

	writel(0, vp->common + COMMON_DEVICE_FEATURE_SELECT);
	features = readl(vp->common + COMMON_DEVICE_FEATURE);
	writel(1, vp->common + COMMON_DEVICE_FEATURE_SELECT);
	return features |
	       (u64)readl(vp->common + COMMON_DEVICE_FEATURE) << 32;
}

static void vp_set_features(struct virtio_device *vdev, u64 features)
{
	struct virtio_pci *vp = to_vp(vdev);

	writel(0, vp->common + COMMON_DRIVER_FEATURE_SELECT);
	writel((u32)features, vp->common + COMMON_DRIVER_FEATURE);
	writel(1, vp->common + COMMON_DRIVER_FEATURE_SELECT);
	writel((u32)(features >> 32), vp->common + COMMON_DRIVER_FEATURE);
}

static u32 vp_generation(struct virtio_device *vdev)
{
	return readb(to_vp(vdev)->common + COMMON_GENERATION);
}

/* Bytes that the device does not have read as 0. */
static void vp_read_config(struct virtio_device *vdev, u32 off, void *buf,
			   u32 len)
{
	struct virtio_pci *vp = to_vp(vdev);
	u8 *to = buf;

	for (u32 i = 0; i < len; i++)
		to[i] = off + i < vp->device_len ?
			readb(vp->device + off + i) : 0;
}

static void vp_write_config(struct virtio_device *vdev, u32 off, u32 v)
{
	struct virtio_pci *vp = to_vp(vdev);

	if (off + sizeof(v) <= vp->device_len)
		writel(v, vp->device + off);
}

static u32 vp_queue_max(struct virtio_device *vdev, u32 index)
{
	struct virtio_pci *vp = to_vp(vdev);

	writew((u16)index, vp->common + COMMON_QUEUE_SELECT);
	return readw(vp->common + COMMON_QUEUE_SIZE);
}

static void vp_notify(struct virtqueue *vq)
{
	writew((u16)vq->index, vq->doorbell);
}

/*
 * An MSI-X entry that calls fn(data): the newest one if it does that
 * already. NO_VECTOR if there is none left.
 */
static u16 bind_msix(struct virtio_pci *vp, irq_handler_t fn, void *data)
{
	int vector;

	if (!fn)
		return NO_VECTOR;
	if (fn == vp->last_fn && data == vp->last_data)
		return vp->used_msix - 1;
	if (vp->used_msix >= min(vp->pci.nr_msix, VECTORS_MAX))
		return NO_VECTOR;
	vector = request_irq(fn, data, vp->vdev.name);
	if (vector < 0)
		return NO_VECTOR;
	pci_msix_set(&vp->pci, vp->used_msix, msi_compose(vector));
	vp->vectors[vp->used_msix] = vector;
	vp->last_fn = fn;
	vp->last_data = data;
	return vp->used_msix++;
}

/*
 * The first queue with interrupts brings the configuration's along. A reset
 * makes the device forget which entry it was, so each queue tells it again.
 */
static void bind_config(struct virtio_pci *vp)
{
	if (vp->pci.nr_msix < 2) {
		vp->vdev.no_config_irq = true;
		return;
	}
	if (!vp->used_msix)
		vp->config_msix = bind_msix(vp, vp->vdev.config_fn,
					    vp->vdev.priv);
	writew(vp->config_msix, vp->common + COMMON_MSIX_CONFIG);
}

static void write_address(volatile u8 *reg, const volatile void *va)
{
	phys_addr_t pa = virt_to_phys((const void *)va);

	writel((u32)pa, reg);
	writel((u32)(pa >> 32), reg + 4);
}

static int vp_enable_queue(struct virtio_device *vdev, struct virtqueue *vq)
{
	struct virtio_pci *vp = to_vp(vdev);
	volatile u8 *common = vp->common;
	u16 entry;
	u64 off;

	writew((u16)vq->index, common + COMMON_QUEUE_SELECT);
	off = (u64)readw(common + COMMON_QUEUE_NOTIFY_OFF) *
	      vp->notify_multiplier;
	if (off + 2 > vp->notify_len) {
		pr_err("%s: doorbell of queue %u lies outside its BAR\n",
		       vdev->name, vq->index);
		return -EINVAL;
	}
	vq->doorbell = vp->notify + off;
	bind_config(vp);
	entry = bind_msix(vp, vq->irq_fn, vq->irq_data);
	writew(entry, common + COMMON_QUEUE_MSIX);
	if (vq->irq_fn && readw(common + COMMON_QUEUE_MSIX) == NO_VECTOR)
		vdev->no_irq = true;
	writew(vq->num, common + COMMON_QUEUE_SIZE);
	write_address(common + COMMON_QUEUE_DESC, vq->desc);
	write_address(common + COMMON_QUEUE_DRIVER, vq->avail);
	write_address(common + COMMON_QUEUE_DEVICE, vq->used);
	writew(1, common + COMMON_QUEUE_ENABLE);
	return 0;
}

static void vp_unbind(struct virtio_device *vdev)
{
	struct virtio_pci *vp = to_vp(vdev);

	while (vp->used_msix)
		free_irq(vp->vectors[--vp->used_msix]);
	vp->last_fn = NULL;
}

static const struct virtio_transport_ops vp_ops = {
	.get_status = vp_get_status,
	.set_status = vp_set_status,
	.get_features = vp_get_features,
	.set_features = vp_set_features,
	.generation = vp_generation,
	.read_config = vp_read_config,
	.write_config = vp_write_config,
	.queue_max = vp_queue_max,
	.enable_queue = vp_enable_queue,
	.unbind = vp_unbind,
	.notify = vp_notify,
};

/*
 * Maps the first area of @type that is at least @min bytes long and wholly
 * inside its BAR (4.1.4: later ones are alternatives). NULL if there is none.
 */
static volatile u8 *map_area(struct virtio_pci *vp, enum area_type type,
			     u32 min, u32 *len)
{
	u16 bdf = vp->pci.bdf;
	u8 need = type == AREA_NOTIFY ? CAP_NOTIFY_SIZE : CAP_SIZE;
	u8 pos = 0;

	while ((pos = pci_find_capability(&vp->pci, PCI_CAP_ID_VENDOR, pos))) {
		volatile void *area;
		u32 off;

		if (pci_conf_read8(bdf, pos + CAP_TYPE) != type ||
		    pci_conf_read8(bdf, pos + CAP_LEN) < need ||
		    pos + need > 256)
			continue;
		off = pci_conf_read32(bdf, pos + CAP_OFFSET);
		*len = pci_conf_read32(bdf, pos + CAP_LENGTH);
		if (*len < min)
			continue;
		*len = min(*len, AREA_MAX);
		area = pci_map(&vp->pci, pci_conf_read8(bdf, pos + CAP_BAR),
			       off, *len);
		if (!area)
			continue;
		if (type == AREA_NOTIFY)
			vp->notify_multiplier = pci_conf_read32(
				bdf, pos + CAP_NOTIFY_MULTIPLIER);
		return area;
	}
	*len = 0;
	return NULL;
}

static u32 virtio_id(const struct pci_dev *dev)
{
	if (dev->device >= DEVICE_MODERN)
		return dev->device - DEVICE_MODERN;
	return pci_conf_read16(dev->bdf, PCI_SUBSYSTEM_ID);
}

static int set_up(struct virtio_pci *vp)
{
	u32 common_len;
	int err;

	pci_enable(&vp->pci);
	vp->common = map_area(vp, AREA_COMMON, COMMON_SIZE, &common_len);
	vp->notify = map_area(vp, AREA_NOTIFY, 2, &vp->notify_len);
	vp->device = map_area(vp, AREA_DEVICE, 1, &vp->device_len);
	if (!vp->common || !vp->notify) {
		pr_err("%s: no usable VIRTIO 1.0 interface; with QEMU, give the device disable-modern=off\n",
		       vp->vdev.name);
		return -ENODEV;
	}
	err = pci_msix_init(&vp->pci);
	if (err < 0) {
		vp->vdev.no_irq = true;
		pr_warn("%s: no MSI-X, so it is polled, which is slow; with QEMU, give the device vectors=3\n",
			vp->vdev.name);
	}
	return 0;
}

static void found(const struct pci_dev *dev, void *arg)
{
	int (*const *probe)(struct virtio_device *vdev) = arg;
	struct virtio_pci *vp;

	if (dev->vendor != VIRTIO_VENDOR || dev->device >= DEVICE_END ||
	    dev->device < DEVICE_TRANSITIONAL ||
	    !virtio_id_known(virtio_id(dev)))
		return;
	vp = kzalloc(sizeof(*vp));
	if (!vp) {
		pr_err("virtio-pci: no memory for a device: give the machine more\n");
		return;
	}
	vp->pci = *dev;
	vp->vdev.ops = &vp_ops;
	vp->vdev.id = virtio_id(dev);
	snprintf(vp->vdev.name, sizeof(vp->vdev.name), "virtio-pci %02x:%02x.%x",
		 dev->bdf >> 8, dev->bdf >> 3 & 31, dev->bdf & 7);
	/* The registers of one that failed stay mapped. */
	if (set_up(vp) || (*probe)(&vp->vdev))
		kfree(vp);
}

void virtio_pci_scan(int (*probe)(struct virtio_device *vdev))
{
	pci_scan(found, &probe);
}
