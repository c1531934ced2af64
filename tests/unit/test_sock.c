/*
 * struct sock: lock and backlog, callbacks, waits, memory, life.
 * sources: net/sock.c net/sock_errqueue.c net/cmsg.c
 * net/inet.c kernel/uio.c net/skbuff.c net/drop.c kernel/wait.c
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/sock.h"
#include "net/socket.h"
#include "net/tcp/tcp.h"
#include "tests/host/host.h"

static struct sk_buff_head handled;
static u32 release_cbs, destructs;
static bool owned_in_cb;

static void fake_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	assert_true(sock_owned_by_user(sk));
	assert_false(sk->sk_lock & SOCK_LOCK_SPIN);
	skb_queue_tail(&handled, skb);
}

static void fake_release_cb(struct sock *sk)
{
	release_cbs++;
	owned_in_cb = sock_owned_by_user(sk) && sk->sk_lock & SOCK_LOCK_SPIN;
}

static void fake_destruct(struct sock *sk)
{
	destructs++;
}

static struct proto fake_proto = {
	.name = "FAKE",
	.backlog_rcv = fake_backlog_rcv,
	.release_cb = fake_release_cb,
	.destruct = fake_destruct,
};

static struct socket sock;
static struct sock *sk;

static int group_setup(void **state)
{
	host_reset();
	skb_init();
	sock_init();
	fake_proto.slab = kmem_cache_create("fake", sizeof(struct sock), 0,
					    SLAB_ZERO);
	return 0;
}

static int setup(void **state)
{
	host_reset();
	skb_queue_head_init(&handled);
	release_cbs = destructs = 0;
	memset(&sock, 0, sizeof(sock));
	init_waitqueue_head(&sock.wq);
	sk = sk_alloc(&fake_proto, AF_INET, SOCK_STREAM, 6);
	assert_non_null(sk);
	sock_graft(sk, &sock);
	return 0;
}

static int teardown(void **state)
{
	host_join_tasks();
	skb_queue_purge(&handled);
	sock_put(sk);
	assert_int_equal(destructs, 1);
	assert_int_equal(host_allocs_outstanding(), 0);
	assert_int_equal(context_count, 0);
	return 0;
}

static struct sk_buff *packet(u32 n)
{
	struct sk_buff *skb = alloc_skb(n);

	skb_put(skb, n);
	return skb;
}

static void test_fresh_sock(void **state)
{
	struct sock *none;

	assert_int_equal(sk->sk_state, TCP_CLOSE);
	assert_int_equal(sk->sk_type, SOCK_STREAM);
	assert_int_equal(sk->sk_protocol, 6);
	assert_int_equal(sk->sk_rcvbuf, 212992);
	assert_ptr_equal(sk->sk_prot_creator, &fake_proto);
	assert_ptr_equal(sock.sk, sk);
	sock_hold(sk);
	sock_put(sk);
	assert_int_equal(destructs, 0);
	host_fail_alloc(1);
	none = sk_alloc(&fake_proto, AF_INET, SOCK_STREAM, 6);
	assert_null(none);
}

static void test_last_reference_frees_what_is_queued(void **state)
{
	struct sock *other = sk_alloc(&fake_proto, AF_INET, SOCK_STREAM, 6);
	struct sk_buff *skb = packet(10);

	skb_set_owner_r(skb, other);
	skb_queue_tail(&other->sk_receive_queue, skb);
	sock_put(other);
	assert_int_equal(destructs, 1);
	destructs = 0;
}

static void test_received_memory_is_counted(void **state)
{
	struct sk_buff *skb = packet(10);
	s32 size = (s32)skb->truesize;

	skb_set_owner_r(skb, sk);
	assert_int_equal(sk->sk_rmem_alloc, size);
	/* Again: it moves, it is not counted twice. */
	skb_set_owner_r(skb, sk);
	assert_int_equal(sk->sk_rmem_alloc, size);
	kfree_skb(skb);
	assert_int_equal(sk->sk_rmem_alloc, 0);
}

/* ---- lock and backlog ---- */

