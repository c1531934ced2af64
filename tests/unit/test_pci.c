/*
 * PCI against made-up configuration spaces: what is found, and lists and
 * BARs that are malformed.
 * sources: drivers/pci.c tests/unit/fake_pci.c
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "tests/host/host.h"
#include "tests/unit/fake_pci.h"

static int setup(void **state)
{
	host_reset();
	fake_pci_reset();
	return 0;
}

static u16 found[64];
static unsigned int nr_found;

static void note(const struct pci_dev *dev, void *arg)
{
	assert_ptr_equal(arg, found);
	found[nr_found++] = dev->bdf;
}

static void scan(void)
{
	nr_found = 0;
	pci_scan(note, found);
}

/* --- finding --- */

static void test_no_bridge_no_devices(void **state)
{
	add(0, 0x8086, 1);
	fake_pci_present = false;
	scan();
	assert_int_equal(nr_found, 0);
	assert_int_equal(fake_pci_reads, 0);
}

static void test_functions_and_buses(void **state)
{
	struct function *f;

	add(0x00 << 3, 0x8086, 1);
	f = add(0x03 << 3, 0x8086, 2);
	set8(f, PCI_HEADER_TYPE, 0x80);
	add(0x03 << 3 | 5, 0x8086, 3);
	f = add(0x04 << 3, 0x8086, 4);
	set8(f, PCI_HEADER_TYPE, 1);
	set8(f, PCI_SECONDARY_BUS, 7);
	add(7 << 8 | 31 << 3, 0x1af4, 0x1041);
	add(9 << 8, 0x1af4, 0x1041);	/* behind no bridge */
	scan();
	assert_int_equal(nr_found, 5);
	assert_int_equal(found[2], 0x03 << 3 | 5);
	assert_int_equal(found[4], 7 << 8 | 31 << 3);
	assert_in_range(fake_pci_reads, 64, 96);
}

static void test_bridges_in_circles(void **state)
{
	struct function *f = add(1 << 3, 0x8086, 1);

	set8(f, PCI_HEADER_TYPE, 1);
	set8(f, PCI_SECONDARY_BUS, 1);
	f = add(1 << 8, 0x8086, 2);
	set8(f, PCI_HEADER_TYPE, 1);
	set8(f, PCI_SECONDARY_BUS, 0);
	scan();
	assert_int_equal(nr_found, 2);
}

static void test_all_functions_there(void **state)
{
	struct function *f = add(0, 0x8086, 1);

	set8(f, PCI_HEADER_TYPE, 0x80);
	for (u16 i = 1; i < 8; i++)
		add(i, 0x8086, i);
	scan();
	assert_int_equal(nr_found, 8);
}

/* --- capabilities --- */

static void test_capabilities_in_turn(void **state)
{
	struct function *f = with_caps();
	struct pci_dev dev = dev_of(f);

	set8(f, PCI_CAPABILITIES, 0x40);
	set_cap(f, 0x40, 9, 0x60);
	set_cap(f, 0x60, 0x11, 0x50);
	set_cap(f, 0x50, 9, 0);
	assert_int_equal(pci_find_capability(&dev, 9, 0), 0x40);
	assert_int_equal(pci_find_capability(&dev, 9, 0x40), 0x50);
	assert_int_equal(pci_find_capability(&dev, 9, 0x50), 0);
	assert_int_equal(pci_find_capability(&dev, 0x11, 0), 0x60);
	assert_int_equal(pci_find_capability(&dev, 5, 0), 0);
}

static void test_no_list_is_not_followed(void **state)
{
	struct function *f = with_caps();
	struct pci_dev dev = dev_of(f);

	f->conf[1] = 0;
	set8(f, PCI_CAPABILITIES, 0x40);
	set_cap(f, 0x40, 9, 0);
	assert_int_equal(pci_find_capability(&dev, 9, 0), 0);
}

static void test_list_in_a_circle_ends(void **state)
{
	struct function *f = with_caps();
	struct pci_dev dev = dev_of(f);

	set8(f, PCI_CAPABILITIES, 0x40);
	set_cap(f, 0x40, 1, 0x44);
	set_cap(f, 0x44, 2, 0x40);
	assert_int_equal(pci_find_capability(&dev, 9, 0), 0);
	assert_in_range(fake_pci_reads, 1, 120);
}

static void test_list_off_the_road_ends(void **state)
{
	struct function *f = with_caps();
	struct pci_dev dev = dev_of(f);

	set8(f, PCI_CAPABILITIES, 0x40);
	set_cap(f, 0x40, 1, 0x10);	/* into the header */
	set_cap(f, 0x10, 9, 0);
	assert_int_equal(pci_find_capability(&dev, 9, 0), 0);
	set_cap(f, 0x40, 1, 0xff);	/* the low bits mean nothing */
	set_cap(f, 0xfc, 9, 0);
	assert_int_equal(pci_find_capability(&dev, 9, 0), 0xfc);
}

/* --- BARs --- */

