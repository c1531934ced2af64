/*
 * QEMU's fw_cfg (docs/specs/fw_cfg there): a selector at port 0x510, the
 * chosen item byte by byte at 0x511, a directory of named items as one of
 * them. Numbers in it are big-endian. What is not there reads as zeroes, a
 * port that nobody has as ones.
 */
#include "drivers/fw_cfg.h"

#include "kernel/byteorder.h"
#include "kernel/compiler.h"
#include "kernel/string.h"
#include "kernel/x86/io.h"

#define SELECTOR	0x510
#define DATA		0x511
#define SIGNATURE	0x00
#define DIRECTORY	0x19
#define MAX_ENTRIES	256u	/* as many as QEMU has at most */

struct entry {
	u32 size;
	u16 select, reserved;
	char name[56];
};

_Static_assert(sizeof(struct entry) == 64, "its layout is QEMU's");

static void read_bytes(void *to, size_t n)
{
	u8 *p = to;

	while (n--)
		*p++ = inb(DATA);
}

size_t fw_cfg_read(const char *name, void *buf, size_t size)
{
	struct entry e;
	u32 n;

	outw(SIGNATURE, SELECTOR);
	read_bytes(&n, sizeof(n));
	if (memcmp(&n, "QEMU", sizeof(n)))
		return 0;
	outw(DIRECTORY, SELECTOR);
	read_bytes(&n, sizeof(n));
	for (n = min(be32_to_cpu(n), MAX_ENTRIES); n; n--) {
		read_bytes(&e, sizeof(e));
		e.name[sizeof(e.name) - 1] = '\0';
		if (!strcmp(e.name, name))
			break;
	}
	if (!n)
		return 0;
	outw(be16_to_cpu(e.select), SELECTOR);
	read_bytes(buf, min(be32_to_cpu(e.size), size));
	return be32_to_cpu(e.size);
}
