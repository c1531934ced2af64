/*
 * Segments and the task state segment. The order is what SYSCALL and SYSRET
 * want (Intel SDM volume 2, SYSRET): kernel code, kernel data; user data, user
 * code. The assembly entry code includes this, too.
 */
#pragma once

#define KERNEL_CS	0x08
#define KERNEL_DS	0x10
#define TSS_SEL		0x18	/* two entries */
#define USER_DS		0x2b	/* these two are Linux's, programs see them */
#define USER_CS		0x33
#define CPU_SEL		0x3b	/* for the vDSO: limit = CPU number */

/* MSR_STAR bits 63-32: the bases that SYSRET and SYSCALL count from. */
#define STAR_BASES	((0x23ul << 16 | KERNEL_CS) << 32)

/* Interrupt-stack-table slots: exceptions that cannot trust the stack. */
#define IST_NMI		1
#define IST_DOUBLE_FAULT 2
#define IST_MACHINE_CHECK 3

#define TSS_SP0		4	/* offset of rsp[0], for the entry code */

#ifndef __ASSEMBLER__

#include "kernel/compiler.h"
#include "kernel/percpu.h"
#include "kernel/types.h"

/* Intel SDM volume 3, figure 8-11. */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap;		/* past the limit: no port for user mode */
} __packed;

_Static_assert(sizeof(struct tss) == 104, "as the SDM draws it");

DECLARE_PER_CPU(struct tss, cpu_tss);

/* Loads GDT and TSS with the stacks above. Each CPU, at boot, early. */
void gdt_init(void);

/* The stack that interrupts from user mode enter on: @top of the task's. */
void tss_set_rsp0(u64 top);

#endif
