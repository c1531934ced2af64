/*
 * virtio over PCI: finding the register areas, also where capabilities lie,
 * and what is written to them.
 * sources: drivers/pci.c drivers/virtio.c drivers/virtio_ring.c
 * drivers/virtio_pci.c tests/unit/fake_pci.c
 */
#include "tests/unit/unit.h"

#include "drivers/virtio_pci.h"
#include "drivers/virtio_ring.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/x86/io.h"
#include "tests/host/host.h"
#include "tests/unit/fake_pci.h"

/* Where the areas lie in BAR 4. The MSI-X table is BAR 1, from 0x800 on. */
#define COMMON	0x000
#define ISR	0x100
#define DEVICE	0x200
#define NOTIFY	0x300
#define BAR4	0xfe004000ull
#define FEATURES (0x120ull | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/* What the device knows besides registers[]. */
static struct {
	u32 select, driver_select;
	u64 driver_features;
	u16 queue, config_vector;
	u16 size[2], vector[2], enabled[2], notify_off;
	u64 desc[2], avail[2], used[2];
	u8 status;
	unsigned int doorbell_at, doorbell_value;
	bool refuse_vectors;
	bool never_resets;
	bool no_vectors;	/* and the register is nothing */
} card;

static struct function *func;
static struct virtio_device *found;
static struct virtqueue vq[2];
static unsigned int nr_irqs, irqs_given, probes;
static int probe_error;

int request_irq(irq_handler_t fn, void *data, const char *name)
{
	if (irqs_given == nr_irqs)
		return -ENOSPC;
	return 60 + (int)irqs_given++;
}

void free_irq(int vector)
{
	irqs_given--;
}

struct msi_msg msi_compose(int vector)
{
	return (struct msi_msg){ 0xfee00000, (u32)vector };
}

/* --- registers --- */

static size_t offset_of(const volatile void *p)
{
	size_t at = (size_t)((const volatile u8 *)p - registers);

	assert_in_range(at, 0, sizeof(registers) - 1);
	return at;
}

static u32 common_read(size_t reg, unsigned int size)
{
	switch (reg) {
	case 0x04:
		return (u32)(FEATURES >> card.select * 32);
	case 0x14:
		return card.status | card.never_resets;
	case 0x15:
		return 7;
	case 0x18:
		return card.queue < 2 ? 256 : 0;
	case 0x1a:
		return card.no_vectors ? 0 : card.vector[card.queue];
	case 0x1e:
		return card.notify_off + card.queue;
	default:
		fail_msg("read of common %#zx", reg);
		return 0;
	}
}

static u32 mmio_read(const volatile void *p, unsigned int size)
{
	size_t at = offset_of(p);
	u32 v = 0;

	if (at < 0x38)
		return common_read(at, size);
	memcpy(&v, registers + at, size);
	return v;
}

static void set_half(u64 *to, u32 v, bool high)
{
	*to = high ? (*to & UINT32_MAX) | (u64)v << 32 :
		     (*to & ~(u64)UINT32_MAX) | v;
}

static void common_write(size_t reg, u32 v)
{
	u16 q = card.queue;

	if (reg == 0x00)
		card.select = v;
	else if (reg == 0x08)
		card.driver_select = v;
	else if (reg == 0x0c)
		set_half(&card.driver_features, v, card.driver_select);
	else if (reg == 0x10)
		card.config_vector = (u16)v;
	else if (reg == 0x14)
		card.status = (u8)v;
	else if (reg == 0x16)
		card.queue = (u16)v;
	else if (reg == 0x18)
		card.size[q] = (u16)v;
	else if (reg == 0x1a)
		card.vector[q] = card.refuse_vectors ? 0xffff : (u16)v;
	else if (reg == 0x1c)
		card.enabled[q] = (u16)v;
	else if (reg < 0x28)
		set_half(&card.desc[q], v, reg & 4);
	else if (reg < 0x30)
		set_half(&card.avail[q], v, reg & 4);
	else
		set_half(&card.used[q], v, reg & 4);
}

