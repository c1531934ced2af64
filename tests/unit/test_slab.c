/*
 * Slab caches and kmalloc on the real page allocator.
 * sources: kernel/mm/memblock.c kernel/mm/page_alloc.c kernel/mm/slab.c
 * kernel/mm/kmalloc.c
 */
#include "tests/unit/mm_fixture.h"

#include "kernel/mm/slab.h"
#include "kernel/mm/slab_internal.h"

#define MIB (1ul << 20)

static int setup(void **state)
{
	arena_setup();
	arena_add(MIB, 32 * MIB);
	page_alloc_init();
	INIT_LIST_HEAD(&slab_caches);
	slab_init();
	return 0;
}

static int teardown(void **state)
{
	arena_teardown();
	return 0;
}

static void find(const struct slab_info *info, void *arg)
{
	struct slab_info *want = arg;

	if (!strcmp(info->name, want->name))
		*want = *info;
}

static struct slab_info info_of(const char *name)
{
	struct slab_info info = { .name = name };

	slab_for_each(find, &info);
	return info;
}

static void test_every_size(void **state)
{
	size_t n;

	for (n = 0; n <= 20000; n += n < 300 ? 1 : 97) {
		u8 *a = kmalloc(n), *b = kmalloc(n);

		assert_non_null(a);
		assert_true(kmalloc_size(n) >= n);
		memset(a, 1, kmalloc_size(n));
		memset(b, 2, kmalloc_size(n));
		if (n)
			assert_int_equal(a[n - 1], 1);
		kfree(a);
		kfree(b);
	}
	kfree(NULL);
}

static void test_zeroed(void **state)
{
	u8 zero[200] = { 0 };
	u8 *p = kmalloc(200);

	memset(p, 0xff, 200);
	kfree(p);
	p = kzalloc(200);
	assert_memory_equal(p, zero, 200);
	kfree(p);
	p = kcalloc(10, 20);
	assert_memory_equal(p, zero, 200);
	kfree(p);
	assert_null(kcalloc(SIZE_MAX / 2, 3));
}

static void test_cache(void **state)
{
	struct kmem_cache *c = kmem_cache_create("thing", 100, 64, SLAB_ZERO);
	struct slab_info info;
	u8 *p[100];
	int i, j;

	for (i = 0; i < 100; i++) {
		p[i] = kmem_cache_alloc(c);
		assert_int_equal((u64)p[i] % 64, 0);
		for (j = 0; j < 100; j++)
			assert_int_equal(p[i][j], 0);
		memset(p[i], i, 100);
	}
	info = info_of("thing");
	assert_int_equal(info.active, 100);
	assert_int_equal(info.size, 128);
	assert_true(info.total >= 100);
	for (i = 0; i < 100; i++) {
		assert_int_equal(p[i][99], i);
		kmem_cache_free(c, p[i]);
	}
	assert_int_equal(info_of("thing").active, 0);
}

/* From the magazine, from the slabs when that is empty, as far as there is. */
static void test_many_at_once(void **state)
{
	struct kmem_cache *c = kmem_cache_create("many", 64, 0, SLAB_ZERO);
	void *obj[400];
	u32 n = 0;

	while (n < 400) {
		u32 got = kmem_cache_alloc_bulk(c, 50, obj + n);

		assert_int_equal(got, 50);
		for (u32 i = n; i < n + got; i++) {
			assert_int_equal(*(u64 *)obj[i], 0);
			for (u32 k = 0; k < i; k++)
				assert_ptr_not_equal(obj[k], obj[i]);
			memset(obj[i], 0xff, 64);
		}
		n += got;
	}
	while (n)
		kmem_cache_free(c, obj[--n]);
}

/* Up to half a page, no size leaves more than a sixteenth of a slab unused. */
static void test_little_is_wasted(void **state)
{
	for (size_t size = 16; size <= PAGE_SIZE / 2; size += 8) {
		struct kmem_cache *c = kmem_cache_create("fit", size, 0, 0);
		void *obj = kmem_cache_alloc(c);
		struct slab_info info = info_of("fit");
		size_t bytes = info.pages * PAGE_SIZE;

		assert_non_null(obj);
		assert_true(info.total * size >= bytes - bytes / 16);
		kmem_cache_free(c, obj);
		assert_true(slab_reclaim());
		list_del(&c->list);
	}
}

