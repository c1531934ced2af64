/*
 * Free memory at boot, and the buddy allocator on top of it.
 * sources: kernel/mm/memblock.c kernel/mm/page_alloc.c
 */
#include "tests/unit/mm_fixture.h"

#define MIB (1ul << 20)
#define MAX_PAGES (ARENA_BYTES / PAGE_SIZE)

static int setup(void **state)
{
	arena_setup();
	return 0;
}

static int teardown(void **state)
{
	arena_teardown();
	return 0;
}

static void region(struct boot_info *info, phys_addr_t start, u64 len,
		   bool usable)
{
	info->regions[info->nr_regions++] =
		(struct boot_region){ start, len, usable };
}

static void test_regions(void **state)
{
	struct boot_info info = { 0 };
	struct memblock mb;

	/* Out of order, unaligned, overlapping. */
	region(&info, 0x100000, 0x500800, true);
	region(&info, 0, 0x9fc00, true);
	region(&info, 0x300000, 0x1000, false);
	info.initrd = 0x400010;
	info.initrd_len = 0x20;
	memblock_init(&mb, &info, 0x100000, 0x180000);
	assert_int_equal(mb.nr, 4);
	assert_int_equal(mb.range[0].start, PAGE_SIZE);
	assert_int_equal(mb.range[0].end, 0x9f000);
	assert_int_equal(mb.range[1].start, 0x180000);
	assert_int_equal(mb.range[1].end, 0x300000);
	assert_int_equal(mb.range[2].start, 0x301000);
	assert_int_equal(mb.range[2].end, 0x400000);
	assert_int_equal(mb.range[3].start, 0x401000);
	assert_int_equal(mb.range[3].end, 0x600000);
	assert_int_equal(mb.ram_end, 0x600800);
}

static void test_overlapping_usable_regions_count_once(void **state)
{
	struct boot_info info = { 0 };
	struct memblock mb;
	u64 bytes = 0;
	unsigned int i;

	region(&info, 0x100000, 0x200000, true);
	region(&info, 0x200000, 0x200000, true);
	region(&info, ~0ul - 0xfff, 0x1000, false);
	memblock_init(&mb, &info, 0, 0);
	for (i = 0; i < mb.nr; i++)
		bytes += mb.range[i].end - mb.range[i].start;
	assert_int_equal(bytes, 0x300000);
}

static void test_boot_allocations(void **state)
{
	phys_addr_t pa;

	arena_add(MIB, 2 * MIB);
	arena_add(4 * MIB, 6 * MIB);
	pa = memblock_alloc(&memblock, 5000, ARENA_BYTES, true);
	assert_int_equal(pa, MIB);
	pa = memblock_alloc(&memblock, 5000, ARENA_BYTES, false);
	assert_int_equal(pa, 6 * MIB - 2 * PAGE_SIZE);
	pa = memblock_alloc(&memblock, MIB + PAGE_SIZE, 6 * MIB, true);
	assert_int_equal(pa, 4 * MIB);
	assert_int_equal(memblock_alloc(&memblock, PAGE_SIZE, MIB, true), 0);
	assert_int_equal(memblock_alloc(&memblock, 3 * MIB, 6 * MIB, true), 0);
}

static void test_table_full_loses_memory_only(void **state)
{
	struct memblock mb = { 0 };
	unsigned int i;

	memblock_add(&mb, 0, ARENA_BYTES);
	for (i = 0; i < 2 * MEMBLOCK_MAX; i++)
		memblock_reserve(&mb, (2 * i + 1) * PAGE_SIZE,
				 (2 * i + 2) * PAGE_SIZE);
	assert_true(mb.nr <= MEMBLOCK_MAX);
	for (i = 0; i < mb.nr; i++)
		assert_true(mb.range[i].start % (2 * PAGE_SIZE) == 0);
}

