/* Pipes with a name, and other nodes that mknod(2) makes. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define FIFO "a-fifo"

CASE(fifo_errors)
{
	tree_enter();
	struct stat st;

	umask(022);
	TRY(mkfifo(FIFO, 0666));
	TRY(mkfifo(FIFO, 0666));
	TRY(mkfifo("no/such", 0666));
	TRY(stat(FIFO, &st));
	say("mode %o, size %d, links %d", st.st_mode, (int)st.st_size,
	    (int)st.st_nlink);
	TRY(open(FIFO, O_WRONLY | O_NONBLOCK));
	TRY(open(FIFO, O_RDONLY | O_DIRECTORY));
	TRY(truncate(FIFO, 0));
	TRY(unlink(FIFO));
	TRY(mknod(FIFO, S_IFIFO | 0600, 0));
	TRY(access(FIFO, F_OK));
	TRY(unlink(FIFO));
	TRY(mknodat(AT_FDCWD, FIFO, S_IFREG | 0600, 0));
	TRY(stat(FIFO, &st));
	say("mode %o", st.st_mode);
	TRY(mknod(FIFO, S_IFIFO | 0600, 0));
	TRY(unlink(FIFO));
	TRY(mknod(FIFO, 0600, 0));
	TRY(stat(FIFO, &st));
	say("mode %o", st.st_mode);
	TRY(unlink(FIFO));
	TRY(mknod(FIFO, S_IFDIR | 0600, 0));
	TRY(mknod(FIFO, 0170000 | 0600, 0));
	TRY(mknod(BAD_LOW, S_IFREG, 0));
	TRY(mknod("", S_IFREG, 0));
	TRY(mknodat(-1, FIFO, S_IFREG, 0));
	tree_leave();
}

CASE(fifo_data)
{
	tree_enter();
	char buf[16];
	struct stat st;
	int r, w, w2;

	TRY(mkfifo(FIFO, 0600));
	r = TRY(open(FIFO, O_RDONLY | O_NONBLOCK));
	TRY(read(r, buf, 16));
	say("events %#x", ready(r, POLLIN));
	w = TRY(open(FIFO, O_WRONLY));
	TRY(read(r, buf, 16));
	TRY(write(w, "hello", 5));
	say("events %#x", ready(r, POLLIN));
	TRY(read(r, buf, 3));
	w2 = TRY(open(FIFO, O_WRONLY | O_NONBLOCK));
	TRY(write(w2, " you", 4));
	TRY(close(w));
	TRY(read(r, buf, 16));
	TRY(read(r, buf, 16));
	TRY(close(w2));
	say("events %#x", ready(r, POLLIN));
	TRY(read(r, buf, 16));
	TRY(lseek(r, 0, SEEK_SET));
	TRY(pread(r, buf, 1, 0));
	TRY(write(r, "x", 1));
	/* A new writer takes the end of file back. */
	w = TRY(open(FIFO, O_WRONLY));
	say("events %#x", ready(r, POLLIN));
	TRY(read(r, buf, 16));
	fstat(w, &st);
	say("a fifo %d", S_ISFIFO(st.st_mode));
	TRY(fcntl(w, F_GETPIPE_SZ));
	TRY(close(r));
	say("events %#x", ready(w, POLLOUT));
	signal(SIGPIPE, SIG_IGN);
	TRY(write(w, "x", 1));
	TRY(close(w));
	/* Nobody has it open: what was in it is gone. */
	r = TRY(open(FIFO, O_RDWR));
	TRY(write(r, "kept", 4));
	TRY(read(r, buf, 16));
	TRY(write(r, "lost", 4));
	TRY(close(r));
	r = TRY(open(FIFO, O_RDONLY | O_NONBLOCK));
	TRY(read(r, buf, 16));
	tree_leave();
}

static void *open_later(void *arg)
{
	int flags = (int)(long)arg;
	int fd;

	usleep(30000);
	fd = open(FIFO, flags);
	if (flags == O_WRONLY)
		write(fd, "late", 4);
	else
		usleep(30000);
	close(fd);
	return NULL;
}

/* open(2) waits for the other end. */
CASE(fifo_open_waits)
{
	tree_enter();
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	char buf[16];
	pthread_t t;
	int r, w, ep;

	TRY(mkfifo(FIFO, 0600));
	pthread_create(&t, NULL, open_later, (void *)O_WRONLY);
	r = TRY(open(FIFO, O_RDONLY));
	TRY(read(r, buf, 16));
	pthread_join(t, NULL);
	TRY(read(r, buf, 16));
	TRY(close(r));
	pthread_create(&t, NULL, open_later, (void *)O_RDONLY);
	w = TRY(open(FIFO, O_WRONLY));
	TRY(write(w, "x", 1));
	pthread_join(t, NULL);
	TRY(close(w));
	ep = epoll_create1(0);
	r = TRY(open(FIFO, O_RDONLY | O_NONBLOCK));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, r, &ev));
	TRY(epoll_wait(ep, &ev, 1, 0));
	pthread_create(&t, NULL, open_later, (void *)O_WRONLY);
	TRY(epoll_wait(ep, &ev, 1, 2000));
	pthread_join(t, NULL);
	say("events %#x", ready(r, POLLIN));
	tree_leave();
}
