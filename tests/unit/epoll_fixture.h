/* What the tests of epoll share: short names for its calls. */
#pragma once

#include "tests/unit/unit.h"

#include "fs/eventpoll_internal.h"
#include "kernel/errno.h"
#include "kernel/time.h"
#include "tests/unit/fs_fixture.h"

long sys_epoll_create(int size);
long sys_epoll_create1(u32 flags);
long sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
long sys_epoll_wait(int epfd, struct epoll_event *events, int maxevents,
		    int timeout);
long sys_epoll_pwait(int epfd, struct epoll_event *events, int maxevents,
		     int timeout, const u64 *mask, size_t size);
long sys_epoll_pwait2(int epfd, struct epoll_event *events, int maxevents,
		      const struct timespec *timeout, const u64 *mask,
		      size_t size);
long sys_close(int fd);
long sys_dup(int fd);
long sys_close_range(u32 first, u32 last, u32 flags);

static struct epoll_event evs[64];

static inline int ep_new(void)
{
	int fd = (int)sys_epoll_create1(0);

	assert_true(fd >= 0);
	return fd;
}

static inline long ctl(int epfd, int op, int fd, u32 events)
{
	struct epoll_event ev = { .events = events, .data = (u64)fd };

	return sys_epoll_ctl(epfd, op, fd, &ev);
}

static inline void add(int epfd, int fd, u32 events)
{
	assert_int_equal(ctl(epfd, EPOLL_CTL_ADD, fd, events), 0);
}

static inline void mod(int epfd, int fd, u32 events)
{
	assert_int_equal(ctl(epfd, EPOLL_CTL_MOD, fd, events), 0);
}

/* Events that are there now, up to @max. */
static inline int poll_now(int epfd, int max)
{
	memset(evs, 0, sizeof(evs));
	return (int)sys_epoll_wait(epfd, evs, max, 0);
}

#define expect_none(epfd) assert_int_equal(poll_now(epfd, 64), 0)

/* Exactly one event, of @fd with @bits. */
#define expect_one(epfd, fd, bits)					\
	do {								\
		assert_int_equal(poll_now(epfd, 64), 1);		\
		assert_int_equal(evs[0].data, fd);			\
		assert_int_equal(evs[0].events, bits);			\
	} while (0)

static inline struct eventpoll *ep_of(int epfd)
{
	return current->files->fd[epfd]->private_data;
}

static inline int epoll_setup(void **state)
{
	static bool once;

	fs_setup();
	if (!once) {
		eventpoll_init();
		once = true;
	}
	return 0;
}

static inline int epoll_teardown(void **state)
{
	fs_teardown();
	assert_int_equal(atomic_read(&ep_user_watches), 0);
	return 0;
}

#define T(name) \
	cmocka_unit_test_setup_teardown(name, epoll_setup, epoll_teardown)