/* Pages go back: a magazine and one empty slab are what a cache may keep. */
static void test_memory_comes_back(void **state)
{
	struct kmem_cache *c = kmem_cache_create("big", 1000, 0, 0);
	static void *p[8000];
	u64 before = nr_free_pages();
	int i, n = 0;

	while (n < 8000 && (p[n] = kmem_cache_alloc(c)))
		n++;
	assert_true(n > 5000);
	for (i = 0; i < n; i += 2)
		kmem_cache_free(c, p[i]);
	for (i = 1; i < n; i += 2)
		kmem_cache_free(c, p[i]);
	assert_true(nr_free_pages() + 16 > before);
	assert_int_equal(info_of("big").active, 0);
}

static void test_out_of_memory(void **state)
{
	static void *p[16000];
	int n = 0;

	while ((p[n] = kmalloc(4096)))
		n++;
	assert_null(kmalloc(100000));
	while (n)
		kfree(p[--n]);
	assert_non_null(p[0] = kmalloc(100000));
	kfree(p[0]);
}

/* What caches hold back comes out when a page is wanted and there is none. */
static void test_reclaim(void **state)
{
	static struct page *page[8192];
	struct kmem_cache *c = kmem_cache_create("held", 500, 0, 0);
	void *p[100];
	int i, n = 0;

	for (i = 0; i < 100; i++)
		p[i] = kmem_cache_alloc(c);
	for (i = 0; i < 100; i++)
		kmem_cache_free(c, p[i]);
	assert_true(info_of("held").pages > 0);
	while ((page[n] = alloc_pages(0)))
		n++;
	assert_int_equal(info_of("held").pages, 0);
	assert_null(kmem_cache_alloc(c));
	free_pages(page[--n], 0);
	p[0] = kmem_cache_alloc(c);
	assert_non_null(p[0]);
	kmem_cache_free(c, p[0]);
	while (n)
		free_pages(page[--n], 0);
}

static void test_storm(void **state)
{
	static struct { u8 *p; size_t n; u8 tag; } slot[2000];
	u64 seed = 7;
	int round, i;

	for (round = 0; round < 200000; round++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		i = (seed >> 33) % 2000;
		if (slot[i].p) {
			assert_int_equal(slot[i].p[0], slot[i].tag);
			assert_int_equal(slot[i].p[slot[i].n - 1],
					 slot[i].tag);
			kfree(slot[i].p);
			slot[i].p = NULL;
			continue;
		}
		slot[i].n = 1 + (seed >> 45) % 3000;
		slot[i].tag = (u8)round;
		slot[i].p = kmalloc(slot[i].n);
		if (slot[i].p)
			memset(slot[i].p, slot[i].tag, slot[i].n);
	}
	for (i = 0; i < 2000; i++)
		kfree(slot[i].p);
	memset(slot, 0, sizeof(slot));
}

static void expect_panic_with(const char *text)
{
	assert_true(host_panic_caught);
	assert_non_null(strstr(host_panic_text(), text));
}

static void test_double_free(void **state)
{
	void *p = kmalloc(100), *big = kmalloc(100000);

	kfree(p);
	host_expect_panic(kfree(p));
	expect_panic_with("freed twice");
	assert_non_null(strstr(host_panic_text(), "kmalloc-128"));
	kfree(big);
	host_expect_panic(kfree(big));
	expect_panic_with("freed twice");
}

static void test_write_after_free(void **state)
{
	u64 *p = kmalloc(100);

	kfree(p);
	p[0] ^= 1;
	host_expect_panic((void)!kmalloc(100));
	expect_panic_with("after it was freed");
}

/* An overflow into the next object is seen when that one is handed out. */
static void test_overflow_into_free_object(void **state)
{
	u8 *a = kmalloc(64), *b = kmalloc(64), *low = a < b ? a : b;
	int i;

	kfree(a < b ? b : a);
	memset(low, 0x41, 72);
	host_expect_panic(for (i = 0; i < 100; i++) (void)!kmalloc(64));
	expect_panic_with("kmalloc-64");
}

static void test_free_list_overwritten(void **state)
{
	struct kmem_cache *c = kmem_cache_create("links", 64, 0, 0);
	static u64 *p[200];
	int i;

	for (i = 0; i < 200; i++)
		p[i] = kmem_cache_alloc(c);
	for (i = 0; i < 200; i++)
		kmem_cache_free(c, p[i]);
	/* Leave the marks: only the links are wrong. */
	for (i = 0; i < 200; i++)
		p[i][1] ^= 1ull << 40;
	host_expect_panic(for (i = 0; i < 200; i++)
				  (void)!kmem_cache_alloc(c));
	expect_panic_with("free list overwritten");
}

