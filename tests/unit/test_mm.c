/*
 * Areas, page faults and the memory system calls.
 * sources: kernel/mm/mm.c kernel/mm/mm_fault.c kernel/mm/mremap.c
 * kernel/mm/mmap.c kernel/rbtree.c
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vdso.h"
#include "kernel/uaccess.h"
#include "kernel/x86/paging.h"
#include "tests/host/host.h"

#define P PAGE_SIZE
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define FIXED (ANON | MAP_FIXED)
#define AT 0x10000000ul

long sys_mmap(u64 addr, u64 len, u64 prot, u64 flags, s64 fd, u64 off);
long sys_munmap(u64 addr, u64 len);
long sys_mprotect(u64 addr, u64 len, u64 prot);
long sys_mremap(u64 addr, u64 old, u64 new, u64 flags, u64 to);
long sys_brk(u64 want);
long sys_madvise(u64 addr, u64 len, u64 advice);
long sys_msync(u64 addr, u64 len, u64 flags);

static struct mm_struct *mm;
static unsigned long allocs;

static int setup(void **state)
{
	host_reset();
	host_refuse_tables(false);
	allocs = host_allocs_outstanding();
	mm = mm_create();
	assert_non_null(mm);
	host_main_task.mm = mm;
	mmap_read_file = NULL;
	return 0;
}

/* Whatever a test did, destroying the mm frees all of it. */
static int teardown(void **state)
{
	host_main_task.mm = NULL;
	mm_destroy(mm);
	assert_int_equal(host_allocs_outstanding(), allocs);
	return 0;
}

static u64 map(u64 addr, u64 pages, u32 prot, u32 flags)
{
	s64 ret = mm_map(mm, addr, pages * P, prot, flags, NULL);

	assert_true(ret > 0);
	return (u64)ret;
}

static bool can(u64 addr, u32 why)
{
	int err = mm_fault(mm, addr, why);

	assert_true(!err || err == -EFAULT || err == -EACCES);
	return !err;
}

/* The page's memory, as the program would see it. */
static u8 *mem(u64 addr)
{
	u64 *entry = pt_user_entry(mm->pgd, ALIGN_DOWN(addr, P), false);

	if (!entry || !*entry)
		return NULL;
	return (u8 *)phys_to_virt(*entry & PTE_ADDR) + addr % P;
}

static u64 prot_bits(u64 addr)
{
	return *pt_user_entry(mm->pgd, addr, false) & (PTE_P | PTE_W | PTE_NX);
}

struct dump {
	char text[512];
	size_t len;
};

static void dump_area(const struct vm_area *a, void *arg)
{
	struct dump *d = arg;

	d->len += (size_t)snprintf(d->text + d->len, sizeof(d->text) - d->len,
				   "%ld-%ld:%u ", (long)(a->start - AT) / 4096,
				   (long)(a->end - AT) / 4096, a->prot);
}

/* All areas as "first-last:prot ", in pages from AT. */
static void expect_areas(const char *want)
{
	struct dump d = { .text = "" };

	mm_for_each_area(mm, dump_area, &d);
	assert_string_equal(d.text, want);
}

static void test_bases(void **state)
{
	struct mm_struct *other = mm_create();

	assert_true(mm->stack_top <= TASK_SIZE_MAX);
	assert_true(mm->mmap_base + USER_STACK_SIZE + STACK_GUARD_GAP <=
		    mm->stack_top);
	assert_int_not_equal(mm->stack_top, other->stack_top);
	assert_int_not_equal(mm->stack_top - mm->mmap_base,
			     other->stack_top - other->mmap_base);
	mm_set_brk(mm, AT + 1);
	mm_set_brk(other, AT + 1);
	assert_true(mm->brk >= AT + P && mm->brk % P == 0);
	assert_int_not_equal(mm->brk, other->brk);
	mm_destroy(other);
}

static void test_top_down(void **state)
{
	u64 a = map(0, 3, RW, ANON), b = map(0, 2, PROT_READ, ANON);

	assert_int_equal(a, mm->mmap_base - 3 * P);
	assert_int_equal(b, a - 2 * P);
	/* The hole is used again, a bigger wish goes below. */
	assert_int_equal(mm_unmap(mm, a, 2 * P), 0);
	assert_int_equal(map(0, 4, RW, ANON), b - 4 * P);
	assert_int_equal(mm_unmap(mm, a + 2 * P, P), 0);
	assert_int_equal(map(0, 3, RW, ANON), a);
}

