/* Allocations that fail on purpose: failmem.h says how it is asked for. */
#include "kernel/debug/failmem.h"

#include "kernel/atomic.h"
#include "kernel/errno.h"
#include "kernel/kallsyms.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define MAX_SITES	2048	/* open hash; a power of two */

static const char *const modes[] = {
	[FAILMEM_NTH] = "nth", [FAILMEM_EVERY] = "every",
	[FAILMEM_RANDOM] = "random", [FAILMEM_EACH] = "each",
};

struct failmem failmem;

/* A place that allocates. */
struct site {
	const void *caller;
	bool named;		/* @wanted is known */
	bool wanted, failed;
};

static struct site sites[MAX_SITES];
static u64 seed = 1;

/*
 * By failsite=: beginnings of names, with commas between them. As long as the
 * names cannot be read, an interrupt came while they were, nothing fails.
 */
static bool wanted(struct site *site)
{
	const char *where = failmem.where;
	bool other = *where == '!';
	char name[64];
	u64 offset;

	if (site->named || !*where)
		return site->wanted || !*where;
	if (!kallsyms_lookup((u64)site->caller, name, sizeof(name), &offset))
		return false;
	site->named = true;
	site->wanted = other;
	where += other;
	while (*where) {
		size_t n = 0;

		while (where[n] && where[n] != ',')
			n++;
		if (!strncmp(name, where, n))
			site->wanted = !other;
		where += n + (where[n] == ',');
	}
	return site->wanted;
}

/* NULL if there are too many. */
static struct site *site_of(const void *caller)
{
	u32 at = (u32)(((u64)caller * 0x9e3779b97f4a7c15ull) >> 40);

	for (u32 i = 0; i < MAX_SITES; i++, at++) {
		struct site *site = &sites[at % MAX_SITES];

		if (!site->caller)
			*site = (struct site){ .caller = caller };
		if (site->caller == caller)
			return site;
	}
	return NULL;
}

static bool chosen(struct site *site)
{
	if (!wanted(site))
		return false;
	failmem.calls++;
	switch (failmem.mode) {
	case FAILMEM_NTH:
		return failmem.calls == failmem.n;
	case FAILMEM_EVERY:
		return failmem.calls % failmem.n == 0;
	case FAILMEM_RANDOM:
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		return (seed >> 33) % failmem.n == 0;
	case FAILMEM_EACH:
		return !site->failed;
	case FAILMEM_OFF:
		break;
	}
	return false;
}

bool fail_alloc(const void *caller)
{
	struct site *site;

	if (!failmem.mode || failmem.waits || panic_in_progress)
		return false;
	site = site_of(caller);
	if (!site || !chosen(site))
		return false;
	failmem.failed++;
	if (!site->failed) {
		site->failed = true;
		failmem.sites++;
		pr_warn("failmem: %pS gets nothing", caller);
	}
	return true;
}

void failmem_program(void)
{
	failmem.waits = false;
}

/* MODE, MODE:N, either with @program. */
static int set_failmem(const char *val)
{
	char word[32];
	char *number, *from;
	u64 n = 1;

	if (!val || strlcpy(word, val, sizeof(word)) >= sizeof(word))
		return -EINVAL;
	from = strchr(word, '@');
	if (from)
		*from++ = '\0';
	number = strchr(word, ':');
	if (number)
		*number++ = '\0';
	if ((number && parse_u64(number, &n)) || !n ||
	    (from && strcmp(from, "program")))
		return -EINVAL;
	for (u32 m = FAILMEM_NTH; m < ARRAY_SIZE(modes); m++) {
		if (strcmp(word, modes[m]))
			continue;
		failmem.n = (u32)n;
		failmem.waits = from;
		failmem.mode = (enum failmem_mode)m;
		return 0;
	}
	return -EINVAL;
}
KERNEL_PARAM("failmem", set_failmem,
	     "nth:N, every:N, random:N or each, and @program");

static int set_failsite(const char *val)
{
	if (!val || strlcpy(failmem.where, val, sizeof(failmem.where)) >=
			    sizeof(failmem.where))
		return -EINVAL;
	return 0;
}
KERNEL_PARAM("failsite", set_failsite,
	     "how functions' names begin, or ! and how they do not");
