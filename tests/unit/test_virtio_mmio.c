/*
 * virtio over MMIO against a made-up register block, version 1 and 2.
 * sources: drivers/virtio.c drivers/virtio_ring.c drivers/virtio_mmio.c
 * kernel/param.c
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_mmio.h"
#include "drivers/virtio_ring.h"
#include "kernel/irq.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/x86/io.h"
#include "tests/host/host.h"

#define SLOTS	24
#define SLOT_SIZE 512
#define DEVICE_FEATURES (0x120ull | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/* What the device behind one slot knows. */
struct slot {
	u32 id, version, magic;
	u32 status, features_sel, driver_sel;
	u64 driver_features;
	u32 queue_sel, page_size;
	u32 num[2], align[2], pfn[2], ready[2];
	u64 desc[2], avail[2], used[2];
	u32 interrupt_status;
	bool never_resets;
	unsigned int acks, status_reads, notifies, last_notified;
};

static struct slot slots[SLOTS];
static u8 window[SLOTS * SLOT_SIZE];	/* only its addresses count */
static phys_addr_t window_base;
static bool have_pci;
static u32 routed[8];
static unsigned int nr_routed;
static u32 inputs;			/* the I/O APICs have so many */
static irq_handler_t handler;
static void *handler_data;
static struct virtio_device *found[SLOTS];
static unsigned int nr_found, queue_irqs, config_irqs;
static int probe_error;
static struct virtqueue vq[2];

bool pci_conf_present(void)
{
	return have_pci;
}

void *ioremap(phys_addr_t pa, size_t size)
{
	window_base = pa;
	return window + (pa & 0xffff);
}

int request_irq(irq_handler_t fn, void *data, const char *name)
{
	handler = fn;
	handler_data = data;
	return 50;
}

void free_irq(int vector)
{
	assert_int_equal(vector, 50);
	handler = NULL;
}

int ioapic_route(unsigned int gsi, int vector, bool level)
{
	assert_true(level);
	if (gsi >= inputs)
		return -ENODEV;
	routed[nr_routed++] = gsi;
	return 0;
}

/* --- the registers --- */

static struct slot *slot_of(const volatile void *p, u32 *reg)
{
	size_t at = (size_t)((const volatile u8 *)p - window);

	assert_in_range(at, 0, sizeof(window) - 1);
	*reg = at % SLOT_SIZE;
	return &slots[at / SLOT_SIZE];
}

static u32 mmio_read(const volatile void *p, unsigned int size)
{
	u32 reg;
	struct slot *s = slot_of(p, &reg);

	if (reg >= 0x100) {
		assert_int_equal(size, 1);
		return reg - 0x100 + 1;
	}
	assert_int_equal(size, 4);
	switch (reg) {
	case 0x000:
		return s->magic;
	case 0x004:
		return s->version;
	case 0x008:
		return s->id;
	case 0x010:
		return (u32)(DEVICE_FEATURES >> s->features_sel * 32);
	case 0x034:
		return s->queue_sel < 2 ? 1024 : 0;
	case 0x060:
		s->status_reads++;
		return s->interrupt_status;
	case 0x070:
		return s->status | s->never_resets;
	case 0x0fc:
		assert_int_equal(s->version, 2);
		return 1;
	default:
		fail_msg("read of %#x", reg);
		return 0;
	}
}

static void set_half(u64 *to, u32 v, bool high)
{
	*to = high ? (*to & UINT32_MAX) | (u64)v << 32 :
		     (*to & ~(u64)UINT32_MAX) | v;
}

static void queue_write(struct slot *s, u32 reg, u32 v)
{
	u32 q = s->queue_sel;

	assert_in_range(q, 0, 1);
	/* Each version has its own registers for this. */
	assert_int_equal(s->version, reg == 0x3c || reg == 0x40 ? 1 :
				     reg == 0x38 ? s->version : 2);
	if (reg == 0x38)
		s->num[q] = v;
	else if (reg == 0x3c)
		s->align[q] = v;
	else if (reg == 0x40)
		s->pfn[q] = v;
	else if (reg == 0x44)
		s->ready[q] = v;
	else if (reg < 0x90)
		set_half(&s->desc[q], v, reg & 4);
	else if (reg < 0xa0)
		set_half(&s->avail[q], v, reg & 4);
	else
		set_half(&s->used[q], v, reg & 4);
}

static void mmio_write(volatile void *p, u32 v, unsigned int size)
{
	u32 reg;
	struct slot *s = slot_of(p, &reg);

	assert_int_equal(size, 4);
	switch (reg) {
	case 0x014:
		s->features_sel = v;
		break;
	case 0x020:
		set_half(&s->driver_features, v, s->driver_sel);
		break;
	case 0x024:
		s->driver_sel = v;
		break;
	case 0x028:
		assert_int_equal(s->version, 1);
		s->page_size = v;
		break;
	case 0x030:
		s->queue_sel = v;
		break;
	case 0x050:
		s->notifies++;
		s->last_notified = v;
		break;
	case 0x064:
		s->acks++;
		s->interrupt_status &= ~v;
		break;
	case 0x070:
		s->status = v;
		break;
	default:
		queue_write(s, reg, v);
		break;
	}
}

