/*
 * What takes more than a wrong argument to go wrong: peers, other file
 * systems, removed directories, limits. tests/abi/errnos.txt has the list.
 */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define SA(a) ((struct sockaddr *)(a))

CASE(errno_other_connect)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "s" };
	struct sockaddr_in all = loopback(80);
	int s, u, t;

	tree_enter();
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	u = socket(AF_UNIX, SOCK_DGRAM, 0);
	t = socket(AF_INET, SOCK_STREAM, 0);
	bind(s, SA(&path), sizeof(path));
	listen(s, 5);
	TRY(connect(u, SA(&path), sizeof(path)));
	/* All hosts at once are no peer for TCP. */
	all.sin_addr.s_addr = htonl(0xe0000001);
	TRY(connect(t, SA(&all), sizeof(all)));
	tree_leave();
}

CASE(errno_other_copy)
{
	struct rlimit old, page;
	loff_t in = 0, out = 8192, end = LLONG_MAX;
	int f, g, v;

	tree_enter();
	f = open("f", O_CREAT | O_RDWR, 0600);
	g = open("g", O_CREAT | O_RDWR, 0600);
	v = open("/proc/version", O_RDONLY);
	ftruncate(f, 4096);
	TRY(copy_file_range(v, NULL, g, NULL, 10, 0));
	TRY(copy_file_range(f, &in, g, &end, 10, 0));
	TRY(copy_file_range(f, &end, g, &in, 10, 0));
	TRY(copy_file_range(f, &in, g, &out, -1ul, 0));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	page = (struct rlimit){ 4096, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &page);
	TRY(copy_file_range(f, &in, g, &out, 10, 0));
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	tree_leave();
}

CASE(errno_other_paths)
{
	char deep[201], buf[8192];
	int d, m;

	tree_enter();
	TRY(link("/proc/version", "v"));
	TRY(open("/proc", O_TMPFILE | O_RDWR, 0600));
	m = memfd_create("m", MFD_ALLOW_SEALING);
	ftruncate(m, 4096);
	fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", m);
	TRY(open(buf, O_RDWR | O_TRUNC));
	mkdir("d", 0700);
	d = open("d", O_RDONLY);
	rmdir("d");
	TRY(syscall(SYS_getdents64, d, buf, sizeof(buf)));
	d = open(".", O_RDONLY);
	memset(deep, 'd', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	for (int i = 0; i < 21; i++)
		if (mkdir(deep, 0700) < 0 || chdir(deep) < 0)
			say("level %d: %s", i, errno_name(errno));
	TRY(syscall(SYS_getcwd, buf, sizeof(buf)));
	for (int i = 0; i < 21; i++)
		if (chdir("..") < 0 || rmdir(deep) < 0)
			say("level %d: %s", i, errno_name(errno));
	fchdir(d);
	tree_leave();
}

CASE(errno_other_limits)
{
	char page[4096] = "";
	struct rlimit old, none;
	sigset_t mask, before;
	int p[2];

	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &mask, &before);
	getrlimit(RLIMIT_SIGPENDING, &old);
	none = (struct rlimit){ 0, old.rlim_max };
	setrlimit(RLIMIT_SIGPENDING, &none);
	TRY(syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN));
	setrlimit(RLIMIT_SIGPENDING, &old);
	sigtimedwait(&mask, NULL, &(struct timespec){ 0 });
	sigprocmask(SIG_SETMASK, &before, NULL);
	TRY(syscall(SYS_wait4, INT_MIN, NULL, 0, NULL));
	pipe(p);
	write(p[1], page, sizeof(page));
	write(p[1], page, sizeof(page));
	TRY(fcntl(p[1], F_SETPIPE_SZ, 4096));
	TRY(fcntl(p[1], F_NOTIFY, DN_CREATE));
}
