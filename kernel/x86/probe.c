/* Accesses that may fault, fixed up as user copies are. */
#include "kernel/x86/probe.h"
#include "kernel/x86/extable.h"

bool probe_read(u64 va)
{
	u8 v;

	__asm__ volatile goto("1:\tmovb (%1), %0\n"
			      EXTABLE("1b", "%l[fault]")
			      : "=q"(v) : "r"(va) : "memory" : fault);
	(void)v;
	return true;
fault:
	return false;
}

bool probe_write(u64 va)
{
	/* A locked add of nothing writes, and changes nothing. */
	__asm__ volatile goto("1:\tlock addb $0, (%0)\n"
			      EXTABLE("1b", "%l[fault]")
			      : : "r"(va) : "memory", "cc" : fault);
	return true;
fault:
	return false;
}

u64 read_cr4(void)
{
	u64 cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	return cr4;
}
