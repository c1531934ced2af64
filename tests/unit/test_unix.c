/*
 * AF_UNIX below its system calls: memory that runs out, tasks that wait,
 * files in messages, and that nothing is left at the end.
 * sources: net/unix.c net/unix_name.c net/unix_connect.c net/unix_msg.c
 * net/unix_stream.c net/unix_dgram.c net/unix_gc.c net/scm.c
 * net/socket_scm.c net/socket.c net/socket_calls.c net/socket_msg.c
 * net/sock_opt.c net/sock.c net/sock_errqueue.c net/cmsg.c net/inet.c
 * net/skbuff.c net/drop.c net/ifconf.c
 * kernel/wait.c kernel/uio.c fs/file.c fs/fdtable.c
 */
#include "tests/unit/unit.h"

#include "fs/fdtable.h"
#include "fs/file.h"
#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/signal.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "net/lwip/lwip_port.h"
#include "net/scm.h"
#include "net/sock.h"
#include "net/socket.h"
#include "net/socket_internal.h"
#include "net/unix.h"
#include "tests/host/host.h"
#include "tests/unit/fake_proto.h"

#define NONBLOCK 04000

/* ---- what AF_UNIX has nothing to do with ---- */

static int last_signal;

int send_sig(int sig, struct task *task)
{
	last_signal = sig;
	return 0;
}

struct net_device *dev_get_by_name(const char *name)
{
	return NULL;
}

struct net_device *dev_get_by_index(int ifindex)
{
	return NULL;
}

void dev_for_each(void (*fn)(struct net_device *dev, void *arg), void *arg)
{
}

bool lwip_get_ifaddr(struct net_device *dev, struct lwip_ifaddr *out)
{
	return false;
}

u32 lwip_get_aliases(struct net_device *dev, struct lwip_ifaddr *out, u32 most)
{
	return 0;
}

/* ---- a file system of one directory ---- */

static int path_answer;
static int paths_held;
static int paths_removed;

int sock_path_make(const char *path, u64 *key)
{
	*key = path[1];
	paths_held += !path_answer;
	return path_answer;
}

void sock_path_remove(const char *path, u64 key)
{
	paths_removed++;
}

int sock_path_find(const char *path, u64 *key)
{
	*key = path[1];
	paths_held += !path_answer;
	return path_answer;
}

void sock_path_put(u64 key)
{
	paths_held--;
}

/* ---- a file that counts its life ---- */

static int plain_released;

static void plain_release(struct file *file)
{
	plain_released++;
}

static const struct file_operations plain_ops = {
	.release = plain_release,
	.name = "plain",
};

static int open_plain(void)
{
	int f = get_unused_fd_flags(0);

	fd_install(f, file_alloc(&plain_ops, NULL, O_RDWR));
	return f;
}

/* ---- set-up ---- */

static int group_setup(void **state)
{
	host_reset();
	file_init();
	skb_init();
	sock_init();
	socket_init();
	unix_init();
	return 0;
}

static int setup(void **state)
{
	host_reset();
	host_main_task.files = files_create();
	plain_released = 0;
	path_answer = 0;
	paths_removed = 0;
	return 0;
}

static int teardown(void **state)
{
	host_fail_alloc(0);
	host_good_user();
	host_join_tasks();
	files_put(host_main_task.files);
	assert_int_equal(host_allocs_outstanding(), 0);
	assert_int_equal(context_count, 0);
	assert_int_equal(paths_held, 0);
	return 0;
}

struct name {
	u16 family;
	char path[108];
};

/* '@' first: an abstract name. */
static struct name name_of(const char *text, int *len)
{
	struct name n = { .family = AF_UNIX };

	strcpy(n.path, text);
	*len = 2 + (int)strlen(text);
	if (*text == '@')
		n.path[0] = 0;
	return n;
}

static int listen_at(const char *text, int backlog)
{
	int len, s = (int)sys_socket(AF_UNIX, SOCK_STREAM, 0);
	struct name n = name_of(text, &len);

	assert_int_equal(sys_bind(s, &n, len), 0);
	assert_int_equal(sys_listen(s, backlog), 0);
	return s;
}

