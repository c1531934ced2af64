/* /sys: the few files there that servers and C libraries look for. */
#include "fs/proc_internal.h"

static const struct pseudo_node cpu0 = DIR("cpu0", FILE_TEXT("online", "1\n"));

static const struct pseudo_node cpu = DIR("cpu", &cpu0,
	FILE_TEXT("online", "0\n"), FILE_TEXT("possible", "0\n"),
	FILE_TEXT("present", "0\n"));

static const struct pseudo_node node0 = DIR("node0",
	FILE_TEXT("cpulist", "0\n"), FILE_TEXT("cpumap", "1\n"));

static const struct pseudo_node node = DIR("node", &node0,
	FILE_TEXT("online", "0\n"), FILE_TEXT("possible", "0\n"));

static const struct pseudo_node clocksource0 = DIR("clocksource0",
	FILE_TEXT("current_clocksource", "tsc\n"),
	FILE_TEXT("available_clocksource", "tsc \n"));

static const struct pseudo_node clocksource = DIR("clocksource",
						  &clocksource0);

static const struct pseudo_node system_dir = DIR("system", &cpu, &node,
						 &clocksource);

static const struct pseudo_node devices = DIR("devices", &system_dir);

static const struct pseudo_node thp = DIR("transparent_hugepage",
	FILE_TEXT("enabled", "always madvise [never]\n"),
	FILE_TEXT("defrag", "always defer defer+madvise madvise [never]\n"),
	FILE_TEXT("hpage_pmd_size", "2097152\n"));

static const struct pseudo_node mm = DIR("mm", &thp);
static const struct pseudo_node kernel_dir = DIR("kernel", &mm);

const struct pseudo_node sys_root = DIR("sys", &devices, &kernel_dir);
