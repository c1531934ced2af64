/*
 * One GDT and TSS per CPU. The IST stacks of the boot CPU are part of the
 * image, each above an unmapped page.
 */
#include "kernel/x86/gdt.h"
#include "kernel/percpu.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/sections.h"

/* Access bytes and flags, already in place in the descriptor. */
#define SEG_CODE64	0x00af9a000000fffful
#define SEG_DATA	0x00cf92000000fffful
#define SEG_BYTES	0x0040920000000000ul	/* data, limit in bytes */
#define SEG_DPL3	(3ul << 45)
#define SEG_TSS		(0x89ul << 40)	/* present, available 64-bit TSS */

struct gdt {
	u64 entry[8];
};

struct gdt_ptr {
	u16 limit;
	u64 base;
} __packed;

asmlinkage DEFINE_PER_CPU(struct tss, cpu_tss);
static DEFINE_PER_CPU(struct gdt, cpu_gdt);

static u64 ist_top(unsigned int slot)
{
	return (u64)ist_stacks + IST_STACK_SIZE +
	       (slot - 1) * (IST_STACK_SIZE + 4096);
}

static void load_segments(const struct gdt_ptr *ptr)
{
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %3, %%eax\n\t"
			 "ltr %%ax"
			 : : "m"(*ptr), "i"(KERNEL_CS), "i"(KERNEL_DS),
			     "i"(TSS_SEL) : "rax", "memory");
}

void tss_set_rsp0(u64 top)
{
	this_cpu_ptr(&cpu_tss)->rsp[0] = top;
}

void gdt_init(void)
{
	struct tss *tss = this_cpu_ptr(&cpu_tss);
	struct gdt *gdt = this_cpu_ptr(&cpu_gdt);
	struct gdt_ptr ptr = { sizeof(*gdt) - 1, (u64)gdt };
	u64 base = (u64)tss;
	unsigned int slot;

	for (slot = IST_NMI; slot <= IST_MACHINE_CHECK; slot++)
		tss->ist[slot - 1] = ist_top(slot);
	tss->iomap = sizeof(*tss);
	gdt->entry[KERNEL_CS / 8] = SEG_CODE64;
	gdt->entry[KERNEL_DS / 8] = SEG_DATA;
	gdt->entry[USER_DS / 8] = SEG_DATA | SEG_DPL3;
	gdt->entry[USER_CS / 8] = SEG_CODE64 | SEG_DPL3;
	gdt->entry[CPU_SEL / 8] = SEG_BYTES | SEG_DPL3 | smp_processor_id();
	gdt->entry[TSS_SEL / 8] = SEG_TSS | (sizeof(*tss) - 1) |
		(base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	gdt->entry[TSS_SEL / 8 + 1] = base >> 32;
	load_segments(&ptr);
}
