/* sources: kernel/signal.c kernel/sigdeliver.c kernel/sigcalls.c
 * kernel/wait.c */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/x86/ptrace.h"
#include "kernel/x86/sigframe.h"
#include "tests/host/host.h"

long sys_rt_sigaction(int sig, const struct sigaction *act,
		      struct sigaction *oact, size_t size);
long sys_rt_sigprocmask(int how, const u64 *set, u64 *oset, size_t size);
long sys_rt_sigpending(u64 *set, size_t size);
long sys_kill(s32 pid, int sig);
long sys_tkill(s32 tid, int sig);
long sys_tgkill(s32 tgid, s32 tid, int sig);

static struct sighand sighand;
static jmp_buf ended;
static int exit_code;
static struct ksignal handled;	/* what a handler was called for, the last */
static u64 handled_mask;
static unsigned int nr_handled;

int setup_sigframe(struct pt_regs *regs, const struct ksignal *k, u64 mask)
{
	handled = *k;
	handled_mask = mask;
	nr_handled++;
	return k->act.handler == 0xbad ? -EFAULT : 0;
}

struct task *find_get_thread(s32 tid)
{
	return tid == current->pid ? current : NULL;
}

void put_task(struct task *task)
{
}

void timer_signal_delivered(struct siginfo *info)
{
}

void do_exit(void)
{
	longjmp(ended, 1);
}

void do_exit_group(int code)
{
	exit_code = code;
	longjmp(ended, 1);
}

static struct pt_regs regs;
static bool in_call;

/* The way back to user mode; returns the code if that ended the program. */
static int to_user(void)
{
	exit_code = -1;
	if (!setjmp(ended) && signal_pending(current))
		do_signal(&regs, in_call);
	return exit_code;
}

static int setup(void **state)
{
	host_reset();
	sighand_init(&sighand);
	list_add_tail(&current->thread_node, &sighand.threads);
	sighand.nr_threads = 1;
	current->sighand = &sighand;
	nr_handled = 0;
	in_call = false;
	current->pid = current->tgid = 1;
	current->work = 0;
	current->sig_blocked = 0;
	return 0;
}

static void handle(int sig, u64 handler)
{
	struct sigaction act = { .handler = handler };

	assert_int_equal(sys_rt_sigaction(sig, &act, NULL, 8), 0);
}

static void test_default_action_ends_the_program(void **state)
{
	assert_int_equal(to_user(), -1);
	assert_int_equal(send_sig(SIGPIPE, current), 0);
	assert_true(signal_pending(current));
	assert_int_equal(to_user(), 128 + SIGPIPE);
	assert_non_null(strstr(host_log(), "SIGPIPE"));
	assert_int_equal(send_sig(64, current), 0);
	assert_int_equal(to_user(), 128 + 64);
}

static void test_some_do_nothing_by_default(void **state)
{
	static const int harmless[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT,
					SIGSTOP, SIGTSTP };

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		assert_int_equal(send_sig(harmless[i], current), 0);
		assert_false(signal_pending(current));
	}
}

static void test_ignored_is_forgotten(void **state)
{
	handle(SIGPIPE, SIG_IGN);
	assert_int_equal(send_sig(SIGPIPE, current), 0);
	assert_false(signal_pending(current));
	/* A blocked one is kept all the same, until it is unblocked. */
	current->sig_blocked = sig_bit(SIGPIPE);
	assert_int_equal(send_sig(SIGPIPE, current), 0);
	assert_int_equal(current->pending.mask, sig_bit(SIGPIPE));
	current->sig_blocked = 0;
	current->work |= TIF_SIGPENDING;
	assert_int_equal(to_user(), -1);
	assert_int_equal(current->pending.mask, 0);
	/* Ignoring forgets what is pending already. */
	current->sig_blocked = sig_bit(SIGTERM);
	assert_int_equal(send_sig(SIGTERM, current), 0);
	handle(SIGTERM, SIG_IGN);
	current->sig_blocked = 0;
	assert_int_equal(to_user(), -1);
}

static void test_blocked_waits(void **state)
{
	u64 set = sig_bit(SIGTERM), old, pending;

	assert_int_equal(sys_rt_sigprocmask(SIG_BLOCK, &set, NULL, 8), 0);
	assert_int_equal(sys_kill(1, SIGTERM), 0);
	assert_false(signal_pending(current));
	assert_int_equal(sys_rt_sigpending(&pending, 8), 0);
	assert_int_equal(pending, sig_bit(SIGTERM));
	assert_int_equal(sys_rt_sigprocmask(SIG_UNBLOCK, &set, &old, 8), 0);
	assert_int_equal(old, set);
	assert_true(signal_pending(current));
	assert_int_equal(to_user(), 128 + SIGTERM);
}

