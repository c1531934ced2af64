/* Runs of names, see names.h. */
#include "kernel/names.h"

#include "kernel/compiler.h"
#include "kernel/string.h"
#include "kernel/unpack.h"

/* Of tools/pack.c; none in the first link and in host builds. */
extern const u8 names_table[] __weak;
/* What linker.ld has room for, empty at first; so are two bytes before it. */
extern u8 __packed_names_start[] __weak, __packed_names_end[] __weak;

static bool unpacked;

void unpack_names(void)
{
	u8 *at = __packed_names_start;
	struct unpacker u;
	u32 word = 0;

	if (READ_ONCE(unpacked) || !&names_table ||
	    !unpack_start(&u, names_table))
		return;
	for (; at < __packed_names_end; at++) {
		u32 contexts[UNPACK_CONTEXTS];

		name_contexts(at, word, contexts);
		*at = (u8)unpack(&u, 8, contexts, UNPACK_CONTEXTS);
		word = name_word(word, *at);
	}
	WRITE_ONCE(unpacked, true);
	unpack_end(&u);
}

const char *nth_name(const char *names, size_t size, u64 n)
{
	const char *end = names + size;

	unpack_names();
	for (; n && names < end; n--)
		names += strlen(names) + 1;
	return names < end ? names : "?";
}
