/*
 * The MMIO transport of virtio, version 2 and legacy version 1 (QEMU's
 * microvm has version 1 unless told otherwise). One interrupt line, level
 * triggered, for everything; it costs one register write to take it back.
 *
 * Where devices are: the command line says (virtio_mmio.device=), or, when it
 * does not (microvm with ACPI), the fixed window of microvm is looked at.
 */
#include "drivers/virtio_mmio.h"

#include "drivers/pci.h"
#include "drivers/virtio_ring.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/x86/io.h"

/* Registers (4.2.2, 4.2.4 for legacy). */
#define REG_MAGIC		0x000
#define REG_VERSION		0x004
#define REG_DEVICE_ID		0x008
#define REG_DEVICE_FEATURES	0x010
#define REG_DEVICE_FEATURES_SEL	0x014
#define REG_DRIVER_FEATURES	0x020
#define REG_DRIVER_FEATURES_SEL	0x024
#define REG_GUEST_PAGE_SIZE	0x028	/* legacy */
#define REG_QUEUE_SEL		0x030
#define REG_QUEUE_NUM_MAX	0x034
#define REG_QUEUE_NUM		0x038
#define REG_QUEUE_ALIGN		0x03c	/* legacy */
#define REG_QUEUE_PFN		0x040	/* legacy */
#define REG_QUEUE_READY		0x044
#define REG_QUEUE_NOTIFY	0x050
#define REG_INTERRUPT_STATUS	0x060
#define REG_INTERRUPT_ACK	0x064
#define REG_STATUS		0x070
#define REG_QUEUE_DESC		0x080
#define REG_QUEUE_DRIVER	0x090
#define REG_QUEUE_DEVICE	0x0a0
#define REG_GENERATION		0x0fc
#define REG_CONFIG		0x100

#define MAGIC			0x74726976u	/* "virt" */
#define INT_USED		1u
#define INT_CONFIG		2u
#define RESET_PATIENCE		1000000u

/*
 * microvm (QEMU hw/i386/microvm.c): slots of 512 bytes; slot n interrupts at
 * I/O APIC input 24 + n if there is a second one, else 16 + n, or 5 + n
 * without ACPI.
 */
#define WINDOW_BASE		0xfeb00000ull
#define SLOT_SIZE		512u
#define WINDOW_SLOTS		24u

#define DEVICES_MAX		8	/* named on the command line */
#define QUEUES_MAX		4

/* Locks: c const once probed. */
struct virtio_mmio {
	struct virtio_device vdev;
	volatile u8 *regs;		/* c */
	int vector;			/* c  -1 before the first queue */
	u32 gsi[3];			/* c  the first, else the others */
	struct virtqueue *queues[QUEUES_MAX]; /* c  that want interrupts */
	unsigned int nr_queues;		/* c */
};

/* One virtio_mmio.device= word. */
struct mmio_place {
	u64 base, size, gsi;
};

static struct mmio_place places[DEVICES_MAX];
static unsigned int nr_places;

static struct virtio_mmio *to_vm(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_mmio, vdev);
}

static u8 vm_get_status(struct virtio_device *vdev)
{
	return (u8)readl(to_vm(vdev)->regs + REG_STATUS);
}

static void vm_set_status(struct virtio_device *vdev, u8 status)
{
	struct virtio_mmio *vm = to_vm(vdev);

	writel(status, vm->regs + REG_STATUS);
	for (u32 i = 0; !status && i < RESET_PATIENCE; i++) {
		if (!vm_get_status(vdev))
			return;
	}
}

static u64 vm_get_features(struct virtio_device *vdev)
{
	struct virtio_mmio *vm = to_vm(vdev);
	u64 features;

	writel(0, vm->regs + REG_DEVICE_FEATURES_SEL);
	features = readl(vm->regs + REG_DEVICE_FEATURES);
	if (vdev->legacy)
		return features;
	writel(1, vm->regs + REG_DEVICE_FEATURES_SEL);
	return features | (u64)readl(vm->regs + REG_DEVICE_FEATURES) << 32;
}

static void vm_set_features(struct virtio_device *vdev, u64 features)
{
	struct virtio_mmio *vm = to_vm(vdev);

	writel(0, vm->regs + REG_DRIVER_FEATURES_SEL);
	writel((u32)features, vm->regs + REG_DRIVER_FEATURES);
	if (vdev->legacy) {
		writel(PAGE_SIZE, vm->regs + REG_GUEST_PAGE_SIZE);
		return;
	}
	writel(1, vm->regs + REG_DRIVER_FEATURES_SEL);
	writel((u32)(features >> 32), vm->regs + REG_DRIVER_FEATURES);
}

static u32 vm_generation(struct virtio_device *vdev)
{
	return vdev->legacy ? 0 : readl(to_vm(vdev)->regs + REG_GENERATION);
}

