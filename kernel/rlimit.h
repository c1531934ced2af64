/* Resource limits (getrlimit(2)): kept for the program, asked by owners. */
#pragma once

#include "kernel/types.h"

#define RLIMIT_CPU	0
#define RLIMIT_FSIZE	1
#define RLIMIT_DATA	2
#define RLIMIT_STACK	3
#define RLIMIT_CORE	4
#define RLIMIT_RSS	5
#define RLIMIT_NPROC	6
#define RLIMIT_NOFILE	7
#define RLIMIT_MEMLOCK	8
#define RLIMIT_AS	9
#define RLIMIT_LOCKS	10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE	12
#define RLIMIT_NICE	13
#define RLIMIT_RTPRIO	14
#define RLIMIT_RTTIME	15
#define RLIM_NLIMITS	16

#define RLIM_INFINITY	UINT64_MAX

struct rlimit {
	u64 cur, max;
};

/* The present soft limit RLIMIT_@which. Any context. */
u64 rlimit(unsigned int which);
/* The hard limit that goes with it. */
u64 rlimit_max(unsigned int which);
