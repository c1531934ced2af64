/*
 * System calls as text. Pointers are this process's own.
 * sources: kernel/strace_format.c kernel/strace_names.c
 * kernel/syscall_names.c
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/strace.h"
#include "kernel/syscall_nr.h"
#include "tests/host/host.h"

#define ARG(p) ((u64)(uintptr_t)(p))

static void expect(const struct strace_call *call, const char *want)
{
	char line[400], result[80];

	strace_format(call, line, sizeof(line));
	strace_format_result(call, result, sizeof(result));
	strcat(line, " ");
	strcat(line, result);
	assert_string_equal(line, want);
}

static void test_bytes(void **state)
{
	struct strace_call call = {
		.nr = __NR_read, .arg = { 5, ARG("a\n\"\\\1z"), 100 },
		.ret = 6,
	};

	expect(&call, "read(5, \"a\\n\\\"\\\\\\1z\", 100) = 6");
	call.ret = 0;
	expect(&call, "read(5, \"\", 100) = 0");
	call = (struct strace_call){
		.nr = __NR_sendto, .ret = 40,
		.arg = { 5, ARG("0123456789012345678901234567890123456789"),
			 40, 0x4040 },
	};
	expect(&call, "sendto(5, \"01234567890123456789012345678901\"..., 40, "
		      "MSG_DONTWAIT|MSG_NOSIGNAL, NULL, 0) = 40");
}

static void test_addresses(void **state)
{
	u8 in[16] = { 2, 0, 0x1e, 0x61, 10, 0, 2, 15 };
	u8 in6[28] = { 10, 0, 0, 80, [8] = 0xfe, 0x80, [23] = 1 };
	s32 len = sizeof(in);
	struct strace_call call = {
		.nr = __NR_bind, .arg = { 3, ARG(in), sizeof(in) },
		.ret = -EADDRINUSE,
	};

	expect(&call, "bind(3, {sa_family=AF_INET, sin_port=htons(7777), "
		      "sin_addr=inet_addr(\"10.0.2.15\")}, 16) = -1 "
		      "EADDRINUSE");
	call = (struct strace_call){
		.nr = __NR_accept4, .ret = 7,
		.arg = { 3, ARG(in), ARG(&len), 02004000 },
	};
	expect(&call, "accept4(3, {sa_family=AF_INET, sin_port=htons(7777), "
		      "sin_addr=inet_addr(\"10.0.2.15\")}, [16], "
		      "SOCK_CLOEXEC|SOCK_NONBLOCK) = 7");
	call = (struct strace_call){
		.nr = __NR_connect, .arg = { 3, ARG(in6), sizeof(in6) },
		.ret = -EINPROGRESS,
	};
	expect(&call, "connect(3, {sa_family=AF_INET6, sin6_port=htons(80), "
		      "sin6_addr=\"fe80:0:0:0:0:0:0:1\"}, 28) = -1 "
		      "EINPROGRESS");
}

static void test_epoll(void **state)
{
	struct {
		u32 events;
		u64 data;
	} __packed ev[2] = { { 0x80000001u, 1ull << 32 | 5 }, { 0x2010, 0 } };
	struct strace_call call = {
		.nr = __NR_epoll_ctl, .arg = { 4, 1, 5, ARG(ev) },
	};

	expect(&call, "epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN|EPOLLET,"
		      " data={u32=5, u64=4294967301}}) = 0");
	call = (struct strace_call){
		.nr = __NR_epoll_wait, .ret = 2,
		.arg = { 4, ARG(ev), 64, (u64)-1 },
	};
	expect(&call, "epoll_wait(4, [{events=EPOLLIN|EPOLLET, data={u32=5, "
		      "u64=4294967301}}, {events=EPOLLHUP|EPOLLRDHUP, "
		      "data={u32=0, u64=0}}], 64, -1) = 2");
	call.ret = 0;
	expect(&call, "epoll_wait(4, [], 64, -1) = 0");
}

static void test_flags_and_paths(void **state)
{
	struct strace_call call = {
		.nr = __NR_openat, .ret = -ENOENT,
		.arg = { (u64)-100, ARG("/no"), 02000101, 0644 },
	};

	expect(&call, "openat(AT_FDCWD, \"/no\", "
		      "O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = -1 ENOENT");
	call = (struct strace_call){
		.nr = __NR_mmap, .arg = { 0, 4096, 3, 0x22, (u64)-1, 0 },
		.ret = 0x7f0000001000,
	};
	expect(&call, "mmap(NULL, 4096, PROT_READ|PROT_WRITE, "
		      "MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000001000");
	call = (struct strace_call){
		.nr = __NR_socket, .arg = { 2, 04001, 6 }, .ret = 3,
	};
	expect(&call, "socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, "
		      "IPPROTO_TCP) = 3");
	call = (struct strace_call){
		.nr = __NR_sched_yield, .ret = -ERESTARTSYS,
	};
	expect(&call, "sched_yield() = ? ERESTARTSYS");
}

/* A call that the table lacks, and a line that is too long for its buffer. */
static void test_unknown_and_cut(void **state)
{
	struct strace_call call = {
		.nr = __NR_ptrace, .arg = { 1, 2 }, .ret = -ENOSYS,
	};
	char line[24];

	expect(&call, "ptrace(0x1, 0x2, NULL, NULL, NULL, NULL) = -1 ENOSYS");
	strace_format(&call, line, sizeof(line));
	assert_int_equal(strlen(line), sizeof(line) - 1);
	assert_int_equal(line[sizeof(line) - 2], ')');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_epoll),
		cmocka_unit_test(test_flags_and_paths),
		cmocka_unit_test(test_unknown_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
