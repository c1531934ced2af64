/* Makes jumps of trace sites: once, at boot, by one CPU. */
#include "kernel/x86/tracesite.h"

#include "kernel/string.h"

#define JMP_REL32	0xe9
#define NOP_LEN		5

extern const struct trace_site __start_trace_site[], __stop_trace_site[];

static const u8 *site_of(const struct trace_site *s)
{
	return (const u8 *)&s->nop + s->nop;
}

bool trace_site_at(const u8 *at)
{
	const struct trace_site *s;

	for (s = __start_trace_site; s < __stop_trace_site; s++)
		if (site_of(s) == at)
			return true;
	return false;
}

__cold void trace_sites_on(u32 mask)
{
	const struct trace_site *s;

	for (s = __start_trace_site; s < __stop_trace_site; s++) {
		u8 *at = (u8 *)(uintptr_t)site_of(s);
		const u8 *to = (const u8 *)&s->target + s->target;
		s32 rel = (s32)(to - (at + NOP_LEN));

		if (!(mask >> s->point & 1))
			continue;
		at[0] = JMP_REL32;
		memcpy(at + 1, &rel, sizeof(rel));
	}
}