static long connect_to(int s, const char *text)
{
	int len;
	struct name n = name_of(text, &len);

	return sys_connect(s, &n, len);
}

static long send_text(int s, const char *text, u32 flags)
{
	return sys_sendto(s, (void *)text, strlen(text), flags, NULL, 0);
}

static long receive(int s, char *buf, size_t n, u32 flags)
{
	memset(buf, 0, n);
	return sys_recvfrom(s, buf, n, flags, NULL, NULL);
}

struct rights {
	u64 len;
	s32 level, type;
	int fd[6];
};

static long send_fds(int s, const int *fd, u32 n)
{
	struct rights c = { 16 + n * 4, SOL_SOCKET, SCM_RIGHTS, { 0 } };
	struct iovec iov = { (char *)"x", 1 };
	struct umsghdr m = { .iov = &iov, .iovlen = 1, .control = &c,
			     .controllen = c.len };

	memcpy(c.fd, fd, n * sizeof(int));
	return sys_sendmsg(s, &m, MSG_DONTWAIT);
}

/* The number of descriptors that came, in @fd; or -errno. */
static long receive_fds(int s, int fd[6], u32 *flags)
{
	struct rights c = { 0 };
	char buf[8];
	struct iovec iov = { buf, 8 };
	struct umsghdr m = { .iov = &iov, .iovlen = 1, .control = &c,
			     .controllen = sizeof(c) };
	long n = sys_recvmsg(s, &m, MSG_DONTWAIT | *flags);

	*flags = m.flags;
	if (n < 0)
		return n;
	memcpy(fd, c.fd, sizeof(c.fd));
	return c.len ? (long)(c.len - 16) / 4 : 0;
}

/* ---- memory ---- */

/* Whatever fails, nothing is left, and the errno is one of Linux's. */
static void test_socketpair_out_of_memory(void **state)
{
	int fd[2];

	for (u32 i = 1;; i++) {
		long err;

		host_fail_alloc(i);
		err = sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
		if (!host_alloc_failed()) {
			assert_int_equal(err, 0);
			break;
		}
		assert_true(err == -ENFILE || err == -ENOMEM);
		host_fail_alloc(0);
	}
	assert_int_equal(fd[0], 0);
	assert_int_equal(fd[1], 1);
}

static void test_connect_out_of_memory(void **state)
{
	int l = listen_at("@oom", 5), s, len;
	struct name n = name_of("@other", &len);

	s = (int)sys_socket(AF_UNIX, SOCK_STREAM, 0);
	host_fail_alloc(1);
	assert_int_equal(connect_to(s, "@oom"), -ENOMEM);
	host_fail_alloc(1);
	assert_int_equal(sys_bind(s, &n, len), -ENOMEM);
	host_fail_alloc(1);
	assert_int_equal(sys_bind(s, &n, 2), -ENOMEM);
	assert_int_equal(connect_to(s, "@oom"), 0);
	for (u32 i = 1; i <= 2; i++) {
		host_fail_alloc(i);
		assert_true(sys_accept(l, NULL, NULL) < 0);
		assert_true(host_alloc_failed());
	}
	host_fail_alloc(0);
	assert_true(sys_accept(l, NULL, NULL) >= 0);
}

static void test_send_out_of_memory(void **state)
{
	static char big[20000];
	int fd[2], f = open_plain(), got[6];
	u32 flags = 0;

	sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, fd);
	for (u32 i = 1; i <= 6; i++) {
		host_fail_alloc(i);
		assert_int_equal(sys_sendto(fd[0], big, sizeof(big), 0, NULL,
					    0), -ENOBUFS);
		assert_true(host_alloc_failed());
	}
	/* The control data, the list, the packet. */
	for (u32 i = 1; i <= 3; i++) {
		host_fail_alloc(i);
		assert_true(send_fds(fd[0], &f, 1) < 0);
		assert_true(host_alloc_failed());
	}
	host_fail_alloc(0);
	assert_int_equal(send_fds(fd[0], &f, 1), 1);
	/* A peek that cannot copy the list shows none. */
	flags = MSG_PEEK;
	host_fail_alloc(1);
	assert_int_equal(receive_fds(fd[1], got, &flags), 0);
	close_fd(f);
	assert_int_equal(plain_released, 0);
	close_fd(fd[1]);
	assert_int_equal(plain_released, 1);
}

