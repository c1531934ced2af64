/*
 * Loading programs: the ELF checks field by field, the initial stack word by
 * word, and every way in which starting can fail.
 * sources: fs/exec.c fs/exec_load.c fs/elf.c fs/exec_stack.c vfs
 */
#include "tests/unit/cpio_fixture.h"

#include "fs/elf.h"
#include "fs/exec.h"
#include "fs/exec_stack.h"
#include "fs/fdtable.h"
#include "fs/rootfs.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "kernel/uaccess.h"
#include "kernel/x86/cpu.h"
#include "tests/host/host.h"

/* --- a program to load --- */

struct ehdr {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

/* Code, then data with a tail of zeroes. */
static struct {
	struct ehdr eh;
	struct phdr ph[4];
	char bytes[12288];
} elf;

static size_t elf_size;

static void good_elf(bool pie)
{
	u64 base = pie ? 0 : 0x400000;

	memset(&elf, 0, sizeof(elf));
	memcpy(elf.eh.ident, "\177ELF\2\1\1", 7);
	elf.eh.type = pie ? 3 : 2;
	elf.eh.machine = 62;
	elf.eh.version = 1;
	elf.eh.entry = base + 0x1010;
	elf.eh.phoff = sizeof(elf.eh);
	elf.eh.phentsize = sizeof(elf.ph[0]);
	elf.eh.phnum = 4;
	elf.ph[0] = (struct phdr){ 1, 4, 0, base, 0, 400, 400, 4096 };
	elf.ph[1] = (struct phdr){ 1, 5, 0x1000, base + 0x1000, 0, 0x100,
				   0x100, 4096 };
	elf.ph[2] = (struct phdr){ 1, 6, 0x2040, base + 0x3040, 0, 0x80,
				   0x2000, 4096 };
	elf.ph[3] = (struct phdr){ 0x6474e551, 6, 0, 0, 0, 0, 0, 16 };
	elf_size = 0x2040 + 0x80;
	for (size_t i = 0; i < sizeof(elf.bytes); i++)
		elf.bytes[i] = (char)i;
}

static const char *parse(struct elf_image *img)
{
	/* A copy of just the size, for the sanitiser. */
	void *copy = malloc(elf_size ? elf_size : 1);
	const char *why;

	memcpy(copy, &elf, elf_size);
	why = elf_parse(copy, elf_size, img);
	free(copy);
	return why;
}

static void expect_bad(const char *part)
{
	struct elf_image img;
	const char *why = parse(&img);

	if (!why || !strstr(why, part))
		fail_msg("wanted \"%s\", got \"%s\"", part, why ? why : "ok");
	good_elf(false);
}

static void test_good_programs(void **state)
{
	struct elf_image img;

	good_elf(false);
	assert_null(parse(&img));
	assert_false(img.pie);
	assert_int_equal(img.entry, 0x401010);
	assert_int_equal(img.phdr, 0x400040);
	assert_int_equal(img.phnum, 4);
	assert_int_equal(img.nr_segments, 3);
	assert_int_equal(img.start, 0x400000);
	assert_int_equal(img.end, 0x406000);
	assert_int_equal(img.segment[1].prot, PROT_READ | PROT_EXEC);
	assert_int_equal(img.segment[2].prot, PROT_READ | PROT_WRITE);
	good_elf(true);
	assert_null(parse(&img));
	assert_true(img.pie);
	assert_int_equal(img.phdr, 64);
}

static void test_bad_headers(void **state)
{
	good_elf(false);
	elf.eh.ident[0] = '#';
	expect_bad("no ELF program");
	elf.eh.ident[4] = 1;
	expect_bad("32-bit");
	elf.eh.machine = 3;
	expect_bad("32-bit");
	elf.eh.machine = 183;
	expect_bad("Arm");
	elf.eh.machine = 8;
	expect_bad("another machine");
	elf.eh.ident[5] = 2;
	expect_bad("another machine");
	elf.eh.ident[6] = 2;
	expect_bad("version");
	elf.eh.version = 0;
	expect_bad("version");
	elf.eh.type = 1;
	expect_bad("object file");
	elf.eh.type = 4;
	expect_bad("wrong ELF type");
	elf.eh.phentsize = 32;
	expect_bad("program headers");
	elf.eh.phnum = 0;
	expect_bad("program headers");
	elf.eh.phnum = 65535;
	expect_bad("cut off inside the program headers");
	elf.eh.phoff = UINT64_MAX - 10;
	expect_bad("cut off inside the program headers");
	elf_size = 30;
	expect_bad("cut off inside the ELF header");
	elf_size = 0;
	expect_bad("no ELF program");
}

static void test_bad_segments(void **state)
{
	good_elf(false);
	elf.ph[0].type = 3;
	expect_bad("no usable interpreter");
	elf.ph[3].type = 3;
	expect_bad("no usable interpreter");
	elf.ph[3] = (struct phdr){ 3, 4, UINT64_MAX, 0, 0, 2, 2, 1 };
	expect_bad("no usable interpreter");
	elf.ph[2].offset = UINT64_MAX - 0xfbf;
	expect_bad("cut off inside a segment");
	elf.ph[2].filesz = 0x81;
	expect_bad("cut off inside a segment");
	elf.ph[1].memsz = 0xff;
	expect_bad("larger in the file");
	elf.ph[2].memsz = UINT64_MAX;
	expect_bad("outside of the user's half");
	elf.ph[2].vaddr = 0xffffffff80000040;
	expect_bad("outside of the user's half");
	elf.ph[1].align = 3;
	expect_bad("alignment");
	elf.ph[1].align = 1ull << 40;
	expect_bad("alignment");
	elf.ph[1].vaddr += 8;
	expect_bad("does not lie");
	elf.ph[2].vaddr = 0x401040;
	expect_bad("out of order or sharing");
	elf.ph[2].vaddr = 0x3ff040;
	expect_bad("out of order or sharing");
	elf.eh.entry = 0x403050;
	expect_bad("outside of its code");
	elf.eh.entry = 0x401100;
	expect_bad("outside of its code");
	for (int i = 0; i < 3; i++)
		elf.ph[i].type = 0;
	expect_bad("nothing to load");
}

static void test_too_many_segments(void **state)
{
	struct phdr *ph = (struct phdr *)elf.bytes;

	good_elf(false);
	elf.eh.phoff = sizeof(elf) - sizeof(elf.bytes);
	elf.eh.phnum = ELF_MAX_SEGMENTS + 1;
	elf_size = sizeof(elf);
	for (u32 i = 0; i < elf.eh.phnum; i++)
		ph[i] = (struct phdr){ 1, 5, 0, 0x400000 + i * 4096, 0, 16, 16,
				       4096 };
	expect_bad("too many segments");
}

/* Any bytes at all are refused or accepted, and nothing is overrun. */
static void test_random_damage(void **state)
{
	struct elf_image img;

	for (int i = 0; i < 20000; i++) {
		good_elf(i & 1);
		for (u32 k = 1 + get_random_below(3); k; k--) {
			u32 at = get_random_below(64 + 3 * 56);

			((u8 *)&elf)[at] = (u8)get_random_u32();
		}
		if (get_random_below(4) == 0)
			elf_size = get_random_below((u32)elf_size);
		if (parse(&img))
			continue;
		for (u32 k = 0; k < img.nr_segments; k++) {
			const struct elf_segment *s = &img.segment[k];

			assert_true(s->offset + s->filesz <= elf_size);
			assert_true(s->vaddr + s->memsz <= TASK_SIZE_MAX);
		}
	}
}

/* --- the stack --- */

static u64 auxv(const u64 *p, u64 type)
{
	for (; p[0]; p += 2) {
		if (p[0] == type)
			return p[1];
	}
	return UINT64_MAX;
}

static char *args[] = { "prog", "one", "", NULL };
static char *env[] = { "HOME=/", "TERM=linux", NULL };

static struct exec_stack_info stack_info(void)
{
	struct exec_stack_info info = {
		.argv = args, .envp = env, .execfn = "/bin/prog",
		.phdr = 0x400040, .phent = 56, .phnum = 4, .entry = 0x401010,
		.hwcap = 0x178bfbff, .hwcap2 = 2,
	};