/* --- the driver --- */

static void on_queue(void *data)
{
	assert_ptr_equal(data, vq);
	queue_irqs++;
}

static void on_config(void *data)
{
	assert_ptr_equal(data, vq);
	config_irqs++;
}

static u64 choose(struct virtio_device *vdev, u64 offered)
{
	return 0x100;
}

static int probe(struct virtio_device *vdev)
{
	found[nr_found++] = vdev;
	if (probe_error)
		return probe_error;
	vdev->priv = vq;
	vdev->config_fn = on_config;
	assert_int_equal(virtio_negotiate(vdev, choose), 0);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(virtqueue_setup(&vq[i], vdev, i, 16, on_queue,
						 vq), 0);
	virtio_device_ready(vdev);
	return 0;
}

static int setup(void **state)
{
	host_reset();
	host_mmio_read = mmio_read;
	host_mmio_write = mmio_write;
	memset(slots, 0, sizeof(slots));
	for (unsigned int i = 0; i < SLOTS; i++) {
		slots[i].magic = 0x74726976;
		slots[i].version = 1;
	}
	have_pci = false;
	nr_routed = nr_found = queue_irqs = config_irqs = 0;
	inputs = 48;
	handler = NULL;
	probe_error = 0;
	window_base = 0;
	return 0;
}

static int teardown(void **state)
{
	if (nr_found && !probe_error) {
		virtqueue_free(&vq[0]);
		virtqueue_free(&vq[1]);
		/* The transport's own struct starts with the device. */
		kfree(found[0]);
	}
	host_mmio_read = NULL;
	host_mmio_write = NULL;
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static struct slot *one_card(unsigned int nr, u32 version)
{
	slots[nr].id = VIRTIO_ID_NET;
	slots[nr].version = version;
	virtio_mmio_scan(probe);
	assert_int_equal(nr_found, 1);
	return &slots[nr];
}

static void test_modern(void **state)
{
	struct slot *s = one_card(23, 2);

	assert_int_equal(window_base, 0xfeb00000);
	assert_string_equal(found[0]->name, "virtio-mmio feb02e00");
	assert_false(found[0]->legacy);
	assert_int_equal(s->status, 0x0f);
	assert_true(s->driver_features == (0x100 | VIRTIO_F_EVENT_IDX |
					   VIRTIO_F_VERSION_1));
	for (unsigned int q = 0; q < 2; q++) {
		assert_int_equal(s->num[q], 16);
		assert_int_equal(s->ready[q], 1);
		assert_true(s->desc[q] == virt_to_phys(vq[q].desc));
		assert_true(s->avail[q] == virt_to_phys(vq[q].avail));
		assert_true(s->used[q] == virt_to_phys(vq[q].used));
	}
	assert_int_equal(nr_routed, 1);
	assert_int_equal(routed[0], 24 + 23);
}

/* The device computes the ring's parts from page and alignment (2.7.2). */
static void test_legacy(void **state)
{
	struct slot *s = one_card(7, 1);

	assert_true(found[0]->legacy);
	assert_int_equal(s->status, 0x07);
	assert_true(s->driver_features == (0x100 | VIRTIO_F_EVENT_IDX));
	assert_int_equal(s->page_size, 4096);
	for (unsigned int q = 0; q < 2; q++) {
		u64 at = (u64)s->pfn[q] * s->page_size;

		assert_int_equal(s->num[q], 16);
		assert_true(at == virt_to_phys(vq[q].desc));
		at += 16 * 16;
		assert_true(at == virt_to_phys(vq[q].avail));
		at += 2 * (3 + 16);
		at = ALIGN_UP(at, (u64)s->align[q]);
		assert_true(at == virt_to_phys(vq[q].used));
	}
}

static void test_config_bytes(void **state)
{
	u8 bytes[4];

	one_card(0, 2);
	virtio_read_config(found[0], 6, bytes, 4);
	assert_int_equal(bytes[0], 7);
	assert_int_equal(bytes[3], 10);
	/* Behind its end lies another device's. */
	virtio_read_config(found[0], 254, bytes, 4);
	assert_int_equal(bytes[0], 255);
	assert_int_equal(bytes[2], 0);
	assert_int_equal(bytes[3], 0);
}

static void test_card_that_never_resets(void **state)
{
	slots[3].never_resets = true;
	one_card(3, 2);
}

static void test_only_so_many_queues(void **state)
{
	struct virtqueue more[3];

	one_card(0, 2);
	for (unsigned int i = 0; i < 3; i++) {
		more[i] = vq[0];
		assert_int_equal(found[0]->ops->enable_queue(found[0],
							     &more[i]),
				 i < 2 ? 0 : -ENOSPC);
	}
}

static void test_doorbell(void **state)
{
	struct slot *s = one_card(3, 1);

	vq[1].notify(&vq[1]);
	assert_int_equal(s->notifies, 1);
	assert_int_equal(s->last_notified, 1);
}

static void test_interrupts(void **state)
{
	struct slot *s = one_card(3, 1);

	/* The rings say it: no read, one write, one call for both queues. */
	s->interrupt_status = 1;
	vq[1].used->idx = 1;
	handler(handler_data);
	assert_int_equal(queue_irqs, 1);
	assert_int_equal(s->status_reads, 0);
	assert_int_equal(s->acks, 1);
	assert_int_equal(s->interrupt_status, 0);
	/* Nothing new there: the register is asked. */
	vq[1].last_used = 1;
	s->interrupt_status = 2;
	handler(handler_data);
	assert_int_equal(config_irqs, 1);
	assert_int_equal(queue_irqs, 1);
	assert_int_equal(s->interrupt_status, 0);
	s->interrupt_status = 3;
	handler(handler_data);
	assert_int_equal(config_irqs, 2);
	assert_int_equal(queue_irqs, 2);
	/* Whatever comes, the line falls. */
	vq[0].used->idx = 1;
	s->interrupt_status = 3;
	handler(handler_data);
	assert_int_equal(s->interrupt_status, 0);
	assert_true(found[0]->no_config_irq);
}

static void test_one_io_apic_leaves_two_inputs(void **state)
{
	inputs = 24;
	one_card(7, 1);
	assert_int_equal(nr_routed, 2);
	assert_int_equal(routed[0], 16 + 7);
	assert_int_equal(routed[1], 5 + 7);
	assert_false(found[0]->no_irq);
}

static void test_no_io_apic_means_polling(void **state)
{
	inputs = 0;
	one_card(7, 1);
	assert_true(found[0]->no_irq);
	assert_null(handler);
	assert_non_null(strstr(host_log(), "polled"));
}

static void test_window_only_without_pci(void **state)
{
	have_pci = true;
	slots[0].id = VIRTIO_ID_NET;
	virtio_mmio_scan(probe);
	assert_int_equal(nr_found, 0);
	assert_int_equal(window_base, 0);
}

static void test_no_window_there(void **state)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		slots[i].magic = i ? 0x74726976 : UINT32_MAX;
	slots[1].id = VIRTIO_ID_NET;
	virtio_mmio_scan(probe);
	assert_int_equal(nr_found, 0);
}

