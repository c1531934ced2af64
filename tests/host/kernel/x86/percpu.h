/* Host tests have one CPU: per-CPU data are plain variables. */
#pragma once

#include "kernel/types.h"

#define PERCPU_SECTION
#define this_cpu_read(var)	(var)
#define this_cpu_write(var, val) ((var) = (val))
#define this_cpu_add(var, n)	((var) += (n))
#define this_cpu_ptr(ptr)	(ptr)