	memcpy(info.random, "0123456789abcdef", 16);
	return info;
}

static void test_stack_layout(void **state)
{
	struct exec_stack_info info = stack_info();
	u64 top = 0x7ffc12345670, sp, *w;
	size_t len;
	char *block;
	int err;

	/* For every alignment of the strings the pointer is right. */
	for (int i = 0; i < 40; i++) {
		static char pad[41];

		memset(pad, 'p', (size_t)i);
		pad[i] = '\0';
		args[2] = pad;
		block = exec_stack_build(&info, top, &sp, &len, &err);
		assert_non_null(block);
		assert_int_equal(sp % 16, 0);
		assert_int_equal(sp + len, top);
		w = (u64 *)block;
		assert_int_equal(w[0], 3);
#define AT(addr) (block + ((addr) - sp))
		assert_string_equal(AT(w[1]), "prog");
		assert_string_equal(AT(w[2]), "one");
		assert_string_equal(AT(w[3]), pad);
		assert_int_equal(w[4], 0);
		assert_string_equal(AT(w[5]), "HOME=/");
		assert_string_equal(AT(w[6]), "TERM=linux");
		assert_int_equal(w[7], 0);
		/* argv's strings come right before the environment's. */
		assert_int_equal(w[5], w[3] + strlen(pad) + 1);
		assert_int_equal(auxv(w + 8, 3), 0x400040);
		assert_int_equal(auxv(w + 8, 4), 56);
		assert_int_equal(auxv(w + 8, 5), 4);
		assert_int_equal(auxv(w + 8, 6), 4096);
		assert_int_equal(auxv(w + 8, 7), 0);
		assert_int_equal(auxv(w + 8, 9), 0x401010);
		assert_int_equal(auxv(w + 8, 11), 0);
		assert_int_equal(auxv(w + 8, 16), 0x178bfbff);
		assert_int_equal(auxv(w + 8, 17), 100);
		assert_int_equal(auxv(w + 8, 23), 0);
		assert_int_equal(auxv(w + 8, 26), 2);
		assert_memory_equal(AT(auxv(w + 8, 25)), "0123456789abcdef",
				    16);
		assert_string_equal(AT(auxv(w + 8, 31)), "/bin/prog");
		assert_string_equal(AT(auxv(w + 8, 15)), "x86_64");
		assert_int_equal(auxv(w + 8, 33), UINT64_MAX);
		assert_memory_equal(block + len - 8, "\0\0\0\0\0\0\0\0", 8);
		vfree(block);
	}
	args[2] = "";
}

static void test_stack_limits(void **state)
{
	static char big[MAX_ARG_BYTES];
	char *argv[] = { big, NULL };
	struct exec_stack_info info = stack_info();
	u64 sp;
	size_t len;
	int err;

	memset(big, 'x', sizeof(big) - 1);
	info.argv = argv;
	assert_null(exec_stack_build(&info, 1 << 20, &sp, &len, &err));
	assert_int_equal(err, -E2BIG);
	info.argv = args;
	host_fail_alloc(1);
	assert_null(exec_stack_build(&info, 1 << 20, &sp, &len, &err));
	assert_int_equal(err, -ENOMEM);
}

/* --- fakes of the address space and of the way to user mode --- */

#define MAX_AREAS 16

static struct {
	u64 start, len;
	u32 prot;
	u8 *mem;
	struct inode *source;
} areas[MAX_AREAS];
static int nr_areas, mm_alive, mm_fail_at;
static u64 brk_set, entered_ip, entered_sp;
static jmp_buf entered;

/* Where a mapping goes that may lie anywhere. */
static u64 room_at = 0x7f0000000000;

static bool mm_fails(void)
{
	return mm_fail_at && --mm_fail_at == 0;
}

struct mm_struct *mm_create(void)
{
	struct mm_struct *mm = kzalloc(sizeof(*mm));

