/*
 * A QEMU TCG plugin that counts executed guest instructions by function, live,
 * in a file that bench/measure.py maps. Arguments:
 *	symbols=FILE	lines "address-in-hex name", sorted by address
 *	counts=FILE	becomes an array of pairs of u64, one for each line of
 *			symbols and a last one for all other addresses: how
 *			many instructions ran in it, and how often its first
 * A count is exact: one inline add before every instruction.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <qemu-plugin.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

struct count {
	uint64_t insns;
	uint64_t calls;
};

static struct {
	uint64_t *addr;		/* sorted */
	size_t nr;
	struct count *count;	/* nr + 1, shared with the reader */
} table;

static bool read_symbols(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t room = 0;
	uint64_t addr;

	if (!f)
		return false;
	while (fscanf(f, "%" SCNx64 " %*s", &addr) == 1) {
		if (table.nr == room) {
			room = room ? 2 * room : 1024;
			table.addr = realloc(table.addr,
					     room * sizeof(*table.addr));
			if (!table.addr)
				abort();
		}
		table.addr[table.nr++] = addr;
	}
	fclose(f);
	return table.nr > 0;
}

static bool map_counts(const char *path)
{
	size_t size = (table.nr + 1) * sizeof(*table.count);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	void *map = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, size) == 0)
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fd, 0);
	if (fd >= 0)
		close(fd);
	table.count = map;
	return map != MAP_FAILED;
}

/* The last symbol at or below @pc; table.nr if there is none. */
static size_t symbol_of(uint64_t pc)
{
	size_t lo = 0, hi = table.nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (table.addr[mid] <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : table.nr;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn);
		size_t sym = symbol_of(pc);
		struct count *count = &table.count[sym];

		qemu_plugin_register_vcpu_insn_exec_inline(
			insn, QEMU_PLUGIN_INLINE_ADD_U64, &count->insns, 1);
		if (sym < table.nr && table.addr[sym] == pc)
			qemu_plugin_register_vcpu_insn_exec_inline(
				insn, QEMU_PLUGIN_INLINE_ADD_U64,
				&count->calls, 1);
	}
}

/* The value of argument @name, NULL if it was not given. */
static const char *argument(int argc, char **argv, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, len) && argv[i][len] == '=')
			return argv[i] + len + 1;
	return NULL;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
					   const qemu_info_t *info,
					   int argc, char **argv)
{
	const char *symbols = argument(argc, argv, "symbols");
	const char *counts = argument(argc, argv, "counts");

	(void)info;
	if (!symbols || !counts || !read_symbols(symbols) ||
	    !map_counts(counts)) {
		fprintf(stderr, "insns: needs symbols=FILE,counts=FILE, "
			"readable and writable\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