static void test_bad_memory(void **state)
{
	int fd[2], f = open_plain(), got[6];
	struct rights c = { 20, SOL_SOCKET, SCM_RIGHTS, { f } };
	char buf[8];
	struct iovec iov = { buf, 8 };
	struct umsghdr m = { .iov = &iov, .iovlen = 1, .control = (void *)8,
			     .controllen = 24 };
	u32 flags = 0;

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	assert_int_equal(sys_sendmsg(fd[0], &m, 0), -EFAULT);
	assert_int_equal(send_fds(fd[0], &f, 1), 1);
	host_bad_user(buf, 8);
	assert_int_equal(sys_recvmsg(fd[1], &m, 0), -EFAULT);
	host_good_user();
	/* The descriptor that could not be told is not left open. */
	host_bad_user(&c, sizeof(c));
	m.control = &c;
	assert_int_equal(sys_recvmsg(fd[1], &m, 0), 1);
	assert_int_equal(m.flags & MSG_CTRUNC, MSG_CTRUNC);
	host_good_user();
	assert_int_equal(receive_fds(fd[1], got, &flags), -EAGAIN);
	assert_int_equal(open_plain(), 3);
}

/* ---- waiting ---- */

static int one, two;
static long result;
static char answer[8];

static void reader(void *arg)
{
	result = receive(one, answer, sizeof(answer), 0);
}

static void test_reader_waits(void **state)
{
	int fd[2];

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	one = fd[0];
	result = 0;
	host_task_start("reader", reader, NULL);
	host_run_others();
	assert_int_equal(result, 0);
	assert_int_equal(send_text(fd[1], "hi", 0), 2);
	host_run_others();
	assert_int_equal(result, 2);
	assert_string_equal(answer, "hi");
	host_task_start("reader", reader, NULL);
	host_run_others();
	assert_int_equal(sys_shutdown(fd[1], SHUT_WR), 0);
	host_run_others();
	assert_int_equal(result, 0);
}

static void test_reader_is_interrupted(void **state)
{
	const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct task *t;
		int fd[2];

		sys_socketpair(AF_UNIX, types[i], 0, fd);
		one = fd[0];
		t = host_task_start("reader", reader, NULL);
		host_run_others();
		host_signal(t);
		host_run_others();
		assert_int_equal(result, -ERESTARTSYS);
	}
}

static void writer(void *arg)
{
	static char big[600000];

	result = sys_sendto(one, big, sizeof(big), 0, NULL, 0);
}

static void test_writer_waits_for_space(void **state)
{
	static char buf[65536];
	size_t got = 0;
	int fd[2];

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	one = fd[0];
	result = 0;
	host_task_start("writer", writer, NULL);
	host_run_others();
	assert_int_equal(result, 0);
	while (got < 600000) {
		long n = receive(fd[1], buf, sizeof(buf), 0);

		assert_true(n > 0);
		got += (size_t)n;
		host_run_others();
	}
	assert_int_equal(result, 600000);
}

