/*
 * What a signal's handler does to a call that sleeps, for each call that
 * signal(7) names: some go on if SA_RESTART is set, the others never do.
 *
 * A helper thread waits until the caller sleeps (/proc says so), signals it,
 * and if it then sleeps again lets the call come to an end.
 */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_WAIT_BITSET	9
#define FUTEX_BITSET_MATCH_ANY	0xffffffff

static int pipe_fd[2], pair[2], ep, event, timer, signals, lock[2], listening;
static int word;
static sem_t sem;
static char buf[1 << 16];
static volatile sig_atomic_t handled, calling, done;
static int caller_tid;

struct blocking {
	const char *name;
	long (*call)(void);
	void (*prepare)(void);	/* may be NULL */
	void (*finish)(void);	/* lets it end */
};

static void on_usr1(int sig)
{
	(void)sig;
	handled++;
}

static bool caller_sleeps(void)
{
	char path[64], text[256] = "", *p;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", caller_tid);
	fd = open(path, O_RDONLY);
	read(fd, text, sizeof(text) - 1);
	close(fd);
	p = strrchr(text, ')');
	return p && p[2] == 'S';
}

static void nap(void)
{
	struct timespec t = { 0, 1000000 };

	nanosleep(&t, NULL);
}

/* The helper. Its argument is what it has to do in the end. */
static void *disturb(void *arg)
{
	const struct blocking *b = arg;

	while (!calling || !caller_sleeps())
		nap();
	syscall(SYS_tgkill, getpid(), caller_tid, SIGUSR1);
	while (!handled)
		nap();
	while (!done && !caller_sleeps())
		nap();
	if (!done && b->finish)
		b->finish();
	return NULL;
}

