/*
 * Starting the program: find it in the initramfs, check it, lay out its
 * address space and stack, open the console as descriptors 0 to 2, and leave
 * for user mode. Runs once, in the task that becomes the program.
 */
#include "fs/exec.h"

#include "fs/console.h"
#include "fs/elf.h"
#include "fs/exec_stack.h"
#include "fs/fdtable.h"
#include "fs/initramfs.h"
#include "fs/namei.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vdso.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"
#include "kernel/x86/cpu.h"

/* Where Linux puts PIE programs: two thirds up, and 28 random bits. */
#define PIE_BASE	(TASK_SIZE_MAX / 3 * 2)
#define PIE_RANDOM_PAGES (1u << 28)

#define MAX_LISTED	20	/* files named when the program is not there */
#define CPUID_FEATURES	1
#define CPUID_EXTENDED	7
#define HWCAP2_FSGSBASE	(1u << 1)

/* A program that is ready to go. */
struct program {
	const char *path;
	struct exec_file file;
	struct elf_image img;
	struct mm_struct *mm;
	u64 base;			/* added to every address of the file */
	u64 sp;
};

static char running[PATH_MAX];	/* written once, before the program runs */

const char *exec_path(void)
{
	return running;
}

/* Says which files could have been meant. */
static __cold void list_initramfs(void)
{
	const struct initramfs_file *f;
	unsigned int shown = 0, i;

	for (i = 0; (f = initramfs_entry(i)) != NULL; i++) {
		if ((f->mode & S_IFMT) == S_IFDIR)
			continue;
		if (shown++ < MAX_LISTED)
			pr_err("  /%s (%zu bytes)", f->path, f->size);
	}
	if (shown > MAX_LISTED)
		pr_err("  and %u more", shown - MAX_LISTED);
	if (!shown)
		pr_err("  (no file at all)");
}

static int find_program(struct program *p)
{
	int err = namei_exec(p->path, &p->file);

	if (err == -ENOMEM) {
		pr_err("exec: no memory; give the machine more (-m)");
		return err;
	}
	if (err) {
		pr_err("exec: %s is not a file in the initramfs; set init= to "
		       "one of these, or add it:", p->path);
		list_initramfs();
		return err;
	}
	return 0;
}

static int check_program(struct program *p)
{
	const char *why = elf_parse(p->file.data, p->file.size, &p->img);

	if (why) {
		pr_err("exec: %s %s", p->path, why);
		return -ENOEXEC;
	}
	if (!(p->file.mode & 0111))
		pr_warn("exec: %s is not marked executable; started all the "
			"same", p->path);
	return 0;
}

/* A random base for a program that may lie anywhere. */
static u64 pie_base(const struct elf_image *img)
{
	u64 at = PIE_BASE +
		 (u64)get_random_below(PIE_RANDOM_PAGES) * PAGE_SIZE;

	return ALIGN_DOWN(at, img->align) - ALIGN_DOWN(img->start, img->align);
}

static int load_segment(struct program *p, const struct elf_segment *seg)
{
	u64 start = ALIGN_DOWN(p->base + seg->vaddr, PAGE_SIZE);
	u64 end = ALIGN_UP(p->base + seg->vaddr + seg->memsz, PAGE_SIZE);
	s64 at = mm_map(p->mm, start, end - start, seg->prot,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, p->path);

	if (at < 0)
		return (int)at;
	/* What the file does not fill stays untouched, hence zero. */
	return mm_write(p->mm, p->base + seg->vaddr,
			(const char *)p->file.data + seg->offset,
			seg->filesz);
}

static int load_program(struct program *p)
{
	p->base = p->img.pie ? pie_base(&p->img) : 0;
	for (u32 i = 0; i < p->img.nr_segments; i++) {
		int err = load_segment(p, &p->img.segment[i]);

		if (err)
			return err;
	}
	mm_set_brk(p->mm, p->base + p->img.end);
	return 0;
}

