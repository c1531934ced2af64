/*
 * Monotonic time from the TSC. Its frequency comes from CPUID, or from the
 * LAPIC timer (exactly 1 GHz under QEMU and KVM) and the PIT, which run along
 * while the kernel boots and are only read, never waited for.
 */
#include "kernel/x86/tsc.h"

#include "kernel/clock.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "kernel/vvar.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/pit.h"
#include "kernel/x86/processor.h"

#define GUESS_HZ	2000000000ull
#define HV_APIC_HZ	1000000000ull
/* What a counter of a real machine may claim to be. */
#define MIN_HZ		100000000ull
#define MAX_HZ		20000000000ull
#define APIC_START	0xffffffffu
/* A read of two clocks is repeated to find one that nothing came between. */
#define SAMPLE_TRIES	5

/* A reference clock's count and the TSC at the same moment. */
struct sample {
	u64 tsc;
	u64 count;
};

/* Locks: b boot or the refine timer, never both at once. */
struct calibration {
	bool exact;			/* b  CPUID said so */
	bool pit;			/* b  there is one */
	u64 apic_hz;			/* b  0: not known */
	struct sample pit_start;	/* b */
	struct sample apic_start;	/* b */
	struct timer refine;		/* b */
	unsigned int refined;		/* b  how often */
};

static struct calibration cal;

u64 ktime_get_ns(void)
{
	return clock_scale_ns(clock_scale(&vvar), rdtsc());
}

u64 tsc_hz(void)
{
	return clock_scale(&vvar)->hz;
}

u64 apic_timer_hz(void)
{
	return cal.apic_hz;
}

/* a * b / c without overflow in between; saturates. */
static u64 mul_div(u64 a, u64 b, u64 c)
{
	u64 low, high;

	__asm__("mulq %3" : "=a"(low), "=d"(high) : "0"(a), "rm"(b) : "cc");
	if (high >= c)
		return UINT64_MAX;
	__asm__("divq %2" : "+a"(low), "+d"(high) : "rm"(c) : "cc");
	return low;
}

u64 ns_to_tsc(u64 ns)
{
	const struct clock_scale *s = clock_scale(&vvar);
	u64 delta = ns > s->ns0 ? ns - s->ns0 : 0;

	/* Beyond a century the exact value does not matter. */
	delta = min(delta, 1ull << 62);
	/* Rounded up, so that it is not too early by a count. */
	return s->tsc0 + mul_div(delta, s->hz, NSEC_PER_SEC) + 1;
}

/*
 * Goes on from the present time at the new rate. A reader that was held up
 * keeps the old scale, which stays as it is.
 */
static __cold void set_hz(u64 hz)
{
	u64 at = (vvar.now + sizeof(vvar.scale[0])) % sizeof(vvar.scale);
	struct clock_scale *next = &vvar.scale[at / sizeof(vvar.scale[0])];
	u64 tsc = rdtsc();

	next->ns0 = clock_scale_ns(clock_scale(&vvar), tsc);
	next->tsc0 = tsc;
	next->hz = hz;
	next->mult = (NSEC_PER_SEC << 32) / hz;
	__atomic_store_n(&vvar.now, at, __ATOMIC_RELEASE);
}

/* Intel SDM volume 2, CPUID leaf 0x15; and the hypervisors' own leaf. */
static u64 cpuid_hz(void)
{
	struct cpuid_regs ratio = cpuid(0x15, 0);
	bool hypervisor = cpuid(1, 0).ecx >> 31;

	if (ratio.eax && ratio.ebx && ratio.ecx)
		return (u64)ratio.ecx * ratio.ebx / ratio.eax;
	if (hypervisor)
		return cpuid(0x40000010, 0).eax * 1000ull;
	return 0;
}

/* QEMU and KVM run the LAPIC timer at 1 GHz whatever the machine. */
static bool hypervisor_apic(void)
{
	struct cpuid_regs id;

	if (!(cpuid(1, 0).ecx >> 31))
		return false;
	id = cpuid(0x40000000, 0);
	return (id.ebx == 0x4b4d564b && id.ecx == 0x564b4d56) ||
	       (id.ebx == 0x54474354 && id.ecx == 0x43544743);
}

