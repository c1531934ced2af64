/* The kernel's own, with its structs kept apart from the C library's. */
#pragma once

#include <sys/select.h>
#include <sys/types.h>
#include <time.h>

#define timespec pollux_timespec
#define timeval	 pollux_timeval
#define itimerspec pollux_itimerspec
#include "../../../kernel/time.h"