static void test_hints(void **state)
{
	assert_int_equal(map(AT, 2, RW, ANON), AT);
	assert_int_equal(map(AT + 4 * P + 5, 1, RW, ANON), AT + 4 * P);
	assert_int_not_equal(map(AT + P, 1, RW, ANON), AT + P);
	assert_true(map(1, 1, RW, ANON) > MMAP_MIN_ADDR);
}

static void test_fixed_replaces(void **state)
{
	map(AT, 10, RW, FIXED);
	assert_true(can(AT + 3 * P, FAULT_WRITE));
	*mem(AT + 3 * P) = 7;
	map(AT + 2 * P, 3, PROT_READ, FIXED);
	expect_areas("0-2:3 2-5:1 5-10:3 ");
	assert_null(mem(AT + 3 * P));
	assert_int_equal(mm_map(mm, AT + 9 * P, 2 * P, RW,
				ANON | MAP_FIXED_NOREPLACE, NULL), -EEXIST);
	expect_areas("0-2:3 2-5:1 5-10:3 ");
	map(AT + 10 * P, 1, RW, ANON | MAP_FIXED_NOREPLACE);
	expect_areas("0-2:3 2-5:1 5-11:3 ");
}

static void test_bad_ranges(void **state)
{
	assert_int_equal(mm_map(mm, 0, 0, RW, ANON, NULL), -EINVAL);
	assert_int_equal(mm_map(mm, 0, ~0ul, RW, ANON, NULL), -ENOMEM);
	assert_int_equal(mm_map(mm, 0, TASK_SIZE_MAX, RW, ANON, NULL),
			 -ENOMEM);
	assert_int_equal(mm_map(mm, AT + 1, P, RW, FIXED, NULL), -EINVAL);
	assert_int_equal(mm_map(mm, TASK_SIZE_MAX, P, RW, FIXED, NULL),
			 -ENOMEM);
	assert_int_equal(mm_map(mm, ~0ul & ~(P - 1), P, RW, FIXED, NULL),
			 -ENOMEM);
	assert_int_equal(mm_map(mm, 0, P, RW, FIXED, NULL), -EPERM);
	assert_int_equal(mm_map(mm, MMAP_MIN_ADDR - P, P, RW, FIXED, NULL),
			 -EPERM);
	assert_int_equal(mm_unmap(mm, AT + 1, P), -EINVAL);
	assert_int_equal(mm_unmap(mm, AT, 0), -EINVAL);
	assert_int_equal(mm_unmap(mm, AT, ~0ul - AT), -EINVAL);
	assert_int_equal(mm_unmap(mm, AT, P), 0);
	assert_int_equal(mm_protect(mm, AT + 1, P, RW), -EINVAL);
	assert_int_equal(mm_protect(mm, AT, P, RW), -ENOMEM);
	assert_int_equal(mm_protect(mm, AT, 0, RW), 0);
}

static void test_unmap_splits(void **state)
{
	map(AT, 10, RW, FIXED);
	assert_int_equal(mm_unmap(mm, AT + 4 * P, 2 * P), 0);
	expect_areas("0-4:3 6-10:3 ");
	assert_int_equal(mm_unmap(mm, AT, P), 0);
	assert_int_equal(mm_unmap(mm, AT + 9 * P, 9 * P), 0);
	expect_areas("1-4:3 6-9:3 ");
	assert_int_equal(mm_unmap(mm, AT + 2 * P, 5 * P), 0);
	expect_areas("1-2:3 7-9:3 ");
	map(AT + 2 * P, 5, RW, FIXED);
	expect_areas("1-9:3 ");
	assert_int_equal(mm->nr_areas, 1);
}

static void test_protect_splits_and_joins(void **state)
{
	map(AT, 10, RW, FIXED);
	assert_true(can(AT + 5 * P, FAULT_WRITE));
	assert_int_equal(mm_protect(mm, AT + 4 * P, 3 * P, PROT_READ), 0);
	expect_areas("0-4:3 4-7:1 7-10:3 ");
	assert_false(prot_bits(AT + 5 * P) & PTE_W);
	assert_int_equal(mm_protect(mm, AT + 4 * P, 3 * P, RW), 0);
	expect_areas("0-10:3 ");
	assert_true(prot_bits(AT + 5 * P) & PTE_W);
	assert_int_equal(mm_unmap(mm, AT + 5 * P, P), 0);
	assert_int_equal(mm_protect(mm, AT, 10 * P, PROT_READ), -ENOMEM);
	expect_areas("0-5:3 6-10:3 ");
}

