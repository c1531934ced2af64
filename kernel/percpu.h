/*
 * Per-CPU data. The variables live in one section that each CPU has a copy
 * of; kernel/x86/percpu.h reaches the own copy through the GS base.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/x86/percpu.h"

#define DECLARE_PER_CPU(type, name) \
	extern PERCPU_SECTION __typeof__(type) name
#define DEFINE_PER_CPU(type, name) \
	PERCPU_SECTION __typeof__(type) name

/*
 * this_cpu_read(var), this_cpu_write(var, val), this_cpu_add(var, n) work on
 * scalars of 4 or 8 bytes in one instruction each; this_cpu_ptr(&var) gives
 * the address of the own copy. The kernel is not preempted, so the CPU stays
 * the same until the caller sleeps.
 */