static void softirq_packet(struct sk_buff *skb, bool *queued)
{
	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		*queued = sk_add_backlog(sk, skb);
	} else {
		*queued = false;
		skb_queue_tail(&handled, skb);
	}
	bh_unlock_sock(sk);
}

static void test_backlog_keeps_order(void **state)
{
	struct sk_buff *skb[3] = { packet(1), packet(2), packet(3) };
	bool queued;

	lock_sock(sk);
	for (u32 i = 0; i < 3; i++) {
		softirq_packet(skb[i], &queued);
		assert_true(queued);
	}
	assert_int_equal(handled.qlen, 0);
	release_sock(sk);
	assert_int_equal(handled.qlen, 3);
	for (u32 i = 0; i < 3; i++) {
		assert_ptr_equal(skb_dequeue(&handled), skb[i]);
		kfree_skb(skb[i]);
	}
	assert_int_equal(sk->sk_backlog_len, 0);
	assert_int_equal(release_cbs, 1);
	assert_true(owned_in_cb);
	softirq_packet(packet(4), &queued);
	assert_false(queued);
	assert_int_equal(handled.qlen, 1);
}

static void test_backlog_is_bounded(void **state)
{
	struct sk_buff *skb = packet(1);
	u32 taken = 0;
	bool queued;

	sk->sk_rcvbuf = 2000;
	sk->sk_sndbuf = 1000;
	lock_sock(sk);
	for (;;) {
		softirq_packet(skb, &queued);
		if (!queued)
			break;
		taken++;
		skb = packet(1);
	}
	assert_int_equal(taken, (3000 + 65536) / skb->truesize + 1);
	kfree_skb(skb);
	release_sock(sk);
	assert_int_equal(handled.qlen, taken);
}

/* The peer answers what we sent, at once, for as long as anything gets in. */
static void answered_packet(struct sock *s, struct sk_buff *skb)
{
	bool queued;

	skb_queue_tail(&handled, skb);
	if (s->sk_lock & SOCK_LOCK_SPIN)
		return;
	softirq_packet(packet(2), &queued);
	assert_true(queued);
}

static void test_backlog_of_answers(void **state)
{
	const u32 batch = 20;
	bool queued;

	fake_proto.backlog_rcv = answered_packet;
	lock_sock(sk);
	for (u32 i = 0; i < batch; i++) {
		softirq_packet(packet(1), &queued);
		assert_true(queued);
	}
	/* Room for one batch that is worked off and one that comes. */
	sk->sk_rcvbuf = 0;
	sk->sk_sndbuf = (s32)sk->sk_backlog_len - 65536;
	release_sock(sk);
	fake_proto.backlog_rcv = fake_backlog_rcv;
	assert_true(handled.qlen > 2 * batch && handled.qlen % batch == 0);
	assert_int_equal(sk->sk_backlog_len, 0);
	softirq_packet(packet(3), &queued);
	assert_false(queued);
}

/* Without a backlog, only who asked for it is called back. */
static void test_deferred_work(void **state)
{
	lock_sock(sk);
	release_sock(sk);
	assert_int_equal(release_cbs, 0);
	lock_sock(sk);
	bh_lock_sock(sk);
	sock_defer_work(sk);
	bh_unlock_sock(sk);
	release_sock(sk);
	assert_int_equal(release_cbs, 1);
	assert_true(owned_in_cb);
	lock_sock(sk);
	release_sock(sk);
	assert_int_equal(release_cbs, 1);
}

static u32 order[8], nr_order;

static void second_owner(void *arg)
{
	lock_sock(sk);
	order[nr_order++] = (u32)(uintptr_t)arg;
	schedule();
	order[nr_order++] = (u32)(uintptr_t)arg;
	release_sock(sk);
}

static void test_tasks_exclude_each_other(void **state)
{
	nr_order = 0;
	lock_sock(sk);
	host_task_start("one", second_owner, (void *)1);
	host_task_start("two", second_owner, (void *)2);
	host_run_others();
	assert_int_equal(nr_order, 0);
	release_sock(sk);
	host_run_others();
	assert_int_equal(nr_order, 4);
	assert_int_equal(order[0], order[1]);
	assert_int_equal(order[2], order[3]);
	assert_int_equal(sk->sk_lock, 0);
}

