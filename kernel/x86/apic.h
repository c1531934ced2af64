/*
 * The local APIC (Intel SDM volume 3, chapter 11): memory-mapped, or through
 * MSRs (x2APIC) where offered.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "kernel/x86/cpu.h"

#define APIC_ID		0x020
#define APIC_EOI	0x0b0
#define APIC_SPURIOUS	0x0f0
#define APIC_LVT_TIMER	0x320
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LINT1	0x360
#define APIC_TIMER_COUNT 0x380	/* initial count */
#define APIC_TIMER_NOW	0x390	/* current count */
#define APIC_TIMER_DIV	0x3e0

#define APIC_DIV_1	0xbu
#define APIC_DIV_16	0x3u
#define APIC_LVT_MASKED	(1u << 16)
#define MSR_X2APIC	0x800u

extern volatile u8 *apic_base;	/* NULL in x2APIC mode */

static inline void apic_write(u32 reg, u32 v)
{
	if (likely(apic_base))
		*(volatile u32 *)(apic_base + reg) = v;
	else
		wrmsr(MSR_X2APIC + (reg >> 4), v);
}

static inline u32 apic_read(u32 reg)
{
	if (likely(apic_base))
		return *(volatile u32 *)(apic_base + reg);
	return (u32)rdmsr(MSR_X2APIC + (reg >> 4));
}

/* Ends the interrupt being served. */
static inline void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/* This CPU's APIC id, for interrupt messages. */
u32 apic_id(void);

/*
 * Enables the LAPIC and silences the legacy PICs. Panics if the CPU has none,
 * or if there is no address space to map it. Boot, after vmalloc_init().
 */
void apic_init(void);

/*
 * kernel/x86/tsc.c: lets the timer run free, for calibration, until
 * clock_init() takes it. Called by apic_init().
 */
void apic_timer_run(void);

/* kernel/irq.c: empties the vector table; @timer serves TIMER_VECTOR. Boot. */
void irq_init(void (*timer)(void *data));