/* PROT_NONE keeps the page and what it holds. */
static void test_none_and_back(void **state)
{
	map(AT, 1, RW, FIXED);
	assert_true(can(AT, FAULT_WRITE));
	*mem(AT) = 42;
	assert_int_equal(mm_protect(mm, AT, P, PROT_NONE), 0);
	assert_int_equal(prot_bits(AT) & PTE_P, 0);
	assert_false(can(AT, 0));
	assert_int_equal(mm_protect(mm, AT, P, PROT_READ), 0);
	assert_int_equal(*mem(AT), 42);
	assert_int_equal(mm->rss, 1);
}

static void test_fault_rules(void **state)
{
	map(AT, 1, PROT_READ, FIXED);
	map(AT + P, 1, PROT_WRITE, FIXED);
	map(AT + 2 * P, 1, PROT_READ | PROT_EXEC, FIXED);
	map(AT + 3 * P, 1, PROT_NONE, FIXED);
	assert_true(can(AT + 5, 0));
	assert_false(can(AT, FAULT_WRITE));
	assert_false(can(AT, FAULT_EXEC));
	assert_true(can(AT + P, 0));
	assert_true(can(AT + P, FAULT_WRITE));
	assert_true(can(AT + 2 * P, FAULT_EXEC));
	assert_false(can(AT + 2 * P, FAULT_WRITE));
	assert_false(can(AT + 3 * P, 0));
	assert_false(can(AT + 4 * P, 0));
	assert_false(can(AT - 1, 0));
	assert_false(can(0, 0));
	assert_int_equal(mm->rss, 3);
	assert_true(prot_bits(AT) & PTE_NX);
	assert_false(prot_bits(AT + 2 * P) & PTE_NX);
	/* W^X: no page is both, unless the program asked for it. */
	assert_false(prot_bits(AT + 2 * P) & PTE_W);
}

static void test_pages_are_zero(void **state)
{
	u8 zero[PAGE_SIZE] = { 0 };

	map(AT, 1, RW, FIXED);
	assert_true(can(AT + 77, 0));
	assert_memory_equal(mem(AT), zero, P);
}

static void test_out_of_memory(void **state)
{
	map(AT, 3, RW, FIXED);
	host_fail_alloc(1);
	assert_int_equal(mm_fault(mm, AT, 0), -ENOMEM);
	host_refuse_tables(true);
	assert_int_equal(mm_fault(mm, AT + P, 0), -ENOMEM);
	host_refuse_tables(false);
	host_fail_alloc(1);
	assert_int_equal(mm_map(mm, 0, P, RW, ANON, NULL), -ENOMEM);
	host_fail_alloc(1);
	assert_int_equal(mm_unmap(mm, AT + P, P), -ENOMEM);
	expect_areas("0-3:3 ");
	host_fail_alloc(1);
	assert_int_equal(mm_protect(mm, AT + P, P, PROT_READ), -ENOMEM);
	assert_true(can(AT + P, FAULT_WRITE));
	host_fail_alloc(1);
	assert_null(mm_create());
	host_fail_alloc(2);
	assert_null(mm_create());
}

static void test_write(void **state)
{
	u8 data[3 * PAGE_SIZE];

	memset(data, 0x33, sizeof(data));
	map(AT, 4, PROT_READ, FIXED);
	assert_int_equal(mm_write(mm, AT + P - 10, data, 2 * P + 20), 0);
	assert_int_equal(*mem(AT + P - 10), 0x33);
	assert_int_equal(*mem(AT + P - 11), 0);
	assert_int_equal(*mem(AT + 2 * P), 0x33);
	assert_int_equal(*mem(AT + 3 * P + 9), 0x33);
	assert_int_equal(*mem(AT + 3 * P + 10), 0);
	assert_int_equal(mm_write(mm, AT + 4 * P - 1, data, 2), -EFAULT);
	assert_int_equal(mm_unmap(mm, AT, P), 0);
	map(AT, 1, PROT_NONE, FIXED);
	host_fail_alloc(1);
	assert_int_equal(mm_write(mm, AT, data, 1), -ENOMEM);
	assert_int_equal(mm_write(mm, AT, data, 1), 0);
	assert_int_equal(prot_bits(AT) & PTE_P, 0);
}

