/*
 * vmalloc, kernel stacks and ioremap over the fake page tables.
 * sources: kernel/mm/vmalloc.c kernel/rbtree.c
 */
#include "tests/unit/unit.h"

#include "kernel/mm/page.h"
#include "kernel/mm/vmalloc.h"
#include "tests/host/host.h"

#define P PAGE_SIZE
/* An area is its struct and its pages. */
#define COST(pages) ((pages) + 1u)

static unsigned long allocs;

static int setup(void **state)
{
	static struct page *page0;

	host_reset();
	/* The host hands out page 0, which the kernel never does. */
	if (!page0)
		page0 = alloc_pages(0);
	assert_non_null(page0);
	host_refuse_tables(false);
	allocs = host_allocs_outstanding();
	vmalloc_init();
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(host_allocs_outstanding(), allocs);
	assert_int_equal(host_pages_mapped(), 0);
	return 0;
}

static void test_areas(void **state)
{
	u64 a = (u64)vmalloc(1), b = (u64)vmalloc(3 * P), c;

	assert_int_equal(a % P, 0);
	assert_int_equal(host_pages_mapped(), 4);
	assert_int_equal(host_allocs_outstanding(),
			 allocs + COST(1) + COST(3));
	/* One unmapped page between neighbours. */
	assert_true(b >= a + 2 * P);
	c = (u64)vmalloc(P);
	assert_true(c >= b + 4 * P);
	vfree((void *)b);
	assert_int_equal(host_pages_mapped(), 2);
	vfree((void *)a);
	vfree((void *)c);
	vfree(NULL);
}

static void test_refusals(void **state)
{
	assert_null(vmalloc(0));
	assert_null(vmalloc(1ul << 40));
	assert_null(ioremap(0xfe000000, 0));
	assert_null(ioremap(~0ul, 2));
}

static void test_out_of_memory(void **state)
{
	unsigned long n;

	for (n = 1; n <= 4; n++) {
		host_fail_alloc(n);
		assert_null(vmalloc(3 * P));
		assert_int_equal(host_allocs_outstanding(), allocs);
	}
	host_refuse_tables(true);
	assert_null(vmalloc(P));
	assert_null(ioremap(0xfe000000, P));
	host_refuse_tables(false);
}

static void test_bad_free(void **state)
{
	u8 *a = vmalloc(2 * P);

	host_expect_panic(vfree(a + P));
	assert_true(host_panic_caught);
	vfree(a);
}

static void test_stacks_are_kept(void **state)
{
	void *a = kstack_alloc();

	assert_int_equal(host_pages_mapped(), KSTACK_SIZE / P);
	kstack_free(a);
	assert_ptr_equal(kstack_alloc(), a);
	vfree(a);
}

static void test_stock_of_stacks_is_bounded(void **state)
{
	void *s[40];
	int i;

	for (i = 0; i < 40; i++)
		s[i] = kstack_alloc();
	for (i = 0; i < 40; i++)
		kstack_free(s[i]);
	assert_true(host_pages_mapped() < 40 * KSTACK_SIZE / P / 2);
	host_fail_all_allocs(true);
	for (i = 0; (s[i] = kstack_alloc()); i++)
		;
	host_fail_all_allocs(false);
	while (i--)
		vfree(s[i]);
}

static void test_ioremap(void **state)
{
	u64 a = (u64)ioremap(0xfe000ff0, 0x20);

	assert_int_equal(a % P, 0xff0);
	assert_int_equal(host_pages_mapped(), 2);
	/* No memory behind it: only the area's struct was allocated. */
	assert_int_equal(host_allocs_outstanding(), allocs + 1);
	allocs = host_allocs_outstanding();
	assert_true((u64)ioremap(0xfe000000, P) >= ALIGN_DOWN(a, P) + 3 * P);
	allocs = host_allocs_outstanding();
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(areas),
		T(refusals),
		T(out_of_memory),
		T(bad_free),
		T(stacks_are_kept),
		T(stock_of_stacks_is_bounded),
		/* Device mappings are for good: last, and not unmapped. */
		cmocka_unit_test_setup(test_ioremap, setup),
	};

	return cmocka_run_group_tests_name("vmalloc", tests, NULL, NULL);
}
