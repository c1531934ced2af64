/* Files in memory: shared and private mappings, and what they may not do. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PATH "/dev/shm/abi-map"

static char *map(int fd, int prot, int flags, off_t off, size_t len)
{
	char *p = mmap(NULL, len, prot, flags, fd, off);

	say("mmap prot %d flags %d at %lld: %s", prot, flags, (long long)off,
	    p == MAP_FAILED ? errno_name(errno) : "ok");
	return p;
}

CASE(mapping_shared)
{
	int fd = open(PATH, O_CREAT | O_RDWR | O_TRUNC, 0600);
	char *a, *b, *c, buf[16] = "";

	unlink(PATH);
	TRY(ftruncate(fd, 3 * 4096 + 10));
	a = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0, 16384);
	b = map(fd, PROT_READ, MAP_SHARED, 4096, 8192);
	c = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, 4096, 4096);
	strcpy(a + 4096, "shared");
	say("b %s", b);
	TRY(pread(fd, buf, 7, 4096));
	say("%s", buf);
	TRY(pwrite(fd, "WRITTEN", 7, 4100));
	say("a %s, b %s", a + 4096, b);
	strcpy(c, "mine");
	say("a %s", a + 4096);
	/* A file is written from its own mapping. */
	strcpy(a + 8192, "copy me");
	TRY(pwrite(fd, a + 8192, 7, 4096));
	say("b %s", b);
	TRY(mprotect(a + 4096, 4096, PROT_READ));
	TRY(munmap(a, 8192));
	say("rest %s", a + 8192);
	a = mremap(b, 8192, 12288, MREMAP_MAYMOVE);
	say("moved %s %s", a, a + 4096);
	TRY(msync(a, 4096, MS_SYNC));
	TRY(madvise(a, 4096, MADV_DONTNEED));
	say("again %s", a);
	close(fd);
	say("closed %s", a);
	TRY(munmap(a, 12288));
}

CASE(mapping_errors)
{
	int r, w, rw = open(PATH, O_CREAT | O_RDWR | O_TRUNC, 0600), p[2];

	write(rw, "hello", 5);
	r = open(PATH, O_RDONLY);
	w = open(PATH, O_WRONLY);
	unlink(PATH);
	map(r, PROT_READ, MAP_SHARED, 0, 4096);
	map(r, PROT_READ | PROT_WRITE, MAP_SHARED, 0, 4096);
	map(r, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, 4096);
	map(w, PROT_READ, MAP_SHARED, 0, 4096);
	map(w, PROT_WRITE, MAP_SHARED, 0, 4096);
	map(w, PROT_READ, MAP_PRIVATE, 0, 4096);
	map(rw, PROT_READ, MAP_SHARED, 100, 4096);
	map(rw, PROT_READ, MAP_SHARED, 0, 0);
	map(rw, PROT_READ, 0, 0, 4096);
	map(77, PROT_READ, MAP_SHARED, 0, 4096);
	pipe(p);
	map(p[0], PROT_READ, MAP_SHARED, 0, 4096);
	map(open("/dev/shm", O_RDONLY), PROT_READ, MAP_SHARED, 0, 4096);
	map(open("/dev/zero", O_RDWR), PROT_READ, MAP_SHARED, 0, 4096);
	map(open(PATH, O_PATH), PROT_READ, MAP_SHARED, 0, 4096);
}

CASE(mapping_private)
{
	int rw = open(PATH, O_CREAT | O_RDWR | O_TRUNC, 0600), r;
	char *a, *b, buf[16] = "";

	TRY(ftruncate(rw, 2 * 4096 + 10));
	TRY(pwrite(rw, "first", 5, 0));
	TRY(pwrite(rw, "second", 6, 4096));
	TRY(pwrite(rw, "end", 3, 8192));
	r = open(PATH, O_RDONLY);
	unlink(PATH);
	a = map(r, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, 3 * 4096);
	say("%s %s %s", a, a + 4096, a + 8192);
	strcpy(a + 4096, "mine");
	/* Into it from the kernel, to a page that was never touched. */
	b = map(r, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, 3 * 4096);
	TRY(pread(rw, b + 8192, 3, 4096));
	TRY(pread(rw, buf, 6, 4096));
	say("file %s, a %s, b %s %s", buf, a + 4096, b + 4096, b + 8192);
	TRY(mprotect(a, 3 * 4096, PROT_READ));
	TRY(mprotect(a, 3 * 4096, PROT_READ | PROT_WRITE));
	strcpy(a, "one");
	say("a %s %s", a, a + 4096);
	TRY(madvise(a, 3 * 4096, MADV_DONTNEED));
	say("again %s %s", a, a + 4096);
	say("behind the end %d %d", a[8192 + 10], a[3 * 4096 - 1]);
	TRY(pread(rw, buf, 6, 0));
	say("file %s", buf);
	TRY(munmap(a, 3 * 4096));
	say("b %s", b + 8192);
}