static void test_stack_gap(void **state)
{
	u64 stack = mm->stack_top - USER_STACK_SIZE, low;
	struct vm_area *a;

	assert_int_equal(mm_map(mm, stack, USER_STACK_SIZE, RW,
				FIXED | MAP_GROWSDOWN, "[stack]"), stack);
	/* A hint right below the stack is not followed. */
	low = map(stack - P, 1, RW, ANON);
	assert_int_not_equal(low, stack - P);
	/* Nor does the search end there when the base would allow it. */
	mm->mmap_base = mm->stack_top;
	mm->mmap_hint = mm->stack_top;
	low = map(0, 1, RW, ANON);
	assert_int_equal(low, stack - STACK_GUARD_GAP - P);
	a = list_last_entry(&mm->list, struct vm_area, list);
	assert_int_equal(a->start, stack);
	assert_true(can(stack, FAULT_WRITE));
	assert_false(can(stack - 1, FAULT_WRITE));
}

static void test_brk(void **state)
{
	u64 start;

	mm_set_brk(mm, AT);
	start = mm->brk;
	assert_int_equal(sys_brk(0), start);
	assert_int_equal(sys_brk(start - 1), start);
	assert_int_equal(sys_brk(start + 100), start + 100);
	assert_true(can(start + P - 1, FAULT_WRITE));
	assert_int_equal(sys_brk(start + 3 * P), start + 3 * P);
	assert_int_equal(mm->nr_areas, 1);
	*mem(start) = 9;
	assert_int_equal(sys_brk(start + P + 1), start + P + 1);
	assert_false(can(start + 2 * P, 0));
	assert_int_equal(*mem(start), 9);
	/* In the way of something else: it stays where it is. */
	map(start + 4 * P, 1, RW, FIXED);
	assert_int_equal(sys_brk(start + 5 * P), start + P + 1);
	assert_int_equal(sys_brk(~0ul), start + P + 1);
	assert_int_equal(sys_brk(start), start);
	assert_int_equal(mm->rss, 0);
}

static void test_mmap_call(void **state)
{
	long a = sys_mmap(0, P, RW, ANON, -1, 0);

	assert_true(a > 0);
	assert_int_equal(sys_mmap(0, P, RW, MAP_ANONYMOUS, -1, 0), -EINVAL);
	assert_int_equal(sys_mmap(0, P, RW, ANON, -1, 5), -EINVAL);
	assert_int_equal(sys_mmap(0, 0, RW, ANON, -1, 0), -EINVAL);
	assert_int_equal(sys_mmap(0, P, RW, ANON | 0x40000, -1, 0), -ENOMEM);
	assert_int_equal(sys_mmap(0, P, RW, MAP_PRIVATE, 3, 0), -ENODEV);
	assert_true(sys_mmap(0, P, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) > 0);
	assert_true(sys_mmap(0, P, RW, 3 | MAP_ANONYMOUS, -1, 0) > 0);
	assert_int_equal(sys_mprotect((u64)a, P, 0x100), -EINVAL);
	assert_int_equal(sys_mprotect((u64)a, P, PROT_READ), 0);
	assert_int_equal(sys_msync((u64)a, 1, 0), 0);
	assert_int_equal(sys_munmap((u64)a, P), 0);
	assert_false(can((u64)a, 0));
	assert_int_equal(sys_msync((u64)a, 1, 0), -ENOMEM);
	assert_int_equal(sys_msync(AT + 1, 1, 0), -EINVAL);
	assert_int_equal(sys_msync(AT, 1, 5), -EINVAL);
}

/* Growing is refused while a page fault could still be served. */
static void test_no_growth_when_memory_is_low(void **state)
{
	u64 start, all = nr_total_pages() * P;

	mm_set_brk(mm, AT);
	start = sys_brk(mm->brk + P);
	assert_int_equal(sys_mmap(0, all + P, RW, ANON, -1, 0), -ENOMEM);
	assert_true(sys_mmap(0, all + P, RW, ANON | 0x4000, -1, 0) > 0);
	assert_true(sys_mmap(0, all + P, PROT_NONE, ANON, -1, 0) > 0);
	assert_int_equal(sys_brk(start + all + P), start);
	host_fail_all_allocs(true);
	assert_int_equal(sys_mmap(0, P, RW, ANON, -1, 0), -ENOMEM);
	assert_int_equal(sys_brk(start + P), start);
	host_fail_all_allocs(false);
	assert_int_equal(sys_brk(start + P), start + P);
}

