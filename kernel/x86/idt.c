/*
 * Where every vector leads. Exceptions and interrupts enter with interrupts
 * off; those that may hit any instruction at all have stacks of their own.
 */
#include "kernel/x86/idt.h"

#include "kernel/compiler.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/entry.h"
#include "kernel/x86/gdt.h"
#include "kernel/x86/ptrace.h"

#define NR_VECTORS	256
#define GATE_INTERRUPT	0x8e	/* present, ring 0 */
#define GATE_USER	0xee	/* the same, `int` allowed from ring 3 */

#define MSR_STAR	0xc0000081u
#define MSR_LSTAR	0xc0000082u
#define MSR_FMASK	0xc0000084u
#define EFER_SCE	(1ul << 0)
/* Flags that `syscall` clears: TF, IF, DF, IOPL, NT, AC. */
#define SYSCALL_CLEARS	0x47700u

#define TRAP_BREAKPOINT	3
#define TRAP_OVERFLOW	4

_Static_assert(offsetof(struct pt_regs, rbp) == PT_RBP, "entry.S");
_Static_assert(offsetof(struct pt_regs, r9) == PT_R9, "entry.S");
_Static_assert(offsetof(struct pt_regs, orig_rax) == PT_ORIG_RAX, "entry.S");
_Static_assert(offsetof(struct pt_regs, rip) == PT_RIP, "entry.S");
_Static_assert(offsetof(struct pt_regs, cs) == PT_CS, "entry.S");
_Static_assert(offsetof(struct pt_regs, rflags) == PT_RFLAGS, "entry.S");
_Static_assert(sizeof(struct pt_regs) == PT_SIZE, "entry.S");
_Static_assert(offsetof(struct task, work) == TASK_WORK, "entry.S");
_Static_assert(offsetof(struct tss, rsp) == TSS_SP0, "entry.S");

/* Intel SDM volume 3, 6.14.1. */
struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

_Static_assert(sizeof(struct gate) == 16, "hardware layout");

static struct gate idt[NR_VECTORS] __aligned(16) __ro_after_init;

/* entry.S keeps the user's stack pointer here for two instructions. */
extern PERCPU_SECTION u64 syscall_user_sp;
asmlinkage DEFINE_PER_CPU(u64, syscall_user_sp);

static void set_gate(unsigned int vector, u64 entry, u8 type, u8 ist)
{
	idt[vector] = (struct gate){
		.offset_low = (u16)entry,
		.offset_mid = (u16)(entry >> 16),
		.offset_high = (u32)(entry >> 32),
		.selector = KERNEL_CS,
		.type = type,
		.ist = ist,
	};
}

static void fill_idt(void)
{
	unsigned int i;

	for (i = 0; i < NR_TRAPS; i++)
		set_gate(i, trap_stubs[i], GATE_INTERRUPT, 0);
	idt[2].ist = IST_NMI;
	idt[8].ist = IST_DOUBLE_FAULT;
	idt[18].ist = IST_MACHINE_CHECK;
	idt[TRAP_BREAKPOINT].type = GATE_USER;
	idt[TRAP_OVERFLOW].type = GATE_USER;

	for (i = 0; i < PIC_NR_VECTORS; i++)
		set_gate(PIC_FIRST_VECTOR + i, (u64)irq_ignore,
			 GATE_INTERRUPT, 0);
	for (i = 0; i < IRQ_NR_VECTORS; i++)
		set_gate(IRQ_FIRST_VECTOR + i, (u64)irq_stubs + i * 8,
			 GATE_INTERRUPT, 0);
	set_gate(SPURIOUS_VECTOR, (u64)irq_ignore, GATE_INTERRUPT, 0);
}

/* What tops its stack leads trap_ist_common to this CPU's data. */
static void mark_ist_stacks(struct tss *tss)
{
	for (int i = IST_NMI; i <= IST_MACHINE_CHECK; i++) {
		u64 *top = (u64 *)(tss->ist[i - 1] - 16);

		*top = percpu_offset();
		tss->ist[i - 1] = (u64)top;
	}
}

static void syscall_msr_init(void)
{
	wrmsr(MSR_STAR, STAR_BASES);
	wrmsr(MSR_LSTAR, (u64)entry_syscall);
	wrmsr(MSR_FMASK, SYSCALL_CLEARS);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
}

__cold void idt_init(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed pointer = { sizeof(idt) - 1, (u64)idt };

	if (!idt[0].type)
		fill_idt();
	mark_ist_stacks(this_cpu_ptr(&cpu_tss));
	__asm__ volatile("lidt %0" : : "m"(pointer));
	syscall_msr_init();
}