static void vm_read_config(struct virtio_device *vdev, u32 off, void *buf,
			   u32 len)
{
	volatile u8 *config = to_vm(vdev)->regs + REG_CONFIG;
	u8 *to = buf;

	for (u32 i = 0; i < len; i++)
		to[i] = off + i < SLOT_SIZE - REG_CONFIG ?
			readb(config + off + i) : 0;
}

static void vm_write_config(struct virtio_device *vdev, u32 off, u32 v)
{
	writel(v, to_vm(vdev)->regs + REG_CONFIG + off);
}

static u32 vm_queue_max(struct virtio_device *vdev, u32 index)
{
	struct virtio_mmio *vm = to_vm(vdev);

	writel(index, vm->regs + REG_QUEUE_SEL);
	return readl(vm->regs + REG_QUEUE_NUM_MAX);
}

static void vm_notify(struct virtqueue *vq)
{
	writel(vq->index, vq->doorbell);
}

/* Neighbours that share a handler need one call. */
static void call_queues(struct virtio_mmio *vm)
{
	struct virtqueue *last = NULL;

	for (unsigned int i = 0; i < vm->nr_queues; i++) {
		struct virtqueue *vq = vm->queues[i];

		if (!last || last->irq_fn != vq->irq_fn ||
		    last->irq_data != vq->irq_data)
			vq->irq_fn(vq->irq_data);
		last = vq;
	}
}

static bool some_used(const struct virtio_mmio *vm)
{
	for (unsigned int i = 0; i < vm->nr_queues; i++) {
		if (virtqueue_more_used(vm->queues[i]))
			return true;
	}
	return false;
}

/*
 * Hardirq. If the rings say what the interrupt is for, no register is read,
 * and both causes are taken back blindly: the line must fall, else the
 * interrupt would repeat before any softirq could run. A change of the
 * configuration at that very moment goes unnoticed (no_config_irq).
 */
static void vm_interrupt(void *data)
{
	struct virtio_mmio *vm = data;
	u32 cause = INT_USED;

	if (likely(some_used(vm))) {
		writel(INT_USED | INT_CONFIG, vm->regs + REG_INTERRUPT_ACK);
	} else {
		cause = readl(vm->regs + REG_INTERRUPT_STATUS);
		writel(cause, vm->regs + REG_INTERRUPT_ACK);
	}
	if (cause & INT_USED)
		call_queues(vm);
	if ((cause & INT_CONFIG) && vm->vdev.config_fn)
		vm->vdev.config_fn(vm->vdev.priv);
}

/*
 * An input that is not wired never fires, so where the place leaves two
 * possible, both are routed.
 */
static bool route(const struct virtio_mmio *vm)
{
	bool found = !ioapic_route(vm->gsi[0], vm->vector, true);

	if (found)
		return true;
	for (unsigned int i = 1; i < ARRAY_SIZE(vm->gsi); i++)
		found |= !ioapic_route(vm->gsi[i], vm->vector, true);
	return found;
}

/* Takes the line when the first queue wants it. */
static void bind_line(struct virtio_mmio *vm)
{
	if (vm->vector >= 0)
		return;
	vm->vector = request_irq(vm_interrupt, vm, vm->vdev.name);
	if (vm->vector >= 0 && route(vm))
		return;
	if (vm->vector >= 0)
		free_irq(vm->vector);
	vm->vector = -1;
	vm->vdev.no_irq = true;
	pr_warn("%s: no interrupt (input %u), so it is polled, which is slow\n",
		vm->vdev.name, vm->gsi[0]);
}

static void write_address(volatile u8 *reg, const volatile void *va)
{
	phys_addr_t pa = virt_to_phys((const void *)va);

	writel((u32)pa, reg);
	writel((u32)(pa >> 32), reg + 4);
}

static bool is_bound(const struct virtio_mmio *vm, const struct virtqueue *vq)
{
	for (unsigned int i = 0; i < vm->nr_queues; i++) {
		if (vm->queues[i] == vq)
			return true;
	}
	return false;
}

static int vm_enable_queue(struct virtio_device *vdev, struct virtqueue *vq)
{
	struct virtio_mmio *vm = to_vm(vdev);
	volatile u8 *regs = vm->regs;

	vq->doorbell = regs + REG_QUEUE_NOTIFY;
	if (vq->irq_fn && !is_bound(vm, vq)) {
		if (vm->nr_queues == QUEUES_MAX)
			return -ENOSPC;
		bind_line(vm);
		vm->queues[vm->nr_queues++] = vq;
	}
	writel(vq->index, regs + REG_QUEUE_SEL);
	writel(vq->num, regs + REG_QUEUE_NUM);
	if (vdev->legacy) {
		writel(VRING_USED_ALIGN, regs + REG_QUEUE_ALIGN);
		writel((u32)(virt_to_phys(vq->desc) >> PAGE_SHIFT),
		       regs + REG_QUEUE_PFN);
		return 0;
	}
	write_address(regs + REG_QUEUE_DESC, vq->desc);
	write_address(regs + REG_QUEUE_DRIVER, vq->avail);
	write_address(regs + REG_QUEUE_DEVICE, vq->used);
	writel(1, regs + REG_QUEUE_READY);
	return 0;
}