/* A file of 5000 bytes 'f' as descriptor 5, without pages of its own. */
static ssize_t read_file(int fd, u64 pos, void *buf, size_t n)
{
	if (fd != 5)
		return -EBADF;
	n = pos < 5000 ? min(n, 5000 - pos) : 0;
	memset(buf, 'f', n);
	return (ssize_t)n;
}

/* --- pages that belong to a file --- */

static struct {
	int refs;
	struct page *page[4];
} source;

static int source_open(int fd, u32 prot, void **out)
{
	if (fd != 3 && fd != 5)
		return -EBADF;
	if (fd == 5)
		return -ENODEV;
	if (prot & PROT_EXEC)
		return -EACCES;
	source.refs++;
	*out = &source;
	return 0;
}

static void source_get(void *s)
{
	source.refs++;
}

static void source_put(void *s)
{
	source.refs--;
}

static struct page *source_page(void *s, u64 index, int *err)
{
	if (index >= ARRAY_SIZE(source.page)) {
		*err = -ENXIO;
		return NULL;
	}
	get_page(source.page[index]);
	return source.page[index];
}

/* Which pages are written to, a bit each; -EACCES: none may be. */
static int dirty;

static int source_dirty(void *s, u64 index)
{
	if (dirty >= 0)
		dirty |= 1 << index;
	return min(dirty, 0);
}

/* Pages 1 and 2, if there are any, are not only there but constant. */
static bool constant;

static phys_addr_t source_constant(void *s, u64 index)
{
	return constant && (index == 1 || index == 2) ?
		       page_to_phys(source.page[index]) : 0;
}

static const struct mmap_source_ops source_ops = {
	.open = source_open, .get = source_get, .put = source_put,
	.page = source_page, .constant = source_constant,
	.dirty = source_dirty,
};

static void drop_source(void)
{
	for (int i = 0; i < 4; i++)
		put_page(source.page[i]);
	mmap_sources = NULL;
}

static void test_mmap_file(void **state)
{
	u64 areas;
	long a;

	mmap_read_file = read_file;
	mmap_sources = &source_ops;
	a = sys_mmap(0, 3 * P, PROT_READ, MAP_PRIVATE, 5, 0);
	assert_true(a > 0);
	assert_int_equal(*mem((u64)a), 'f');
	assert_int_equal(*mem((u64)a + 4999), 'f');
	assert_int_equal(*mem((u64)a + 5000), 0);
	assert_int_equal(prot_bits((u64)a), PTE_P | PTE_NX);
	areas = mm->nr_areas;
	assert_int_equal(sys_mmap(0, P, RW, MAP_PRIVATE, 4, 0), -EBADF);
	host_fail_alloc(2);
	assert_int_equal(sys_mmap(0, P, RW, MAP_PRIVATE, 5, 0), -ENOMEM);
	host_fail_alloc(3);
	assert_int_equal(sys_mmap(0, P, RW, MAP_PRIVATE, 5, 0), -ENOMEM);
	assert_int_equal(mm->nr_areas, areas);
	mmap_sources = NULL;
}