static void mmio_write(volatile void *p, u32 v, unsigned int size)
{
	size_t at = offset_of(p);

	if (at < 0x38) {
		common_write(at, v);
	} else if (at >= NOTIFY && at < NOTIFY + 0x100) {
		assert_int_equal(size, 2);
		card.doorbell_at = (unsigned int)at - NOTIFY;
		card.doorbell_value = v;
	} else {
		memcpy(registers + at, &v, size);
	}
}

/* --- the function --- */

static void area(u8 at, u8 next, u8 type, u8 bar, u32 off, u32 len)
{
	set_cap(func, at, 0x09, next);
	set8(func, at + 2, type == 2 ? 20 : 16);
	set8(func, at + 3, type);
	set8(func, at + 4, bar);
	func->conf[at / 4 + 2] = off;
	func->conf[at / 4 + 3] = len;
	if (type == 2)
		func->conf[at / 4 + 4] = 4;
}

/* As QEMU lays it out, more or less. */
static void make_card(u16 device)
{
	func = with_caps();
	func->conf[0] = (u32)device << 16 | 0x1af4;
	func->conf[11] = 1u << 16;		/* subsystem: network */
	set8(func, PCI_CAPABILITIES, 0x40);
	area(0x40, 0x50, 1, 4, COMMON, 0x38);
	area(0x50, 0x60, 3, 4, ISR, 1);
	area(0x60, 0x70, 4, 4, DEVICE, 0x10);
	area(0x70, 0x98, 2, 4, NOTIFY, 0x100);
	func->conf[0x98 / 4] = 2u << 16 | PCI_CAP_ID_MSIX;
	func->conf[0x98 / 4 + 1] = 0x801;
	set_bar(func, 1, 0xfe001000, 0x1000, 0);
	set_bar(func, 4, BAR4, 0x1000, 0xc);
}

static void on_queue(void *data)
{
}

static void on_config(void *data)
{
}

static int probe(struct virtio_device *vdev)
{
	int err;

	probes++;
	found = vdev;
	if (probe_error)
		return probe_error;
	vdev->config_fn = on_config;
	vdev->priv = &card;
	assert_int_equal(virtio_negotiate(vdev, NULL), 0);
	for (u32 i = 0; i < 2; i++) {
		err = virtqueue_setup(&vq[i], vdev, i, 16, on_queue, vq);
		if (err) {
			found = NULL;
			return err;
		}
	}
	virtio_device_ready(vdev);
	return 0;
}

static int setup(void **state)
{
	host_reset();
	fake_pci_reset();
	host_mmio_read = mmio_read;
	host_mmio_write = mmio_write;
	memset(&card, 0, sizeof(card));
	memset(vq, 0, sizeof(vq));
	found = NULL;
	nr_irqs = 10;
	irqs_given = probes = 0;
	probe_error = 0;
	return 0;
}