static u64 read_apic(void)
{
	return APIC_START - apic_read(APIC_TIMER_NOW);
}

/* The pair whose two TSC reads lie closest together. */
static struct sample take_sample(u64 (*read)(void))
{
	struct sample best = { 0 };
	u64 best_width = UINT64_MAX;

	for (int i = 0; i < SAMPLE_TRIES; i++) {
		u64 before = rdtsc();
		u64 count = read();
		u64 width = rdtsc() - before;

		if (width < best_width) {
			best_width = width;
			best = (struct sample){ before + width / 2, count };
		}
	}
	return best;
}

static bool plausible(u64 hz)
{
	return hz >= MIN_HZ && hz <= MAX_HZ;
}

/* The TSC's frequency against a reference that counted at @ref_hz. */
static u64 measure(const struct sample *from, const struct sample *to,
		   u64 counts, u64 ref_hz)
{
	return counts ? mul_div(to->tsc - from->tsc, ref_hz, counts) : 0;
}

/*
 * The PIT comes round every 55 ms: how often it did is known from the TSC,
 * whose frequency is right to a part in a thousand by then.
 */
static u64 measure_pit(void)
{
	struct sample now = take_sample(pit_read);
	u64 seen = (now.count - cal.pit_start.count) & PIT_MASK;
	u64 expected = mul_div(now.tsc - cal.pit_start.tsc, PIT_HZ, tsc_hz());
	u64 rounds = expected > seen ?
		     (expected - seen + PIT_MASK / 2) / (PIT_MASK + 1) : 0;

	return measure(&cal.pit_start, &now, seen + rounds * (PIT_MASK + 1),
		       PIT_HZ);
}

/* At one and at ten seconds, each over the whole time since boot. */
static __cold void refine(struct timer *timer)
{
	u64 hz = measure_pit();

	/* Anything else than a small change is a measurement gone wrong. */
	if (hz > tsc_hz() - tsc_hz() / 64 && hz < tsc_hz() + tsc_hz() / 64)
		set_hz(hz);
	if (++cal.refined < 2)
		mod_timer(timer, ktime_get_ns() + 9 * NSEC_PER_SEC);
}

__cold void tsc_init(void)
{
	u64 hz = cpuid_hz();

	cal.exact = plausible(hz);
	vvar.scale[0].tsc0 = rdtsc();
	set_hz(cal.exact ? hz : GUESS_HZ);
	if (cal.exact)
		return;
	cal.pit = pit_start();
	if (cal.pit)
		cal.pit_start = take_sample(pit_read);
}

__cold void apic_timer_run(void)
{
	apic_write(APIC_TIMER_DIV, APIC_DIV_1);
	apic_write(APIC_TIMER_COUNT, APIC_START);
	cal.apic_start = take_sample(read_apic);
}

__cold void tsc_calibrate(void)
{
	struct sample apic = take_sample(read_apic);
	u64 apic_counts = apic.count - cal.apic_start.count;
	bool known_apic = hypervisor_apic();
	u64 hz = 0;

	if (cal.exact)
		hz = tsc_hz();
	else if (known_apic)
		hz = measure(&cal.apic_start, &apic, apic_counts, HV_APIC_HZ);
	else if (cal.pit)
		hz = measure_pit();
	if (!plausible(hz)) {
		pr_warn("tsc: no clock to measure it against; time will be off");
		hz = GUESS_HZ;
	}
	if (!cal.exact)
		set_hz(hz);
	cal.apic_hz = known_apic ? HV_APIC_HZ :
		      mul_div(apic_counts, hz, apic.tsc - cal.apic_start.tsc);
	pr_info("tsc: %llu kHz%s", (unsigned long long)hz / 1000,
		cal.exact ? "" : ", to be refined");
	if (cal.pit) {
		timer_setup(&cal.refine, refine);
		mod_timer(&cal.refine, ktime_get_ns() + NSEC_PER_SEC);
	}
}
