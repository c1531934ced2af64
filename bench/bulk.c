/*
 * bulk: the server of bench/links.py, in both guests. A request is a line on a
 * connection of its own: "get N" sends N bytes of the pattern; "put N" takes N
 * bytes of it and answers "ok", or "bad" if one was wrong. Congestion control
 * is the word given, cubic without one.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A prime, so that the period fits no segment, buffer or page. */
#define PERIOD	65521
#define PORT	7777

static char pattern[2 * PERIOD];

static void fill_pattern(void)
{
	uint32_t x = 1;

	for (int i = 0; i < PERIOD; i++) {
		x = x * 1664525 + 1013904223;
		pattern[i] = pattern[i + PERIOD] = (char)(x >> 24);
	}
}

static void get(int s, long n)
{
	for (long at = 0; at < n;) {
		long want = n - at < PERIOD ? n - at : PERIOD;
		ssize_t done = write(s, pattern + at % PERIOD, (size_t)want);

		if (done <= 0)
			return;
		at += done;
	}
}

static void put(int s, long n)
{
	static char buf[PERIOD];
	bool good = true;

	for (long at = 0; at < n;) {
		ssize_t got = read(s, buf, sizeof(buf));

		if (got <= 0)
			return;
		good = good && !memcmp(buf, pattern + at % PERIOD, (size_t)got);
		at += got;
	}
	if (write(s, good ? "ok\n" : "bad\n", good ? 3 : 4) < 0)
		perror("bulk: write");
}

/* On the console, for whoever asks why it was slow. */
static void report(int s)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof(info);

	getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &n);
	printf("bulk: sent again %u, cwnd %u, ssthresh %d, srtt %u us, "
	       "rto %u us\n", info.tcpi_total_retrans, info.tcpi_snd_cwnd,
	       (int)info.tcpi_snd_ssthresh, info.tcpi_rtt, info.tcpi_rto);
	fflush(stdout);
}

static void serve(int s)
{
	char line[32];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(s, line + n, 1) == 1 &&
	       line[n] != '\n')
		n++;
	line[n] = '\0';
	if (!strncmp(line, "get ", 4))
		get(s, atol(line + 4));
	else if (!strncmp(line, "put ", 4))
		put(s, atol(line + 4));
	shutdown(s, SHUT_WR);
	/* The peer closes first, so that a close() resets nothing. */
	while (read(s, line, sizeof(line)) > 0)
		;
	if (line[0])
		report(s);
	close(s);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(PORT) };
	const char *cong = argc > 1 ? argv[1] : "cubic";
	int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	fill_pattern();
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(l, IPPROTO_TCP, TCP_CONGESTION, cong, strlen(cong)) ||
	    bind(l, (struct sockaddr *)&at, sizeof(at)) || listen(l, 8)) {
		perror("bulk");
		return 1;
	}
	printf("bulk: listening on port %d\n", PORT);
	fflush(stdout);
	for (;;) {
		int s = accept(l, NULL, NULL);

		if (s >= 0)
			serve(s);
	}
}