static int set_up_stack(struct program *p, char *const argv[],
			char *const envp[])
{
	u64 top = ALIGN_DOWN(p->mm->stack_top, 16ul);
	struct exec_stack_info info = {
		.argv = argv, .envp = envp, .execfn = p->path,
		.phdr = p->img.phdr ? p->base + p->img.phdr : 0,
		.phent = ELF_PHENT_SIZE, .phnum = p->img.phnum,
		.entry = p->base + p->img.entry,
		.vdso = vdso_map(p->mm),
		.hwcap = cpuid(CPUID_FEATURES, 0).edx,
		.hwcap2 = cpu_has(CPU_FSGSBASE) ? HWCAP2_FSGSBASE : 0,
	};
	u64 area = ALIGN_UP(p->mm->stack_top, PAGE_SIZE) - USER_STACK_SIZE;
	size_t len;
	void *block;
	s64 at;
	int err;

	at = mm_map(p->mm, area, USER_STACK_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN,
		    "[stack]");
	if (at < 0)
		return (int)at;
	get_random_bytes(info.random, sizeof(info.random));
	block = exec_stack_build(&info, top, &p->sp, &len, &err);
	if (!block)
		return err;
	err = mm_write(p->mm, p->sp, block, len);
	vfree(block);
	p->mm->arg_start = p->sp;
	return err;
}

static int open_console(void)
{
	struct file *file = console_file();

	if (!file)
		return -ENOMEM;
	for (int i = 0; i < 3; i++) {
		int fd = get_unused_fd_flags(0);

		if (fd < 0) {
			fput(file);
			return fd;
		}
		get_file(file);
		fd_install(fd, file);
	}
	fput(file);
	return 0;
}

static void share_files(struct files_struct *files)
{
	atomic_inc(&files->users);
}

static const struct process_ops file_ops_of_process = {
	.share_files = share_files,
	.put_files = files_put,
};

/* Gives the calling task what makes it a process. */
static int become_process(struct program *p)
{
	const char *name = strrchr(p->path, '/');
	int err;

	current->files = files_create();
	if (!current->files)
		return -ENOMEM;
	process_ops = &file_ops_of_process;
	err = open_console();
	if (!err)
		err = process_init(current);
	if (err) {
		files_put(current->files);
		current->files = NULL;
		return err;
	}
	strlcpy(running, p->file.path, sizeof(running));
	strlcpy(current->comm, name ? name + 1 : p->path, TASK_COMM_LEN);
	current->mm = p->mm;
	mm_activate(p->mm);
	return 0;
}

/* Everything up to the last step; @p->mm is the caller's on failure. */
static int prepare(struct program *p, char *const argv[], char *const envp[])
{
	int err;

	p->mm = mm_create();
	if (!p->mm)
		return -ENOMEM;
	err = load_program(p);
	if (!err)
		err = set_up_stack(p, argv, envp);
	if (!err)
		err = become_process(p);
	if (err)
		mm_destroy(p->mm);
	return err;
}

int exec_init(const char *path, char *const argv[], char *const envp[])
{
	static struct program p;	/* too big for the stack, needed once */
	int err;

	p = (struct program){ .path = path };
	err = find_program(&p);
	if (!err)
		err = check_program(&p);
	if (err)
		return err;
	err = prepare(&p, argv, envp);
	if (err == -E2BIG)
		pr_err("exec: arguments and environment are over %u bytes; "
		       "shorten the command line", MAX_ARG_BYTES);
	else if (err == -ENOMEM)
		pr_err("exec: no memory for %s (%zu bytes); give the machine "
		       "more (-m)", path, p.file.size);
	else if (err)
		pr_err("exec: %s cannot be laid out in memory (error %d); "
		       "link it at the usual address", path, -err);
	if (err)
		return err;
	enter_user_mode(p.base + p.img.entry, p.sp);
}
