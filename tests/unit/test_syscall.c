/* sources: kernel/syscall.c kernel/syscall_names.c */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/strace.h"
#include "kernel/syscall.h"
#include "kernel/x86/ptrace.h"
#include "tests/host/host.h"

extern void (*syscall_table[NR_SYSCALLS])(void);

static struct pt_regs regs;

/* Tracing is test_strace.c's. */
void strace_init(syscall_fn *table, u32 n)
{
	(void)table;
	(void)n;
}

struct pt_regs *task_pt_regs(const struct task *task)
{
	return &regs;
}

/* Three calls stand in for the kernel's: the linker gathers them. */
static __used long call_a(void)
{
	return 1;
}

static __used long call_b(void)
{
	return 2;
}

extern const struct syscall_entry __start_syscall_entry[];
extern const struct syscall_entry __stop_syscall_entry[];

SYSCALL_ENTRY_NR("syscall_entry", call_a, __NR_read);
SYSCALL_ENTRY_NR("syscall_entry", call_b, __NR_set_mempolicy_home_node);

static int setup(void **state)
{
	host_reset();
	syscall_init();
	return 0;
}

static void test_table_has_what_was_defined(void **state)
{
	assert_int_equal(__stop_syscall_entry - __start_syscall_entry, 2);
	assert_ptr_equal(syscall_table[0], call_a);
	assert_ptr_equal(syscall_table[NR_SYSCALLS - 1], call_b);
	for (int i = 1; i < NR_SYSCALLS - 1; i++)
		assert_ptr_equal(syscall_table[i], sys_ni_syscall);
}

static void test_unknown_number_is_named_once(void **state)
{
	regs.orig_rax = __NR_fork;
	assert_int_equal(sys_ni_syscall(), -ENOSYS);
	assert_non_null(strstr(host_log(), "57 (fork)"));
	host_log_clear();
	assert_int_equal(sys_ni_syscall(), -ENOSYS);
	assert_string_equal(host_log(), "");
	regs.orig_rax = __NR_vfork;
	assert_int_equal(sys_ni_syscall(), -ENOSYS);
	assert_non_null(strstr(host_log(), "58 (vfork)"));
}

static void test_number_beyond_the_table(void **state)
{
	regs.orig_rax = NR_SYSCALLS;
	assert_int_equal(sys_ni_syscall(), -ENOSYS);
	regs.orig_rax = UINT64_MAX;
	assert_int_equal(sys_ni_syscall(), -ENOSYS);
	assert_string_equal(host_log(), "");
}

static void test_names(void **state)
{
	assert_string_equal(syscall_name(__NR_read), "read");
	assert_string_equal(syscall_name(__NR_epoll_wait), "epoll_wait");
	assert_string_equal(syscall_name(__NR_rseq), "rseq");
	assert_string_equal(syscall_name(335), "?");
	assert_string_equal(syscall_name(400), "?");
	assert_string_equal(syscall_name(__NR_pidfd_send_signal),
			    "pidfd_send_signal");
	assert_string_equal(syscall_name(__NR_epoll_pwait2), "epoll_pwait2");
	assert_string_equal(syscall_name(__NR_set_mempolicy_home_node),
			    "set_mempolicy_home_node");
	assert_string_equal(syscall_name(NR_SYSCALLS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_table_has_what_was_defined,
				       setup),
		cmocka_unit_test_setup(test_unknown_number_is_named_once,
				       setup),
		cmocka_unit_test_setup(test_number_beyond_the_table, setup),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
