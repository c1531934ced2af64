/*
 * What the boot loaders hand over, whole and damaged.
 * sources: boot/boot_info.c boot/kaslr.c boot/multiboot2.c boot/pvh.c
 */
#include "tests/unit/unit.h"

#include "boot/boot.h"
#include "boot/kaslr.h"
#include "kernel/x86/early_console.h"
#include "tests/host/host.h"

/* boot_info.c also starts the kernel; here only its helpers are called. */
void start_kernel(void)
{
	abort();
}

void early_console_init(void)
{
}

#define BASE 0x10000u

static u8 mem[8192];

static const void *phys(phys_addr_t pa, u64 len)
{
	if (pa < BASE || len > sizeof(mem) || pa - BASE > sizeof(mem) - len)
		return NULL;
	return mem + (pa - BASE);
}

/* --- Multiboot2 --- */

static u32 mb2_end;

static void mb2_begin(void)
{
	memset(mem, 0, sizeof(mem));
	mb2_end = 8;
}

static u8 *mb2_tag(u32 type, const void *body, u32 len)
{
	u8 *at = mem + mb2_end;
	u32 head[2] = { type, len + 8 };

	memcpy(at, head, 8);
	memcpy(at + 8, body, len);
	mb2_end += (len + 8 + 7) & ~7u;
	*(u32 *)mem = mb2_end + 8;
	return at;
}

static void mb2_mmap(void)
{
	struct {
		u32 size, version;
		struct { u64 addr, len; u32 type, zero; } e[3];
	} map = { 24, 0, { { 0, 0x9fc00, 1, 0 }, { 0x9fc00, 0x400, 2, 0 },
			   { 0x100000, 0x700000, 1, 0 } } };

	mb2_tag(6, &map, sizeof(map));
}

static int mb2_parse(struct boot_info *info)
{
	memset(info, 0, sizeof(*info));
	return multiboot2_parse(BASE, phys, info);
}

static void test_mb2(void **state)
{
	struct { u32 start, end; char text[4]; } mod = { 0x5000, 0x7010, "x" };
	struct boot_info info;

	mb2_begin();
	mb2_tag(1, "ip=dhcp init=/echo", 19);
	mb2_tag(3, &mod, sizeof(mod));
	mod.start = 0x9000;
	mod.end = 0xa000;
	mb2_tag(3, &mod, sizeof(mod));
	mb2_tag(14, "RSD PTR old rsdp....", 20);
	mb2_tag(99, "unknown", 7);
	mb2_mmap();
	mb2_tag(0, "", 0);
	assert_int_equal(mb2_parse(&info), 0);
	assert_string_equal(info.cmdline, "ip=dhcp init=/echo");
	assert_string_equal(info.door, "multiboot2");
	assert_int_equal(info.initrd, 0x5000);
	assert_int_equal(info.initrd_len, 0x2010);
	assert_memory_equal(info.rsdp_copy, "RSD PTR old rsdp....", 20);
	assert_int_equal(info.nr_regions, 3);
	assert_true(info.regions[0].usable);
	assert_false(info.regions[1].usable);
	assert_int_equal(info.regions[2].len, 0x700000);
}

static void mb2_cmdline(const char *given, const char *want)
{
	struct boot_info info;

	mb2_begin();
	mb2_tag(1, given, (u32)strlen(given) + 1);
	mb2_mmap();
	assert_int_equal(mb2_parse(&info), 0);
	assert_string_equal(info.cmdline, want);
}

static void test_mb2_image_path_goes(void **state)
{
	mb2_cmdline("", "");
	mb2_cmdline("a=1", "a=1");
	mb2_cmdline("/boot/pollux.elf a=1 b", "a=1 b");
	mb2_cmdline("/boot/pollux.elf", "");
	mb2_cmdline("/p  init=/echo", "init=/echo");
	mb2_cmdline("init=/echo -- /p", "init=/echo -- /p");
}

static void test_newer_rsdp_wins(void **state)
{
	char new[37] = "RSD PTR new rsdp with thirty-six byt";
	struct boot_info info;

	mb2_begin();
	mb2_tag(15, new, 36);
	mb2_tag(14, "RSD PTR old rsdp....", 20);
	mb2_mmap();
	assert_int_equal(mb2_parse(&info), 0);
	assert_memory_equal(info.rsdp_copy, new, 36);
}

