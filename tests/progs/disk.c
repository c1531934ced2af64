/*
 * Hard days of a disk, in the directory it is given:
 *   fill   writes until there is no room, and goes on after making some;
 *   walk   reads all there is and changes a bit of it, whatever the errors;
 *   specials  makes a FIFO, a socket, a device;
 *   leave  writes without a sync, and exits; die: and is killed;
 *   wait   the same, and waits for a signal.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char buf[65536];

static int fill(void)
{
	long n, total = 0;
	int fd = open("full", O_CREAT | O_WRONLY, 0600), small = 0;
	char name[32];

	while ((n = write(fd, buf, sizeof(buf))) > 0)
		total += n;
	printf("full after %s: %s\n", total > 100000 ? "much" : "little",
	       n < 0 && errno == ENOSPC ? "ENOSPC" : strerror(errno));
	printf("fsync %d\n", fsync(fd));
	for (;; small++) {
		sprintf(name, "small-%d", small);
		if (mkdir(name, 0755))
			break;
	}
	printf("mkdir: %s\n", errno == ENOSPC ? "ENOSPC" : strerror(errno));
	while (small--) {
		sprintf(name, "small-%d", small);
		if (rmdir(name))
			printf("rmdir %s: %s\n", name, strerror(errno));
	}
	printf("ftruncate %d\n", ftruncate(fd, 1000));
	/* What was given up can be had at once. */
	printf("write %ld\n", (long)pwrite(fd, buf, sizeof(buf), 0));
	printf("unlink %d\n", unlink("full"));
	close(fd);
	fd = open("full", O_CREAT | O_WRONLY, 0600);
	printf("again %ld\n", (long)write(fd, buf, sizeof(buf)));
	return 0;
}

static int files, errors;

static void walk(const char *path, int depth)
{
	char name[4096];
	struct dirent *e;
	struct stat st;
	DIR *d;
	int fd;

	files++;
	if (lstat(path, &st)) {
		errors++;
		return;
	}
	if (S_ISLNK(st.st_mode) && readlink(path, buf, sizeof(buf)) < 0)
		errors++;
	if (S_ISREG(st.st_mode)) {
		long total = 0, n = -1;

		fd = open(path, O_RDWR);
		while (fd >= 0 && total < 1 << 22 &&
		       (n = read(fd, buf, sizeof(buf))) > 0)
			total += n;
		if (n < 0 || pwrite(fd, "x", 1, st.st_size / 2) < 0 ||
		    ftruncate(fd, st.st_size / 3))
			errors++;
		close(fd);
		snprintf(name, sizeof(name), "%s-2", path);
		if (files % 3 == 0 && rename(path, name))
			errors++;
		if (files % 3 == 1 && unlink(path))
			errors++;
	}
	if (!S_ISDIR(st.st_mode) || depth > 8 || files > 3000)
		return;
	d = opendir(path);
	if (!d) {
		errors++;
		return;
	}
	while (files < 3000 && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		walk(name, depth + 1);
	}
	closedir(d);
	snprintf(name, sizeof(name), "%s/new-%d", path, files);
	fd = open(name, O_CREAT | O_RDWR, 0600);
	if (fd < 0 || write(fd, buf, 5000) != 5000 || fsync(fd))
		errors++;
	close(fd);
	if (mkdir(strcat(name, "-d"), 0700))
		errors++;
}

/* Names of things that are no files. */
static int specials(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), r, w;

	printf("mkfifo %d\n", mkfifo("fifo", 0600));
	r = open("fifo", O_RDONLY | O_NONBLOCK);
	w = open("fifo", O_WRONLY | O_NONBLOCK);
	printf("write %ld\n", (long)write(w, "hi", 2));
	printf("read %ld\n", (long)read(r, buf, 9));
	printf("bind %d\n", bind(s, (void *)&a, sizeof(a)));
	listen(s, 1);
	printf("connect %d\n", connect(socket(AF_UNIX, SOCK_STREAM, 0),
					(void *)&a, sizeof(a)));
	printf("bind %d\n", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a,
				 sizeof(a)));
	printf("mknod %d\n", mknod("null", S_IFCHR | 0666, 0x103));
	printf("read %ld\n", (long)read(open("null", O_RDWR), buf, 9));
	return 0;
}

static int leave(const char *how)
{
	int fd = open("left", O_CREAT | O_WRONLY, 0600);

	printf("write %ld\n", (long)write(fd, "not synced", 10));
	fflush(stdout);
	if (!strcmp(how, "die"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how, "wait"))
		pause();
	return 3;
}

int main(int argc, char **argv)
{
	int ret = 0;

	if (argc < 3 || chdir(argv[1])) {
		perror("chdir");
		return 1;
	}
	printf("--- begin\n");
	if (!strcmp(argv[2], "fill")) {
		ret = fill();
	} else if (!strcmp(argv[2], "specials")) {
		ret = specials();
	} else if (!strcmp(argv[2], "walk")) {
		walk(".", 0);
		printf("walked %d, %d errors\n", files, errors);
	} else {
		return leave(argv[2]);
	}
	printf("--- end\n");
	return ret;
}
