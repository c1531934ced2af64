/*
 * This machine's name. A new one is written beside the old one and then
 * shown, so readers need no lock.
 */
#include "kernel/hostname.h"

#include "kernel/compiler.h"
#include "kernel/string.h"

static char names[2][HOSTNAME_LEN + 1] = { "pollux" };
static const char *current_name = names[0];
static bool was_chosen;

const char *get_hostname(void)
{
	return READ_ONCE(current_name);
}

void set_hostname(const char *name, bool chosen)
{
	char *next = names[current_name == names[0]];

	if (was_chosen && !chosen)
		return;
	was_chosen |= chosen;
	strlcpy(next, name, sizeof(names[0]));
	WRITE_ONCE(current_name, next);
}
