/*
 * Calls whatever gives structures back, into zeroed memory, on a kernel with
 * fill=1 (kernel/debug/fill.h): two bytes of that pattern in a row were never
 * written by anybody. Prints "NAME clean" or "NAME leaks at OFFSET".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define FILL 0xfe

static unsigned char out[8192];
static struct sockaddr_in local = { .sin_family = AF_INET };

static void look(const char *name, const void *at, size_t n)
{
	const unsigned char *p = at;

	for (size_t i = 1; i < n; i++) {
		if (p[i] == FILL && p[i - 1] == FILL) {
			printf("%s leaks at %zu\n", name, i - 1);
			return;
		}
	}
	printf("%s clean\n", name);
}

/* A call whose result is in @out; one that fails has shown nothing. */
#define TRY(name, call)							\
	do {								\
		memset(out, 0, sizeof(out));				\
		if ((long)(call) < 0)					\
			printf("%s fails: %s\n", name, strerror(errno));\
		else							\
			look(name, out, sizeof(out));			\
	} while (0)

static void files(void)
{
	int fd = open("/tmp/leak", O_CREAT | O_RDWR, 0644);
	int dir = open("/", O_RDONLY | O_DIRECTORY);
	int pipes[2];

	(void)!pipe(pipes);
	TRY("stat", syscall(SYS_stat, "/", out));
	TRY("lstat", syscall(SYS_lstat, "/tmp/leak", out));
	TRY("fstat", syscall(SYS_fstat, fd, out));
	TRY("fstat_pipe", syscall(SYS_fstat, pipes[0], out));
	TRY("newfstatat", syscall(SYS_newfstatat, AT_FDCWD, "/", out, 0));
	TRY("statx", syscall(SYS_statx, AT_FDCWD, "/", 0, 0xfff, out));
	TRY("statfs", syscall(SYS_statfs, "/", out));
	TRY("fstatfs", syscall(SYS_fstatfs, fd, out));
	TRY("getdents64", syscall(SYS_getdents64, dir, out, sizeof(out)));
	TRY("getcwd", syscall(SYS_getcwd, out, sizeof(out)));
	TRY("readlink", syscall(SYS_readlink, "/proc/self/exe", out, 4096));
	(void)!ftruncate(fd, 5000);
	TRY("read_hole", pread(fd, out, sizeof(out), 0));
	TRY("getlk", (((struct flock *)out)->l_type = F_WRLCK,
		      fcntl(fd, F_GETLK, out)));
	TRY("pipe2", syscall(SYS_pipe2, out, 0));
	for (const char **f = (const char *[]){ "/proc/self/stat",
			"/proc/self/maps", "/proc/net/tcp", "/proc/meminfo",
			NULL }; *f; f++) {
		int p = open(*f, O_RDONLY);

		TRY(*f, read(p, out, sizeof(out)));
		close(p);
	}
}

static int tcp_pair(int *server)
{
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(local);

	local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(l, (struct sockaddr *)&local, n);
	listen(l, 5);
	getsockname(l, (struct sockaddr *)&local, &n);
	connect(c, (struct sockaddr *)&local, n);
	n = 128;
	TRY("accept", *server = accept(l, (struct sockaddr *)out, &n));
	return c;
}

static void options(int c)
{
	static const struct {
		const char *name;
		int level, option;
	} opts[] = {
		{ "tcp_info", IPPROTO_TCP, TCP_INFO },
		{ "tcp_congestion", IPPROTO_TCP, TCP_CONGESTION },
		{ "so_linger", SOL_SOCKET, SO_LINGER },
		{ "so_rcvtimeo", SOL_SOCKET, SO_RCVTIMEO },
		{ "so_peercred", SOL_SOCKET, SO_PEERCRED },
		{ "so_error", SOL_SOCKET, SO_ERROR },
		{ "so_meminfo", SOL_SOCKET, 55 },
	};

	for (size_t i = 0; i < sizeof(opts) / sizeof(*opts); i++) {
		socklen_t n = 512;

		TRY(opts[i].name, getsockopt(c, opts[i].level, opts[i].option,
					     out, &n));
	}
}

