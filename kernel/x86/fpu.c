/*
 * XSAVE where the CPU has it, else FXSAVE. A program with one thread never
 * has a save area: nobody else wants its registers. fpu_alloc() gives one to
 * each thread when there are two.
 */
#include "kernel/x86/fpu.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/processor.h"

#define CR4_OSXSAVE	(1ul << 18)
#define XCR0_X87	(1u << 0)
#define XCR0_SSE	(1u << 1)
#define XCR0_AVX	(1u << 2)
#define FXSAVE_SIZE	512
#define XSAVE_ALIGN	64

static u32 xcr0 __ro_after_init;
static size_t area_size __ro_after_init = FXSAVE_SIZE;

static void enable_xsave(void)
{
	unsigned long cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE));
	xcr0 = cpuid(0xd, 0).eax & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
	__asm__ volatile("xsetbv" : : "c"(0), "a"(xcr0), "d"(0));
	/* The size for what is enabled now (Intel SDM volume 1, 13.2). */
	area_size = cpuid(0xd, 0).ebx;
}

void fpu_init(void)
{
	if (cpu_has(CPU_XSAVE))
		enable_xsave();
	fpu_reset();
}

/*
 * The legacy area of registers nobody has used yet: x87 control word 0x37f,
 * MXCSR 0x1f80. The zero header behind it tells XRSTOR that all else is
 * initial, too.
 */
static const struct {
	u16 control, rest[11];
	u32 mxcsr;
	u8 zero[FXSAVE_SIZE - 28 + XSAVE_ALIGN];
} __aligned(XSAVE_ALIGN) initial = {
	.control = 0x37f, .mxcsr = 0x1f80,
};

/* kmalloc aligns to 8, XSAVE wants 64: room for both. */
static void *aligned_area(const struct task *task)
{
	return (void *)ALIGN_UP((u64)task->fpu, (u64)XSAVE_ALIGN);
}

int fpu_alloc(struct task *task)
{
	if (task->fpu)
		return 0;
	task->fpu = kzalloc(area_size + XSAVE_ALIGN);
	if (!task->fpu)
		return -ENOMEM;
	memcpy(aligned_area(task), &initial, FXSAVE_SIZE);
	return 0;
}

void fpu_free(struct task *task)
{
	kfree(task->fpu);
	task->fpu = NULL;
}

static void save(void *area)
{
	if (xcr0)
		__asm__ volatile("xsave64 (%0)"
				 : : "r"(area), "a"(xcr0), "d"(0) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void restore(const void *area)
{
	if (xcr0)
		__asm__ volatile("xrstor64 (%0)"
				 : : "r"(area), "a"(xcr0), "d"(0) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void fpu_reset(void)
{
	restore(&initial);
}

void fpu_switch(struct task *prev, struct task *next)
{
	if (prev && prev->fpu)
		save(aligned_area(prev));
	restore(next->fpu ? aligned_area(next) : &initial);
}
