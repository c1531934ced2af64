/*
 * /proc/self: the program as it sees itself. Everything is asked of the
 * calling task, since there is no other process that could ask.
 */
#include "fs/exec.h"
#include "fs/fdtable.h"
#include "fs/namei.h"
#include "fs/mount.h"
#include "fs/proc_internal.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/names.h"
#include "kernel/printk.h"
#include "kernel/rlimit.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "kernel/x86/paging.h"

#define USER_HZ		100		/* ticks of /proc */
#define MAPS_NAME_COLUMN 73
#define AUXV_MAX	64

static int exe_jump(struct dentry *link, struct dentry **out)
	__must_hold(tree_lock)
{
	int err;
	struct nameidata *nd = kernel_path(exec_path(), &err);

	(void)link;
	if (!nd)
		return err;
	err = path_walk(nd, true);
	if (!err)
		*out = dget(nd->dentry);
	nd_put(nd);
	return err;
}

static ssize_t exe_readlink(struct dentry *link, char *buf, size_t size)
{
	size_t len = min(strlen(exec_path()), size);

	(void)link;
	memcpy(buf, exec_path(), len);
	return (ssize_t)len;
}

static int cwd_jump(struct dentry *link, struct dentry **out)
{
	(void)link;
	*out = get_cwd();
	return 0;
}

static ssize_t cwd_readlink(struct dentry *link, char *buf, size_t size)
	__must_hold(tree_lock)
{
	struct dentry *cwd = get_cwd();
	char *at = d_path(cwd, buf, size);
	ssize_t len = at ? (ssize_t)strlen(at) : -ENAMETOOLONG;

	(void)link;
	if (at)
		memmove(buf, at, (size_t)len);
	dput(cwd);
	return len;
}

/* --- arguments, environment, auxiliary vector: from the stack --- */

/* The strings that the NULL-terminated vector at @at points to. */
static u64 put_strings(struct seq_file *m, u64 at, bool print)
{
	u64 ptr = 0;

	for (;; at += 8) {
		char part[64];
		ssize_t n = -1;

		if (get_user(ptr, (u64 __user *)at) || !ptr)
			return at + 8;
		/* Long strings come in pieces. */
		while (print && n < 0 && !m->overflow) {
			n = strncpy_from_user(part, (char __user *)ptr,
					      sizeof(part));
			if (n == -EFAULT)
				break;
			seq_write(m, part, n < 0 ? sizeof(part) :
						   (size_t)n + 1);
			ptr += sizeof(part);
		}
	}
}

static bool cmdline_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	if (current->mm)
		put_strings(m, current->mm->arg_start + 8, true);
	return false;
}

static bool environ_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	if (current->mm)
		put_strings(m, put_strings(m, current->mm->arg_start + 8,
					   false), true);
	return false;
}

static bool auxv_show(struct seq_file *m, u64 *cursor)
{
	u64 at, pair[2] = { 1 };

	(void)cursor;
	if (!current->mm)
		return false;
	at = put_strings(m, current->mm->arg_start + 8, false);
	at = put_strings(m, at, false);
	for (int i = 0; i < AUXV_MAX && pair[0]; i++, at += sizeof(pair)) {
		if (copy_from_user(pair, (u64 __user *)at, sizeof(pair)))
			break;
		seq_write(m, pair, sizeof(pair));
	}
	return false;
}

/* --- memory --- */

static void map_line(const struct vm_area *a, void *arg)
{
	struct seq_file *m = arg;
	size_t start = m->len;

	seq_printf(m, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %lu ",
		   (unsigned long long)a->start, (unsigned long long)a->end,
		   a->prot & PROT_READ ? 'r' : '-',
		   a->prot & PROT_WRITE ? 'w' : '-',
		   a->prot & PROT_EXEC ? 'x' : '-',
		   a->flags & MAP_SHARED ? 's' : 'p', 0ull, 0, 0, 0ul);
	if (a->name) {
		seq_pad(m, start, MAPS_NAME_COLUMN);
		seq_puts(m, a->name);
	}
	seq_puts(m, "\n");
}