/* Every page once, none of it overlapping, all of it back at the end. */
static void test_all_pages(void **state)
{
	static struct page *page[MAX_PAGES];
	static bool seen[MAX_PAGES];
	u64 n = 0, i, total;

	memset(seen, 0, sizeof(seen));
	arena_add(PAGE_SIZE, 0x9f000);
	arena_add(MIB + 3 * PAGE_SIZE, 13 * MIB);
	arena_add(40 * MIB, ARENA_BYTES);
	page_alloc_init();
	total = nr_total_pages();
	assert_int_equal(nr_free_pages(), total);
	while ((page[n] = alloc_page_reserve())) {
		u64 pfn = page_to_phys(page[n]) / PAGE_SIZE;

		assert_false(seen[pfn]);
		seen[pfn] = true;
		assert_true((pfn >= 1 && pfn < 0x9f) ||
			    (pfn >= 0x103 && pfn < 13 * 256) ||
			    pfn >= 40 * 256);
		assert_int_equal(atomic_read(&page[n]->refs), 1);
		memset(page_address(page[n]), 0xff, PAGE_SIZE);
		n++;
	}
	assert_int_equal(n, total);
	assert_int_equal(nr_free_pages(), 0);
	for (i = 0; i < n; i += 2)
		free_pages(page[i], 0);
	for (i = 1; i < n; i += 2)
		free_pages(page[i], 0);
	assert_int_equal(nr_free_pages(), total);
	/* It all merges again: the largest blocks are there. */
	assert_non_null(alloc_pages(MAX_ORDER));
}

static void test_blocks_are_aligned(void **state)
{
	unsigned int order;

	arena_add(MIB, ARENA_BYTES);
	page_alloc_init();
	for (order = 0; order <= MAX_ORDER; order++) {
		struct page *page = alloc_pages(order);

		assert_non_null(page);
		assert_int_equal(page_to_phys(page) % (PAGE_SIZE << order), 0);
	}
	assert_null(alloc_pages(MAX_ORDER + 1));
}

/* A random mix, checked by patterns at both ends of every block. */
static void test_storm(void **state)
{
	static struct { struct page *page; u32 order, tag; } slot[300];
	u64 seed = 42, total;
	u32 round, i;

	arena_add(MIB, 20 * MIB);
	page_alloc_init();
	total = nr_free_pages();
	for (round = 0; round < 100000; round++) {
		u8 *va;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		i = (seed >> 33) % 300;
		if (slot[i].page) {
			va = page_address(slot[i].page);
			assert_int_equal(*(u32 *)va, slot[i].tag);
			assert_int_equal(*(u32 *)(va + (PAGE_SIZE <<
				slot[i].order) - 4), slot[i].tag);
			free_pages(slot[i].page, slot[i].order);
			slot[i].page = NULL;
			continue;
		}
		slot[i].order = (seed >> 50) % 7;
		slot[i].page = alloc_pages(slot[i].order);
		if (!slot[i].page)
			continue;
		slot[i].tag = round;
		va = page_address(slot[i].page);
		*(u32 *)va = round;
		*(u32 *)(va + (PAGE_SIZE << slot[i].order) - 4) = round;
	}
	for (i = 0; i < 300; i++)
		if (slot[i].page)
			free_pages(slot[i].page, slot[i].order);
	memset(slot, 0, sizeof(slot));
	assert_int_equal(nr_free_pages(), total);
}

static void test_boot_writes_no_page_structs(void **state)
{
	u64 i, touched = 0;

	arena_add(4 * MIB, ARENA_BYTES);
	page_alloc_init();
	assert_non_null(alloc_pages(0));
	for (i = 8 * MIB / PAGE_SIZE; i < MAX_PAGES; i++)
		touched += mem_map[i].type != 0x5c;
	assert_int_equal(touched, 0);
}

static void test_double_free(void **state)
{
	struct page *one, *four;

	arena_add(MIB, 8 * MIB);
	page_alloc_init();
	one = alloc_pages(0);
	four = alloc_pages(2);
	free_pages(one, 0);
	host_expect_panic(free_pages(one, 0));
	assert_true(host_panic_caught);
	host_expect_panic(free_pages(four, 1));
	assert_true(host_panic_caught);
}

static void test_references(void **state)
{
	struct page *page;
	u64 before;

	arena_add(MIB, 8 * MIB);
	page_alloc_init();
	before = nr_free_pages();
	page = alloc_pages(1);
	get_page(page);
	put_page(page);
	assert_int_equal(nr_free_pages(), before - 2);
	put_page(page);
	assert_int_equal(nr_free_pages(), before);
}

static void test_reserved_page_joins(void **state)
{
	u64 total;

	arena_add(MIB, 8 * MIB);
	page_alloc_init();
	total = nr_total_pages();
	free_reserved_page(MIB - PAGE_SIZE);
	assert_int_equal(nr_total_pages(), total + 1);
	assert_int_equal(nr_free_pages(), total + 1);
}

