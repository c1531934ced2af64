/*
 * /proc/sys: what servers read to learn limits. The numbers are those that
 * the kernel goes by; what can be set is proc_sysctl.c's, but for file-max.
 */
#include "fs/eventpoll_internal.h"
#include "fs/fdtable.h"
#include "fs/proc_internal.h"
#include "kernel/hostname.h"
#include "kernel/random.h"

/* The UUID of version 4 (RFC 4122) that @id makes. */
static void put_uuid(struct seq_file *m, u8 id[16])
{
	id[6] = (id[6] & 0x0f) | 0x40;
	id[8] = (id[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
		seq_printf(m, i == 4 || i == 6 || i == 8 || i == 10 ?
				      "-%02x" : "%02x", id[i]);
	seq_puts(m, "\n");
}

static bool uuid_show(struct seq_file *m, u64 *cursor)
{
	u8 id[16];

	(void)cursor;
	get_random_bytes(id, sizeof(id));
	put_uuid(m, id);
	return false;
}

/* The same as long as the machine runs. */
static bool boot_id_show(struct seq_file *m, u64 *cursor)
{
	static u8 boot_id[16];	/* written once, before it is all zeroes */
	u8 id[16];
	u32 any = 0;

	(void)cursor;
	for (int i = 0; i < 16; i++)
		any |= boot_id[i];
	if (!any)
		get_random_bytes(boot_id, sizeof(boot_id));
	__builtin_memcpy(id, boot_id, sizeof(id));
	put_uuid(m, id);
	return false;
}

static bool watches_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_printf(m, "%u\n", ep_max_user_watches);
	return false;
}

static bool hostname_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_printf(m, "%s\n", get_hostname());
	return false;
}

static const struct pseudo_node random_dir = DIR("random",
	FILE_SHOW("uuid", uuid_show), FILE_SHOW("boot_id", boot_id_show),
	FILE_TEXT("entropy_avail", "256\n"), FILE_TEXT("poolsize", "256\n"));

static const struct pseudo_node kernel_dir = DIR("kernel", &random_dir,
	FILE_TEXT("ostype", "Linux\n"),
	FILE_TEXT("osrelease", "6.1.0-pollux\n"),
	FILE_TEXT("version", "#1 Pollux\n"),
	FILE_SHOW("hostname", hostname_show),
	FILE_TEXT("domainname", "(none)\n"),
	FILE_TEXT("pid_max", "4194304\n"),
	FILE_TEXT("threads-max", "4096\n"),
	FILE_TEXT("ngroups_max", "65536\n"),
	FILE_TEXT("cap_last_cap", "40\n"),
	FILE_TEXT("randomize_va_space", "2\n"));

static const struct pseudo_node core_dir = DIR("core",
	FILE_TEXT("somaxconn", "4096\n"),
	FILE_TEXT("rmem_max", "212992\n"),
	FILE_TEXT("rmem_default", "212992\n"),
	FILE_TEXT("wmem_max", "212992\n"),
	FILE_TEXT("wmem_default", "212992\n"));

static const struct pseudo_node ipv4_dir = {
	.name = "ipv4", .mode = S_IFDIR | 0555,
	.names = NAMES(proc_sysctl_lookup, proc_sysctl_readdir),
	.children = NODES(
	FILE_TEXT("ip_local_port_range", "32768\t60999\n"),
	FILE_TEXT("tcp_congestion_control", "cubic\n"),
	FILE_TEXT("tcp_available_congestion_control", "cubic reno\n"),
	FILE_TEXT("tcp_max_syn_backlog", "4096\n"),
	FILE_TEXT("tcp_fin_timeout", "60\n")),
};

static const struct pseudo_node net_dir = DIR("net", &core_dir, &ipv4_dir);

static const struct pseudo_node vm_dir = DIR("vm",
	FILE_TEXT("overcommit_memory", "0\n"),
	FILE_TEXT("overcommit_ratio", "50\n"),
	FILE_TEXT("max_map_count", "65530\n"),
	FILE_TEXT("swappiness", "0\n"),
	FILE_TEXT("mmap_min_addr", "65536\n"));

static const struct pseudo_node epoll_dir = DIR("epoll",
	FILE_SHOW("max_user_watches", watches_show));

static bool file_max_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_printf(m, "%u\n", max_files);
	return false;
}

static int file_max_store(u64 nr, const char *text)
{
	static const struct sysctl_entry file_max = {
		NULL, &max_files, 1, 0, UINT32_MAX,
	};

	(void)nr;
	return proc_sysctl_store(&file_max, text);
}

static bool file_nr_show(struct seq_file *m, u64 *cursor)
{
	seq_printf(m, "%d\t0\t", atomic_read(&nr_files));
	return file_max_show(m, cursor);
}

static const struct pseudo_node file_max = {
	.name = "file-max", .mode = S_IFREG | 0644, .show = file_max_show,
	.store = file_max_store,
};

static const struct pseudo_node fs_dir = DIR("fs", &epoll_dir, &file_max,
	FILE_SHOW("file-nr", file_nr_show),
	FILE_TEXT("nr_open", "1048576\n"),
	FILE_TEXT("pipe-max-size", "65536\n"));

const struct pseudo_node proc_sys = DIR("sys", &kernel_dir, &net_dir, &vm_dir,
					&fs_dir);
