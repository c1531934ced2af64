/*
 * Shared mappings of files in the directory it is given: what is stored, what
 * is read and written, and what becomes of it. Prints the same on Linux.
 *   mapped DIR         all of it
 *   mapped DIR sync    stores, syncs by msync, says so, stores more, waits
 *   mapped DIR fsync   the same by fsync
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define P 4096L

static char buf[16 * P];
static sigjmp_buf jump;

static int file(const char *name, int flags, long size)
{
	int fd = open(name, flags | O_CREAT | O_RDWR, 0600);

	memset(buf, '.', sizeof(buf));
	if (pwrite(fd, buf, (size_t)size, 0) != size)
		perror(name);
	return fd;
}

static char *map(int fd, int prot, int flags, long off, long len)
{
	char *p = mmap(NULL, (size_t)len, prot, flags, fd, off);

	if (p == MAP_FAILED)
		printf("mmap %d %d: %s\n", prot, flags, strerror(errno));
	return p;
}

static char *shared(int fd, long off, long len)
{
	return map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, off, len);
}

static void show(const char *what, int fd, long pos, int n)
{
	ssize_t got = pread(fd, buf, (size_t)n, pos);

	printf("%s: %.*s\n", what, (int)got, buf);
}

static void on_signal(int sig)
{
	siglongjmp(jump, sig);
}

/* What touching @p gives: 0, or a signal's number. */
static int touch(char *p, int store)
{
	int sig = sigsetjmp(jump, 1);

	if (!sig) {
		if (store)
			*(volatile char *)p = 'x';
		else
			(void)*(volatile char *)p;
	}
	return sig;
}

static void alike(void)
{
	int fd = file("alike", 0, 3 * P + 100), other = open("alike", O_RDONLY);
	char *a = shared(fd, 0, 4 * P), *b = shared(fd, P, P);
	char *c = map(other, PROT_READ, MAP_SHARED, P, P);
	char *own = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, P, P);

	strcpy(a + P + 10, "stored");
	printf("other %s, reader's %s, private's %s\n", b + 10, c + 10,
	       own + 10);
	show("read", other, P + 8, 8);
	strcpy(own + 10, "mine");
	show("read", other, P + 8, 8);
	pwrite(fd, "WRITTEN", 7, P + 12);
	printf("written %.9s and %.9s\n", a + P + 10, b + 10);
	/* Across a page that was touched and one that was not. */
	pwrite(fd, "0123456789", 10, 2 * P - 5);
	printf("across %.5s %.5s\n", b + P - 5, a + 2 * P);
	/* Over pages with stores, to and from the mapping itself. */
	strcpy(a + 2 * P, "self");
	printf("self %ld\n", (long)pwrite(fd, a + 2 * P, 4, 20));
	printf("self %ld\n", (long)pread(fd, a + 2 * P, 3 * P, 0));
	printf("self %.4s %d\n", a + 2 * P + 20, memcmp(a, a + 2 * P, P));
	printf("end %.2s %d\n", a + 3 * P + 98, a[3 * P + 100]);
	printf("msync %d\n", msync(a, 4 * P, MS_SYNC));
	strcpy(b + 100, "after msync");
	show("read", other, P + 100, 11);
	munmap(b, P);
	strcpy(a + P + 200, "after munmap");
	show("read", other, P + 200, 12);
	a = mremap(a, 2 * P, 3 * P, MREMAP_MAYMOVE);
	strcpy(a + 2 * P + 300, "after mremap");
	show("read", other, 2 * P + 300, 12);
	fsync(fd);
	strcpy(a + 400, "after fsync");
	printf("mine: %s\n", own + 10);
}

static void refused(void)
{
	int fd = file("refused", 0, P), r = open("refused", O_RDONLY);
	int w = open("refused", O_WRONLY), dir = open(".", O_RDONLY);
	char *p;

	shared(r, 0, P);
	map(w, PROT_READ, MAP_SHARED, 0, P);
	map(w, PROT_READ, MAP_PRIVATE, 0, P);
	map(dir, PROT_READ, MAP_SHARED, 0, P);
	p = shared(fd, 0, P);
	printf("msync %d", msync(p + 1, P, MS_SYNC));
	printf(" %s,", strerror(errno));
	printf(" %d", msync(p, P, MS_SYNC | MS_ASYNC));
	printf(" %s,", strerror(errno));
	printf(" %d", msync(p, P, 64));
	printf(" %s\n", strerror(errno));
	munmap(p, P);
	printf("msync %d", msync(p, P, MS_SYNC));
	printf(" %s\n", strerror(errno));
}

