/* Control messages as user space lays them out (cmsg(3)). */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "net/socket.h"

/* struct cmsghdr of x86-64 Linux. */
struct cmsghdr {
	u64 cmsg_len;		/* with this header */
	s32 cmsg_level;
	s32 cmsg_type;
};

#define CMSG_HDR	sizeof(struct cmsghdr)
#define CMSG_ALIGN(n)	(((n) + 7) & ~7ull)

/* Steps over @n bytes of control data that were written. */
void cmsg_advance(struct msghdr *msg, size_t n);

/*
 * One control message; what does not fit is cut and MSG_CTRUNC set. Task.
 * 0, -EFAULT.
 */
int put_cmsg(struct msghdr *msg, int level, int type, u32 len,
	     const void *data);