static void test_writer_hears_of_the_end(void **state)
{
	int fd[2];

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	one = fd[0];
	result = 0;
	host_task_start("writer", writer, NULL);
	host_run_others();
	close_fd(fd[1]);
	host_run_others();
	/* What went out counts; the next call hears of the rest. */
	assert_true(result > 0 && result < 600000);
	last_signal = 0;
	assert_int_equal(send_text(one, "x", MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(last_signal, 0);
	assert_int_equal(send_text(one, "x", 0), -EPIPE);
	assert_int_equal(last_signal, SIGPIPE);
}

static void connector(void *arg)
{
	result = connect_to(one, "@busy");
}

static void acceptor(void *arg)
{
	result = sys_accept(two, NULL, NULL);
}

static void test_connect_waits_for_backlog(void **state)
{
	int l = listen_at("@busy", 0), s[3];

	for (u32 i = 0; i < 3; i++)
		s[i] = (int)sys_socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect_to(s[0], "@busy"), 0);
	one = s[1];
	result = 77;
	host_task_start("connector", connector, NULL);
	host_run_others();
	assert_int_equal(result, 77);
	assert_true(sys_accept(l, NULL, NULL) >= 0);
	host_run_others();
	assert_int_equal(result, 0);
	/* And when the listener goes instead. */
	one = s[2];
	result = 77;
	host_task_start("connector", connector, NULL);
	host_run_others();
	close_fd(l);
	host_run_others();
	assert_int_equal(result, -ECONNREFUSED);
	assert_int_equal(receive(s[1], answer, 8, 0), -ECONNRESET);
	assert_int_equal(receive(s[1], answer, 8, 0), 0);
}

static void test_accept_waits(void **state)
{
	int s = (int)sys_socket(AF_UNIX, SOCK_STREAM, 0);

	two = listen_at("@acc", 1);
	result = 0;
	host_task_start("acceptor", acceptor, NULL);
	host_run_others();
	assert_int_equal(connect_to(s, "@acc"), 0);
	host_run_others();
	assert_true(result > 0);
	host_task_start("acceptor", acceptor, NULL);
	host_run_others();
	assert_int_equal(sys_shutdown(two, SHUT_RD), 0);
	host_run_others();
	assert_int_equal(result, -EINVAL);
}

static void dgram_writer(void *arg)
{
	result = send_text(one, "last", 0);
}

static void test_dgram_waits_for_the_receiver(void **state)
{
	int s = (int)sys_socket(AF_UNIX, SOCK_DGRAM, 0), len;
	struct name n = name_of("@slow", &len);
	char buf[8];

	one = (int)sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(sys_bind(s, &n, len), 0);
	assert_int_equal(connect_to(one, "@slow"), 0);
	for (u32 i = 0; i < 11; i++)
		assert_int_equal(send_text(one, "x", MSG_DONTWAIT), 1);
	assert_int_equal(send_text(one, "x", MSG_DONTWAIT), -EAGAIN);
	result = 0;
	host_task_start("writer", dgram_writer, NULL);
	host_run_others();
	assert_int_equal(result, 0);
	assert_int_equal(receive(s, buf, 8, 0), 1);
	host_run_others();
	assert_int_equal(result, 4);
}

/* ---- names ---- */

static void test_paths(void **state)
{
	int l = listen_at("/a", 1), s = (int)sys_socket(AF_UNIX, SOCK_STREAM,
							0);
	int d = (int)sys_socket(AF_UNIX, SOCK_DGRAM, 0), len;
	struct name n = name_of("/b", &len);

	assert_int_equal(connect_to(d, "/a"), -EPROTOTYPE);
	assert_int_equal(connect_to(s, "/c"), -ECONNREFUSED);
	path_answer = -ENOENT;
	assert_int_equal(connect_to(s, "/a"), -ENOENT);
	assert_int_equal(sys_bind(s, &n, len), -ENOENT);
	path_answer = 0;
	assert_int_equal(connect_to(s, "/a"), 0);
	/* A second name is refused, and its node goes again. */
	assert_int_equal(sys_bind(l, &n, len), -EINVAL);
	assert_int_equal(paths_removed, 1);
}

/* ---- files under way ---- */

static void test_files_arrive(void **state)
{
	int fd[2], f = open_plain(), got[6];
	u32 flags = 0;

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	assert_int_equal(send_fds(fd[0], (int[]){ f, f }, 2), 1);
	close_fd(f);
	assert_int_equal(receive_fds(fd[1], got, &flags), 2);
	assert_int_equal(plain_released, 0);
	close_fd(got[0]);
	assert_int_equal(plain_released, 0);
	close_fd(got[1]);
	assert_int_equal(plain_released, 1);
	host_nofile = 3;
	f = open_plain();
	assert_int_equal(send_fds(fd[0], &f, 1), 1);
	flags = 0;
	assert_int_equal(receive_fds(fd[1], got, &flags), 0);
	assert_int_equal(flags, MSG_CTRUNC);
}

static void test_unread_files_are_closed(void **state)
{
	int fd[2], f = open_plain();

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	assert_int_equal(send_fds(fd[0], &f, 1), 1);
	close_fd(f);
	close_fd(fd[1]);
	assert_int_equal(plain_released, 1);
}

/* The end of any socket looks for garbage, as on Linux. */
static void close_any_socket(void)
{
	close_fd((int)sys_socket(AF_UNIX, SOCK_DGRAM, 0));
}

/* Each socket is in the queue of the other: nobody else has them. */
static void test_cycles_are_collected(void **state)
{
	int fd[2], f = open_plain();

	for (u32 i = 0; i < 20; i++) {
		sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
		assert_int_equal(send_fds(fd[0], fd, 2), 1);
		assert_int_equal(send_fds(fd[1], fd, 2), 1);
		assert_int_equal(send_fds(fd[1], &f, 1), 1);
		close_fd(fd[0]);
		close_fd(fd[1]);
	}
	close_fd(f);
	assert_int_equal(plain_released, 0);
	close_any_socket();
	assert_int_equal(plain_released, 1);
}

/* A cycle that a third socket's queue still holds is no garbage. */
static void test_reachable_cycles_stay(void **state)
{
	int fd[2], out[2], got[6], more[6];
	u32 flags = 0;
	char buf[8];

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, out);
	assert_int_equal(send_fds(fd[0], fd, 2), 1);
	assert_int_equal(send_fds(out[0], &fd[1], 1), 1);
	close_fd(fd[0]);
	close_fd(fd[1]);
	assert_int_equal(receive_fds(out[1], got, &flags), 1);
	/* It still has what was sent to it: itself and its peer. */
	flags = 0;
	assert_int_equal(receive_fds(got[0], more, &flags), 2);
	assert_int_equal(send_text(more[0], "hi", 0), 2);
	assert_int_equal(receive(got[0], buf, 8, 0), 2);
	assert_string_equal(buf, "hi");
}