static void test_foreign_pointers(void **state)
{
	struct kmem_cache *a = kmem_cache_create("a", 64, 0, 0);
	struct kmem_cache *b = kmem_cache_create("b", 64, 0, 0);
	static u8 *p[200];
	int i;

	for (i = 0; i < 200; i++)
		p[i] = kmem_cache_alloc(a);
	host_expect_panic(for (i = 0; i < 200; i++) kmem_cache_free(b, p[i]));
	expect_panic_with("not of that cache");
	for (i = 0; i < 100; i++)
		p[i] = kmalloc(500);
	host_expect_panic(for (i = 0; i < 100; i++) kfree(p[i] + 8));
	expect_panic_with("not where an object starts");
	host_expect_panic(kfree(arena + 24 * MIB));
	assert_true(host_panic_caught);
}

static void test_bulk_sees_a_write_after_free(void **state)
{
	struct kmem_cache *c = kmem_cache_create("bulk", 64, 0, 0);
	void *p[10];
	int i;

	for (i = 0; i < 10; i++)
		p[i] = kmem_cache_alloc(c);
	for (i = 0; i < 10; i++)
		kmem_cache_free(c, p[i]);
	*(u64 *)p[5] ^= 1;
	host_expect_panic((void)!kmem_cache_alloc_bulk(c, 10, p));
	expect_panic_with("after it was freed");
}

/* A pointer into what never was an object, and into a slab that is gone. */
static void test_pointers_to_no_object(void **state)
{
	struct kmem_cache *c = kmem_cache_create("none", 64, 0, 0);
	u8 *p;

	c->magazine[0]->busy = 1;
	p = kmem_cache_alloc(c);
	host_expect_panic(kmem_cache_free(c, p + 64));
	expect_panic_with("not where an object starts");
	/* The first one's lock stays where it was. */
	c = kmem_cache_create("gone", 64, 0, 0);
	c->magazine[0]->busy = 1;
	p = kmem_cache_alloc(c);
	kmem_cache_free(c, p);
	assert_true(slab_reclaim());
	memset(p, 0, 64);
	host_expect_panic(kmem_cache_free(c, p));
	expect_panic_with("not of that cache");
}

/* Who reads one free object knows nothing of another cache's. */
static void test_marks_and_links_are_secret(void **state)
{
	struct kmem_cache *c[2];
	u64 mark[2], *p;
	int i;

	for (i = 0; i < 2; i++) {
		c[i] = kmem_cache_create("secret", 64, 0, 0);
		c[i]->magazine[0]->busy = 1;
		p = kmem_cache_alloc(c[i]);
		kmem_cache_free(c[i], p);
		mark[i] = p[0] ^ (u64)p;
		assert_int_not_equal(mark[i], 0);
		assert_int_not_equal(p[1] >> 16, 0);
		assert_int_not_equal((p[1] ^ (u64)p) >> 16, 0);
	}
	assert_true(mark[0] != mark[1]);
}

/* An interrupt in the middle of an allocation sees the magazine busy. */
static void test_busy_magazine(void **state)
{
	struct kmem_cache *c = kmem_cache_create("busy", 64, 0, 0);
	struct magazine *m = c->magazine[0];
	void *a, *b;
	u32 count;

	a = kmem_cache_alloc(c);
	count = m->count;
	m->busy = 1;
	b = kmem_cache_alloc(c);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	kmem_cache_free(c, b);
	assert_int_equal(m->count, count);
	m->busy = 0;
	kmem_cache_free(c, a);
	assert_int_equal(m->count, count + 1);
	assert_int_equal(info_of("busy").active, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_size),
		T(zeroed),
		T(cache),
		T(many_at_once),
		T(little_is_wasted),
		T(memory_comes_back),
		T(out_of_memory),
		T(reclaim),
		T(storm),
		T(double_free),
		T(write_after_free),
		T(overflow_into_free_object),
		T(free_list_overwritten),
		T(foreign_pointers),
		T(bulk_sees_a_write_after_free),
		T(pointers_to_no_object),
		T(marks_and_links_are_secret),
		T(busy_magazine),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
