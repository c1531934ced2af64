/*
 * cable GUEST_FD TAP_FD SEED: the cable of the soak (tests/soak/soak.py). Peers
 * are told apart by the last number of their IPv4 address:
 *	200 to 239	lose, get twice, late or damaged a frame in a hundred
 *	250		what it sends comes a second time, with a few bytes
 *			changed, half of the time under a right checksum
 * and WILD frames a second come from nobody: SYNs of made-up peers, noise; not
 * from the start, but from every other SIGUSR1 to the next. At the end
 * (SIGTERM) it prints as JSON what it did. Frames are at most 1514 bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WILD		100	/* frames a second */
#define FRAME_MAX	2048
#define ETH		14
#define IP_TCP		6

struct way {
	int to;
	bool to_guest;
	uint8_t late[FRAME_MAX];
	size_t late_len;
};

static struct {
	unsigned long frames, lost, twice, late, damaged, mutated, syns, noise,
		full;
} did;

static volatile sig_atomic_t over, wild;
static uint8_t last[FRAME_MAX];		/* that went to the guest */
static size_t last_len;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

static void toggle(int sig)
{
	(void)sig;
	wild = !wild;
}

/* In so many of a hundred cases. */
static bool chance(unsigned int percent)
{
	return (unsigned int)(random() % 100) < percent;
}

static uint32_t add16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return len ? sum + ((uint32_t)p[0] << 8) : sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

/* Right checksums, where the lengths in the headers make any sense. */
static void mend(uint8_t *f, size_t len)
{
	uint8_t *ip = f + ETH, *tcp;
	size_t head = (size_t)(ip[0] & 15) * 4, total;

	if (len < ETH + 40 || f[12] != 8 || f[13] || head < 20)
		return;
	total = (size_t)ip[2] << 8 | ip[3];
	if (total > len - ETH || total < head + 20)
		return;
	ip[10] = ip[11] = 0;
	put_sum(ip + 10, add16(0, ip, head));
	if (ip[9] != IP_TCP)
		return;
	tcp = ip + head;
	tcp[16] = tcp[17] = 0;
	put_sum(tcp + 16, add16((uint32_t)(total - head) + IP_TCP +
				add16(0, ip + 12, 8), tcp, total - head));
}

static void send_frame(int to, const uint8_t *f, size_t len)
{
	if (write(to, f, len) >= 0)
		return;
	if (errno != EAGAIN && errno != ENOBUFS && errno != EINVAL)
		over = 1;
	did.full++;
}

/* The other side's last number; -1 if that is no IPv4. */
static int peer(const uint8_t *f, size_t len, bool to_guest)
{
	if (len < ETH + 20 || f[12] != 8 || f[13])
		return -1;
	return f[ETH + (to_guest ? 15 : 19)];
}

/*
 * Under a right checksum nothing changes that two ends must agree on, or the
 * connection would hang for good, rightly: not the numbers, the window, the
 * options, where data begins, nor that there is no FIN.
 */
static void change_mended(uint8_t *f, size_t len)
{
	static const uint8_t after[] = { 47, 52, 53 };
	size_t at = 12 + (size_t)random() % (26 + sizeof(after));

	if (at >= 38)
		at = after[at - 38];
	if (at < len)
		f[at] = (uint8_t)(random() & (at == 47 ? 0xfe : 0xff));
}

static void send_changed(int to, const uint8_t *f, size_t len)
{
	uint8_t copy[FRAME_MAX];
	size_t n = 1 + (size_t)random() % 4;
	size_t reach = len < 80 ? len : 80;
	bool mended = chance(50);

	memcpy(copy, f, len);
	while (n--)
		if (mended)
			change_mended(copy, len);
		else
			copy[12 + (size_t)random() % (reach - 12)] ^=
				(uint8_t)(1 + random() % 255);
	if (mended)
		mend(copy, len);
	else if (chance(20))
		len = ETH + (size_t)random() % (len - ETH);
	send_frame(to, copy, len);
	did.mutated++;
}