/* ---- callbacks ---- */

static u32 wakes;
static u32 wake_key;

static int note_wake(struct wait_queue_entry *wqe, unsigned int mode,
		     int flags, void *key)
{
	wakes++;
	wake_key = key_to_poll(key);
	return 1;
}

static void test_callbacks_say_what_became_true(void **state)
{
	struct wait_queue_entry wqe;

	wakes = 0;
	sk->sk_data_ready(sk);
	assert_int_equal(wakes, 0);
	init_waitqueue_func_entry(&wqe, note_wake);
	add_wait_queue(&sock.wq, &wqe);
	sk->sk_data_ready(sk);
	assert_int_equal(wake_key, EPOLLIN | EPOLLPRI | EPOLLRDNORM |
					   EPOLLRDBAND);
	sk->sk_write_space(sk);
	assert_int_equal(wake_key, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	sk->sk_error_report(sk);
	assert_int_equal(wake_key, EPOLLERR);
	sk->sk_state_change(sk);
	assert_int_equal(wake_key, 0);
	assert_int_equal(wakes, 4);
	sk->sk_wmem_queued = sk->sk_sndbuf / 2 + 1;
	sk->sk_write_space(sk);
	assert_int_equal(wakes, 4);
	sk->sk_wmem_queued = 0;
	sock_orphan(sk);
	sk->sk_data_ready(sk);
	sk->sk_state_change(sk);
	sk->sk_write_space(sk);
	sk->sk_error_report(sk);
	assert_int_equal(wakes, 4);
	assert_true(sock_flag(sk, SOCK_DEAD));
	remove_wait_queue(&sock.wq, &wqe);
}

static void test_stream_wakes_a_writer_once(void **state)
{
	struct wait_queue_entry wqe;

	wakes = 0;
	init_waitqueue_func_entry(&wqe, note_wake);
	add_wait_queue(&sock.wq, &wqe);
	sk->sk_sndbuf = 3000;
	sk->sk_wmem_queued = 2001;
	sk_stream_write_space(sk);
	sock_set_flag(sk, SOCK_NOSPACE);
	sk_stream_write_space(sk);
	assert_int_equal(wakes, 0);
	sk->sk_wmem_queued = 2000;
	sk_stream_write_space(sk);
	sk_stream_write_space(sk);
	assert_int_equal(wakes, 1);
	assert_false(sock_flag(sk, SOCK_NOSPACE));
	remove_wait_queue(&sock.wq, &wqe);
}

static void test_error_is_taken_once(void **state)
{
	assert_int_equal(sock_error(sk), 0);
	sk->sk_err = ECONNRESET;
	assert_int_equal(sock_error(sk), -ECONNRESET);
	assert_int_equal(sock_error(sk), 0);
}

/* ---- waits ---- */

static bool have_data(struct sock *s)
{
	assert_true(sock_owned_by_user(s));
	return !skb_queue_empty(&s->sk_receive_queue);
}

static bool deliver(void *arg)
{
	bool *done = arg;

	if (*done)
		return false;
	*done = true;
	bh_lock_sock(sk);
	assert_false(sock_owned_by_user(sk));
	skb_queue_tail(&sk->sk_receive_queue, packet(5));
	sk->sk_data_ready(sk);
	bh_unlock_sock(sk);
	return true;
}

static void test_wait_ends_with_the_event(void **state)
{
	u64 timeo = KTIME_MAX;
	bool done = false;

	host_on_idle = deliver;
	host_on_idle_arg = &done;
	lock_sock(sk);
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), 0);
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), 0);
	release_sock(sk);
	assert_true(list_empty(&sock.wq.head));
	assert_int_equal(timeo, KTIME_MAX);
}