static void once(const struct blocking *b, int flags)
{
	struct sigaction act = { .sa_handler = on_usr1, .sa_flags = flags };
	sigset_t set, old;
	pthread_t helper;
	long n;
	int err;

	if (b->prepare)
		b->prepare();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaction(SIGUSR1, &act, NULL);
	handled = calling = done = 0;
	caller_tid = (int)syscall(SYS_gettid);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	pthread_create(&helper, NULL, disturb, (void *)b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	calling = 1;
	errno = 0;
	n = b->call();
	err = errno;
	done = 1;
	pthread_join(helper, NULL);
	say("%s%s: %s, %d signal", b->name, flags ? " with SA_RESTART" : "",
	    n < 0 ? errno_name(err) : "goes on", (int)handled);
}

static void empty(int fd)
{
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static void empty_pipe(void)
{
	fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
	while (read(pipe_fd[0], buf, sizeof(buf)) > 0)
		;
	fcntl(pipe_fd[0], F_SETFL, 0);
}

static void fill_pipe(void)
{
	fcntl(pipe_fd[1], F_SETFL, O_NONBLOCK);
	while (write(pipe_fd[1], buf, 4096) > 0)
		;
	fcntl(pipe_fd[1], F_SETFL, 0);
}

static void fill_pair(void)
{
	while (send(pair[0], buf, 4096, MSG_DONTWAIT) > 0)
		;
}

static void empty_pair(void)
{
	empty(pair[1]);
}

static void write_pipe(void)
{
	write(pipe_fd[1], "x", 1);
}

static void write_pair(void)
{
	send(pair[1], "x", 1, 0);
}

static void no_time(void)
{
	struct timeval t = { 0 };

	empty(pair[0]);
	empty(pair[1]);
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

static void long_time(void)
{
	struct timeval t = { 100, 0 };

	no_time();
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

static void long_time_full(void)
{
	long_time();
	fill_pair();
}

static void empty_both(void)
{
	no_time();
	empty_pipe();
}

static void full_pair(void)
{
	no_time();
	fill_pair();
}

/* --- the calls --- */

static struct iovec one = { buf, 1 }, much = { buf, sizeof(buf) };
static struct mmsghdr mmsg;

static struct msghdr *msg(struct iovec *v)
{
	static struct msghdr m;

	m = (struct msghdr){ .msg_iov = v, .msg_iovlen = 1 };
	return &m;
}

static struct mmsghdr *mmsgs(struct iovec *v)
{
	mmsg = (struct mmsghdr){ .msg_hdr = *msg(v) };
	return &mmsg;
}

static long c_read(void) { return read(pipe_fd[0], buf, 1); }
static long c_readv(void) { return readv(pipe_fd[0], &one, 1); }
static long c_write(void) { return write(pipe_fd[1], buf, 4096); }
static long c_writev(void) { return writev(pipe_fd[1], &much, 1); }
static long c_event(void) { return read(event, buf, 8); }
static long c_timer(void) { return read(timer, buf, 8); }
static long c_signals(void) { return read(signals, buf, 128); }
static long c_recv(void) { return recv(pair[0], buf, 1, 0); }
static long c_recvmsg(void) { return recvmsg(pair[0], msg(&one), 0); }
static long c_recvmmsg(void)
{
	return recvmmsg(pair[0], mmsgs(&one), 1, 0, NULL);
}
static long c_send(void) { return send(pair[0], buf, 4096, 0); }
static long c_sendmsg(void) { return sendmsg(pair[0], msg(&much), 0); }
static long c_sendmmsg(void)
{
	return sendmmsg(pair[0], mmsgs(&much), 1, 0);
}
static long c_splice(void)
{
	return splice(pipe_fd[0], NULL, pair[0], NULL, 1, 0);
}
static long c_accept(void) { return accept(listening, NULL, NULL); }
static long c_accept4(void) { return accept4(listening, NULL, NULL, 0); }
static long c_flock(void) { return flock(lock[1], LOCK_EX); }
static long c_ofd(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(lock[1], F_OFD_SETLKW, &l);
}
static long c_futex(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long c_futex_bitset(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL,
		       FUTEX_BITSET_MATCH_ANY);
}
static long c_futex_time(void)
{
	struct timespec t = { 100, 0 };

	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0);
}
static long c_sem(void) { return sem_wait(&sem); }
static long c_open(void)
{
	return open("/dev/shm/abi-restart", O_RDONLY);
}

static long c_pause(void) { return pause(); }
static long c_sigsuspend(void)
{
	sigset_t set;

	sigemptyset(&set);
	return sigsuspend(&set);
}
static long c_sigtimedwait(void)
{
	struct timespec t = { 100, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	/* The C library would try again. */
	return syscall(SYS_rt_sigtimedwait, &set, NULL, &t, 8);
}
static long c_sigwaitinfo(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8);
}
static long c_epoll_wait(void)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, -1);
}
static long c_epoll_wait_time(void)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, 100000);
}
static long c_epoll_pwait(void)
{
	struct epoll_event e;
	sigset_t set;

	sigemptyset(&set);
	return epoll_pwait(ep, &e, 1, -1, &set);
}
static long c_epoll_pwait2(void)
{
	struct epoll_event e;

	return syscall(SYS_epoll_pwait2, ep, &e, 1, NULL, NULL, 0);
}
static long c_poll(void)
{
	struct pollfd p = { .fd = pipe_fd[0], .events = POLLIN };

	return poll(&p, 1, -1);
}
static long c_poll_time(void)
{
	struct pollfd p = { .fd = pipe_fd[0], .events = POLLIN };

	return poll(&p, 1, 100000);
}
static long c_ppoll(void)
{
	struct pollfd p = { .fd = pipe_fd[0], .events = POLLIN };
	struct timespec t = { 100, 0 };

	return ppoll(&p, 1, &t, NULL);
}
static long c_select(void)
{
	fd_set in;

	FD_ZERO(&in);
	FD_SET(pipe_fd[0], &in);
	return select(pipe_fd[0] + 1, &in, NULL, NULL, NULL);
}
static long c_pselect(void)
{
	struct timespec t = { 100, 0 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(pipe_fd[0], &in);
	return pselect(pipe_fd[0] + 1, &in, NULL, NULL, &t, NULL);
}
static long c_nanosleep(void)
{
	struct timespec t = { 100, 0 };

	return nanosleep(&t, NULL);
}
static long c_clock_nanosleep(void)
{
	struct timespec t = { 100, 0 };

	errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	return errno ? -1 : 0;
}
static long c_clock_absolute(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 100;
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	return errno ? -1 : 0;
}

/* --- how they end --- */

static void post_event(void) { eventfd_write(event, 1); }
static void no_event(void)
{
	close(event);
	event = eventfd(0, 0);
}
static void set_timer(void)
{
	struct itimerspec t = { .it_value = { 0, 1 } };

	timerfd_settime(timer, 0, &t, NULL);
}
static void send_usr2(void) { kill(getpid(), SIGUSR2); }
static void hold_flock(void)
{
	flock(lock[0], LOCK_EX);
	flock(lock[1], LOCK_UN);
}
static void drop_flock(void) { flock(lock[0], LOCK_UN); }
static void set_ofd(short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };

	fcntl(lock[0], F_OFD_SETLK, &l);
}
static void hold_ofd(void) { set_ofd(F_WRLCK); }
static void drop_ofd(void) { set_ofd(F_UNLCK); }
static void wake_word(void) { syscall(SYS_futex, &word, FUTEX_WAKE, 1); }
static void post_sem(void) { sem_post(&sem); }
static void open_writer(void)
{
	close(open("/dev/shm/abi-restart", O_WRONLY));
}
static void do_connect(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	getsockname(listening, (struct sockaddr *)&a, &len);
	connect(fd, (struct sockaddr *)&a, len);
}