CASE(mapping_memfd)
{
	int fd = memfd_create("ring", 0);
	char *p;

	TRY(ftruncate(fd, 4096));
	/* The same page twice in a row: a ring buffer. */
	p = map(-1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 8192);
	mmap(p, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	mmap(p + 4096, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
	     fd, 0);
	memcpy(p + 4093, "abcdef", 6);
	say("%.3s", p);
	TRY(ftruncate(fd, 0));
	TRY(ftruncate(fd, 4096));
	TRY(munmap(p, 8192));
}

CASE(mapping_mlock)
{
	char *p = map(-1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      0, 12288);

	TRY(mlock(p + 5, 100));
	TRY(munlock(p, 12288));
	TRY(munmap(p + 4096, 4096));
	TRY(mlock(p, 12288));
	TRY(mlock(p, 4096));
	TRY(munlock(p, 12288));
	TRY(syscall(SYS_mlock2, p, 4096, 0));
	TRY(syscall(SYS_mlock2, p, 4096, 2));
	TRY(mlock(p, 0));
}

CASE(mapping_mincore)
{
	unsigned char in[4] = { 9, 9, 9, 9 };
	char *p = map(-1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      0, 3 * 4096);

	p[4096] = 1;
	TRY(mincore(p, 3 * 4096, in));
	say("%d%d%d%d", in[0] & 1, in[1] & 1, in[2] & 1, in[3]);
	TRY(mincore(p + 1, 4096, in));
	TRY(mincore(p, 4096, BAD_LOW));
	TRY(munmap(p + 4096, 4096));
	TRY(mincore(p, 3 * 4096, in));
	TRY(mincore(p, 0, in));
	TRY(mincore(BAD_KERNEL, 4096, in));
}

#define PAGE 4096l

static char *own(char *at, long len, int flags)
{
	return mmap(at, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static bool mapped(char *p)
{
	unsigned char vec;

	return mincore(p, PAGE, &vec) == 0;
}

CASE(mapping_moves)
{
	char *p = own(NULL, 8 * PAGE, 0), *q, *r;

	for (int i = 0; i < 8; i++)
		p[i * PAGE] = 'a' + i;
	/* Smaller: what is behind goes. Larger again: it is new. */
	TRY(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	say("%d %d %d", mapped(p + PAGE), mapped(p + 2 * PAGE),
	    mapped(p + 4 * PAGE));
	TRY(mremap(p, 2 * PAGE, 4 * PAGE, 0) == p);
	say("%c %c %d %d %c", p[0], p[PAGE], p[2 * PAGE], p[3 * PAGE],
	    p[4 * PAGE]);
	/* No room behind, and it must not move. */
	TRY((long)mremap(p, 2 * PAGE, 5 * PAGE, 0));
	TRY((long)mremap(p, 2 * PAGE, 5 * PAGE, MREMAP_FIXED, p));
	q = mremap(p, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	say("%c %c %c %d %d", q[0], q[PAGE], q[7 * PAGE], q[8 * PAGE],
	    q == p || !mapped(p));
	/* To a place of one's own, over what is there. */
	r = own(NULL, 4 * PAGE, 0);
	memset(r, 'r', 4 * PAGE);
	TRY(mremap(q, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, r)
	    == r);
	say("%c %c %d %c", r[0], r[PAGE], r[2 * PAGE], r[3 * PAGE]);
	say("%d %d", mapped(q), mapped(q + 2 * PAGE));
	TRY((long)mremap(r, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 r + PAGE));
	TRY((long)mremap(r, 3 * PAGE, 0, MREMAP_MAYMOVE));
	TRY((long)mremap(r, PAGE, 2 * PAGE, 64));
	munmap(r, 4 * PAGE);
	munmap(q, 16 * PAGE);
}

CASE(mapping_of_a_file_moves)
{
	int fd = memfd_create("m", 0);
	char *s, *t;

	ftruncate(fd, 4 * PAGE);
	pwrite(fd, "0", 1, 0);
	pwrite(fd, "1", 1, PAGE);
	pwrite(fd, "2", 1, 2 * PAGE);
	s = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	s[1] = 'x';
	t = own(NULL, 4 * PAGE, 0);
	TRY(mremap(s + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, t)
	    == t);
	say("%c %c, %d %d", t[0], t[PAGE], mapped(s + PAGE), mapped(s));
	t[PAGE] = 'y';
	say("%c", s[2 * PAGE]);
	munmap(s, 3 * PAGE);
	munmap(t, 4 * PAGE);
}

CASE(mapping_where)
{
	char *p = own(NULL, 8 * PAGE, 0), *q;

	/* A hint that can be followed is; one that cannot be is none. */
	munmap(p + 2 * PAGE, 2 * PAGE);
	TRY(own(p + 2 * PAGE, PAGE, 0) == p + 2 * PAGE);
	TRY(own(p + 3 * PAGE + 5, PAGE, 0) == p + 3 * PAGE);
	TRY(own(p + 2 * PAGE, PAGE, 0) == p + 2 * PAGE);
	TRY((long)own(p + 5, PAGE, MAP_FIXED));
	TRY((long)own(p, PAGE, MAP_FIXED_NOREPLACE));
	p[0] = 'p';
	TRY(own(p, PAGE, MAP_FIXED) == p);
	say("%d", p[0]);
	TRY((long)own(NULL, PAGE, MAP_HUGETLB));
	/* More than there is of everything. */
	TRY((long)own(NULL, 1l << 44, 0));
	TRY((long)own(NULL, -PAGE, 0));
	q = mmap(NULL, 1l << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	say("address space %d", q != MAP_FAILED);
	munmap(q, 1l << 40);
	munmap(p, 8 * PAGE);
}

CASE(mapping_heap)
{
	char *end = (char *)syscall(SYS_brk, 0), *to = end + 3 * PAGE;

	TRY((char *)syscall(SYS_brk, to) == to);
	memset(end, 'h', 3 * PAGE);
	TRY((char *)syscall(SYS_brk, end) == end);
	say("gone %d", !mapped((char *)(((long)end + 2 * PAGE) & -PAGE)));
	TRY((char *)syscall(SYS_brk, to) == to);
	say("new %d", to[-1]);
	/* What cannot be is no error: it stays where it is. */
	TRY((char *)syscall(SYS_brk, 1) == to);
	TRY((char *)syscall(SYS_brk, end + (1l << 44)) == to);
	TRY((char *)syscall(SYS_brk, end) == end);
}