static void test_wait_times_out(void **state)
{
	u64 timeo = 0, start = host_now;

	lock_sock(sk);
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), -EAGAIN);
	assert_int_equal(host_sleeps(), 0);
	timeo = 5000;
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), -EAGAIN);
	assert_int_equal(timeo, 0);
	assert_int_equal(host_now - start, 5000);
	release_sock(sk);
	assert_true(list_empty(&sock.wq.head));
}

static bool late_deliver(void *arg)
{
	bool *done = arg;

	if (*done)
		return false;
	host_now += 2000;
	return deliver(arg);
}

static void test_wait_says_what_is_left(void **state)
{
	u64 timeo = 5000;
	bool done = false;

	host_on_idle = late_deliver;
	host_on_idle_arg = &done;
	lock_sock(sk);
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), 0);
	assert_int_equal(timeo, 3000);
	release_sock(sk);
}

static bool interrupt(void *arg)
{
	host_signal(arg);
	return true;
}

static void test_wait_is_interrupted(void **state)
{
	u64 timeo = KTIME_MAX;

	host_on_idle = interrupt;
	host_on_idle_arg = current;
	lock_sock(sk);
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), -ERESTARTSYS);
	timeo = 5000;
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), -EINTR);
	release_sock(sk);
	host_main_task.work = 0;
}

/* The packet comes by the backlog, inside the waiter's own release_sock(). */
static void data_in_backlog(struct sock *s, struct sk_buff *skb)
{
	skb_queue_tail(&s->sk_receive_queue, skb);
	s->sk_data_ready(s);
}

static void test_wakeup_in_release_is_not_lost(void **state)
{
	u64 timeo = KTIME_MAX;

	fake_proto.backlog_rcv = data_in_backlog;
	lock_sock(sk);
	bh_lock_sock(sk);
	assert_true(sk_add_backlog(sk, packet(3)));
	bh_unlock_sock(sk);
	assert_int_equal(sk_wait_event(sk, &timeo, have_data), 0);
	assert_int_equal(host_sleeps(), 0);
	release_sock(sk);
	fake_proto.backlog_rcv = fake_backlog_rcv;
}

static u32 served;

static void acceptor(void *arg)
{
	u64 timeo = KTIME_MAX;

	lock_sock(sk);
	assert_int_equal(sk_wait_event_exclusive(sk, &timeo, have_data), 0);
	kfree_skb(skb_dequeue(&sk->sk_receive_queue));
	served++;
	release_sock(sk);
}

static void test_exclusive_waiters_are_woken_one_by_one(void **state)
{
	unsigned long sleeps;

	served = 0;
	for (u32 i = 0; i < 3; i++)
		host_task_start("acceptor", acceptor, NULL);
	host_run_others();
	sleeps = host_sleeps();
	for (u32 i = 1; i <= 3; i++) {
		bool done = false;

		deliver(&done);
		host_run_others();
		assert_int_equal(served, i);
	}
	assert_int_equal(host_sleeps(), sleeps);
}

static void test_timeouts(void **state)
{
	assert_int_equal(sock_rcvtimeo(sk, true), 0);
	assert_int_equal(sock_rcvtimeo(sk, false), KTIME_MAX);
	sk->sk_sndtimeo = 20;
	assert_int_equal(sock_sndtimeo(sk, false), 20000000);
	assert_int_equal(sock_sndtimeo(sk, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_fresh_sock),
		T(test_last_reference_frees_what_is_queued),
		T(test_received_memory_is_counted),
		T(test_backlog_keeps_order),
		T(test_backlog_is_bounded),
		T(test_backlog_of_answers),
		T(test_deferred_work),
		T(test_tasks_exclude_each_other),
		T(test_callbacks_say_what_became_true),
		T(test_stream_wakes_a_writer_once),
		T(test_error_is_taken_once),
		T(test_wait_ends_with_the_event),
		T(test_wait_times_out),
		T(test_wait_says_what_is_left),
		T(test_wait_is_interrupted),
		T(test_wakeup_in_release_is_not_lost),
		T(test_exclusive_waiters_are_woken_one_by_one),
		T(test_timeouts),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
