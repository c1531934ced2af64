/* /proc as programs parse it: what is the same on every Linux is printed. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

static char text[1 << 16];

/* The whole file, read @piece bytes at a time; its length. */
static size_t slurp(const char *path, size_t piece)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len + piece < sizeof(text) &&
	       (n = read(fd, text + len, piece)) > 0)
		len += n;
	text[len] = '\0';
	if (fd < 0)
		say("%s: %s", path, errno_name(errno));
	close(fd);
	return len;
}

/* Does a line of the text match the scanf format, with @n values? */
static bool has(const char *fmt, int n)
{
	unsigned long a, b, c;
	char s[64];

	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, fmt, strchr(fmt, 's') ? (void *)s : &a, &b,
			   &c) == n)
			return true;
	}
	return false;
}

CASE(proc_fdinfo)
{
	char path[64], *tfd;
	int ep = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, 0);
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET,
				  .data.u64 = 0x123456789 };

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	slurp(path, 4096);
	say("head %.22s", text);
	tfd = strstr(text, "tfd:");
	say("%.64s", tfd ? tfd : "none");
	say("sdev %d", tfd && strstr(tfd, " ino:") && strstr(tfd, " sdev:"));
	TRY(open("/proc/self/fdinfo/99", O_RDONLY));
	TRY(open("/proc/self/fdinfo/x", O_RDONLY));
}

/* One line for each watch, by the tree's order: looked for, not compared. */
CASE(proc_fdinfo_of_an_epoll)
{
	struct { int fd; uint32_t events; uint64_t data; } w[] = {
		{ eventfd(0, 0), EPOLLIN, 0xfedcba9876543210 },
		{ socket(AF_UNIX, SOCK_STREAM, 0), EPOLLOUT | EPOLLONESHOT, 7 },
		{ epoll_create1(0), EPOLLIN | EPOLLET, 0 },
		{ dup(3), EPOLLPRI | EPOLLEXCLUSIVE, 1 },
		{ 0, EPOLLIN, 2 },
		{ socket(AF_INET, SOCK_DGRAM, 0), 0, 3 },
	};
	int ep = epoll_create1(0), p[2];
	char path[64];

	pipe(p);
	w[4].fd = p[1];
	for (int i = 0; i < 6; i++) {
		struct epoll_event ev = { .events = w[i].events,
					  .data.u64 = w[i].data };

		TRY(epoll_ctl(ep, EPOLL_CTL_ADD, w[i].fd, &ev));
	}
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	slurp(path, 4096);
	for (int i = 0; i < 6; i++) {
		unsigned long ino = 0, dev = 0;
		struct stat st;
		char *line, end[2] = "";
		long pos = -1;

		snprintf(path, sizeof(path), "tfd: %8d events: ", w[i].fd);
		line = strstr(text, path);
		fstat(w[i].fd, &st);
		if (line)
			sscanf(line + 48, "%*x pos:%ld ino:%lx sdev:%lx%1[\n]",
			       &pos, &ino, &dev, end);
		say("%.55s pos %ld, ino %d, sdev %d, end %d",
		    line ? line : "none", pos, ino == st.st_ino,
		    dev == st.st_dev, *end == '\n');
	}
	/* Disabled by its one shot. */
	TRY(epoll_wait(ep, &(struct epoll_event){ 0 }, 1, 0));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	slurp(path, 4096);
	snprintf(path, sizeof(path), "tfd: %8d events: ", w[1].fd);
	say("%.32s", strstr(text, path) ? strstr(text, path) : "none");
}

static void fd_link(int fd)
{
	char path[64], to[64] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, to, sizeof(to) - 1);
	/* Inode numbers are nobody's business. */
	if (n > 0 && strchr(to, '['))
		strchr(to, '[')[strstr(to, "anon") ? 14 : 1] = '\0';
	say("%s -> %s", path, n < 0 ? errno_name(errno) : to);
}