static void cut(void)
{
	int fd = file("cut", 0, 3 * P);
	char *p = shared(fd, 0, 4 * P);
	char *own = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, 4 * P);

	printf("beyond %d", touch(p + 3 * P, 0) == SIGBUS);
	strcpy(p + 2 * P, "gone");
	strcpy(own + 2 * P, "gone");
	strcpy(p + P + 98, "cut");
	printf(", ftruncate %d", ftruncate(fd, P + 100));
	printf(": %d %d %d", touch(p + 2 * P, 0) == SIGBUS,
	       touch(p + 2 * P, 1) == SIGBUS, touch(own + 2 * P, 0) == SIGBUS);
	printf(", end %s\n", p + P + 98);
	/* Longer again: what was there does not come back. */
	printf("ftruncate %d", ftruncate(fd, 3 * P));
	printf(": %d %d\n", p[2 * P], p[P + 100]);
	strcpy(p + 2 * P, "new");
	show("read", fd, 2 * P, 3);
	printf("write %ld", (long)pwrite(fd, "more", 4, 3 * P));
	printf(": %.4s\n", p + 3 * P);
	ftruncate(fd, 0);
	printf("nothing %d\n", touch(p, 0) == SIGBUS);
	pwrite(fd, "again", 5, 0);
	printf("%s\n", p);
}

static void appended(void)
{
	int fd = file("appended", 0, 100), a;
	char *p;

	close(fd);
	a = open("appended", O_RDWR | O_APPEND);
	p = shared(a, 0, P);
	strcpy(p + 10, "in place");
	write(a, "at the end", 10);
	printf("appended %.10s\n", p + 100);
	munmap(p, P);
	show("read", a, 10, 8);
	printf("size %ld\n", (long)lseek(a, 0, SEEK_END));
	close(a);
}

static void nameless(void)
{
	int fd = file("nameless", 0, P);
	char *p = shared(fd, 0, P);

	unlink("nameless");
	strcpy(p, "no name");
	close(fd);
	printf("%s, msync %d, ", p, msync(p, P, MS_SYNC));
	printf("munmap %d\n", munmap(p, P));
}

static char *racing;

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++)
		++*(volatile unsigned int *)racing;
	return NULL;
}

/* Not one store is lost while another thread syncs. */
static void race(void)
{
	int fd = file("race", 0, P);
	unsigned int last = 0;
	pthread_t t;

	racing = shared(fd, 0, P);
	*(unsigned int *)racing = 0;
	pthread_create(&t, NULL, count, NULL);
	while (*(volatile unsigned int *)racing < 20000)
		msync(racing, P, MS_SYNC);
	pthread_join(t, NULL);
	munmap(racing, P);
	pread(fd, &last, sizeof(last), 0);
	printf("race %u\n", last);
}

/* A hole, filled by a store; a page far from all others. */
static void sparse(void)
{
	int fd = open("sparse", O_CREAT | O_RDWR, 0600);
	char *p;

	ftruncate(fd, 1000 * P);
	p = shared(fd, 0, 1000 * P);
	printf("hole %d\n", p[500 * P]);
	strcpy(p + 500 * P, "island");
	munmap(p, 1000 * P);
	show("read", fd, 500 * P, 6);
}

static void leave(const char *name, const char *how)
{
	int fd = file(name, 0, P);
	char *p = shared(fd, 0, P);

	strcpy(p, "stored ");
	if (!strcmp(how, "munmap"))
		munmap(p, P);
	close(fd);
}

static int sync_and_wait(const char *how)
{
	int fd = file("left", 0, 2 * P);
	char *p = shared(fd, 0, 2 * P);

	strcpy(p + P, "this stays");
	printf("%s %d\n", how, !strcmp(how, "sync") ? msync(p, 2 * P, MS_SYNC) :
						     fsync(fd));
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]))
		return 1;
	printf("--- begin\n");
	signal(SIGBUS, on_signal);
	signal(SIGSEGV, on_signal);
	if (argc > 2)
		return sync_and_wait(argv[2]);
	alike();
	refused();
	cut();
	appended();
	nameless();
	race();
	sparse();
	leave("by-munmap", "munmap");
	leave("by-exit", "exit");
	printf("--- end\n");
	return 0;
}