static void test_bars(void **state)
{
	struct function *f = add(0, 0x1af4, 0x1041);
	struct pci_dev dev = dev_of(f);
	struct pci_bar bar;

	f->conf[1] = PCI_COMMAND_MEMORY;
	set_bar(f, 1, 0xfeb00000, 0x1000, 0);
	set_bar(f, 4, 0x8000004000ull, 0x4000, 0xc);
	assert_int_equal(pci_read_bar(&dev, 1, &bar), 0);
	assert_int_equal(bar.addr, 0xfeb00000);
	assert_int_equal(bar.size, 0x1000);
	assert_int_equal(pci_read_bar(&dev, 4, &bar), 0);
	assert_true(bar.addr == 0x8000004000ull);
	assert_int_equal(bar.size, 0x4000);
	/* All as it was. */
	assert_int_equal(f->conf[1], PCI_COMMAND_MEMORY);
	assert_int_equal(f->conf[8], 0x400c);
	assert_int_equal(f->conf[9], 0x80);
}

static void test_bad_bars(void **state)
{
	struct function *f = add(0, 0x1af4, 0x1041);
	struct pci_dev dev = dev_of(f);
	struct pci_bar bar;

	f->conf[4] = 0xc001;			/* I/O */
	set_bar(f, 2, 0, 0x1000, 0);		/* no address */
	f->conf[9] = 0xfe000004;		/* 64 bits in the last one */
	assert_int_equal(pci_read_bar(&dev, 0, &bar), -EINVAL);
	assert_int_equal(pci_read_bar(&dev, 2, &bar), -EINVAL);
	assert_int_equal(pci_read_bar(&dev, 3, &bar), -EINVAL);
	assert_int_equal(pci_read_bar(&dev, 5, &bar), -EINVAL);
	assert_int_equal(pci_read_bar(&dev, 6, &bar), -EINVAL);
	assert_int_equal(pci_read_bar(&dev, 255, &bar), -EINVAL);
}

static void test_maps_only_what_is_inside(void **state)
{
	struct function *f = add(0, 0x1af4, 0x1041);
	struct pci_dev dev = dev_of(f);

	set_bar(f, 0, 0xfe000000, 0x1000, 0);
	assert_non_null(pci_map(&dev, 0, 0xf00, 0x100));
	assert_int_equal(mapped_at, 0xfe000f00);
	assert_int_equal(mapped_len, 0x100);
	assert_null(pci_map(&dev, 0, 0xf00, 0x101));
	assert_null(pci_map(&dev, 0, 0x1001, 1));
	assert_null(pci_map(&dev, 0, UINT64_MAX, 2));
	assert_null(pci_map(&dev, 0, 0, 0));
	assert_null(pci_map(&dev, 1, 0, 16));
}

static void test_enable(void **state)
{
	struct function *f = add(0, 0x1af4, 0x1041);
	struct pci_dev dev = dev_of(f);

	f->conf[1] = 0x00100001;
	pci_enable(&dev);
	assert_int_equal(f->conf[1], 0x00100407);
}

/* --- MSI-X --- */

static struct function *with_msix(u16 control, u32 table)
{
	struct function *f = with_caps();

	set8(f, PCI_CAPABILITIES, 0x40);
	f->conf[16] = (u32)control << 16 | PCI_CAP_ID_MSIX;
	f->conf[17] = table;
	set_bar(f, 1, 0xfe000000, 0x1000, 0);
	return f;
}

static void test_msix(void **state)
{
	struct function *f = with_msix(2, 0x801);
	struct pci_dev dev = dev_of(f);
	u32 *table = (u32 *)(void *)(registers + 0x800);

	assert_int_equal(pci_msix_init(&dev), 3);
	assert_int_equal(mapped_at, 0xfe000800);
	assert_int_equal(mapped_len, 48);
	assert_int_equal(f->conf[16] >> 16 & 0xc000, 0x8000);
	assert_int_equal(table[3], 1);
	assert_int_equal(table[7], 1);
	assert_int_equal(table[11], 1);
	pci_msix_set(&dev, 1, (struct msi_msg){ 0x1fee00000ull, 0x42 });
	assert_int_equal(table[4], 0xfee00000);
	assert_int_equal(table[5], 1);
	assert_int_equal(table[6], 0x42);
	assert_int_equal(table[7], 0);
	assert_int_equal(table[11], 1);
}

static void test_no_msix(void **state)
{
	struct function *f = with_caps();
	struct pci_dev dev = dev_of(f);

	assert_int_equal(pci_msix_init(&dev), -ENODEV);
	assert_int_equal(dev.nr_msix, 0);
}

static void test_msix_table_outside_its_bar(void **state)
{
	struct function *f = with_msix(255, 0x801);
	struct pci_dev dev = dev_of(f);

	assert_int_equal(pci_msix_init(&dev), -EINVAL);
	f->conf[17] = 0x800 | 7;		/* no such BAR */
	assert_int_equal(pci_msix_init(&dev), -EINVAL);
	assert_int_equal(dev.nr_msix, 0);
	assert_int_equal(f->conf[16] >> 31, 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_bridge_no_devices),
		T(test_functions_and_buses),
		T(test_bridges_in_circles),
		T(test_all_functions_there),
		T(test_capabilities_in_turn),
		T(test_no_list_is_not_followed),
		T(test_list_in_a_circle_ends),
		T(test_list_off_the_road_ends),
		T(test_bars),
		T(test_bad_bars),
		T(test_maps_only_what_is_inside),
		T(test_enable),
		T(test_msix),
		T(test_no_msix),
		T(test_msix_table_outside_its_bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