CASE(proc_fd)
{
	int fd[2], n = 0, f;
	struct dirent *e;
	DIR *d;

	pipe(fd);
	fd_link(fd[0]);
	fd_link(socket(AF_INET, SOCK_STREAM, 0));
	fd_link(epoll_create1(0));
	fd_link(open("/dev/null", O_RDWR));
	fd_link(open("/dev/shm", O_RDONLY));
	f = open("/dev/shm/abi-proc", O_CREAT | O_RDWR, 0600);
	write(f, "abc", 3);
	fd_link(f);
	unlink("/dev/shm/abi-proc");
	fd_link(f);
	fd_link(99);
	d = opendir("/proc/self/fd");
	while (d && (e = readdir(d)))
		n += e->d_name[0] >= '3' && e->d_type == DT_LNK;
	closedir(d);
	say("open %d", n);
	f = open("/proc/self/fd/9", O_RDONLY);
	say("again %zd", read(f, text, 10));
	TRY(open("/proc/self/fd/5", O_RDONLY));
	TRY(open("/proc/self/fd/7", O_WRONLY | O_CREAT | O_APPEND, 0600));
}

/* As pthread_setname_np() writes another thread's name. */
CASE(proc_thread_name)
{
	char path[40], name[17];
	int fd;

	TRY(snprintf(path, sizeof(path), "/proc/self/task/%d/comm",
		     (int)syscall(SYS_gettid)) > 0);
	fd = OK(open(path, O_RDWR));
	TRY(write(fd, "mc-worker", 9));
	slurp("/proc/self/comm", 100);
	say("%s", text);
	TRY(write(fd, "more than fifteen", 17));
	TRY(prctl(PR_GET_NAME, name, 0, 0, 0));
	say("%s", name);
	TRY(write(fd, "", 0));
	TRY(write(fd, "two\nlines\n", 10));
	slurp("/proc/thread-self/comm", 100);
	say("%s", text);
	TRY(write(fd, "abi", 3));
	close(fd);
}

CASE(proc_self)
{
	struct stat st;
	char *p;

	TRY(lstat("/proc/self", &st));
	say("link %d", S_ISLNK(st.st_mode));
	TRY(stat("/proc/self/exe", &st));
	say("reg %d", S_ISREG(st.st_mode));
	OK(open("/proc/self/exe", O_RDONLY));
	slurp("/proc/self/comm", 3);
	say("comm %s", text);
	say("cmdline %d", slurp("/proc/self/cmdline", 100) > 3);
	slurp("/proc/self/statm", 4096);
	say("statm %d", has("%lu %lu %lu", 3));
	slurp("/proc/self/stat", 4096);
	p = strrchr(text, ')');
	say("stat %d, %.3s", p && strstr(text, "(abi)"), p ? p : "");
	for (int i = 0; p && *p; p++) {
		i += *p == ' ';
		if (p[1] == '\0')
			say("fields %d", i + 2);
	}
	slurp("/proc/self/status", 7);
	say("status %d %d %d %d %d", has("Name:\tab%s", 1),
	    has("Pid:\t%lu", 1), has("VmRSS:\t%lu kB", 1),
	    has("Threads:\t%lu", 1), has("SigBlk:\t%lx", 1));
	slurp("/proc/self/limits", 4096);
	say("%.79s", text);
	slurp("/proc/self/maps", 64);
	say("maps %d %d %d", has("%lx-%lx r", 2),
	    strstr(text, "[stack]") != NULL, strstr(text, "[heap]") != NULL);
	slurp("/proc/self/auxv", 4096);
	say("auxv %d", ((long *)text)[0] != 0);
	TRY(open("/proc/self/none", O_RDONLY));
	TRY(open("/proc/self/none", O_RDWR | O_CREAT, 0600));
	TRY(mkdir("/proc/none", 0755));
	TRY(unlink("/proc/self/stat"));
	TRY(rmdir("/proc/self/task"));
	TRY(open("/proc/99999999", O_RDONLY));
	TRY(open("/proc/meminfo/x", O_RDONLY));
}