static void test_mb2_damaged(void **state)
{
	struct boot_info info;
	u8 *tag;

	assert_int_equal(multiboot2_parse(BASE - 1, phys, &info), -EINVAL);
	mb2_begin();
	*(u32 *)mem = 8;
	assert_int_equal(mb2_parse(&info), -EINVAL);
	*(u32 *)mem = 0xffffffff;
	assert_int_equal(mb2_parse(&info), -EINVAL);
	*(u32 *)mem = sizeof(mem) + 1;
	assert_int_equal(mb2_parse(&info), -EINVAL);
	/* No memory map at all. */
	mb2_begin();
	mb2_tag(1, "a", 2);
	assert_int_equal(mb2_parse(&info), -EINVAL);
	/* A tag longer than the rest, and one shorter than its header. */
	mb2_begin();
	tag = mb2_tag(1, "a", 2);
	mb2_mmap();
	((u32 *)tag)[1] = 0xfffffff9;
	assert_int_equal(mb2_parse(&info), -EINVAL);
	((u32 *)tag)[1] = 4;
	assert_int_equal(mb2_parse(&info), -EINVAL);
}

static void test_mb2_odd_tags(void **state)
{
	struct boot_info info;
	u32 map[2] = { 0, 0 }, mod[2] = { 0x5000, 0x5000 };

	mb2_begin();
	mb2_tag(6, map, 4);
	mb2_tag(6, map, 8);
	mb2_tag(3, mod, 4);
	mb2_tag(3, mod, 8);
	mb2_tag(1, "no end", 6);
	mb2_mmap();
	assert_int_equal(mb2_parse(&info), 0);
	assert_int_equal(info.initrd, 0);
	assert_string_equal(info.cmdline, "no end");
}

/* Every single flipped byte: any answer, but no wild access. */
static void test_mb2_flips(void **state)
{
	struct boot_info info;
	u32 i, bit;

	for (i = 0; i < 200; i++) {
		for (bit = 0; bit < 8; bit++) {
			mb2_begin();
			mb2_tag(1, "/image a=1", 11);
			mb2_tag(14, "RSD PTR old rsdp....", 20);
			mb2_mmap();
			mem[i] ^= (u8)(1u << bit);
			(void)!mb2_parse(&info);
			assert_true(info.nr_regions <= BOOT_MAX_REGIONS);
			assert_true(strlen(info.cmdline) <
				    sizeof(info.cmdline));
		}
	}
}

static void test_too_many_regions(void **state)
{
	struct boot_info info = { 0 };
	u32 i;

	for (i = 0; i < 2 * BOOT_MAX_REGIONS; i++)
		boot_add_region(&info, i * 0x2000, 0x1000, true);
	assert_int_equal(info.nr_regions, BOOT_MAX_REGIONS);
	memset(&info, 0, sizeof(info));
	boot_add_region(&info, 0, 0, true);
	boot_add_region(&info, ~0ull, 2, true);
	assert_int_equal(info.nr_regions, 0);
	boot_add_region(&info, 0, 0x1000, true);
	boot_add_region(&info, 0x1000, 0x1000, true);
	boot_add_region(&info, 0x2000, 0x1000, false);
	assert_int_equal(info.nr_regions, 2);
	assert_int_equal(info.regions[0].len, 0x2000);
}

/* --- PVH --- */

struct si {
	u32 magic, version, flags, nr_modules;
	u64 modlist, cmdline, rsdp, memmap;
	u32 entries, zero;
};

static struct si *pvh_begin(void)
{
	static const struct { u64 addr, size; u32 type, zero; } map[] = {
		{ 0, 0x9fc00, 1, 0 }, { 0xf0000, 0x10000, 2, 0 },
		{ 0x100000, 0x700000, 1, 0 },
	};
	static const u64 mod[4] = { 0x600000, 0x1234, 0, 0 };
	struct si *si = (struct si *)mem;

	memset(mem, 0, sizeof(mem));
	*si = (struct si){ PVH_MAGIC, 1, 0, 1, BASE + 0x200, BASE + 0x300,
			   0xf5a10, BASE + 0x100, 3, 0 };
	memcpy(mem + 0x100, map, sizeof(map));
	memcpy(mem + 0x200, mod, sizeof(mod));
	strcpy((char *)mem + 0x300, "init=/echo /x");
	return si;
}