static const struct blocking calls[] = {
	{ "read", c_read, empty_pipe, write_pipe },
	{ "readv", c_readv, empty_pipe, write_pipe },
	{ "write", c_write, fill_pipe, empty_pipe },
	{ "writev", c_writev, fill_pipe, empty_pipe },
	{ "read eventfd", c_event, no_event, post_event },
	{ "read timerfd", c_timer, NULL, set_timer },
	{ "read signalfd", c_signals, NULL, send_usr2 },
	{ "recv", c_recv, no_time, write_pair },
	{ "recvmsg", c_recvmsg, no_time, write_pair },
	{ "recvmmsg", c_recvmmsg, no_time, write_pair },
	{ "recv, SO_RCVTIMEO", c_recv, long_time, write_pair },
	{ "recvmsg, SO_RCVTIMEO", c_recvmsg, long_time, write_pair },
	{ "send", c_send, full_pair, empty_pair },
	{ "sendmsg", c_sendmsg, full_pair, empty_pair },
	{ "sendmmsg", c_sendmmsg, full_pair, empty_pair },
	{ "send, SO_SNDTIMEO", c_send, long_time_full, empty_pair },
	{ "splice", c_splice, empty_both, write_pipe },
	{ "accept", c_accept, no_time, do_connect },
	{ "accept4", c_accept4, no_time, do_connect },
	{ "accept, SO_RCVTIMEO", c_accept, long_time, do_connect },
	{ "flock", c_flock, hold_flock, drop_flock },
	{ "F_OFD_SETLKW", c_ofd, hold_ofd, drop_ofd },
	{ "futex", c_futex, NULL, wake_word },
	{ "futex bitset", c_futex_bitset, NULL, wake_word },
	{ "futex with a time", c_futex_time, NULL, wake_word },
	{ "sem_wait", c_sem, NULL, post_sem },
	{ "open a FIFO", c_open, NULL, open_writer },
	{ "pause", c_pause, NULL, NULL },
	{ "sigsuspend", c_sigsuspend, NULL, NULL },
	{ "sigtimedwait", c_sigtimedwait, NULL, send_usr2 },
	{ "sigwaitinfo", c_sigwaitinfo, NULL, send_usr2 },
	{ "epoll_wait", c_epoll_wait, empty_pipe, write_pipe },
	{ "epoll_wait, a time", c_epoll_wait_time, empty_pipe, write_pipe },
	{ "epoll_pwait", c_epoll_pwait, empty_pipe, write_pipe },
	{ "epoll_pwait2", c_epoll_pwait2, empty_pipe, write_pipe },
	{ "poll", c_poll, empty_pipe, write_pipe },
	{ "poll, a time", c_poll_time, empty_pipe, write_pipe },
	{ "ppoll", c_ppoll, empty_pipe, write_pipe },
	{ "select", c_select, empty_pipe, write_pipe },
	{ "pselect", c_pselect, empty_pipe, write_pipe },
	{ "nanosleep", c_nanosleep, NULL, NULL },
	{ "clock_nanosleep", c_clock_nanosleep, NULL, NULL },
	{ "clock_nanosleep, absolute", c_clock_absolute, NULL, NULL },
};