/* A private mapping shows the file until it is written to. */
static void test_private_file(void **state)
{
	u64 a, rss;

	mmap_sources = &source_ops;
	for (int i = 0; i < 4; i++) {
		source.page[i] = alloc_pages(0);
		memset(page_address(source.page[i]), 'a' + i, P);
	}
	for (int pass = 0; pass < 2; pass++) {
		constant = pass;
		a = (u64)sys_mmap(0, 5 * P, RW, MAP_PRIVATE, 3, 0);
		rss = mm->rss;
		/* Read: the file's own page, which may not be written to. */
		assert_true(can(a + P, 0));
		assert_ptr_equal(mem(a + P), page_address(source.page[1]));
		assert_int_equal(prot_bits(a + P), PTE_P | PTE_NX);
		/* What costs nothing comes with its neighbour. */
		assert_int_equal(mm->rss, rss + 1 + (u64)pass);
		/* Changed and changed back, it still is the file's. */
		assert_int_equal(sys_mprotect(a, 3 * P, PROT_READ), 0);
		assert_int_equal(sys_mprotect(a, 3 * P, RW), 0);
		assert_int_equal(prot_bits(a + P), PTE_P | PTE_NX);
		/* Written: a copy, whether it was read before or not. */
		host_fail_alloc(1);
		assert_int_equal(mm_fault(mm, a + P, FAULT_WRITE), -ENOMEM);
		host_fail_alloc(0);
		assert_true(can(a + P, FAULT_WRITE));
		assert_true(can(a + 2 * P, FAULT_WRITE));
		assert_int_equal(mm->rss, rss + 2);
		assert_ptr_not_equal(mem(a + P), page_address(source.page[1]));
		assert_int_equal(*mem(a + 2 * P + 7), 'c');
		assert_int_equal(prot_bits(a + 2 * P), PTE_P | PTE_W | PTE_NX);
		*mem(a + P) = 'x';
		assert_int_equal(*(char *)page_address(source.page[1]), 'b');
		/* Dropped, the file shows again. */
		assert_int_equal(sys_madvise(a, 2 * P, 4), 0);
		assert_true(can(a + P, 0));
		assert_int_equal(*mem(a + P), 'b');
		/* The loader writes to what is read-only, too. */
		assert_int_equal(sys_mprotect(a, 4 * P, PROT_READ), 0);
		assert_int_equal(mm_write(mm, a + 3 * P + 1, "yz", 2), 0);
		assert_memory_equal(mem(a + 3 * P), "dyzd", 4);
		assert_int_equal(mm_fault(mm, a + 4 * P, 0), -ENXIO);
		assert_int_equal(sys_munmap(a, 5 * P), 0);
		assert_int_equal(mm->rss, rss);
		assert_int_equal(source.refs, 0);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(atomic_read(&source.page[i]->refs), 1);
	drop_source();
}

static void test_shared_file(void **state)
{
	u64 a, b;

	mmap_read_file = read_file;
	mmap_sources = &source_ops;
	for (int i = 0; i < 4; i++)
		source.page[i] = alloc_pages(0);
	assert_int_equal(sys_mmap(0, P, RW, MAP_SHARED, 4, 0), -EBADF);
	assert_int_equal(sys_mmap(0, P, PROT_EXEC, MAP_SHARED, 3, 0),
			 -EACCES);
	a = (u64)sys_mmap(0, 5 * P, RW, MAP_SHARED, 3, 0);
	b = (u64)sys_mmap(0, 2 * P, RW, MAP_SHARED, 3, P);
	assert_int_equal(source.refs, 2);
	dirty = 0;
	assert_int_equal(mm_fault(mm, b, 0), 0);
	assert_int_equal(prot_bits(b), PTE_P | PTE_NX);
	assert_int_equal(dirty, 0);
	assert_int_equal(mm_fault(mm, a + P, FAULT_WRITE), 0);
	assert_int_equal(dirty, 1 << 1);
	assert_int_equal(prot_bits(a + P), PTE_P | PTE_W | PTE_NX);
	/* Dropped, the next write is told again; what is read stays so. */
	mm_zap_source(mm, &source, 0, 4, MAP_PRIVATE);
	assert_int_equal(prot_bits(a + P), PTE_P | PTE_W | PTE_NX);
	mm_zap_source(mm, &source, 0, 4, MAP_SHARED);
	dirty = -EACCES;
	assert_int_equal(mm_fault(mm, a + P, FAULT_WRITE), -EACCES);
	assert_int_equal(prot_bits(a + P), PTE_P | PTE_NX);
	dirty = 0;
	assert_int_equal(mm_fault(mm, a + P, FAULT_WRITE), 0);
	assert_int_equal(mm_fault(mm, b, 0), 0);
	assert_int_equal(dirty, 1 << 1);
	strcpy((char *)mem(a + P), "seen");
	assert_string_equal((char *)mem(b), "seen");
	assert_int_equal(mm_fault(mm, a + 4 * P, 0), -ENXIO);
	/* A hole makes two areas of one; each knows its place. */
	assert_int_equal(sys_munmap(a + 2 * P, P), 0);
	assert_int_equal(source.refs, 3);
	assert_int_equal(mm_fault(mm, a + 3 * P, 0), 0);
	assert_ptr_equal(mem(a + 3 * P), page_address(source.page[3]));
	a = (u64)sys_mremap(b, 2 * P, 3 * P, 1, 0);
	assert_int_equal(mm_fault(mm, a + 2 * P, 0), 0);
	assert_string_equal((char *)mem(a), "seen");
	assert_ptr_equal(mem(a + 2 * P), page_address(source.page[3]));
	/* No memory for the area, or to set it apart. */
	for (unsigned long n = 1; n <= 2; n++) {
		int refs = source.refs;
		long ret;

		host_fail_alloc(n);
		ret = sys_mmap(0, P, RW, MAP_SHARED, 3, 0);
		assert_true(ret == -ENOMEM || !host_alloc_failed());
		assert_int_equal(source.refs, refs + (ret > 0));
	}
	host_fail_alloc(0);
	assert_int_equal(sys_munmap(0x10000, TASK_SIZE_MAX - 0x10000), 0);
	assert_int_equal(source.refs, 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(atomic_read(&source.page[i]->refs), 1);
		put_page(source.page[i]);
	}
}

static struct page *vdso[2];

struct page *vdso_page(u64 index)
{
	get_page(vdso[index]);
	return vdso[index];
}

/* Stays what it is whatever the program does, but it may go. */
static void test_vdso(void **state)
{
	for (int i = 0; i < 2; i++) {
		vdso[i] = alloc_pages(0);
		memset(page_address(vdso[i]), 'a' + i, P);
	}
	assert_int_equal(mm_map_special(mm, AT, PROT_READ, "v", 0), AT);
	assert_int_equal(mm_map_special(mm, AT + P, PROT_READ | PROT_EXEC,
					"x", 1), AT + P);
	assert_true(can(AT, 0) && can(AT + P, FAULT_EXEC));
	assert_false(can(AT, FAULT_WRITE) || can(AT + P, FAULT_WRITE));
	assert_true(*mem(AT) == 'a' && *mem(AT + P) == 'b');
	assert_int_equal(sys_mprotect(AT, 2 * P, RW), -EACCES);
	assert_int_equal(sys_mprotect(AT, P, PROT_NONE), 0);
	assert_int_equal(sys_mprotect(AT, P, PROT_READ), 0);
	assert_int_equal(sys_madvise(AT, 2 * P, 4), 0);
	assert_true(can(AT, 0) && can(AT + P, 0));
	assert_true(*mem(AT) == 'a' && *mem(AT + P) == 'b');
	assert_int_equal(sys_mremap(AT, P, 2 * P, 1, 0), -EFAULT);
	/* Nobody gets one by mmap(). */
	assert_int_equal(sys_mmap(AT + 2 * P, P, RW, FIXED | MAP_VDSO, -1, 0),
			 AT + 2 * P);
	assert_true(can(AT + 2 * P, FAULT_WRITE));
	assert_int_equal(mm_unmap(mm, AT, 2 * P), 0);
	for (int i = 0; i < 2; i++)
		put_page(vdso[i]);
}

static void test_madvise(void **state)
{
	map(AT, 2, RW, FIXED);
	assert_true(can(AT, FAULT_WRITE));
	*mem(AT) = 1;
	assert_int_equal(sys_madvise(AT, P, 4), 0);
	assert_null(mem(AT));
	assert_true(can(AT, 0));
	assert_int_equal(*mem(AT), 0);
	assert_int_equal(sys_madvise(AT, 3 * P, 4), -ENOMEM);
	assert_int_equal(sys_madvise(AT + 1, P, 4), -EINVAL);
	assert_int_equal(sys_madvise(AT, P, 0), 0);
	assert_int_equal(sys_madvise(AT, P, 99), -EINVAL);
}

static void test_mremap(void **state)
{
	long to;

	map(AT, 4, RW, FIXED);
	assert_true(can(AT, FAULT_WRITE));
	*mem(AT) = 5;
	/* In place, both ways. */
	assert_int_equal(sys_mremap(AT, 4 * P, 6 * P, 0, 0), AT);
	expect_areas("0-6:3 ");
	assert_int_equal(sys_mremap(AT, 6 * P, 2 * P, 0, 0), AT);
	expect_areas("0-2:3 ");
	/* Something in the way. */
	map(AT + 2 * P, 1, PROT_READ, FIXED);
	assert_int_equal(sys_mremap(AT, 2 * P, 3 * P, 0, 0), -ENOMEM);
	to = sys_mremap(AT, 2 * P, 3 * P, 1, 0);
	assert_true(to > 0 && (u64)to != AT);
	assert_int_equal(*mem((u64)to), 5);
	assert_false(can(AT, 0));
	/* To a given place, over what is there. */
	assert_int_equal(sys_mremap((u64)to, 3 * P, 3 * P, 3, AT), AT);
	assert_int_equal(*mem(AT), 5);
	expect_areas("0-3:3 ");
	assert_int_equal(mm->rss, 1);
}

static void test_mremap_refusals(void **state)
{
	map(AT, 4, RW, FIXED);
	assert_int_equal(sys_mremap(AT + 1, P, P, 0, 0), -EINVAL);
	assert_int_equal(sys_mremap(AT, P, 0, 0, 0), -EINVAL);
	assert_int_equal(sys_mremap(AT, 0, P, 0, 0), -EINVAL);
	assert_int_equal(sys_mremap(AT, P, P, 2, 0), -EINVAL);
	assert_int_equal(sys_mremap(AT, P, P, 8, 0), -EINVAL);
	assert_int_equal(sys_mremap(AT, 2 * P, 2 * P, 3, AT + P), -EINVAL);
	assert_int_equal(sys_mremap(AT, 5 * P, 6 * P, 0, 0), -EFAULT);
	assert_int_equal(sys_mremap(AT + 9 * P, P, 2 * P, 0, 0), -EFAULT);
	expect_areas("0-4:3 ");
}

/* A move that cannot get tables puts everything back. */
static void test_mremap_out_of_memory(void **state)
{
	map(AT, 2, RW, FIXED);
	map(AT + 2 * P, 1, PROT_READ, FIXED);
	assert_true(can(AT + P, FAULT_WRITE));
	*mem(AT + P) = 5;
	host_refuse_tables(true);
	assert_int_equal(sys_mremap(AT, 2 * P, 4 * P, 1, 0), -ENOMEM);
	host_refuse_tables(false);
	assert_int_equal(*mem(AT + P), 5);
	expect_areas("0-2:3 2-3:1 ");
	host_fail_alloc(1);
	assert_int_equal(sys_mremap(AT, 2 * P, 4 * P, 1, 0), -ENOMEM);
	expect_areas("0-2:3 2-3:1 ");
}

/* A random mix against a plain array of what each page should be. */
static void test_storm(void **state)
{
	static s8 want[64];
	u64 seed = 11, i;
	int round;

	memset(want, -1, sizeof(want));
	for (round = 0; round < 20000; round++) {
		u64 first, n, prot;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		first = (seed >> 33) % 60;
		n = 1 + (seed >> 40) % 4;
		prot = (seed >> 50) % 4;
		if (seed >> 60 < 6) {
			map(AT + first * P, n, (u32)prot, FIXED);
			memset(want + first, (int)prot, n);
		} else if (seed >> 60 < 11) {
			assert_int_equal(mm_unmap(mm, AT + first * P, n * P),
					 0);
			memset(want + first, -1, n);
		} else if (!mm_protect(mm, AT + first * P, n * P, (u32)prot)) {
			for (i = 0; i < n; i++)
				assert_true(want[first + i] >= 0);
			memset(want + first, (int)prot, n);
		}
		for (i = first; i < first + n; i++) {
			u64 at = AT + i * P;

			assert_int_equal(can(at, 0), want[i] > 0);
			assert_int_equal(can(at, FAULT_WRITE),
					 want[i] > 0 && want[i] & PROT_WRITE);
		}
	}
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bases),
		T(top_down),
		T(hints),
		T(fixed_replaces),
		T(bad_ranges),
		T(unmap_splits),
		T(protect_splits_and_joins),
		T(none_and_back),
		T(fault_rules),
		T(pages_are_zero),
		T(out_of_memory),
		T(write),
		T(stack_gap),
		T(brk),
		T(mmap_call),
		T(no_growth_when_memory_is_low),
		T(mmap_file),
		T(shared_file),
		T(vdso),
		T(private_file),
		T(madvise),
		T(mremap),
		T(mremap_refusals),
		T(mremap_out_of_memory),
		T(storm),
	};

	return cmocka_run_group_tests_name("mm", tests, NULL, NULL);
}