static void vm_unbind(struct virtio_device *vdev)
{
	struct virtio_mmio *vm = to_vm(vdev);

	if (vm->vector >= 0)
		free_irq(vm->vector);
	vm->vector = -1;
	vm->nr_queues = 0;
}

static const struct virtio_transport_ops vm_ops = {
	.get_status = vm_get_status,
	.set_status = vm_set_status,
	.get_features = vm_get_features,
	.set_features = vm_set_features,
	.generation = vm_generation,
	.read_config = vm_read_config,
	.write_config = vm_write_config,
	.queue_max = vm_queue_max,
	.enable_queue = vm_enable_queue,
	.unbind = vm_unbind,
	.notify = vm_notify,
};

/* "virtio-mmio feb00e00" without a formatter, which a boot need not wake. */
static void put_name(char *name, u64 base)
{
	static const char prefix[] = "virtio-mmio ";

	memcpy(name, prefix, sizeof(prefix) - 1);
	name += sizeof(prefix) - 1;
	for (int shift = 28; shift >= 0; shift -= 4)
		*name++ = "0123456789abcdef"[base >> shift & 15];
}

/* False if no virtio register block lies at @regs. */
static bool try_slot(volatile u8 *regs, u64 base, const u32 gsi[3],
		     int (*probe)(struct virtio_device *vdev))
{
	struct virtio_mmio *vm;
	u32 id, version;

	if (readl(regs + REG_MAGIC) != MAGIC)
		return false;
	id = readl(regs + REG_DEVICE_ID);
	if (!virtio_id_known(id))
		return true;
	version = readl(regs + REG_VERSION);
	if (version != 1 && version != 2) {
		pr_err("virtio-mmio at %#llx: version %u is unknown; versions 1 and 2 would do\n",
		       (unsigned long long)base, version);
		return true;
	}
	vm = kzalloc(sizeof(*vm));
	if (!vm) {
		pr_err("virtio-mmio: no memory for a device: give the machine more\n");
		return true;
	}
	vm->regs = regs;
	vm->vector = -1;
	memcpy(vm->gsi, gsi, sizeof(vm->gsi));
	vm->vdev.ops = &vm_ops;
	vm->vdev.id = id;
	vm->vdev.legacy = version == 1;
	vm->vdev.no_config_irq = true;
	put_name(vm->vdev.name, base);
	if (probe(&vm->vdev))
		kfree(vm);
	return true;
}

__stackprotect static void scan_window(int (*probe)(struct virtio_device *vdev))
{
	volatile u8 *window = ioremap(WINDOW_BASE, WINDOW_SLOTS * SLOT_SIZE);

	for (u32 n = 0; window && n < WINDOW_SLOTS; n++) {
		u32 gsi[3] = { 24 + n, 16 + n, 5 + n };

		if (!try_slot(window + n * SLOT_SIZE,
			      WINDOW_BASE + n * SLOT_SIZE, gsi, probe))
			return;
	}
}

static void scan_place(const struct mmio_place *place,
		       int (*probe)(struct virtio_device *vdev))
{
	volatile void *regs = ioremap(place->base, place->size);
	u32 gsi = (u32)place->gsi;

	if (!regs || !try_slot(regs, place->base, (u32[3]){ gsi, gsi, gsi },
			       probe))
		pr_err("virtio_mmio.device: no virtio device at %#llx\n",
		       (unsigned long long)place->base);
}

void virtio_mmio_scan(int (*probe)(struct virtio_device *vdev))
{
	for (unsigned int i = 0; i < nr_places; i++)
		scan_place(&places[i], probe);
	if (!nr_places && !pci_conf_present())
		scan_window(probe);
}

/* Cuts the number before @sep (or the end) off *@s; -EINVAL if it is none. */
static int cut_number(const char **s, char sep, u64 *out)
{
	const char *end = strchr(*s, sep);
	char word[24];
	size_t len = end ? (size_t)(end - *s) : strlen(*s);

	if (len >= sizeof(word))
		return -EINVAL;
	memcpy(word, *s, len);
	word[len] = '\0';
	*s += len + (end != NULL);
	return parse_u64(word, out);
}

int virtio_mmio_param(const char *val)
{
	struct mmio_place place;
	const char *s = val;

	if (!s || nr_places == DEVICES_MAX || !strchr(s, '@') ||
	    cut_number(&s, '@', &place.size) ||
	    cut_number(&s, ':', &place.base) ||
	    cut_number(&s, ':', &place.gsi))
		return -EINVAL;
	if (place.size < SLOT_SIZE || place.size > 65536 || place.gsi > 255)
		return -EINVAL;
	places[nr_places++] = place;
	return 0;
}
KERNEL_PARAM("virtio_mmio.device", virtio_mmio_param,
	     "SIZE@ADDRESS:IRQ, for instance 512@0xfeb00e00:12");