static void test_kill_cannot_be_held_back(void **state)
{
	struct sigaction act = { .handler = SIG_IGN };
	u64 all = UINT64_MAX, now;

	assert_int_equal(sys_rt_sigaction(SIGKILL, &act, NULL, 8), -EINVAL);
	assert_int_equal(sys_rt_sigprocmask(SIG_SETMASK, &all, NULL, 8), 0);
	assert_int_equal(sys_rt_sigprocmask(SIG_BLOCK, NULL, &now, 8), 0);
	assert_int_equal(now, ~(sig_bit(SIGKILL) | sig_bit(SIGSTOP)));
	assert_int_equal(sys_kill(0, SIGKILL), 0);
	assert_int_equal(to_user(), 128 + SIGKILL);
}

static void test_fault_breaks_through_a_mask(void **state)
{
	current->sig_blocked = sig_bit(SIGSEGV);
	force_sig(SIGSEGV, current);
	assert_int_equal(to_user(), 128 + SIGSEGV);
}

static void test_actions_are_remembered(void **state)
{
	struct sigaction act = { 0x1234, 4, 0x5678, UINT64_MAX }, old;

	assert_int_equal(sys_rt_sigaction(SIGUSR1, &act, &old, 8), 0);
	assert_int_equal(old.handler, SIG_DFL);
	assert_int_equal(sys_rt_sigaction(SIGUSR1, NULL, &old, 8), 0);
	assert_int_equal(old.handler, 0x1234);
	assert_int_equal(old.restorer, 0x5678);
	assert_int_equal(old.mask, ~(sig_bit(SIGKILL) | sig_bit(SIGSTOP)));
}

static void test_arguments_are_checked(void **state)
{
	struct sigaction act = { 0 };
	u64 set = 0;

	assert_int_equal(sys_rt_sigaction(0, &act, NULL, 8), -EINVAL);
	assert_int_equal(sys_rt_sigaction(65, &act, NULL, 8), -EINVAL);
	assert_int_equal(sys_rt_sigaction(1, &act, NULL, 4), -EINVAL);
	assert_int_equal(sys_rt_sigaction(1, (void *)8, NULL, 8), -EFAULT);
	assert_int_equal(sys_rt_sigaction(1, NULL, (void *)8, 8), -EFAULT);
	assert_int_equal(sys_rt_sigprocmask(9, &set, NULL, 8), -EINVAL);
	assert_int_equal(sys_rt_sigprocmask(9, NULL, NULL, 8), 0);
	assert_int_equal(sys_rt_sigprocmask(0, (void *)8, NULL, 8), -EFAULT);
	assert_int_equal(sys_kill(1, 65), -EINVAL);
	assert_int_equal(sys_kill(1, -1), -EINVAL);
	assert_int_equal(sys_kill(2, SIGTERM), -ESRCH);
	assert_int_equal(sys_kill(-2, SIGTERM), -ESRCH);
	assert_int_equal(sys_kill(1, 0), 0);
	assert_int_equal(sys_kill(-1, 0), -ESRCH);
	assert_int_equal(sys_tkill(0, SIGTERM), -EINVAL);
	assert_int_equal(sys_tkill(7, SIGTERM), -ESRCH);
	assert_int_equal(sys_tgkill(1, 7, SIGTERM), -ESRCH);
	assert_int_equal(sys_tgkill(1, 1, 0), 0);
	assert_int_equal(to_user(), -1);
	current->sighand = NULL;
	assert_int_equal(send_sig(SIGTERM, current), -ESRCH);
}

static void test_handlers_are_called(void **state)
{
	struct sigaction act = { .handler = 0x1000, .flags = SA_RESETHAND,
				 .mask = sig_bit(SIGUSR2) };

	assert_int_equal(sys_rt_sigaction(SIGUSR1, &act, NULL, 8), 0);
	current->sig_blocked = sig_bit(SIGHUP);
	assert_int_equal(sys_kill(1, SIGUSR1), 0);
	assert_int_equal(to_user(), -1);
	assert_int_equal(nr_handled, 1);
	assert_int_equal(handled.sig, SIGUSR1);
	assert_int_equal(handled.info.si_code, SI_USER);
	assert_int_equal(handled_mask, sig_bit(SIGHUP));
	assert_int_equal(current->sig_blocked, sig_bit(SIGHUP) |
			 sig_bit(SIGUSR1) | sig_bit(SIGUSR2));
	current->sig_blocked = 0;
	/* Once only: the next one has its default effect. */
	assert_int_equal(sys_kill(1, SIGUSR1), 0);
	assert_int_equal(to_user(), 128 + SIGUSR1);
}