static void test_unknown_version_and_other_devices(void **state)
{
	slots[1].id = VIRTIO_ID_NET;
	slots[1].version = 3;
	slots[2].id = 2;
	virtio_mmio_scan(probe);
	assert_int_equal(nr_found, 0);
	assert_non_null(strstr(host_log(), "version 3 is unknown"));
}

static void test_failed_probe_leaves_nothing(void **state)
{
	probe_error = -ENOMEM;
	one_card(1, 2);
}

static void test_no_memory(void **state)
{
	slots[1].id = VIRTIO_ID_NET;
	host_fail_alloc(1);
	virtio_mmio_scan(probe);
	assert_true(host_alloc_failed());
	assert_int_equal(nr_found, 0);
	assert_non_null(strstr(host_log(), "no memory"));
}

static void test_reset_and_unbind(void **state)
{
	struct slot *s = one_card(1, 2);

	virtio_break(found[0], "test");
	assert_int_equal(s->status, 0);
	found[0]->ops->unbind(found[0]);
	assert_null(handler);
}

/* --- virtio_mmio.device= --- */

static void test_bad_words(void **state)
{
	static const char *const bad[] = {
		NULL, "", "512", "512@", "512@0xfeb00000", "@1:2",
		"512@0xfeb00000:", "x@0xfeb00000:5", "512@y:5", "512@1:z",
		"511@0xfeb00000:5", "65537@0xfeb00000:5", "512@0xfeb00000:256",
		"512@99999999999999999999999999:5",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(virtio_mmio_param(bad[i]), -EINVAL);
}

static void test_devices_by_word(void **state)
{
	have_pci = true;
	slots[7].id = VIRTIO_ID_NET;
	slots[6].magic = 0;
	assert_int_equal(virtio_mmio_param("512@0xfeb00e00:12"), 0);
	assert_int_equal(virtio_mmio_param("512@0xfeb00c00:11:3"), 0);
	virtio_mmio_scan(probe);
	assert_int_equal(nr_found, 1);
	assert_string_equal(found[0]->name, "virtio-mmio feb00e00");
	assert_int_equal(routed[0], 12);
	assert_non_null(strstr(host_log(), "no virtio device at 0xfeb00c00"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_modern),
		T(test_legacy),
		T(test_config_bytes),
		T(test_card_that_never_resets),
		T(test_only_so_many_queues),
		T(test_doorbell),
		T(test_interrupts),
		T(test_one_io_apic_leaves_two_inputs),
		T(test_no_io_apic_means_polling),
		T(test_window_only_without_pci),
		T(test_no_window_there),
		T(test_unknown_version_and_other_devices),
		T(test_failed_probe_leaves_nothing),
		T(test_no_memory),
		T(test_reset_and_unbind),
		T(test_bad_words),
		/* Last: the words stay. */
		T(test_devices_by_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