static int teardown(void **state)
{
	if (found && !probe_error) {
		virtqueue_free(&vq[0]);
		virtqueue_free(&vq[1]);
		kfree(found);
	}
	host_mmio_read = NULL;
	host_mmio_write = NULL;
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static void scan(void)
{
	virtio_pci_scan(probe);
}

static void test_modern_card(void **state)
{
	u32 *msix = (u32 *)(void *)(registers + 0x800);

	make_card(0x1041);
	scan();
	assert_non_null(found);
	assert_int_equal(found->id, VIRTIO_ID_NET);
	assert_string_equal(found->name, "virtio-pci 00:00.0");
	assert_int_equal(func->conf[1] & 0x406, 0x406);
	assert_int_equal(card.status, 0x0f);
	assert_true(card.driver_features == (VIRTIO_F_EVENT_IDX |
					     VIRTIO_F_VERSION_1));
	for (unsigned int q = 0; q < 2; q++) {
		assert_int_equal(card.size[q], 16);
		assert_int_equal(card.enabled[q], 1);
		assert_true(card.desc[q] == virt_to_phys(vq[q].desc));
		assert_true(card.avail[q] == virt_to_phys(vq[q].avail));
		assert_true(card.used[q] == virt_to_phys(vq[q].used));
	}
	/* One vector for the configuration, one for both queues. */
	assert_int_equal(irqs_given, 2);
	assert_int_equal(card.config_vector, 0);
	assert_int_equal(card.vector[0], 1);
	assert_int_equal(card.vector[1], 1);
	assert_int_equal(msix[2], 60);
	assert_int_equal(msix[6], 61);
	assert_int_equal(msix[7], 0);
	assert_int_equal(msix[11], 1);
	assert_false(found->no_irq);
}

static void test_doorbell_is_where_the_card_says(void **state)
{
	card.notify_off = 5;
	make_card(0x1041);
	scan();
	vq[1].notify(&vq[1]);
	assert_int_equal(card.doorbell_at, 6 * 4);
	assert_int_equal(card.doorbell_value, 1);
}

static void test_transitional_card(void **state)
{
	make_card(0x1000);
	scan();
	assert_non_null(found);
	assert_int_equal(found->id, VIRTIO_ID_NET);
	assert_false(found->legacy);
}

static void test_configuration(void **state)
{
	u8 bytes[4];

	make_card(0x1041);
	for (unsigned int i = 0; i < 32; i++)
		registers[DEVICE + i] = (u8)(i + 1);
	scan();
	virtio_read_config(found, 14, bytes, 4);
	assert_int_equal(bytes[0], 15);
	assert_int_equal(bytes[1], 16);
	/* It is 16 bytes long: what lies behind reads as 0. */
	assert_int_equal(bytes[2], 0);
}

static void test_configuration_is_written_inside_only(void **state)
{
	u8 before[32];

	make_card(0x1041);
	scan();
	memcpy(before, registers + DEVICE, sizeof(before));
	found->ops->write_config(found, 13, 0x55555555);
	assert_memory_equal(registers + DEVICE, before, sizeof(before));
	found->ops->write_config(found, 12, 0x55555555);
	assert_int_equal(registers[DEVICE + 15], 0x55);
	registers[DEVICE + 12] = 0;
}

/* The last capability would reach beyond the configuration space. */
static void test_capability_that_does_not_end(void **state)
{
	make_card(0x1041);
	set8(func, PCI_CAPABILITIES, 0xfc);
	set_cap(func, 0xfc, 0x09, 0x40);
	set8(func, 0xfc + 2, 16);
	set8(func, 0xfc + 3, 1);
	scan();
	assert_non_null(found);
}

static void test_card_that_never_resets(void **state)
{
	make_card(0x1041);
	card.never_resets = true;
	scan();
	assert_int_equal(probes, 1);
}

static void test_others_are_left_alone(void **state)
{
	make_card(0x1042);		/* a disk */
	func->conf[11] = 2u << 16;
	scan();
	make_card(0x10ff);
	scan();
	make_card(0x1041);
	func->conf[0] = 0x10418086;
	scan();
	assert_int_equal(probes, 0);
	assert_int_equal(func->conf[1] & 7, 0);
}

static void expect_refused(void)
{
	scan();
	assert_int_equal(probes, 0);
	assert_non_null(strstr(host_log(), "disable-modern=off"));
	assert_int_equal(host_allocs_outstanding(), 0);
}

static void test_no_areas(void **state)
{
	make_card(0x1000);
	func->conf[1] &= 0xffff;
	expect_refused();
}

static void test_area_outside_its_bar(void **state)
{
	make_card(0x1041);
	area(0x40, 0x50, 1, 4, 0xff0, 0x38);
	expect_refused();
}

static void test_area_too_short(void **state)
{
	make_card(0x1041);
	area(0x40, 0x50, 1, 4, COMMON, 0x37);
	expect_refused();
}

static void test_area_in_no_bar(void **state)
{
	make_card(0x1041);
	area(0x40, 0x50, 1, 7, COMMON, 0x38);
	expect_refused();
}

static void test_capability_too_short(void **state)
{
	make_card(0x1041);
	set8(func, 0x70 + 2, 16);	/* notify without its multiplier */
	expect_refused();
}

static void test_huge_area(void **state)
{
	make_card(0x1041);
	area(0x40, 0x50, 1, 4, 0xffffffff, 0xffffffff);
	expect_refused();
}

/* 4.1.4: the first that can be used counts. */
static void test_second_best_area(void **state)
{
	make_card(0x1041);
	area(0x40, 0x50, 1, 0, COMMON, 0x38);	/* no such BAR */
	area(0x50, 0x60, 1, 4, COMMON, 0x38);	/* in the place of ISR */
	scan();
	assert_non_null(found);
}

static void test_doorbell_outside_its_area(void **state)
{
	make_card(0x1041);
	card.notify_off = 0x40;			/* times 4 is the end */
	scan();
	assert_int_equal(probes, 1);
	assert_null(found);
	assert_non_null(strstr(host_log(), "doorbell"));
	assert_int_equal(host_allocs_outstanding(), 0);
}

static void test_without_msix_it_is_polled(void **state)
{
	make_card(0x1041);
	set8(func, 0x71, 0);			/* ends the list before it */
	card.no_vectors = true;
	scan();
	assert_true(found->no_irq);
	assert_int_equal(irqs_given, 0);
	assert_int_equal(card.vector[0], 0xffff);
	assert_non_null(strstr(host_log(), "vectors=3"));
}

static void test_one_vector_is_for_the_queues(void **state)
{
	make_card(0x1041);
	func->conf[0x98 / 4] = PCI_CAP_ID_MSIX;
	scan();
	assert_int_equal(card.vector[0], 0);
	assert_int_equal(card.vector[1], 0);
	assert_false(found->no_irq);
	assert_true(found->no_config_irq);
}

static void test_card_refuses_the_vector(void **state)
{
	make_card(0x1041);
	card.refuse_vectors = true;
	scan();
	assert_true(found->no_irq);
}

static void test_no_vectors_left(void **state)
{
	make_card(0x1041);
	nr_irqs = 0;
	scan();
	assert_true(found->no_irq);
}

static void test_unbind(void **state)
{
	make_card(0x1041);
	scan();
	assert_int_equal(irqs_given, 2);
	found->ops->set_status(found, 0);
	found->ops->unbind(found);
	assert_int_equal(irqs_given, 0);
	assert_int_equal(card.status, 0);
}

static void test_failed_probe_and_no_memory(void **state)
{
	make_card(0x1041);
	probe_error = -ENOMEM;
	scan();
	assert_int_equal(probes, 1);
	assert_int_equal(host_allocs_outstanding(), 0);
	host_fail_alloc(1);
	scan();
	assert_int_equal(probes, 1);
	assert_non_null(strstr(host_log(), "no memory"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_modern_card),
		T(test_doorbell_is_where_the_card_says),
		T(test_transitional_card),
		T(test_configuration),
		T(test_configuration_is_written_inside_only),
		T(test_capability_that_does_not_end),
		T(test_card_that_never_resets),
		T(test_others_are_left_alone),
		T(test_no_areas),
		T(test_area_outside_its_bar),
		T(test_area_too_short),
		T(test_area_in_no_bar),
		T(test_capability_too_short),
		T(test_huge_area),
		T(test_second_best_area),
		T(test_doorbell_outside_its_area),
		T(test_without_msix_it_is_polled),
		T(test_one_vector_is_for_the_queues),
		T(test_card_refuses_the_vector),
		T(test_no_vectors_left),
		T(test_unbind),
		T(test_failed_probe_and_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
