/* Locks of files, seals, and who the program is and what it has used. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>

CASE(lock_flock)
{
	const char *path = "/dev/shm/abi-flock";
	int a = open(path, O_CREAT | O_RDWR, 0600), b = open(path, O_RDONLY);
	int c, p[2];

	TRY(flock(a, LOCK_EX));
	TRY(flock(b, LOCK_SH | LOCK_NB));
	TRY(flock(b, LOCK_EX | LOCK_NB));
	TRY(flock(a, LOCK_SH));
	TRY(flock(b, LOCK_SH | LOCK_NB));
	TRY(flock(a, LOCK_EX | LOCK_NB));
	TRY(flock(b, LOCK_EX | LOCK_NB));
	TRY(flock(a, LOCK_UN));
	TRY(flock(b, LOCK_EX | LOCK_NB));
	c = dup(b);
	TRY(flock(c, LOCK_EX | LOCK_NB));
	close(b);
	TRY(flock(a, LOCK_SH | LOCK_NB));
	close(c);
	TRY(flock(a, LOCK_SH | LOCK_NB));
	TRY(flock(a, 0));
	TRY(flock(a, LOCK_SH | LOCK_EX));
	TRY(flock(77, LOCK_SH));
	pipe(p);
	TRY(flock(p[0], LOCK_EX));
	TRY(flock(open(path, O_PATH), LOCK_EX));
	unlink(path);
}

static void setlk(int fd, int cmd, short type, short whence, off_t start,
		  off_t len)
{
	struct flock l = { .l_type = type, .l_whence = whence,
			   .l_start = start, .l_len = len };
	int ret = fcntl(fd, cmd, &l);

	say("lock %d %d %d %lld+%lld = %s, type %d", cmd, type, whence,
	    (long long)start, (long long)len,
	    ret < 0 ? errno_name(errno) : "ok", l.l_type);
}

CASE(lock_fcntl)
{
	const char *path = "/dev/shm/abi-lock";
	int rw = open(path, O_CREAT | O_RDWR, 0600);
	int r = open(path, O_RDONLY), w = open(path, O_WRONLY);

	setlk(rw, F_SETLK, F_WRLCK, SEEK_SET, 0, 0);
	setlk(r, F_SETLK, F_RDLCK, SEEK_SET, 0, 0);
	setlk(r, F_SETLK, F_WRLCK, SEEK_SET, 0, 0);
	setlk(w, F_SETLK, F_RDLCK, SEEK_SET, 0, 0);
	setlk(w, F_SETLKW, F_WRLCK, SEEK_CUR, 5, 10);
	setlk(rw, F_GETLK, F_WRLCK, SEEK_SET, 0, 0);
	setlk(rw, F_GETLK, F_UNLCK, SEEK_SET, 0, 0);
	setlk(rw, F_SETLK, F_UNLCK, SEEK_END, 0, 0);
	setlk(rw, F_SETLK, 9, SEEK_SET, 0, 0);
	setlk(rw, F_SETLK, F_RDLCK, 9, 0, 0);
	setlk(rw, F_SETLK, F_RDLCK, SEEK_SET, -1, 0);
	setlk(rw, F_SETLK, F_RDLCK, SEEK_SET, 5, -6);
	setlk(rw, F_SETLK, F_RDLCK, SEEK_SET, 5, -5);
	setlk(77, F_SETLK, F_RDLCK, SEEK_SET, 0, 0);
	TRY(fcntl(rw, F_SETLK, BAD_LOW));
	unlink(path);
}

CASE(lock_seals)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);
	int plain = memfd_create("p", 0);

	TRY(fcntl(fd, F_GET_SEALS));
	TRY(fcntl(plain, F_GET_SEALS));
	TRY(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
	TRY(ftruncate(fd, 100));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	TRY(ftruncate(fd, 50));
	TRY(ftruncate(fd, 150));
	TRY(ftruncate(fd, 100));
	TRY(pwrite(fd, "xy", 2, 99));
	TRY(pwrite(fd, "xy", 2, 98));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(pwrite(fd, "xy", 2, 0));
	TRY(fallocate(fd, 3, 0, 10));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(fcntl(fd, F_GET_SEALS));
	TRY(fcntl(fd, F_ADD_SEALS, 0x1000));
	TRY(fcntl(open("/dev/null", O_RDWR), F_GET_SEALS));
}

CASE(usage)
{
	struct rusage r;
	struct tms t;
	long a;

	TRY(getrusage(RUSAGE_SELF, &r));
	say("rss %d", r.ru_maxrss > 0);
	TRY(getrusage(RUSAGE_THREAD, &r));
	TRY(getrusage(RUSAGE_CHILDREN, &r));
	say("children %d", (int)r.ru_maxrss);
	TRY(getrusage(5, &r));
	TRY(syscall(SYS_getrusage, 0, BAD_LOW));
	a = times(&t);
	say("times %d %d", a > 0, t.tms_cutime == 0);
	TRY(syscall(SYS_times, BAD_LOW));
	TRY(syscall(SYS_sethostname, "x", -1));
	TRY(syscall(SYS_sethostname, "x", 65));
}

CASE(who)
{
	uint32_t cap[2] = { 0x20080522, 0 }, data[6];
	int r, e, s;

	TRY(syscall(SYS_getresuid, &r, &e, &s));
	say("%d %d %d", r, e, s);
	TRY(syscall(SYS_getresgid, &r, BAD_LOW, &s));
	TRY(syscall(SYS_setuid, -1));
	TRY(syscall(SYS_setgid, -1));
	TRY(syscall(SYS_setgroups, 70000, data));
	TRY(syscall(SYS_getgroups, -1, data));
	TRY(syscall(SYS_capget, cap, data));
	TRY(syscall(SYS_capget, BAD_LOW, data));
	cap[0] = 1;
	TRY(syscall(SYS_capget, cap, data));
	say("version %x", cap[0]);
	cap[0] = 1;
	TRY(syscall(SYS_capget, cap, NULL));
	cap[1] = -5;
	TRY(syscall(SYS_capget, cap, data));
}