	nr_areas = 0;
	if (mm) {
		mm->stack_top = 0x7ffffffde123;
		mm_alive++;
	}
	return mm;
}

void mm_destroy(struct mm_struct *mm)
{
	while (nr_areas) {
		free(areas[--nr_areas].mem);
		if (areas[nr_areas].source)
			iput(areas[nr_areas].source);
	}
	mm_alive--;
	kfree(mm);
}

void mm_activate(struct mm_struct *mm)
{
}

void mm_set_brk(struct mm_struct *mm, u64 end)
{
	brk_set = end;
}

s64 mm_map(struct mm_struct *mm, u64 addr, u64 size, u32 prot, u32 flags,
	   const char *name)
{
	if (mm_fails())
		return -ENOMEM;
	assert_int_equal(addr % PAGE_SIZE | size % PAGE_SIZE, 0);
	if (!(flags & MAP_FIXED))
		addr = room_at;
	areas[nr_areas].source = NULL;
	areas[nr_areas].start = addr;
	areas[nr_areas].len = size;
	areas[nr_areas].prot = prot;
	areas[nr_areas++].mem = calloc(1, size);
	return (s64)addr;
}

/* What was mapped last covers what was there. */
static u8 *user_mem(u64 addr)
{
	for (int i = nr_areas - 1; i >= 0; i--) {
		if (addr >= areas[i].start &&
		    addr < areas[i].start + areas[i].len)
			return areas[i].mem + (addr - areas[i].start);
	}
	return NULL;
}

int mm_set_source(struct mm_struct *mm, u64 addr, u64 size, void *source,
		  u64 index)
{
	struct inode *inode = source;

	if (mm_fails())
		return -ENOMEM;
	assert_int_equal(areas[nr_areas - 1].start, addr);
	assert_int_equal(areas[nr_areas - 1].len, size);
	areas[nr_areas - 1].source = inode;
	tmpfs_read_at(inode, index * PAGE_SIZE, areas[nr_areas - 1].mem, size);
	return 0;
}

int mm_write(struct mm_struct *mm, u64 addr, const void *src, size_t n)
{
	if (mm_fails())
		return -ENOMEM;
	assert_non_null(user_mem(addr));
	memcpy(user_mem(addr), src, n);
	return 0;
}

int process_init(struct task *task)
{
	return mm_fails() ? -ENOMEM : 0;
}

void enter_user_mode(u64 ip, u64 sp)
{
	entered_ip = ip;
	entered_sp = sp;
	longjmp(entered, 1);
}

/* --- exec_init --- */

static int exec_setup(void **state)
{
	static bool once;

	host_reset();
	if (!once)
		file_init();
	once = true;
	mm_fail_at = 0;
	len = 0;
	next_ino = 0;
	return 0;
}

static void make_initramfs(void)
{
	trailer();
	assert_int_equal(initramfs_init(buf, len), 0);
	assert_int_equal(rootfs_init(), 0);
}

static int exec_teardown(void **state)
{
	if (current->mm)
		mm_destroy(current->mm);
	current->mm = NULL;
	if (current->files)
		files_put(current->files);
	current->files = NULL;
	rootfs_forget();
	initramfs_forget();
	assert_int_equal(mm_alive, 0);
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

/* The result, or 1 if user mode was entered. */
static int try_exec(const char *path)
{
	int err;

	if (setjmp(entered))
		return 1;
	err = exec_init(path, args, env);
	assert_null(current->mm);
	assert_null(current->files);
	return err;
}

static void test_program_starts(void **state)
{
	u64 *w;

	good_elf(false);
	put_bytes("bin/prog", &elf, elf_size, S_IFREG | 0755);
	make_initramfs();
	assert_int_equal(try_exec("/bin/prog"), 1);
	assert_int_equal(entered_ip, 0x401010);
	assert_memory_equal(user_mem(0x401000), (u8 *)&elf + 0x1000, 0x100);
	assert_memory_equal(user_mem(0x403040), (u8 *)&elf + 0x2040, 0x80);
	assert_int_equal(*user_mem(0x4030c0), 0);
	assert_int_equal(brk_set, 0x406000);
	w = (u64 *)user_mem(entered_sp);
	assert_int_equal(w[0], 3);
	assert_string_equal((char *)user_mem(auxv(w + 8, 31)), "/bin/prog");
	assert_string_equal(exec_path(), "/bin/prog");
	assert_string_equal(current->comm, "prog");
	/* Descriptors 0 to 2 are one open file. */
	assert_ptr_equal(current->files->fd[0], current->files->fd[2]);
	assert_int_equal(atomic_read(&current->files->fd[0]->f_count), 3);
	assert_null(current->files->fd[3]);
}

static void test_arguments_that_are_too_long(void **state)
{
	static char lots[MAX_ARG_BYTES + 1];
	char *was = args[1];

	memset(lots, 'x', sizeof(lots) - 1);
	good_elf(false);
	put_bytes("prog", &elf, elf_size, S_IFREG | 0755);
	make_initramfs();
	args[1] = lots;
	assert_int_equal(try_exec("/prog"), -E2BIG);
	args[1] = was;
	assert_non_null(strstr(host_log(), "shorten the command line"));
}

static void test_pie_lands_anywhere(void **state)
{
	u64 seen[8];

	good_elf(true);
	elf.ph[1].align = 1 << 21;
	elf.ph[1].offset = 0x1000;
	put_bytes("pie", &elf, elf_size, S_IFREG | 0755);
	make_initramfs();
	for (int i = 0; i < 8; i++) {
		assert_int_equal(try_exec("/pie"), 1);
		seen[i] = entered_ip - 0x1010;
		assert_int_equal(seen[i] % (1 << 21), 0);
		assert_in_range(seen[i], 0x555555000000, 0x7f0000000000);
		assert_memory_equal(user_mem(seen[i] + 0x1000),
				    (u8 *)&elf + 0x1000, 0x100);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
		mm_destroy(current->mm);
		files_put(current->files);
		current->mm = NULL;
		current->files = NULL;
	}
}

/* The program with an interpreter, which is a copy of it that needs none. */
static void put_dynamic(const char *interp)
{
	good_elf(true);
	put_bytes("lib/ld.so", &elf, elf_size, S_IFREG | 0755);
	strcpy(elf.bytes + 512, interp);
	elf.ph[3] = (struct phdr){ 3, 4, (u64)(elf.bytes + 512 - (char *)&elf),
				   0, 0, strlen(interp) + 1,
				   strlen(interp) + 1, 1 };
	put_bytes("dyn", &elf, elf_size, S_IFREG | 0755);
	make_initramfs();
}

static void test_interpreter(void **state)
{
	u64 *w, entry;

	put_dynamic("/lib/ld.so");
	assert_int_equal(try_exec("/dyn"), 1);
	/* The interpreter runs first and learns where the program is. */
	assert_int_equal(entered_ip, room_at + 0x1010);
	assert_memory_equal(user_mem(room_at + 0x3040), (u8 *)&elf + 0x2040,
			    0x80);
	assert_int_equal(*user_mem(room_at + 0x30c0), 0);
	w = (u64 *)user_mem(entered_sp);
	entry = auxv(w + 8, 9);
	assert_int_equal(auxv(w + 8, 7), room_at);
	assert_int_equal(auxv(w + 8, 3), entry - 0x1010 + 64);
	assert_in_range(entry, 0x555555000000, room_at);
	assert_int_equal(brk_set, entry - 0x1010 + 0x6000);
	assert_memory_equal(user_mem(entry - 0x10), (u8 *)&elf + 0x1000, 0x100);
}

static void test_missing_interpreter(void **state)
{
	put_dynamic("/lib/ld-none.so");
	assert_int_equal(try_exec("/dyn"), -ENOENT);
	assert_non_null(strstr(host_log(), "/dyn is dynamically linked and "
			       "needs /lib/ld-none.so, which"));
}

static void test_interpreter_of_an_interpreter(void **state)
{
	put_dynamic("/dyn");
	assert_int_equal(try_exec("/dyn"), -ENOEXEC);
	assert_non_null(strstr(host_log(), "wants one itself"));
}

static void test_link_to_the_program(void **state)
{
	good_elf(false);
	put_bytes("bin/prog", &elf, elf_size, S_IFREG | 0755);
	put_bytes("init", "bin/../bin/./prog", 17, S_IFLNK | 0777);
	put_bytes("loop", "loop", 4, S_IFLNK | 0777);
	make_initramfs();
	assert_int_equal(try_exec("/loop"), -ELOOP);
	assert_int_equal(try_exec("/init"), 1);
	assert_string_equal(exec_path(), "/bin/prog");
}

static void test_missing_program_lists_what_is_there(void **state)
{
	char name[16];

	put("echo", "x");
	put_full("etc", "", S_IFDIR | 0755, 50, 2);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put(name, "");
	}
	make_initramfs();
	assert_int_equal(try_exec("/ecko"), -ENOENT);
	assert_non_null(strstr(host_log(), "/ecko is not a file"));
	assert_non_null(strstr(host_log(), "/echo (1 bytes)"));
	assert_null(strstr(host_log(), "/etc"));
	assert_non_null(strstr(host_log(), "and 11 more"));
	assert_int_equal(try_exec("/etc"), -ENOENT);
}

static void test_bad_program_says_why(void **state)
{
	put("script", "#!/bin/sh");
	make_initramfs();
	assert_int_equal(try_exec("/script"), -ENOEXEC);
	assert_non_null(strstr(host_log(), "no ELF program"));
}

static void test_no_memory_anywhere(void **state)
{
	unsigned long before;

	good_elf(false);
	put_bytes("prog", &elf, elf_size, S_IFREG | 0755);
	make_initramfs();
	before = host_allocs_outstanding();
	/* namei, mm, zeroes, stack block, table and array, console file. */
	for (unsigned long n = 1; n <= 7; n++) {
		host_fail_alloc(n);
		assert_int_equal(try_exec("/prog"), -ENOMEM);
		assert_true(host_alloc_failed());
		assert_int_equal(host_allocs_outstanding(), before);
	}
	host_fail_alloc(0);
	/*
	 * Three segments, mapped from the file, the last with zeroes, and the
	 * stack, mapped and written; the process.
	 */
	for (int n = 1; n <= 11; n++) {
		mm_fail_at = n;
		assert_int_equal(try_exec("/prog"), -ENOMEM);
		assert_int_equal(host_allocs_outstanding(), before);
	}
	assert_non_null(strstr(host_log(), "give the machine more"));
	host_nofile = 2;
	assert_int_equal(try_exec("/prog"), -EMFILE);
	assert_int_equal(host_allocs_outstanding(), before);
}

#define T(name) \
	cmocka_unit_test_setup_teardown(name, exec_setup, exec_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_good_programs),
		T(test_bad_headers),
		T(test_bad_segments),
		T(test_too_many_segments),
		T(test_random_damage),
		T(test_stack_layout),
		T(test_stack_limits),
		T(test_program_starts),
		T(test_arguments_that_are_too_long),
		T(test_pie_lands_anywhere),
		T(test_interpreter),
		T(test_missing_interpreter),
		T(test_interpreter_of_an_interpreter),
		T(test_link_to_the_program),
		T(test_missing_program_lists_what_is_there),
		T(test_bad_program_says_why),
		T(test_no_memory_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