/* Peers may use up all but the reserve; the program gets that. */
static void test_reserve(void **state)
{
	static struct page *page[MAX_PAGES];
	u64 n = 0, total;

	arena_add(MIB, 33 * MIB);
	page_alloc_init();
	total = nr_total_pages();
	assert_false(memory_is_low());
	assert_false(memory_tight);
	while (nr_free_pages() > total / 8 + 16) {
		page[n++] = alloc_pages(0);
		assert_false(memory_tight);
	}
	while ((page[n] = alloc_pages(0)))
		n++;
	assert_true(memory_tight);
	assert_true(memory_is_low());
	assert_int_equal(total - n, total / 16);
	assert_null(alloc_pages(3));
	while ((page[n] = alloc_page_reserve()))
		n++;
	assert_int_equal(n, total);
	while (n > total / 2)
		free_pages(page[--n], 0);
	assert_false(memory_is_low());
	assert_false(memory_tight);
	assert_non_null(alloc_pages(0));
}

/* All free blocks of at least @least are taken; how many. */
static unsigned int take_all(struct page **taken, unsigned int least)
{
	unsigned int n = 0;

	while ((taken[n] = page_report_take(least)) != NULL)
		n++;
	return n;
}

static void test_free_blocks_are_reported_once(void **state)
{
	static struct page *taken[MAX_PAGES];
	unsigned int n, i;
	struct page *page;
	u64 free;

	arena_add(0, ARENA_BYTES);
	page_alloc_init();
	/* What was never touched the host does not have either. */
	assert_null(page_report_take(0));
	page = alloc_pages(MAX_ORDER);
	free = nr_free_pages();
	free_pages(page, MAX_ORDER);
	assert_int_equal(take_all(taken, 5), 1);
	assert_ptr_equal(taken[0], page);
	assert_int_equal(nr_free_pages(), free);
	page_report_done(page, false);
	assert_int_equal(take_all(taken, 5), 1);
	page_report_done(page, true);
	assert_null(page_report_take(5));
	/* One page of it used and given back: the whole is new again. */
	page = alloc_pages(6);
	n = take_all(taken, 5);
	assert_true(n > 1);
	for (i = 0; i < n; i++)
		page_report_done(taken[i], true);
	assert_null(page_report_take(5));
	free_pages(page, 6);
	assert_int_equal(take_all(taken, 5), 1);
	assert_int_equal(taken[0]->order, MAX_ORDER);
	page_report_done(taken[0], true);
	assert_int_equal(nr_free_pages(), free + (1ul << MAX_ORDER));
}

static void test_nothing_is_reported_when_memory_is_short(void **state)
{
	static struct page *held[MAX_PAGES];
	unsigned int n = 0;

	arena_add(0, ARENA_BYTES);
	page_alloc_init();
	while ((held[n] = alloc_pages(5)) != NULL)
		n++;
	free_pages(held[--n], 5);
	assert_null(page_report_take(5));
	while (n)
		free_pages(held[--n], 5);
	assert_non_null(held[0] = page_report_take(5));
	page_report_done(held[0], true);
}

static void test_zeroed_page(void **state)
{
	u8 *va, zero[PAGE_SIZE] = { 0 };

	arena_add(MIB, 2 * MIB);
	page_alloc_init();
	va = get_zeroed_page();
	assert_memory_equal(va, zero, PAGE_SIZE);
	free_page(va);
}

static void test_too_small_for_page_structs(void **state)
{
	arena_add(ARENA_BYTES - 4 * PAGE_SIZE, ARENA_BYTES);
	host_expect_panic(page_alloc_init());
	assert_true(host_panic_caught);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(regions),
		T(overlapping_usable_regions_count_once),
		T(boot_allocations),
		T(table_full_loses_memory_only),
		T(all_pages),
		T(blocks_are_aligned),
		T(storm),
		T(boot_writes_no_page_structs),
		T(double_free),
		T(references),
		T(reserved_page_joins),
		T(reserve),
		T(free_blocks_are_reported_once),
		T(nothing_is_reported_when_memory_is_short),
		T(zeroed_page),
		T(too_small_for_page_structs),
	};

	return cmocka_run_group_tests_name("page_alloc", tests, NULL, NULL);
}