/* Sockets that a listener has and nobody accepted can hold themselves. */
static void test_cycle_through_a_listener(void **state)
{
	int l = listen_at("@cycle", 5);
	int s = (int)sys_socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect_to(s, "@cycle"), 0);
	assert_int_equal(send_fds(s, (int[]){ l, s }, 2), 1);
	close_fd(s);
	close_fd(l);
	close_any_socket();
}

/* A chain of sockets in queues is freed without recursion. */
static void test_long_chains(void **state)
{
	int fd[2], held;

	sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	held = fd[1];
	close_fd(fd[0]);
	for (u32 i = 0; i < 2000; i++) {
		sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
		assert_int_equal(send_fds(fd[0], &held, 1), 1);
		close_fd(held);
		held = fd[1];
		close_fd(fd[0]);
	}
	close_fd(held);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_socketpair_out_of_memory),
		T(test_connect_out_of_memory),
		T(test_send_out_of_memory),
		T(test_bad_memory),
		T(test_reader_waits),
		T(test_reader_is_interrupted),
		T(test_writer_waits_for_space),
		T(test_writer_hears_of_the_end),
		T(test_connect_waits_for_backlog),
		T(test_accept_waits),
		T(test_dgram_waits_for_the_receiver),
		T(test_paths),
		T(test_files_arrive),
		T(test_unread_files_are_closed),
		T(test_cycles_are_collected),
		T(test_reachable_cycles_stay),
		T(test_cycle_through_a_listener),
		T(test_long_chains),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
