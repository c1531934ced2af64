/*
 * Keeps records: a client sends one byte for each it wants, and gets its
 * number back once the record is synced. So what it has been told must be
 * there after any crash. Says at the start what it finds, and makes files
 * come and go meanwhile, so that the disk has something to do.
 *
 * records DIR PORT; with CHECK=1 in the environment it only checks.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PER_FILE 40

static void die(const char *what)
{
	printf("records: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

static void file_name(char *name, unsigned int nr)
{
	sprintf(name, "records-%u", nr / PER_FILE);
}

/* A record: its number, and as much of a text as makes it hard to guess. */
static int record(char *buf, unsigned int nr)
{
	int n = sprintf(buf, "%u ", nr);

	for (unsigned int i = 0; i < nr % 97 * 3; i++)
		buf[n++] = (char)('a' + (nr * 7 + i) % 26);
	buf[n++] = '\n';
	return n;
}

/* How many whole records there are, in order; what is wrong ends it. */
static unsigned int check(void)
{
	unsigned int nr = 0;
	char name[40], want[512];

	for (;;) {
		FILE *f;

		file_name(name, nr);
		f = fopen(name, "r");
		if (!f)
			return nr;
		for (;;) {
			char got[512] = "";
			int n = record(want, nr);
			size_t have = fread(got, 1, (size_t)n, f);

			if (have == (size_t)n && !memcmp(got, want, have)) {
				nr++;
				continue;
			}
			/* The last one may be torn: nobody was told of it. */
			if (have && memcmp(got, want, have))
				printf("records: record %u of %s is wrong\n",
				       nr, name);
			fclose(f);
			if (nr % PER_FILE)
				return nr;
			break;
		}
		file_name(want, nr);
		if (!strcmp(want, name))
			return nr;
	}
}

/* Files that come, change names, grow, shrink and go. */
static void churn(unsigned int nr)
{
	char name[40], other[40];
	int fd;

	sprintf(name, "tmp-%u", nr % 7);
	sprintf(other, "dir-%u", nr % 3);
	if (nr % 5 == 0)
		mkdir(other, 0755);
	sprintf(other, "dir-%u/file-%u", nr % 3, nr % 11);
	fd = open(name, O_CREAT | O_WRONLY | O_APPEND, 0600);
	if (fd >= 0) {
		char buf[3000];

		memset(buf, (int)nr, sizeof(buf));
		if (write(fd, buf, sizeof(buf)) < 0)
			die("write");
		if (nr % 4 == 0 && ftruncate(fd, nr % 5000))
			die("ftruncate");
		close(fd);
	}
	if (nr % 3 == 0)
		rename(name, other);
	if (nr % 8 == 0)
		unlink(other);
	if (nr % 20 == 0)
		symlink(name, "link");
	if (nr % 20 == 10)
		unlink("link");
}

static void keep(unsigned int nr)
{
	static int fd = -1;
	char buf[512], name[40];
	int n = record(buf, nr);

	if (nr % PER_FILE == 0 && fd >= 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0) {
		file_name(name, nr);
		fd = open(name, O_CREAT | O_WRONLY | O_APPEND, 0600);
		/* A torn record at the end is nobody's. */
		if (fd < 0)
			die("open");
		if (nr % PER_FILE) {
			off_t end = 0;

			for (unsigned int i = nr - nr % PER_FILE; i < nr; i++)
				end += record((char[512]){ 0 }, i);
			if (ftruncate(fd, end))
				die("ftruncate");
		}
	}
	if (write(fd, buf, (size_t)n) != n)
		die("write");
	if (fsync(fd))
		die("fsync");
}

static int serve(int port, unsigned int nr)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((unsigned short)port) };
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 1, c;
	char byte;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (void *)&a, sizeof(a)) || listen(s, 5))
		die("listen");
	printf("records: listening on %d\n", port);
	fflush(stdout);
	while ((c = accept(s, NULL, NULL)) >= 0) {
		setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		while (read(c, &byte, 1) == 1) {
			if (byte == 'q')
				return 0;
			keep(nr);
			if (write(c, &nr, sizeof(nr)) != sizeof(nr))
				break;
			churn(nr++);
		}
		close(c);
	}
	return 1;
}

int main(int argc, char **argv)
{
	unsigned int nr;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || chdir(argv[1]))
		die("chdir");
	nr = check();
	printf("records: %u are there\n", nr);
	fflush(stdout);
	if (getenv("CHECK"))
		return 0;
	return serve(argc > 2 ? atoi(argv[2]) : 7777, nr);
}
