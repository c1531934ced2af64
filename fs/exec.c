/*
 * Starting the program: find it in the initramfs, check it, lay out its
 * address space and stack, open the console as descriptors 0 to 2, and leave
 * for user mode. Runs once, in the task that becomes the program.
 */
#include "fs/exec.h"

#include "fs/console.h"
#include "fs/exec_load.h"
#include "fs/exec_stack.h"
#include "fs/fdtable.h"
#include "fs/initramfs.h"
#include "fs/mount.h"
#include "kernel/debug/failmem.h"
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
#include "kernel/x86/cpu.h"

#define MAX_LISTED	20	/* files named when the program is not there */
#define CPUID_FEATURES	1
#define CPUID_EXTENDED	7
#define HWCAP2_FSGSBASE	(1u << 1)

/* A program that is ready to go. */
struct program {
	const char *path;
	struct exec_image exe;
	struct exec_image interp;	/* if exe.img.interp */
	struct mm_struct *mm;
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
	int err = exec_open(p->path, &p->exe);

	if (err && err != -ENOEXEC && err != -ENOMEM) {
		pr_err("exec: %s is not a file in the initramfs; set init= to "
		       "one of these, or add it:", p->path);
		list_initramfs();
	}
	return err;
}

/* A dynamically linked program's ld.so, which loads the rest of it. */
static int find_interpreter(struct program *p)
{
	const char *path = p->exe.img.interp;
	int err;

	if (!path)
		return 0;
	err = exec_open(path, &p->interp);
	if (err && err != -ENOEXEC && err != -ENOMEM)
		pr_err("exec: %s is dynamically linked and needs %s, which is "
		       "not in the initramfs; add it and the libraries (`pollux "
		       "run` does), or link with -static", p->path, path);
	if (!err && p->interp.img.interp) {
		pr_err("exec: %s, the interpreter of %s, wants one itself; "
		       "name ld.so", path, p->path);
		err = -ENOEXEC;
	}
	return err;
}

static int load_program(struct program *p)
{
	int err = exec_load(p->mm, &p->exe, false, p->path);

	if (!err && p->exe.img.interp)
		err = exec_load(p->mm, &p->interp, true, p->exe.img.interp);
	if (!err)
		mm_set_brk(p->mm, p->exe.base + p->exe.img.end);
	return err;
}

/* Where the first instruction is: the interpreter's if there is one. */
static u64 first_ip(const struct program *p)
{
	const struct exec_image *im = p->exe.img.interp ? &p->interp : &p->exe;

	return im->base + im->img.entry;
}

static int set_up_stack(struct program *p, char *const argv[],
			char *const envp[])
{
	const struct elf_image *img = &p->exe.img;
	u64 top = ALIGN_DOWN(p->mm->stack_top, 16ul);
	struct exec_stack_info info = {
		.argv = argv, .envp = envp, .execfn = p->path,
		.phdr = img->phdr ? p->exe.base + img->phdr : 0,
		.phent = ELF_PHENT_SIZE, .phnum = img->phnum,
		.base = img->interp ? p->interp.base : 0,
		.entry = p->exe.base + img->entry,
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
	.sync = unmount_all,
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
	strlcpy(running, p->exe.file.path, sizeof(running));
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
		err = find_interpreter(&p);
	if (err)
		return err;
	err = prepare(&p, argv, envp);
	if (err == -E2BIG)
		pr_err("exec: arguments and environment are over %u bytes; "
		       "shorten the command line", MAX_ARG_BYTES);
	else if (err == -ENOMEM)
		pr_err("exec: no memory for %s (%zu bytes); give the machine "
		       "more (-m)", path, p.exe.file.size);
	else if (err)
		pr_err("exec: %s cannot be laid out in memory (error %d); "
		       "link it at the usual address", path, -err);
	if (err)
		return err;
	failmem_program();
	enter_user_mode(first_ip(&p), p.sp);
}
