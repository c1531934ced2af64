/*
 * XSAVE where the CPU has it, else FXSAVE. A program with one thread never
 * has a save area: nobody else wants its registers. fpu_alloc() gives one to
 * each thread when there are two.
 */
#include "kernel/x86/fpu.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/processor.h"

#define CR4_OSXSAVE	(1ul << 18)
#define XCR0_X87	(1u << 0)
#define XCR0_SSE	(1u << 1)
#define XCR0_AVX	(1u << 2)
#define FXSAVE_SIZE	512
#define XSAVE_ALIGN	64

/* How a signal frame says what it holds, in bytes that FXSAVE leaves alone. */
#define SW_BYTES_AT	464
#define SW_MAGIC1	0x46505853u
#define SW_MAGIC2	0x46505845u
#define MXCSR_AT	24
#define MXCSR_MASK_AT	28
#define MXCSR_DEFAULT_MASK 0xffbfu
#define XSTATE_BV_AT	512
#define XSAVE_HEADER	64

struct sw_bytes {
	u32 magic1, extended_size;
	u64 xfeatures;
	u32 xstate_size, pad[7];
};

_Static_assert(sizeof(struct sw_bytes) == 512 - SW_BYTES_AT, "FXSAVE area");

static u32 xcr0 __ro_after_init;
static size_t area_size __ro_after_init;

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

__cold void fpu_init(void)
{
	area_size = FXSAVE_SIZE;
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

/*
 * Behind the area a second one, for a state on its way from the user: while
 * it is copied the task may be switched away, and that writes the first.
 */
static void *staging_area(const struct task *task)
{
	return (u8 *)aligned_area(task) + ALIGN_UP(area_size, XSAVE_ALIGN);
}

__cold int fpu_alloc(struct task *task)
{
	if (task->fpu)
		return 0;
	task->fpu = kzalloc(2 * ALIGN_UP(area_size, XSAVE_ALIGN) +
			    XSAVE_ALIGN);
	if (!task->fpu)
		return -ENOMEM;
	memcpy(aligned_area(task), &initial, FXSAVE_SIZE);
	return 0;
}

__cold void fpu_free(struct task *task)
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

void fpu_copy_to(struct task *child)
{
	save(aligned_area(child));
}

bool fpu_has_xsave(void)
{
	return xcr0;
}

size_t fpu_frame_size(void)
{
	return xcr0 ? area_size + sizeof(u32) : FXSAVE_SIZE;
}

__cold int fpu_to_user(void __user *to)
{
	struct task *task = current;
	struct sw_bytes sw = { 0 };
	u8 *area;

	if (fpu_alloc(task))
		return -ENOMEM;
	area = aligned_area(task);
	save(area);
	if (xcr0) {
		sw.magic1 = SW_MAGIC1;
		sw.extended_size = (u32)fpu_frame_size();
		sw.xfeatures = xcr0;
		sw.xstate_size = (u32)area_size;
	}
	memcpy(area + SW_BYTES_AT, &sw, sizeof(sw));
	if (copy_to_user(to, area, area_size))
		return -EFAULT;
	if (!xcr0)
		return 0;
	return put_user(SW_MAGIC2, (u32 __user *)((u8 __user *)to +
						  area_size));
}

/* A frame may have been made by hand: with FXSAVE's part only, say. */
static bool frame_is_extended(const u8 *area, const void __user *from)
{
	struct sw_bytes sw;
	u32 magic2;

	memcpy(&sw, area + SW_BYTES_AT, sizeof(sw));
	if (!xcr0 || sw.magic1 != SW_MAGIC1 || sw.xstate_size != area_size ||
	    sw.extended_size < sw.xstate_size)
		return false;
	if (get_user(magic2, (const u32 __user *)((const u8 __user *)from +
						  area_size)))
		return false;
	return magic2 == SW_MAGIC2;
}

/* What XRSTOR would refuse with a fault is made harmless. */
static void sanitise(u8 *area, bool extended)
{
	u64 have = extended ? 0 : XCR0_X87 | XCR0_SSE, bv;
	u32 mxcsr, mask;

	memcpy(&mxcsr, area + MXCSR_AT, sizeof(mxcsr));
	save(aligned_area(current));
	memcpy(&mask, (u8 *)aligned_area(current) + MXCSR_MASK_AT,
	       sizeof(mask));
	mxcsr &= mask ? mask : MXCSR_DEFAULT_MASK;
	memcpy(area + MXCSR_AT, &mxcsr, sizeof(mxcsr));
	if (!xcr0)
		return;
	memcpy(&bv, area + XSTATE_BV_AT, sizeof(bv));
	bv = extended ? bv & xcr0 : have;
	memset(area + XSTATE_BV_AT, 0, XSAVE_HEADER);
	memcpy(area + XSTATE_BV_AT, &bv, sizeof(bv));
}

__cold int fpu_from_user(const void __user *from)
{
	struct task *task = current;
	bool extended;
	u8 *area;

	if (!from) {
		fpu_reset();
		return 0;
	}
	if (fpu_alloc(task))
		return -ENOMEM;
	area = staging_area(task);
	if (copy_from_user(area, from, FXSAVE_SIZE))
		return -EFAULT;
	extended = frame_is_extended(area, from);
	if (extended && copy_from_user(area, from, area_size))
		return -EFAULT;
	sanitise(area, extended);
	restore(area);
	return 0;
}

static int code_of_flags(u32 flags)
{
	static const struct {
		u32 flags;
		int code;
	} codes[] = {
		{ 0x01, FPE_FLTINV }, { 0x04, FPE_FLTDIV },
		{ 0x08, FPE_FLTOVF }, { 0x12, FPE_FLTUND },
		{ 0x20, FPE_FLTRES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (flags & codes[i].flags)
			return codes[i].code;
	return 0;
}

__cold int fpu_exception_code(bool simd)
{
	u16 control, status;
	u32 mxcsr;

	if (simd) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		return code_of_flags(mxcsr & ~(mxcsr >> 7));
	}
	__asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
	return code_of_flags(status & ~(u32)control);
}
