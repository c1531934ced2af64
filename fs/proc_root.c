/* The root of /proc: what is about the machine. */
#include "fs/proc_internal.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/names.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/x86/cpu.h"

#define USER_HZ		100
#define KB_PER_PAGE	(PAGE_SIZE / 1024)

/* --- links to the caller --- */

static ssize_t self_readlink(struct dentry *link, char *buf, size_t size)
{
	(void)link;
	return snprintf(buf, size, "%d", current->tgid);
}

static ssize_t thread_self_readlink(struct dentry *link, char *buf,
				    size_t size)
{
	(void)link;
	return snprintf(buf, size, "%d/task/%d", current->tgid, current->pid);
}

static int root_lookup(struct dentry *dir, const char *name, size_t len,
		       struct dentry **out)
{
	u64 pid;

	if (!parse_decimal(name, len, &pid) || pid != (u64)current->tgid)
		return -ENOENT;
	return pseudo_dentry(dir, name, len, &proc_process, 0, out);
}

static bool root_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	(void)dir;
	if (*pos)
		return false;
	(*pos)++;
	number_entry(e, (u64)current->tgid, proc_process.mode);
	return true;
}

/* --- memory --- */

static void add_pages(const struct slab_info *info, void *arg)
{
	*(u64 *)arg += info->pages;
}

void proc_put_kb(struct seq_file *m, const char *name, u64 pages)
{
	size_t start = m->len;

	seq_printf(m, "%s:", name);
	seq_pad(m, start, 16);
	seq_printf(m, "%8llu kB\n", (unsigned long long)pages * KB_PER_PAGE);
}

static bool meminfo_show(struct seq_file *m, u64 *cursor)
{
	static const char *const none[] = {
		"Buffers", "Cached", "SwapCached", "Active", "Inactive",
		"Unevictable", "Mlocked", "SwapTotal", "SwapFree", "Dirty",
		"Writeback", "AnonPages", "Mapped", "Shmem",
	};
	u64 slab = 0, free = nr_free_pages();

	(void)cursor;
	slab_for_each(add_pages, &slab);
	proc_put_kb(m, "MemTotal", nr_total_pages());
	proc_put_kb(m, "MemFree", free);
	proc_put_kb(m, "MemAvailable", free);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		proc_put_kb(m, none[i], 0);
	proc_put_kb(m, "Slab", slab);
	proc_put_kb(m, "SReclaimable", 0);
	proc_put_kb(m, "SUnreclaim", slab);
	proc_put_kb(m, "CommitLimit", nr_total_pages());
	proc_put_kb(m, "Committed_AS", nr_total_pages() - free);
	seq_puts(m, "VmallocTotal:   34359738367 kB\n"
		    "HugePages_Total:       0\nHugePages_Free:        0\n"
		    "Hugepagesize:       2048 kB\n");
	return false;
}

static void slab_line(const struct slab_info *i, void *arg)
{
	struct seq_file *m = arg;
	u64 per_slab = i->size < PAGE_SIZE ? PAGE_SIZE / i->size : 1;

	seq_printf(m, "%-17s %6llu %6llu %6zu %4llu %4d", i->name,
		   (unsigned long long)i->active,
		   (unsigned long long)i->total, i->size,
		   (unsigned long long)per_slab, 1);
	seq_printf(m, " : tunables    0    0    0 : slabdata %6llu %6llu      0\n",
		   (unsigned long long)i->pages,
		   (unsigned long long)i->pages);
}

static bool slabinfo_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_puts(m, "slabinfo - version: 2.1\n"
		    "# name            <active_objs> <num_objs> <objsize> "
		    "<objperslab> <pagesperslab> : tunables <limit> "
		    "<batchcount> <sharedfactor> : slabdata <active_slabs> "
		    "<num_slabs> <sharedavail>\n");
	slab_for_each(slab_line, m);
	return false;
}

/* --- time --- */

static bool uptime_show(struct seq_file *m, u64 *cursor)
{
	u64 idle = idle_cpu_ns() / (NSEC_PER_SEC / 100);
	u64 cs = ktime_get_ns() / (NSEC_PER_SEC / 100);

	(void)cursor;
	seq_printf(m, "%llu.%02llu %llu.%02llu\n",
		   (unsigned long long)(cs / 100),
		   (unsigned long long)(cs % 100),
		   (unsigned long long)(idle / 100),
		   (unsigned long long)(idle % 100));
	return false;
}

static bool loadavg_show(struct seq_file *m, u64 *cursor)
{
	s32 last = 1;
	u32 n = proc_count_threads(&last);

	(void)cursor;
	seq_printf(m, "0.00 0.00 0.00 1/%u %d\n", n, last);
	return false;
}

/* All that is not idle counts as the program's. */
static bool stat_show(struct seq_file *m, u64 *cursor)
{
	u64 now = ktime_get_ns();
	u64 idle = idle_cpu_ns(), tick = NSEC_PER_SEC / USER_HZ;
	unsigned long long used = (now > idle ? now - idle : 0) / tick;
	unsigned long long idle_ticks = idle / tick;
	u64 btime = (ktime_get_real_ns() - now) / NSEC_PER_SEC;

	(void)cursor;
	for (int i = 0; i < 2; i++)
		seq_printf(m, "cpu%c %llu 0 0 %llu 0 0 0 0 0 0\n",
			   i ? '0' : ' ', used, idle_ticks);
	seq_printf(m, "intr 0\nctxt 0\nbtime %llu\nprocesses 1\n"
		      "procs_running 1\nprocs_blocked 0\n"
		      "softirq 0 0 0 0 0 0 0 0 0 0 0\n",
		   (unsigned long long)btime);
	return false;
}

