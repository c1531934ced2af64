/*
 * epoll (epoll(7)): see eventpoll.c for the life of an item and the locks.
 * The system calls are all there is to call; this header is for the boot
 * order and for those who print the structures.
 */
#pragma once

#include "kernel/types.h"

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

/* As user space lays it out on x86-64: 12 bytes, no padding. */
struct epoll_event {
	u32 events;
	u64 data;
} __attribute__((packed));

/* Makes the caches and hooks into fput(). Boot. */
void eventpoll_init(void);