static int pvh(struct boot_info *info)
{
	memset(info, 0, sizeof(*info));
	return pvh_parse(BASE, phys, info);
}

static void test_pvh(void **state)
{
	struct boot_info info;

	pvh_begin();
	assert_int_equal(pvh(&info), 0);
	assert_string_equal(info.door, "pvh");
	assert_string_equal(info.cmdline, "init=/echo /x");
	assert_int_equal(info.initrd, 0x600000);
	assert_int_equal(info.initrd_len, 0x1234);
	assert_int_equal(info.rsdp, 0xf5a10);
	assert_int_equal(info.nr_regions, 3);
	assert_false(info.regions[1].usable);
}

static void test_pvh_without_extras(void **state)
{
	struct boot_info info;
	struct si *si = pvh_begin();

	si->nr_modules = 0;
	si->cmdline = 0;
	assert_int_equal(pvh(&info), 0);
	assert_int_equal(info.initrd, 0);
	assert_string_equal(info.cmdline, "");
	/* Pointers to nowhere lose what they point to, nothing else. */
	si->nr_modules = 1;
	si->modlist = 1ull << 40;
	si->cmdline = 1ull << 40;
	assert_int_equal(pvh(&info), 0);
	assert_int_equal(info.initrd, 0);
}

static void test_pvh_cmdline_at_the_edge(void **state)
{
	struct boot_info info;
	struct si *si = pvh_begin();

	memcpy(mem + sizeof(mem) - 4, "a=1", 4);
	si->cmdline = BASE + sizeof(mem) - 4;
	assert_int_equal(pvh(&info), 0);
	assert_string_equal(info.cmdline, "a=1");
	memset(mem + 0x400, 'x', 4000);
	si->cmdline = BASE + 0x400;
	assert_int_equal(pvh(&info), 0);
	assert_int_equal(strlen(info.cmdline), sizeof(info.cmdline) - 1);
	/* A loader that says it twice: the second one, and nothing more. */
	boot_set_cmdline(&info, "b=2 c", 3);
	assert_string_equal(info.cmdline, "b=2");
}

static void test_pvh_damaged(void **state)
{
	struct boot_info info;
	struct si *si = pvh_begin();

	si->version = 0;
	assert_int_equal(pvh(&info), -EINVAL);
	si = pvh_begin();
	si->magic++;
	assert_int_equal(pvh(&info), -EINVAL);
	si = pvh_begin();
	si->entries = 0xffffffff;
	assert_int_equal(pvh(&info), -EINVAL);
	si->entries = 1000;
	assert_int_equal(pvh(&info), -EINVAL);
	si->entries = 0;
	assert_int_equal(pvh(&info), -EINVAL);
	si = pvh_begin();
	si->memmap = 0;
	assert_int_equal(pvh(&info), -EINVAL);
	si = pvh_begin();
	*(u64 *)(mem + 0x208) = ~0ull;
	assert_int_equal(pvh(&info), 0);
	assert_int_equal(info.initrd, 0);
	assert_int_equal(pvh_parse(0, phys, &info), -EINVAL);
}

static void test_nokaslr(void **state)
{
	(void)state;
	assert_true(kaslr_refused("nokaslr"));
	assert_true(kaslr_refused("ip=dhcp  nokaslr init=/echo"));
	assert_true(kaslr_refused("nokaslr -- 1"));
	assert_false(kaslr_refused(""));
	assert_false(kaslr_refused("  "));
	assert_false(kaslr_refused("nokaslr2 anokaslr nokasl nokaslr=1"));
	/* The program's own words. */
	assert_false(kaslr_refused("init=/echo -- nokaslr"));
	assert_true(kaslr_refused("init=/echo --x nokaslr"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mb2),
		cmocka_unit_test(test_mb2_image_path_goes),
		cmocka_unit_test(test_newer_rsdp_wins),
		cmocka_unit_test(test_mb2_damaged),
		cmocka_unit_test(test_mb2_odd_tags),
		cmocka_unit_test(test_mb2_flips),
		cmocka_unit_test(test_too_many_regions),
		cmocka_unit_test(test_pvh),
		cmocka_unit_test(test_pvh_without_extras),
		cmocka_unit_test(test_pvh_cmdline_at_the_edge),
		cmocka_unit_test(test_pvh_damaged),
		cmocka_unit_test(test_nokaslr),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
