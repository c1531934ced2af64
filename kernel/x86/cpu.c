/*
 * Processor features, control registers, and the per-CPU base. Called once
 * per CPU at boot; the boot CPU uses the per-CPU section where it is linked.
 */
#include "kernel/x86/cpu.h"
#include "kernel/x86/processor.h"

#define CR0_MP		(1ul << 1)
#define CR0_EM		(1ul << 2)
#define CR0_TS		(1ul << 3)
#define CR0_NE		(1ul << 5)
#define CR0_WP		(1ul << 16)
#define CR4_PGE		(1ul << 7)
#define CR4_OSFXSR	(1ul << 9)
#define CR4_OSXMMEXCPT	(1ul << 10)
#define CR4_UMIP	(1ul << 11)
#define CR4_SMEP	(1ul << 20)
#define CR4_SMAP	(1ul << 21)
#define EFER_NX		(1ul << 11)

DEFINE_PER_CPU(u64, this_cpu_off) = 0;
DEFINE_PER_CPU(u64, cpu_number) = 0;

u32 cpu_features __ro_after_init = 0;

static struct cpuid_regs cpuid_raw(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs top = cpuid_raw(leaf & 0xffff0000u, 0);

	if (top.eax < leaf || (top.eax ^ leaf) >> 16)
		return (struct cpuid_regs){ 0 };
	return cpuid_raw(leaf, subleaf);
}

/* Spreads the few changing bits of a counter over the word (SplitMix64). */
static u64 mix64(u64 x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static bool rdrand64(u64 *out)
{
	unsigned int tries;
	bool ok;

	for (tries = 0; tries < 10; tries++) {
		__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
		if (ok)
			return true;
	}
	return false;
}

__nostackprotector u64 early_random(void)
{
	u64 v = 0, extra;
	unsigned int i;

	if (cpuid_raw(1, 0).ecx & 1u << 30 && rdrand64(&extra))
		return mix64(extra ^ rdtsc());
	/* CPUID is slow in uneven ways, which the counter shows. */
	for (i = 0; i < 8; i++) {
		v = mix64(v ^ rdtsc());
		cpuid_raw(0, 0);
	}
	return v;
}

static u32 find_features(void)
{
	struct cpuid_regs basic = cpuid(1, 0), ext = cpuid(7, 0);
	struct cpuid_regs amd = cpuid(0x80000001, 0);
	const struct {
		enum cpu_feature feature;
		u32 word, bit;
	} map[] = {
		{ CPU_NX, amd.edx, 20 },
		{ CPU_1G_PAGES, amd.edx, 26 },
		{ CPU_GLOBAL_PAGES, basic.edx, 13 },
		{ CPU_SMEP, ext.ebx, 7 },
		{ CPU_SMAP, ext.ebx, 20 },
		{ CPU_UMIP, ext.ecx, 2 },
		{ CPU_RDRAND, basic.ecx, 30 },
		{ CPU_RDSEED, ext.ebx, 18 },
		{ CPU_XSAVE, basic.ecx, 26 },
		{ CPU_FSGSBASE, ext.ebx, 0 },
	};
	u32 found = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].word & 1u << map[i].bit)
			found |= 1u << map[i].feature;
	return found;
}

static unsigned long wanted_cr4(unsigned long cr4)
{
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (cpu_has(CPU_GLOBAL_PAGES))
		cr4 |= CR4_PGE;
	if (cpu_has(CPU_SMEP))
		cr4 |= CR4_SMEP;
	if (cpu_has(CPU_SMAP))
		cr4 |= CR4_SMAP;
	if (cpu_has(CPU_UMIP))
		cr4 |= CR4_UMIP;
	return cr4;
}

void cpu_init(void)
{
	unsigned long cr0, cr4;

	cpu_features = find_features();
	if (cpu_has(CPU_NX))
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NX);
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 = (cr0 | CR0_MP | CR0_NE | CR0_WP) & ~(CR0_EM | CR0_TS);
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 = wanted_cr4(cr4);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	wrmsr(MSR_GS_BASE, this_cpu_off);
}