/* What is mapped at all counts as private and dirty. mm->lock is held. */
static void smap_lines(const struct vm_area *a, void *arg)
{
	static const char *const none[] = {
		"Shared_Clean", "Shared_Dirty", "Private_Clean",
	};
	struct seq_file *m = arg;
	u64 here = 0, at, *entry;

	map_line(a, m);
	for (at = a->start; at < a->end; at += PAGE_SIZE) {
		entry = pt_user_entry(current->mm->pgd, at, false);
		here += entry && *entry;
		/* No table: none of its 512 pages either. */
		if (!entry)
			at = ALIGN_DOWN(at, 512 * PAGE_SIZE) + 511 * PAGE_SIZE;
	}
	proc_put_kb(m, "Size", (a->end - a->start) / PAGE_SIZE);
	proc_put_kb(m, "KernelPageSize", 1);
	proc_put_kb(m, "MMUPageSize", 1);
	proc_put_kb(m, "Rss", here);
	proc_put_kb(m, "Pss", here);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		proc_put_kb(m, none[i], 0);
	proc_put_kb(m, "Private_Dirty", here);
	proc_put_kb(m, "Referenced", here);
	proc_put_kb(m, "Anonymous", here);
	proc_put_kb(m, "Swap", 0);
}

static bool smaps_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	if (current->mm)
		mm_for_each_area(current->mm, smap_lines, m);
	return false;
}

static bool maps_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	if (current->mm)
		mm_for_each_area(current->mm, map_line, m);
	return false;
}

/* Sizes in pages; the program's own code and data, before the heap. */
struct mm_sizes {
	u64 all, text, data, stack, brk_start;
	u64 code_start, code_end, data_start, data_end;
};

static void add_sizes(const struct vm_area *a, void *arg)
{
	struct mm_sizes *s = arg;
	u64 n = (a->end - a->start) / PAGE_SIZE;

	s->all += n;
	if (a->end <= s->brk_start && a->prot & PROT_EXEC) {
		s->code_start = s->code_start ? s->code_start : a->start;
		s->code_end = a->end;
	} else if (a->end <= s->brk_start && a->prot & PROT_WRITE) {
		s->data_start = s->data_start ? s->data_start : a->start;
		s->data_end = a->end;
	}
	if (a->flags & MAP_GROWSDOWN)
		s->stack += n;
	else if (a->prot & PROT_EXEC)
		s->text += n;
	else if (a->prot & PROT_WRITE && !(a->flags & MAP_SHARED))
		s->data += n;
}

static struct mm_sizes mm_sizes(void)
{
	struct mm_sizes s = { 0 };

	if (current->mm) {
		s.brk_start = current->mm->brk_start;
		mm_for_each_area(current->mm, add_sizes, &s);
	}
	return s;
}

static u64 rss(void)
{
	return current->mm ? READ_ONCE(current->mm->rss) : 0;
}

static bool statm_show(struct seq_file *m, u64 *cursor)
{
	struct mm_sizes s = mm_sizes();

	(void)cursor;
	seq_printf(m, "%llu %llu 0 %llu 0 %llu 0\n",
		   (unsigned long long)s.all, (unsigned long long)rss(),
		   (unsigned long long)s.text,
		   (unsigned long long)(s.data + s.stack));
	return false;
}

/* --- who it is --- */

/* The thread that a file is about: 0 stands for the first, or, without, us. */
static struct task *thread(u64 nr)
{
	struct task *t = proc_find_task(nr ? nr : (u64)current->tgid);

	if (!t && !nr) {
		get_task(current);
		t = current;
	}
	return t;
}

static struct task *about(const struct seq_file *m)
{
	return thread(m->arg);
}

static char state_letter(const struct task *t)
{
	return t == current || t->state == TASK_RUNNING ? 'R' : 'S';
}