CASE(proc_machine)
{
	slurp("/proc/meminfo", 100);
	say("meminfo %d %d %d", has("MemTotal: %lu kB", 1),
	    has("MemFree: %lu kB", 1), has("MemAvailable: %lu kB", 1));
	say("first %.10s", text);
	slurp("/proc/uptime", 4096);
	say("uptime %d", has("%lu.%lu %lu", 3));
	slurp("/proc/loadavg", 4096);
	say("loadavg %d", has("%lu.%lu %lu", 3));
	slurp("/proc/stat", 4096);
	say("stat %d %d", has("cpu %lu %lu", 2), has("btime %lu", 1));
	slurp("/proc/cpuinfo", 4096);
	say("%.16s %d", text, has("vendor_id\t: %s", 1));
	say("fpu %d", strstr(text, " fpu ") != NULL);
	slurp("/proc/version", 4096);
	say("%.14s", text);
	slurp("/proc/sys/kernel/ostype", 4096);
	say("%s", text);
	say("uuid %zu", slurp("/proc/sys/kernel/random/uuid", 5));
	say("boot_id %zu", slurp("/proc/sys/kernel/random/boot_id", 50));
	slurp("/proc/sys/net/core/somaxconn", 4096);
	say("somaxconn %s", text);
	slurp("/proc/sys/fs/epoll/max_user_watches", 4096);
	say("watches %d", has("%lu", 1));
	slurp("/proc/mounts", 4096);
	say("proc %d", strstr(text, "proc /proc proc ") != NULL);
	slurp("/proc/filesystems", 4096);
	say("tmpfs %d", strstr(text, "nodev\ttmpfs\n") != NULL);
}

CASE(proc_net)
{
	static const char *const files[] = { "snmp", "netstat", "dev", "tcp",
					     "udp", "sockstat", "snmp6",
					     "udp6", "sockstat6" };
	static const int shown[] = { 3, 3, 24, 24, 24, 14, 3, 24, 6 };
	struct sockaddr_in addr = loopback(0);
	socklen_t len = sizeof(addr);
	uint16_t port;
	char want[128];
	int s;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(want, sizeof(want), "/proc/net/%s", files[i]);
		slurp(want, 4096);
		say("%s: %.*s", files[i], shown[i], text);
	}
	listener(&port);
	slurp("/proc/net/tcp", 4096);
	snprintf(want, sizeof(want), ": 0100007F:%04X 00000000:0000 0A ", port);
	say("listener %d", strstr(text, want) != NULL);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	TRY(bind(s, (struct sockaddr *)&addr, len));
	TRY(getsockname(s, (struct sockaddr *)&addr, &len));
	port = ntohs(addr.sin_port);
	slurp("/proc/net/udp", 4096);
	snprintf(want, sizeof(want),
		 ": 0100007F:%04X 00000000:0000 07 "
		 "00000000:00000000 00:00000000 00000000 ", port);
	say("udp %d", strstr(text, want) != NULL);
	slurp("/proc/net/dev", 4096);
	say("lo %d", has(" lo: %lu %lu", 2));
}

CASE(proc_seek)
{
	char a[64] = "", b[64] = "";
	int fd = open("/proc/self/limits", O_RDONLY);

	TRY(pread(fd, a, 10, 5));
	TRY(read(fd, b, 10));
	say("%.5s %.5s", a, b);
	TRY(lseek(fd, 80, SEEK_SET));
	TRY(read(fd, b, 12));
	say("%.12s", b);
	TRY(read(fd, BAD_LOW, 10));
	TRY(write(fd, a, 1));
}

/* The line of @path that starts with @key, behind it; empty if none does. */
static const char *line_of(const char *path, const char *key)
{
	static char line[256];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			break;
		else
			line[0] = '\0';
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line[0] ? line + strlen(key) : line;
}

CASE(proc_smaps)
{
	static const char *const keys[] = {
		"Size:", "KernelPageSize:", "MMUPageSize:", "Rss:", "Pss:",
		"Shared_Clean:", "Private_Dirty:", "Referenced:",
		"Anonymous:", "Swap:",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		say("%s there %d", keys[i],
		    line_of("/proc/self/smaps", keys[i])[0] == ' ');
	say("the first has pages: %d",
	    atoi(line_of("/proc/self/smaps", "Rss:")) > 0);
}

CASE(proc_signals)
{
	struct rlimit limit;
	sigset_t set, old;
	int queued = -1;
	unsigned long max = 0;

	getrlimit(RLIMIT_SIGPENDING, &limit);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR2);
	sscanf(line_of("/proc/self/status", "SigQ:"), "%d/%lu", &queued, &max);
	say("queued %d, the limit: %d", queued > 0, max == limit.rlim_cur);
	say("ShdPnd%s", line_of("/proc/self/status", "ShdPnd:"));
	say("SigPnd%s", line_of("/proc/self/status", "SigPnd:"));
	raise(SIGUSR2);
	say("SigPnd%s", line_of("/proc/self/status", "SigPnd:"));
	signal(SIGUSR2, SIG_IGN);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGUSR2, SIG_DFL);
}
