/*
 * The first task: starts the devices and the network, then becomes the
 * program that init= names. Runs with interrupts on and may sleep.
 */
#include "boot/init.h"

#include "boot/debug/plant.h"
#include "boot/selftest.h"
#include "boot/warm.h"
#include "drivers/drivers.h"
#include "fs/exec.h"
#include "fs/initramfs.h"
#include "fs/mount.h"
#include "fs/rootfs.h"
#include "kernel/boot_info.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/x86/power_button.h"
#include "net/lwip/lwip_port.h"
#include "net/metrics.h"

#define MAX_WORDS	32
#define NOT_STARTED	127	/* exit code, as a shell gives it */

/* What execve(2) gets; too big for the stack, needed once. */
struct init_args {
	char path[256];
	char text[sizeof(boot_info.cmdline)];
	char *argv[MAX_WORDS];
	char env_text[sizeof(boot_info.cmdline)];
	char *envp[MAX_WORDS];
};

static struct init_args init_args;

static int set_init(const char *val)
{
	if (!val || strlcpy(init_args.path, val, sizeof(init_args.path)) >=
			    sizeof(init_args.path))
		return -EINVAL;
	return 0;
}
KERNEL_PARAM("init", set_init, "the program's path in the initramfs");

/* The path as argv[0], then what stands after `--`; 0 or -E2BIG. */
static int collect_args(struct init_args *a)
{
	int n;

	if (!a->path[0])
		strlcpy(a->path, "/init", sizeof(a->path));
	a->argv[0] = a->path;
	n = param_init_words(a->text, sizeof(a->text), a->argv + 1,
			     MAX_WORDS - 1);
	if (n < 0)
		return n;
	/* What Linux gives its first program; the command line may differ. */
	a->envp[0] = "HOME=/";
	a->envp[1] = "TERM=linux";
	n = param_env_words(a->env_text, sizeof(a->env_text), a->envp + 2,
			    MAX_WORDS - 2);
	return min(n, 0);
}

/*
 * The words of a file of the archive, each with a zero byte at its end,
 * behind the @n of @first: what `pollux run` leaves for the program, as a
 * command line is short and has no way to quote. NULL: no such file.
 */
static char **file_words(const char *path, char *const first[], int n)
{
	const struct initramfs_file *f = initramfs_lookup(path);
	const char *p = f ? f->data : NULL, *end = f ? p + f->size : NULL;
	size_t words = 0;
	char **list;

	if (!f || !f->size || end[-1])
		return NULL;
	for (size_t i = 0; i < f->size; i++)
		words += !p[i];
	list = kmalloc((words + (size_t)n + 1) * sizeof(*list));
	if (!list)
		return NULL;
	memcpy(list, first, (size_t)n * sizeof(*list));
	for (; p < end; p += strlen(p) + 1)
		list[n++] = (char *)p;
	list[n] = NULL;
	return list;
}

static void __noreturn give_up(void)
{
	machine_exit(NOT_STARTED);
}

static void load_initramfs(void)
{
	int err;

	if (!boot_info.initrd) {
		pr_err("no initramfs: give one to QEMU with -initrd, to GRUB "
		       "with module2");
		give_up();
	}
	err = initramfs_init(phys_to_virt(boot_info.initrd),
			     boot_info.initrd_len);
	if (err) {
		pr_err("initramfs: not usable (error %d); make one with "
		       "`cpio -o -H newc`", -err);
		give_up();
	}
	if (rootfs_init())
		give_up();
}

void init_task(void *arg)
{
	struct init_args *a = &init_args;
	char **argv, **envp;
	int n = 0;

	(void)arg;
	run_selftest();
	run_planted();
	load_initramfs();
	drivers_init();
	lwip_configure();
	metrics_start();
	power_button_init();
	if (mount_all())
		give_up();
	if (warm_init)
		warm_init();
	if (collect_args(a)) {
		pr_err("command line: more than %d words for %s",
		       MAX_WORDS - 3, a->path);
		give_up();
	}
	while (a->envp[n])
		n++;
	argv = a->argv[1] ? NULL : file_words("/.pollux/argv", NULL, 0);
	envp = file_words("/.pollux/environ", a->envp, n);
	/* Comes back only if it failed, and has said why. */
	(void)exec_init(a->path, argv ? argv : a->argv,
			envp ? envp : a->envp);
	give_up();
}
