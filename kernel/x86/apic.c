/*
 * The local APIC of the boot CPU: on, its own inputs quiet, and the legacy
 * PICs put where they harm nobody.
 */
#include "kernel/x86/apic.h"

#include "kernel/mm/vmalloc.h"
#include "kernel/panic.h"
#include "kernel/x86/entry.h"
#include "kernel/x86/io.h"

#define MSR_APIC_BASE	0x1bu
#define APIC_BASE_X2	(1ul << 10)
#define APIC_BASE_ON	(1ul << 11)
#define APIC_BASE_ADDR	0x000ffffffffff000ul
#define APIC_ENABLE	(1u << 8)	/* in the spurious vector register */
#define CPUID1_EDX_APIC	(1u << 9)
#define CPUID1_ECX_X2APIC (1u << 21)

/* The two legacy interrupt controllers (Intel 8259A). */
#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC2_COMMAND	0xa0
#define PIC2_DATA	0xa1

volatile u8 *apic_base __ro_after_init;

/*
 * They are moved off the exception vectors even though all their inputs are
 * masked, since they may still raise a spurious interrupt.
 */
static void pic_disable(void)
{
	outb(0x11, PIC1_COMMAND);
	outb(0x11, PIC2_COMMAND);
	outb(PIC_FIRST_VECTOR, PIC1_DATA);
	outb(PIC_FIRST_VECTOR + 8, PIC2_DATA);
	outb(4, PIC1_DATA);
	outb(2, PIC2_DATA);
	outb(1, PIC1_DATA);
	outb(1, PIC2_DATA);
	outb(0xff, PIC1_DATA);
	outb(0xff, PIC2_DATA);
}

u32 apic_id(void)
{
	u32 id = apic_read(APIC_ID);

	return apic_base ? id >> 24 : id;
}

__cold void apic_init(void)
{
	struct cpuid_regs features = cpuid(1, 0);
	u64 base;

	if (!(features.edx & CPUID1_EDX_APIC))
		panic("the CPU has no local APIC: choose a CPU model that has");
	pic_disable();
	base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ON;
	if (features.ecx & CPUID1_ECX_X2APIC) {
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
	} else {
		wrmsr(MSR_APIC_BASE, base);
		apic_base = ioremap(base & APIC_BASE_ADDR, 4096);
		if (!apic_base)
			panic("no memory to map the local APIC: give the machine more");
	}
	apic_write(APIC_SPURIOUS, APIC_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | TIMER_VECTOR);
	apic_timer_run();
}