static void test_a_bad_stack_ends_it(void **state)
{
	struct sigaction act = { .handler = 0xbad };

	assert_int_equal(sys_rt_sigaction(SIGSEGV, &act, NULL, 8), 0);
	force_sig(SIGSEGV, current);
	assert_int_equal(to_user(), -1);
	assert_int_equal(to_user(), 128 + SIGSEGV);
}

/* What becomes of a call that returned @ret; @flags of the handler. */
static s64 restarted(s64 ret, u64 flags)
{
	struct sigaction act = { .handler = 0x1000, .flags = flags };

	regs = (struct pt_regs){ .rax = (u64)ret, .orig_rax = 7, .rip = 102 };
	in_call = true;
	if (flags != UINT64_MAX) {
		assert_int_equal(sys_rt_sigaction(SIGUSR1, &act, NULL, 8), 0);
		assert_int_equal(sys_kill(1, SIGUSR1), 0);
	}
	current->work |= TIF_SIGPENDING;
	assert_int_equal(to_user(), -1);
	current->sig_blocked = 0;
	return regs.rip == 100 ? (s64)regs.rax : (s64)regs.rax * 1000;
}

static void test_calls_begin_again(void **state)
{
	const u64 none = UINT64_MAX;

	assert_int_equal(restarted(-ERESTARTSYS, SA_RESTART), 7);
	assert_int_equal(restarted(-ERESTARTSYS, 0), -EINTR * 1000);
	assert_int_equal(restarted(-ERESTARTNOINTR, 0), 7);
	assert_int_equal(restarted(-ERESTARTNOHAND, SA_RESTART),
			 -EINTR * 1000);
	assert_int_equal(restarted(-ERESTART_RESTARTBLOCK, SA_RESTART),
			 -EINTR * 1000);
	assert_int_equal(restarted(-EINTR, SA_RESTART), -EINTR * 1000);
	assert_int_equal(restarted(5, SA_RESTART), 5000);
	assert_int_equal(restarted(-ERESTARTSYS, none), 7);
	assert_int_equal(restarted(-ERESTARTNOHAND, none), 7);
	assert_int_equal(restarted(-ERESTART_RESTARTBLOCK, none), 219);
}

static void test_realtime_signals_queue(void **state)
{
	struct siginfo info = { .si_signo = 40, .si_code = SI_QUEUE }, got;

	for (int i = 0; i < 3; i++) {
		info.user.value = (u64)i;
		assert_int_equal(send_siginfo(&info, current), 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dequeue_signal(current, 0, &got), 40);
		assert_int_equal(got.user.value, i);
	}
	assert_int_equal(dequeue_signal(current, 0, &got), 0);
	/* Ordinary ones do not. */
	send_sig(SIGUSR1, current);
	send_sig(SIGUSR1, current);
	assert_int_equal(dequeue_signal(current, 0, &got), SIGUSR1);
	assert_int_equal(dequeue_signal(current, 0, &got), 0);
	host_fail_alloc(1);
	assert_int_equal(send_siginfo(&info, current), -EAGAIN);
	assert_int_equal(sighand.nr_queued, 0);
}

static void sleep_for_ever(void *arg)
{
	struct siginfo info;

	set_current_state(TASK_INTERRUPTIBLE);
	schedule();
	assert_true(signal_pending(current));
	assert_int_equal(dequeue_signal(current, 0, &info), SIGTERM);
}

static void test_a_signal_ends_a_sleep(void **state)
{
	struct task *task = host_task_start("sleeper", sleep_for_ever, NULL);

	task->sighand = &sighand;
	host_run_others();
	assert_false(host_task_done(task));
	assert_int_equal(send_sig(SIGTERM, task), 0);
	host_join_tasks();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_default_action_ends_the_program,
				       setup),
		cmocka_unit_test_setup(test_some_do_nothing_by_default,
				       setup),
		cmocka_unit_test_setup(test_ignored_is_forgotten, setup),
		cmocka_unit_test_setup(test_blocked_waits, setup),
		cmocka_unit_test_setup(test_kill_cannot_be_held_back, setup),
		cmocka_unit_test_setup(test_fault_breaks_through_a_mask,
				       setup),
		cmocka_unit_test_setup(test_actions_are_remembered, setup),
		cmocka_unit_test_setup(test_arguments_are_checked, setup),
		cmocka_unit_test_setup(test_a_signal_ends_a_sleep, setup),
		cmocka_unit_test_setup(test_handlers_are_called, setup),
		cmocka_unit_test_setup(test_a_bad_stack_ends_it, setup),
		cmocka_unit_test_setup(test_calls_begin_again, setup),
		cmocka_unit_test_setup(test_realtime_signals_queue, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
