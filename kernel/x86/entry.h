/*
 * What entry.S and C must agree on. The offsets are checked against the
 * structures in kernel/x86/idt.c.
 */
#pragma once

/* struct pt_regs */
#define PT_RBP		40
#define PT_R9		72
#define PT_ORIG_RAX	120
#define PT_RIP		128
#define PT_CS		136
#define PT_RFLAGS	144
#define PT_SIZE		168

#define TASK_WORK	4	/* in struct task */
#define NR_SYSCALLS	451	/* behind the highest number of Linux 6.1 */
#define USER_RFLAGS	0x202	/* interrupts on; bit 1 is always set */
#define MSR_GS_BASE_NR	0xc0000101

#define NR_TRAPS	22	/* exceptions 0 to 21 */

/*
 * Vectors: the legacy PICs' are never used but must be somewhere; then what
 * request_irq() hands out, then the LAPIC's own.
 */
#define PIC_FIRST_VECTOR 0x20
#define PIC_NR_VECTORS	16
#define IRQ_FIRST_VECTOR 0x30
#define IRQ_NR_VECTORS	0x4f
#define TIMER_VECTOR	0x7e
#define SPURIOUS_VECTOR	0x7f

#ifndef __ASSEMBLER__

#include "kernel/compiler.h"
#include "kernel/types.h"

struct pt_regs;

/* kernel/x86/entry.S; addresses for the IDT and the syscall MSR. */
void entry_syscall(void);
void irq_ignore(void);
extern const u64 trap_stubs[NR_TRAPS];
extern const u8 irq_stubs[];	/* 8 bytes each */
extern const u8 user_iretq[];	/* the instruction that leaves */

/* As the call table has them; they go on to do_clone(), do_clone3(). */
long sys_clone(void);
long sys_clone3(void);
/* Leaves for user mode with the registers at @regs, for good. Task. */
void return_to_user(struct pt_regs *regs) __attribute__((noreturn));

/* What both push. */
struct callee_saved {
	u64 r15, r14, r13, r12, rbp, rbx;
};

/* Called from there. Interrupts off on entry and exit. */
asmlinkage void do_irq(unsigned int vector);
asmlinkage void do_trap_user(struct pt_regs *regs, unsigned int nr);
asmlinkage void do_trap_kernel(struct pt_regs *regs, unsigned int nr);
asmlinkage void do_trap_ist(struct pt_regs *regs, unsigned int nr)
	__attribute__((noreturn));

#endif
