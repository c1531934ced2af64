/* sources: kernel/x86/acpi.c */
#include "tests/unit/unit.h"

#include "kernel/boot_info.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/x86/ioapic.h"
#include "kernel/x86/power_button.h"
#include "tests/host/host.h"

struct boot_info boot_info;

/* "Physical" memory; mappings are counted and must all be undone. */
static _Alignas(16) u8 memory[4096];
static int mapped, fail_after;

void *ioremap(phys_addr_t pa, size_t size)
{
	if (pa + size > sizeof(memory) || !fail_after--)
		return NULL;
	mapped++;
	return memory + pa;
}

void iounmap(const volatile void *va)
{
	mapped -= va != NULL;
}

#define RSDP	0x100
#define ROOT	0x200
#define OTHER	0x400
#define MADT	0x600

static void put(u32 at, u64 v, size_t size)
{
	memcpy(memory + at, &v, size);
}

static void header(u32 at, const char *signature, u32 length)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, length, 4);
}

/* Root table, another table, and a MADT with a LAPIC and two I/O APICs. */
static int setup(void **state)
{
	host_reset();
	memset(memory, 0, sizeof(memory));
	mapped = 0;
	fail_after = -1;
	boot_info.rsdp = RSDP;
	put(RSDP + 16, ROOT, 4);
	header(ROOT, "RSDT", 36 + 8);
	put(ROOT + 36, OTHER, 4);
	put(ROOT + 40, MADT, 4);
	header(OTHER, "FACP", 36);
	header(MADT, "APIC", 44 + 8 + 12 + 12);
	put(MADT + 44, 0x0800, 2);
	put(MADT + 52, 0x0c01, 2);
	put(MADT + 56, 0xfec00000, 4);
	put(MADT + 60, 0, 4);
	put(MADT + 64, 0x0c01, 2);
	put(MADT + 68, 0xfec10000, 4);
	put(MADT + 72, 24, 4);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(mapped, 0);
	return 0;
}

static void test_finds_the_ioapics(void **state)
{
	struct ioapic_place place[MAX_IOAPICS];

	assert_int_equal(madt_ioapics(place), 2);
	assert_int_equal(place[0].pa, 0xfec00000);
	assert_int_equal(place[0].gsi, 0);
	assert_int_equal(place[1].pa, 0xfec10000);
	assert_int_equal(place[1].gsi, 24);
}

static void test_prefers_the_wide_root_table(void **state)
{
	struct ioapic_place place[MAX_IOAPICS];

	put(RSDP + 15, 2, 1);
	put(RSDP + 24, ROOT, 8);
	header(ROOT, "XSDT", 36 + 8);
	put(ROOT + 36, MADT, 8);
	assert_int_equal(madt_ioapics(place), 2);
}

static void test_no_tables(void **state)
{
	struct ioapic_place place[MAX_IOAPICS];

	boot_info.rsdp = 0;
	assert_int_equal(madt_ioapics(place), 0);
	boot_info.rsdp = RSDP;
	header(MADT, "HPET", 36);
	assert_int_equal(madt_ioapics(place), 0);
}

static void test_broken_lengths(void **state)
{
	static const u32 bad[] = { 0, 35, 65537, UINT32_MAX };
	struct ioapic_place place[MAX_IOAPICS];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(MADT + 4, bad[i], 4);
		assert_int_equal(madt_ioapics(place), 0);
		assert_int_equal(mapped, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(ROOT + 4, bad[i], 4);
		assert_int_equal(madt_ioapics(place), 0);
	}
}

static void test_broken_entries(void **state)
{
	struct ioapic_place place[MAX_IOAPICS];

	/* An entry of no length must not loop for ever. */
	put(MADT + 65, 0, 1);
	assert_int_equal(madt_ioapics(place), 1);
	/* One that reaches beyond the table, and one too short. */
	put(MADT + 65, 13, 1);
	assert_int_equal(madt_ioapics(place), 1);
	put(MADT + 65, 11, 1);
	assert_int_equal(madt_ioapics(place), 1);
	/* A table that ends in its own header. */
	put(MADT + 4, 40, 4);
	assert_int_equal(madt_ioapics(place), 0);
}

/* The PC's: ports in the FADT; the length says how much of it there is. */
static void test_fixed_button(void **state)
{
	struct acpi_button button;

	assert_false(acpi_find_button(&button));
	put(OTHER + 4, 116, 4);
	put(OTHER + 46, 9, 2);
	put(OTHER + 48, 0xb2, 4);
	put(OTHER + 52, 0xf1, 1);
	put(OTHER + 56, 0x600, 4);
	put(OTHER + 64, 0x604, 4);
	put(OTHER + 88, 4, 1);
	assert_true(acpi_find_button(&button));
	assert_int_equal(button.gsi, 9);
	assert_int_equal(button.event, 0x600);
	assert_int_equal(button.enable, 0x602);
	assert_int_equal(button.control, 0x604);
	assert_int_equal(button.smi_port, 0xb2);
	assert_int_equal(button.smi_on, 0xf1);
	assert_int_equal(button.ged, 0);
	/* It says itself that the button is elsewhere. */
	put(OTHER + 112, 1u << 4, 4);
	assert_false(acpi_find_button(&button));
	boot_info.rsdp = 0;
	assert_false(acpi_find_button(&button));
}

/* Without PM1: only QEMU's own device is known. */
static void test_event_device(void **state)
{
	struct acpi_button button;

	put(OTHER + 4, 268, 4);
	put(OTHER + 112, 1u << 20, 4);
	put(OTHER + 56, 0x600, 4);
	assert_false(acpi_find_button(&button));
	put(OTHER + 248, 0xfea00200, 8);
	assert_true(acpi_find_button(&button));
	assert_int_equal(button.ged, 0xfea00000);
	assert_int_equal(button.gsi, 9);
}

static void test_more_than_there_is_place_for(void **state)
{
	struct ioapic_place place[MAX_IOAPICS];

	for (int i = 0; i < 6; i++)
		put(MADT + 44 + 12 * i, 0x0c01, 2);
	put(MADT + 4, 44 + 12 * 6, 4);
	assert_int_equal(madt_ioapics(place), MAX_IOAPICS);
}

static void test_out_of_addresses(void **state)
{
	struct ioapic_place place[MAX_IOAPICS];

	/* Mappings 3 and 4 are another table's, which is then passed over. */
	for (int i = 0; i < 7; i++) {
		fail_after = i;
		assert_int_equal(madt_ioapics(place),
				 i == 3 || i == 4 ? 2 : 0);
		assert_int_equal(mapped, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_finds_the_ioapics, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_prefers_the_wide_root_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_tables, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_broken_lengths, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_broken_entries, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_more_than_there_is_place_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fixed_button, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_event_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_out_of_addresses, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