struct handled {
	u64 ignored, caught;
};

static struct handled handled(const struct task *t)
{
	struct handled h = { 0 };

	for (int sig = 1; t->sighand && sig <= 64; sig++) {
		u64 handler = t->sighand->action[sig - 1].handler;

		if (handler == SIG_IGN)
			h.ignored |= sig_bit(sig);
		else if (handler != SIG_DFL)
			h.caught |= sig_bit(sig);
	}
	return h;
}

static void put_signals(struct seq_file *m, struct task *t)
{
	struct handled h = handled(t);

	seq_printf(m, "SigQ:\t%u/%llu\nSigPnd:\t%016llx\nShdPnd:\t%016llx\n",
		   t->sighand ? READ_ONCE(t->sighand->nr_queued) : 0,
		   (unsigned long long)rlimit(RLIMIT_SIGPENDING),
		   (unsigned long long)t->pending.mask,
		   t->sighand ? (unsigned long long)t->sighand->shared.mask :
				0);
	seq_printf(m, "SigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		   (unsigned long long)t->sig_blocked,
		   (unsigned long long)h.ignored,
		   (unsigned long long)h.caught);
}

static void put_kb(struct seq_file *m, const char *name, u64 pages)
{
	seq_printf(m, "%s:\t%8llu kB\n", name, (unsigned long long)pages * 4);
}