/* A listener with an abstract name that the kernel chose. */
static int unix_listener(int backlog)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(fd, (struct sockaddr *)&a, sizeof(sa_family_t));
	listen(fd, backlog);
	return fd;
}

CASE(restart_rules)
{
	struct epoll_event e = { .events = EPOLLIN };
	sigset_t set, old;

	pipe(pipe_fd);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, pipe_fd[0], &e);
	event = eventfd(0, 0);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	sem_init(&sem, 0, 0);
	for (int i = 0; i < 2; i++)
		lock[i] = open("/dev/shm/abi-restart-lock", O_RDWR | O_CREAT,
			       0600);
	mkfifo("/dev/shm/abi-restart", 0600);
	listening = unix_listener(5);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		once(&calls[i], 0);
		once(&calls[i], SA_RESTART);
	}
	signal(SIGUSR1, SIG_DFL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	unlink("/dev/shm/abi-restart");
	unlink("/dev/shm/abi-restart-lock");
}

/* --- connect: to one whose queue is full, until it takes one --- */

static int full_listener, caller;

static void refill(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);

	full_listener = unix_listener(0);
	getsockname(full_listener, (struct sockaddr *)&a, &len);
	for (int i = 0; i < 2; i++)
		connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0),
			(struct sockaddr *)&a, len);
	caller = socket(AF_UNIX, SOCK_STREAM, 0);
}

static long c_connect(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);

	getsockname(full_listener, (struct sockaddr *)&a, &len);
	return connect(caller, (struct sockaddr *)&a, len);
}

static void take_one(void)
{
	accept(full_listener, NULL, NULL);
}

CASE(restart_connect)
{
	static const struct blocking b = { "connect", c_connect, refill,
					   take_one };

	once(&b, 0);
	once(&b, SA_RESTART);
	signal(SIGUSR1, SIG_DFL);
}

/* TCP's: a connection that was interrupted is still being made. */
static struct sockaddr_in tcp_to;

static void tcp_refill(void)
{
	socklen_t len = sizeof(tcp_to);

	tcp_to = loopback(0);
	full_listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(full_listener, (struct sockaddr *)&tcp_to, len);
	listen(full_listener, 0);
	getsockname(full_listener, (struct sockaddr *)&tcp_to, &len);
	caller = socket(AF_INET, SOCK_STREAM, 0);
	connect(caller, (struct sockaddr *)&tcp_to, len);
	caller = socket(AF_INET, SOCK_STREAM, 0);
}

static long c_tcp_connect(void)
{
	return connect(caller, (struct sockaddr *)&tcp_to, sizeof(tcp_to));
}

CASE(restart_connect_tcp)
{
	static const struct blocking b = { "connect", c_tcp_connect,
					   tcp_refill, take_one };

	once(&b, 0);
	fcntl(caller, F_SETFL, O_NONBLOCK);
	TRY(c_tcp_connect());
	once(&b, SA_RESTART);
	signal(SIGUSR1, SIG_DFL);
}
