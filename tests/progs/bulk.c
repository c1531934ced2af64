/*
 * Sends MiBs of a pattern to each connection, in the way that it asks for by
 * "<way> <MiBs>\n": w write, t sendfile from the tmpfs, a from the archive,
 * h from a file with a hole, z MSG_ZEROCOPY, and says how it went.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MB (1u << 20)
#define HOLE 65536u
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

struct note {
	uint32_t err;
	uint8_t origin, type, code, pad;
	uint32_t first, last;
};

static char data[MB] __attribute__((aligned(4096)));

/* A file with the pattern from byte @from on. */
static int pattern_file(const char *path, off_t from)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, MB) ||
	    pwrite(fd, data + from, MB - from, from) != MB - from) {
		perror(path);
		exit(1);
	}
	return fd;
}

static int send_file(int s, int fd)
{
	off_t pos = 0;

	while (pos < MB) {
		if (sendfile(s, fd, &pos, MB - pos) <= 0)
			return -1;
	}
	return 0;
}

static int send_memory(int s, int flags, unsigned int *calls)
{
	ssize_t n;

	for (size_t done = 0; done < MB; done += (size_t)n) {
		n = send(s, data + done, MB - done, flags);
		if (n <= 0)
			return -1;
		(*calls)++;
	}
	return 0;
}

/* Waits until all @calls are told of; how many were copied after all. */
static int take_notes(int s, unsigned int calls)
{
	unsigned int next = 0, copied = 0;

	while (next < calls) {
		char control[128];
		struct msghdr m = {
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct pollfd p = { .fd = s };
		struct note n;

		if (recvmsg(s, &m, MSG_ERRQUEUE) < 0) {
			if (errno != EAGAIN || poll(&p, 1, 20000) != 1 ||
			    !(p.revents & POLLERR))
				return -1;
			continue;
		}
		memcpy(&n, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(n));
		if (n.err || n.origin != 5 || n.first != next || n.last < next)
			return -1;
		next = n.last + 1;
		if (n.code)
			copied += n.last - n.first + 1;
	}
	return (int)copied;
}

static void serve(int s)
{
	int tmp = pattern_file("/tmp/pattern", 0);
	int holed = pattern_file("/tmp/holed", HOLE);
	int archive = open("/pattern", O_RDONLY);
	unsigned int calls = 0, mbs;
	char ask[32] = "", way;
	int one = 1, err = 0, copied = 0;

	if (read(s, ask, sizeof(ask) - 1) <= 0 ||
	    sscanf(ask, "%c %u", &way, &mbs) != 2)
		return;
	if (way == 'z')
		err = setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	for (unsigned int i = 0; i < mbs && !err; i++) {
		if (way == 't' || way == 'a' || way == 'h')
			err = send_file(s, way == 't' ? tmp :
					way == 'a' ? archive : holed);
		else
			err = send_memory(s, way == 'z' ? MSG_ZEROCOPY : 0,
					  &calls);
	}
	if (way == 'z' && !err)
		copied = take_notes(s, calls);
	printf("bulk: %c %u: %s, %d copied\n", way, mbs,
	       err || copied < 0 ? "failed" : "done", copied);
	fflush(stdout);
	close(tmp);
	close(holed);
	close(archive);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(argc > 1 ? atoi(argv[1]) : 7777),
	};
	int l = socket(AF_INET, SOCK_STREAM, 0);

	for (uint32_t i = 0; i < MB; i++)
		data[i] = (char)(i * 7 + (i >> 8));
	if (bind(l, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(l, 16) < 0) {
		perror("bulk");
		return 1;
	}
	puts("bulk: listening on 7777");
	fflush(stdout);
	for (;;) {
		int s = accept(l, NULL, NULL);

		serve(s);
		close(s);
	}
}