static void send_badly(struct way *w, uint8_t *f, size_t len)
{
	if (chance(1)) {
		did.lost++;
		return;
	}
	if (chance(1) && !w->late_len) {
		memcpy(w->late, f, len);
		w->late_len = len;
		did.late++;
		return;
	}
	if (chance(1)) {
		f[ETH + 20 + (size_t)random() % (len - ETH - 20)] ^= 1;
		did.damaged++;
	}
	send_frame(w->to, f, len);
	if (chance(1)) {
		send_frame(w->to, f, len);
		did.twice++;
	}
	if (w->late_len) {
		send_frame(w->to, w->late, w->late_len);
		w->late_len = 0;
	}
}

static void pass(struct way *w, int from)
{
	uint8_t f[FRAME_MAX];
	ssize_t len = read(from, f, sizeof(f));
	int who;

	if (len < ETH) {
		over |= len < 0 && errno != EAGAIN && errno != EINTR;
		return;
	}
	did.frames++;
	who = peer(f, (size_t)len, w->to_guest);
	if (w->to_guest) {
		memcpy(last, f, (size_t)len);
		last_len = (size_t)len;
	}
	if (who >= 200 && who < 240 && len > ETH + 20) {
		send_badly(w, f, (size_t)len);
		return;
	}
	send_frame(w->to, f, (size_t)len);
	if (who == 250 && w->to_guest)
		send_changed(w->to, f, (size_t)len);
}

/* From nobody: the addresses below Ethernet of the last frame, made-up ones. */
static void send_syn(int to)
{
	static const uint8_t head[] = {
		8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, IP_TCP, 0, 0,
		10, 8, 0, 0, 10, 8, 0, 2, 0, 0, 7777 >> 8, 7777 & 255,
		0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0x40, 0, 0, 0, 0, 0,
	};
	uint8_t f[ETH + 40];

	memcpy(f, last, 12);
	memcpy(f + 12, head, sizeof(head));
	f[ETH + 15] = (uint8_t)(100 + random() % 100);
	for (int i = 0; i < 8; i++)
		f[ETH + (i < 2 ? 20 : 22) + i] = (uint8_t)random();
	f[ETH + 22] = 7777 >> 8;
	f[ETH + 23] = 7777 & 255;
	mend(f, sizeof(f));
	send_frame(to, f, sizeof(f));
	did.syns++;
}

static void send_noise(int to)
{
	uint8_t f[256];
	size_t len = ETH + (size_t)random() % (sizeof(f) - ETH);

	for (size_t i = 0; i < len; i++)
		f[i] = (uint8_t)random();
	memcpy(f, last, 12 + (size_t)random() % 3);
	send_frame(to, f, len);
	did.noise++;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	static struct way to_tap, to_guest = { .to_guest = true };
	struct sigaction action = { .sa_handler = end };
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	long long next = now_ms();

	if (argc != 4) {
		fprintf(stderr, "cable GUEST_FD TAP_FD SEED\n");
		return 1;
	}
	p[0].fd = to_guest.to = atoi(argv[1]);
	p[1].fd = to_tap.to = atoi(argv[2]);
	srandom((unsigned int)atoi(argv[3]));
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = toggle;
	sigaction(SIGUSR1, &action, NULL);
	puts("ready");
	fflush(stdout);
	while (!over) {
		if (poll(p, 2, 1000 / WILD) < 0 && errno != EINTR)
			return 1;
		if (p[0].revents)
			pass(&to_tap, p[0].fd);
		if (p[1].revents)
			pass(&to_guest, p[1].fd);
		if (now_ms() >= next && last_len) {
			next = now_ms() + 1000 / WILD;
			if (!wild)
				continue;
			if (chance(50))
				send_syn(to_guest.to);
			else
				send_noise(to_guest.to);
		}
	}
	printf("{\"frames\": %lu, \"lost\": %lu, \"twice\": %lu, \"late\": %lu, "
	       "\"damaged\": %lu, \"mutated\": %lu, \"syns\": %lu, "
	       "\"noise\": %lu, \"full\": %lu}\n", did.frames, did.lost,
	       did.twice, did.late, did.damaged, did.mutated, did.syns,
	       did.noise, did.full);
	return 0;
}