static bool status_show(struct seq_file *m, u64 *cursor)
{
	struct task *t = about(m);
	struct mm_sizes s;

	(void)cursor;
	if (!t)
		return false;
	s = mm_sizes();
	seq_printf(m, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n", t->comm,
		   current_umask(), state_letter(t) == 'R' ? "R (running)" :
							     "S (sleeping)");
	seq_printf(m, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t0\n", t->tgid,
		   t->pid);
	seq_puts(m, "TracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	seq_printf(m, "FDSize:\t%u\nGroups:\t0 \n", current->files->max_fds);
	put_kb(m, "VmPeak", s.all);
	put_kb(m, "VmSize", s.all);
	put_kb(m, "VmLck", 0);
	put_kb(m, "VmPin", 0);
	put_kb(m, "VmHWM", rss());
	put_kb(m, "VmRSS", rss());
	put_kb(m, "RssAnon", rss());
	put_kb(m, "RssFile", 0);
	put_kb(m, "RssShmem", 0);
	put_kb(m, "VmData", s.data);
	put_kb(m, "VmStk", s.stack);
	put_kb(m, "VmExe", s.text);
	put_kb(m, "VmLib", 0);
	put_kb(m, "VmPTE", 0);
	put_kb(m, "VmSwap", 0);
	seq_printf(m, "Threads:\t%u\n", proc_count_threads(NULL));
	put_signals(m, t);
	seq_puts(m, "CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n"
		    "CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n"
		    "CapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n"
		    "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n"
		    "Mems_allowed:\t1\nMems_allowed_list:\t0\n"
		    "voluntary_ctxt_switches:\t0\n"
		    "nonvoluntary_ctxt_switches:\t0\n");
	put_task(t);
	return false;
}

static void put_number(struct seq_file *m, u64 n)
{
	seq_printf(m, "%llu ", (unsigned long long)n);
}

/* Where the arguments and the environment begin, and where that ends. */
static void put_strings_at(struct seq_file *m, const struct mm_struct *mm)
{
	u64 arg = 0, env = 0, end, vector = mm->arg_start + 8;

	/* See exec_stack.c: the program's path, eight bytes, the top. */
	end = mm->stack_top - strlen(exec_path()) - 9;
	(void)get_user(arg, (u64 __user *)vector);
	(void)get_user(env, (u64 __user *)put_strings(NULL, vector, false));
	env = env ? env : end;
	put_number(m, arg);
	put_number(m, env);
	put_number(m, env);
	put_number(m, end);
}

/* 52 numbers, see proc(5); what does not exist here is 0. */
static bool stat_show(struct seq_file *m, u64 *cursor)
{
	const u64 tick = NSEC_PER_SEC / USER_HZ;
	struct task *t = about(m);
	struct mm_struct *mm = current->mm;
	struct mm_sizes s = mm_sizes();
	struct handled h;

	(void)cursor;
	if (!t)
		return false;
	h = handled(t);
	seq_printf(m, "%d (%s) %c 0 1 1 0 -1 4194560 %llu 0 0 0 %llu 0 0 0 ",
		   t->pid, t->comm, state_letter(t),
		   mm ? (unsigned long long)mm->nr_faults : 0,
		   (unsigned long long)((m->arg ? task_cpu_ns(t) :
						  process_cpu_ns()) / tick));
	seq_printf(m, "%d %d %u 0 ", 20 + t->nice, t->nice,
		   proc_count_threads(NULL));
	put_number(m, t->start_time / tick);
	put_number(m, s.all * PAGE_SIZE);
	put_number(m, rss());
	put_number(m, rlimit(RLIMIT_RSS));
	put_number(m, s.code_start);
	put_number(m, s.code_end);
	put_number(m, mm ? mm->arg_start : 0);
	seq_puts(m, "0 0 ");
	put_number(m, (u32)t->pending.mask & INT32_MAX);
	put_number(m, (u32)t->sig_blocked & INT32_MAX);
	put_number(m, (u32)h.ignored & INT32_MAX);
	put_number(m, (u32)h.caught & INT32_MAX);
	seq_puts(m, "0 0 0 17 0 0 0 0 0 0 ");
	put_number(m, s.data_start);
	put_number(m, s.data_end);
	put_number(m, s.brk_start);
	if (mm)
		put_strings_at(m, mm);
	seq_puts(m, "0\n");
	put_task(t);
	return false;
}

static bool comm_show(struct seq_file *m, u64 *cursor)
{
	struct task *t = about(m);

	(void)cursor;
	if (!t)
		return false;
	seq_printf(m, "%s\n", t->comm);
	put_task(t);
	return false;
}

/* Whoever reads it meanwhile may see both names mixed, but an end. */
static int comm_store(u64 nr, const char *text)
{
	struct task *t = thread(nr);

	if (!t)
		return -ESRCH;
	strlcpy(t->comm, text, TASK_COMM_LEN);
	put_task(t);
	return 0;
}

/* What it is and its unit. */
static const char limit_names[] __packed_names =
	"Max cpu time\0seconds\0"
	"Max file size\0bytes\0"
	"Max data size\0bytes\0"
	"Max stack size\0bytes\0"
	"Max core file size\0bytes\0"
	"Max resident set\0bytes\0"
	"Max processes\0processes\0"
	"Max open files\0files\0"
	"Max locked memory\0bytes\0"
	"Max address space\0bytes\0"
	"Max file locks\0locks\0"
	"Max pending signals\0signals\0"
	"Max msgqueue size\0bytes\0"
	"Max nice priority\0\0"
	"Max realtime priority\0\0"
	"Max realtime timeout\0us\0";

static void put_limit(struct seq_file *m, u64 limit)
{
	char text[24] = "unlimited";

	if (limit != RLIM_INFINITY)
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)limit);
	seq_printf(m, "%-20s ", text);
}

static bool limits_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_printf(m, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
		   "Hard Limit", "Units");
	for (u32 i = 0; i < RLIM_NLIMITS; i++) {
		seq_printf(m, "%-25s ", NTH_NAME(limit_names, 2 * i));
		put_limit(m, rlimit(i));
		put_limit(m, rlimit_max(i));
		seq_printf(m, "%-10s\n", NTH_NAME(limit_names, 2 * i + 1));
	}
	return false;
}

/* --- threads --- */