static void receive(const char *name, int fd, int flags)
{
	static char name_room[256], control[1024];
	struct iovec iov = { out, 64 };
	struct msghdr m = { .msg_name = name_room, .msg_namelen = 256,
			    .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	char whole[64];

	memset(name_room, 0, sizeof(name_room));
	memset(control, 0, sizeof(control));
	TRY(name, recvmsg(fd, &m, flags));
	snprintf(whole, sizeof(whole), "%s_name", name);
	look(whole, name_room, sizeof(name_room));
	snprintf(whole, sizeof(whole), "%s_control", name);
	look(whole, control, sizeof(control));
}

static void sockets(void)
{
	int u = socket(AF_INET, SOCK_DGRAM, 0), pair[2], one = 1, s, c;
	int six = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in to = local;
	socklen_t n = 128;

	c = tcp_pair(&s);
	TRY("getsockname", (n = 128, getsockname(c, (void *)out, &n)));
	TRY("getpeername", (n = 128, getpeername(c, (void *)out, &n)));
	TRY("getsockname6", (n = 128, getsockname(six, (void *)out, &n)));
	TRY("siocinq", ioctl(c, FIONREAD, out));
	options(c);
	send(s, "hello", 5, 0);
	receive("recvmsg_tcp", c, 0);
	setsockopt(u, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	setsockopt(u, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one));
	setsockopt(u, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	to.sin_port = 0;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(u, (struct sockaddr *)&to, sizeof(to));
	n = sizeof(to);
	getsockname(u, (struct sockaddr *)&to, &n);
	sendto(u, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to));
	receive("recvmsg_udp", u, MSG_DONTWAIT);
	/* Nobody is there: the error comes back. */
	to.sin_port = htons(9);
	sendto(u, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to));
	receive("recvmsg_error", u, MSG_ERRQUEUE | MSG_DONTWAIT);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	(void)!write(pair[0], "hello", 5);
	receive("recvmsg_unix", pair[1], 0);
	TRY("getsockname_unix", (n = 128, getsockname(pair[0], (void *)out,
						      &n)));
	options(pair[0]);
}

static void waits(void)
{
	int ep = epoll_create1(0), e = eventfd(3, 0);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 1 };
	struct pollfd p = { .fd = e, .events = POLLIN };
	struct timespec ts = { 0 };
	struct itimerspec soon = { .it_value.tv_nsec = 1000 };
	int t = timerfd_create(CLOCK_MONOTONIC, 0);

	epoll_ctl(ep, EPOLL_CTL_ADD, e, &event);
	TRY("epoll_wait", epoll_wait(ep, (void *)out, 16, 0));
	TRY("poll", (memcpy(out, &p, sizeof(p)), poll((void *)out, 1, 0)));
	TRY("select", (out[0] = 1 << 3, select(8, (void *)out,
					       (void *)(out + 512), NULL,
					       &(struct timeval){ 0 })));
	TRY("eventfd", read(e, out, 64));
	timerfd_settime(t, 0, &soon, NULL);
	TRY("timerfd_gettime", timerfd_gettime(t, (void *)out));
	TRY("timerfd", read(t, out, 64));
	TRY("nanosleep", nanosleep(&ts, (void *)out));
}

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	look("siginfo", info, sizeof(*info));
	look("ucontext", context, offsetof(ucontext_t, __fpregs_mem));
}

static void signals(void)
{
	struct sigaction act = { .sa_sigaction = handler,
				 .sa_flags = SA_SIGINFO };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR2 };
	struct timespec none = { 0 };
	sigset_t set;
	int fd;

	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	TRY("sigpending", sigpending((void *)out));
	TRY("sigtimedwait", sigtimedwait(&set, (void *)out, &none));
	raise(SIGUSR2);
	fd = signalfd(-1, &set, 0);
	TRY("signalfd", read(fd, out, 512));
	TRY("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, NULL, out, 8));
	TRY("sigaltstack", syscall(SYS_sigaltstack, NULL, out));
	TRY("timer_create", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event,
				    out));
	TRY("timer_gettime", syscall(SYS_timer_gettime, 0, out));
	TRY("getitimer", getitimer(ITIMER_REAL, (void *)out));
}

static void rest(void)
{
	TRY("sysinfo", syscall(SYS_sysinfo, out));
	TRY("uname", syscall(SYS_uname, out));
	TRY("getrusage", syscall(SYS_getrusage, RUSAGE_SELF, out));
	TRY("times", syscall(SYS_times, out));
	TRY("prlimit", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, out));
	TRY("getrlimit", syscall(SYS_getrlimit, RLIMIT_STACK, out));
	TRY("clock_gettime", syscall(SYS_clock_gettime, CLOCK_REALTIME, out));
	TRY("clock_getres", syscall(SYS_clock_getres, CLOCK_REALTIME, out));
	TRY("gettimeofday", syscall(SYS_gettimeofday, out, out + 64));
	TRY("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, 128, out));
	TRY("sched_getparam", syscall(SYS_sched_getparam, 0, out));
	TRY("getcpu", syscall(SYS_getcpu, out, out + 8, NULL));
	TRY("get_robust_list", syscall(SYS_get_robust_list, 0, out, out + 8));
	TRY("tcgets", ioctl(1, TCGETS, out));
	TRY("winsize", ioctl(1, TIOCGWINSZ, out));
	TRY("mincore", syscall(SYS_mincore, (long)out & -4096l, 4096,
			       out + 4096));
	TRY("mmap", (memcpy(out, mmap(NULL, 8192, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			    8192), 0));
}

int main(void)
{
	mkdir("/tmp", 0755);
	files();
	sockets();
	waits();
	signals();
	rest();
	return 0;
}