/* --- the processor --- */

/* By bit; without a name is what programs do not ask for. */
static const char flags_1_edx[] __packed_names =
	"fpu\0vme\0de\0pse\0tsc\0msr\0pae\0mce\0cx8\0apic\0\0sep\0mtrr\0pge\0"
	"mca\0cmov\0pat\0pse36\0\0clflush\0\0\0\0mmx\0fxsr\0sse\0sse2\0ss\0ht";

static const char flags_1_ecx[] __packed_names =
	"pni\0pclmulqdq\0\0\0\0\0\0\0\0ssse3\0\0\0fma\0cx16\0\0\0\0\0\0sse4_1\0"
	"sse4_2\0x2apic\0movbe\0popcnt\0\0aes\0xsave\0\0avx\0f16c\0rdrand\0"
	"hypervisor";

static const char flags_7_ebx[] __packed_names =
	"fsgsbase\0\0\0bmi1\0\0avx2\0\0smep\0bmi2\0erms\0\0\0\0\0\0\0avx512f\0"
	"\0rdseed\0adx\0smap\0\0\0\0\0\0\0\0\0sha_ni";

static void put_flags(struct seq_file *m, u32 bits, const char *names,
		      size_t size)
{
	for (u32 i = 0; i < 32; i++) {
		const char *name = nth_name(names, size, i);

		if (bits >> i & 1 && *name && *name != '?')
			seq_printf(m, " %s", name);
	}
}

static void put_model_name(struct seq_file *m)
{
	char name[49] = "";

	if (cpuid(0x80000000, 0).eax < 0x80000004)
		return;
	for (u32 i = 0; i < 3; i++) {
		struct cpuid_regs r = cpuid(0x80000002 + i, 0);

		memcpy(name + 16 * i, &r.eax, 4);
		memcpy(name + 16 * i + 4, &r.ebx, 4);
		memcpy(name + 16 * i + 8, &r.ecx, 4);
		memcpy(name + 16 * i + 12, &r.edx, 4);
	}
	seq_printf(m, "model name\t: %s\n", name);
}

static bool cpuinfo_show(struct seq_file *m, u64 *cursor)
{
	struct cpuid_regs id = cpuid(0, 0), r = cpuid(1, 0);
	u32 family = r.eax >> 8 & 15, model = r.eax >> 4 & 15;
	char vendor[13] = "";

	(void)cursor;
	memcpy(vendor, &id.ebx, 4);
	memcpy(vendor + 4, &id.edx, 4);
	memcpy(vendor + 8, &id.ecx, 4);
	if (family == 6 || family == 15)
		model |= r.eax >> 12 & 0xf0;
	if (family == 15)
		family += r.eax >> 20 & 0xff;
	seq_printf(m, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\n"
		      "model\t\t: %u\n", vendor, family, model);
	put_model_name(m);
	seq_printf(m, "stepping\t: %u\nphysical id\t: 0\nsiblings\t: 1\n"
		      "core id\t\t: 0\ncpu cores\t: 1\nfpu\t\t: yes\n"
		      "flags\t\t:", r.eax & 15);
	put_flags(m, r.edx, flags_1_edx, sizeof(flags_1_edx));
	put_flags(m, r.ecx, flags_1_ecx, sizeof(flags_1_ecx));
	put_flags(m, id.eax >= 7 ? cpuid(7, 0).ebx : 0, flags_7_ebx,
		  sizeof(flags_7_ebx));
	seq_puts(m, "\nclflush size\t: 64\ncache_alignment\t: 64\n\n");
	return false;
}

static const struct pseudo_node self = {
	.name = "self", .mode = S_IFLNK | 0777, .readlink = self_readlink,
};

static const struct pseudo_node thread_self = {
	.name = "thread-self", .mode = S_IFLNK | 0777,
	.readlink = thread_self_readlink,
};

static const struct pseudo_node mounts = {
	.name = "mounts", .mode = S_IFLNK | 0777, .fixed = true,
	.text = "self/mounts",
};

static const struct pseudo_node net = {
	.name = "net", .mode = S_IFLNK | 0777, .fixed = true,
	.text = "self/net",
};

const struct pseudo_node proc_root = {
	.name = "proc", .mode = S_IFDIR | 0555,
	.children = NODES(&self, &thread_self, &mounts, &net, &proc_sys,
		FILE_SHOW("meminfo", meminfo_show),
		FILE_SHOW("slabinfo", slabinfo_show),
		FILE_SHOW("cpuinfo", cpuinfo_show),
		FILE_SHOW("uptime", uptime_show),
		FILE_SHOW("loadavg", loadavg_show),
		FILE_SHOW("stat", stat_show),
		FILE_TEXT("version", "Linux version 6.1.0-pollux (pollux) "
				     "(gcc) #1 Pollux\n"),
		FILE_TEXT("filesystems", "nodev\tsysfs\nnodev\ttmpfs\n"
					 "nodev\tproc\n")),
	.names = NAMES(root_lookup, root_readdir),
};