struct task *proc_find_task(u64 tid)
{
	struct task *t, *found = NULL;
	unsigned long irq = spin_lock_irqsave(&tasklist_lock);

	list_for_each_entry(t, &task_list, tasks) {
		if (!t->kthread && t->mm && (u64)t->pid == tid) {
			get_task(t);
			found = t;
			break;
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, irq);
	return found;
}

u32 proc_count_threads(s32 *last)
{
	u32 n = 0;
	struct task *t;
	unsigned long irq = spin_lock_irqsave(&tasklist_lock);

	list_for_each_entry(t, &task_list, tasks) {
		if (t->kthread || !t->mm)
			continue;
		n++;
		if (last)
			*last = max(*last, t->pid);
	}
	spin_unlock_irqrestore(&tasklist_lock, irq);
	return n;
}

static const struct pseudo_node stat_node = {
	.name = "stat", .mode = S_IFREG | 0444, .show = stat_show,
};

static const struct pseudo_node status_node = {
	.name = "status", .mode = S_IFREG | 0444, .show = status_show,
};

static const struct pseudo_node comm_node = {
	.name = "comm", .mode = S_IFREG | 0644, .show = comm_show,
	.store = comm_store,
};

static int task_lookup(struct dentry *dir, const char *name, size_t len,
		       struct dentry **out)
{
	struct task *t;
	u64 tid;

	t = parse_decimal(name, len, &tid) ? proc_find_task(tid) : NULL;
	if (!t)
		return -ENOENT;
	put_task(t);
	return pseudo_dentry(dir, name, len, &proc_thread, tid, out);
}

/* The thread with the lowest number from *@pos on. */
static bool task_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	u64 best = UINT64_MAX;
	struct task *t;
	unsigned long irq = spin_lock_irqsave(&tasklist_lock);

	(void)dir;
	list_for_each_entry(t, &task_list, tasks) {
		if (!t->kthread && t->mm && (u64)t->pid >= *pos)
			best = min(best, (u64)t->pid);
	}
	spin_unlock_irqrestore(&tasklist_lock, irq);
	if (best == UINT64_MAX)
		return false;
	*pos = best + 1;
	number_entry(e, best, proc_thread.mode);
	return true;
}

static const struct pseudo_node task_dir = {
	.name = "task", .mode = S_IFDIR | 0555,
	.names = NAMES(task_lookup, task_readdir),
};

static const struct pseudo_node exe = {
	.name = "exe", .mode = S_IFLNK | 0777, .readlink = exe_readlink,
	.jump = exe_jump,
};

static const struct pseudo_node cwd = {
	.name = "cwd", .mode = S_IFLNK | 0777, .readlink = cwd_readlink,
	.jump = cwd_jump,
};

static const struct pseudo_node root = {
	.name = "root", .mode = S_IFLNK | 0777, .fixed = true,
	.text = "/",
};

/* The first is the process's alone, the others each thread's, too. */
static const struct pseudo_node *const nodes[] = {
	&task_dir, &exe, &cwd, &root, &stat_node, &status_node, &comm_node,
	&proc_fd, &proc_fdinfo, &proc_net,
	FILE_SHOW("maps", maps_show), FILE_SHOW("smaps", smaps_show),
	FILE_SHOW("statm", statm_show),
	FILE_SHOW("cmdline", cmdline_show), FILE_SHOW("environ", environ_show),
	FILE_SHOW("auxv", auxv_show), FILE_SHOW("limits", limits_show),
	FILE_TEXT("cgroup", "0::/\n"), FILE_TEXT("oom_score_adj", "0\n"),
	FILE_SHOW("mounts", mounts_show),
	FILE_SHOW("mountinfo", mountinfo_show), NULL,
};

const struct pseudo_node proc_process = {
	.name = "1", .mode = S_IFDIR | 0555, .children = nodes,
};

const struct pseudo_node proc_thread = {
	.name = "thread", .mode = S_IFDIR | 0555, .children = nodes + 1,
};
