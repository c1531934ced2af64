/*
 * Segments and the task state segment. The order is what SYSCALL and SYSRET
 * want (Intel SDM volume 2, SYSRET): kernel code, kernel data, user data,
 * user code. The assembly entry code includes this, too.
 */
#pragma once

#define KERNEL_CS	0x08
#define KERNEL_DS	0x10
#define USER_DS		0x1b
#define USER_CS		0x23
#define TSS_SEL		0x28

/* MSR_STAR bits 63-32: the bases that SYSRET and SYSCALL count from. */
#define STAR_BASES	((0x13ul << 16 | KERNEL_CS) << 32)

/* Interrupt-stack-table slots: exceptions that cannot trust the stack. */
#define IST_NMI		1
#define IST_DOUBLE_FAULT 2
#define IST_MACHINE_CHECK 3

#ifndef __ASSEMBLER__

#include "kernel/types.h"

/* Loads GDT and TSS with the stacks above. Each CPU, at boot, early. */
void gdt_init(void);

/* The stack that interrupts from user mode enter on: @top of the task's. */
void tss_set_rsp0(u64 top);

#endif
