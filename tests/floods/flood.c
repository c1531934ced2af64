/*
 * Floods for tests/e2e/test_floods.py, from inside its namespace:
 *
 *	flood IFNAME GUEST-MAC GUEST-IP PORT KIND COUNT RATE [VICTIM-IP PORT]
 *
 * KIND is syn, rst, ack: so many segments from addresses nobody has; every
 * second RST and ACK is for the victim's connection, with numbers out of the
 * air. syn-end resets what syn has begun. hoard: so many connections, each
 * with 60 segments behind a hole that is never filled; on end of input it
 * resets them. loris, reader: so many connections of this kernel that send a
 * request in bits, or ask again and again and never read; on end of input
 * they are closed. RATE is frames a second. Says "there" when it has begun to
 * hold what it holds, "done" at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ADDR_FIRST	0x0a640001u	/* 10.100.0.1 and up: nobody */
#define PORT_FIRST	10000u
#define PORTS		50000u
#define HOARDED		60u
#define SEGMENT		1000u

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
	unsigned char data[SEGMENT];
} __attribute__((packed));

struct flood {
	int fd;
	unsigned char mac[6], guest_mac[6];
	struct in_addr guest;
	uint16_t port;
	uint32_t count, rate;
	struct in_addr victim;
	uint16_t victim_port;
	uint64_t begun, sent;
	uint64_t random;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t draw(struct flood *f)
{
	f->random = f->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(f->random >> 32);
}

static uint32_t sum16(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Not before its time; what a full queue refuses is lost. */
static void pace(struct flood *f)
{
	uint64_t due = f->begun + f->sent++ * 1000000000u / f->rate;
	uint64_t now = now_ns();
	struct timespec t = { 0 };

	if (due > now + 1000000) {
		t.tv_nsec = (long)(due - now);
		nanosleep(&t, NULL);
	}
}

static void send_segment(struct flood *f, uint32_t saddr, uint16_t sport,
			 uint32_t seq, uint32_t ack, uint8_t flags,
			 uint32_t len)
{
	static struct frame fr;
	uint32_t tcp_len = (uint32_t)sizeof(fr.tcp) + len;

	memcpy(fr.eth.ether_dhost, f->guest_mac, 6);
	memcpy(fr.eth.ether_shost, f->mac, 6);
	fr.eth.ether_type = htons(ETHERTYPE_IP);
	fr.ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.tot_len = htons((uint16_t)(sizeof(fr.ip) + tcp_len)),
		.saddr = htonl(saddr), .daddr = f->guest.s_addr,
	};
	fr.ip.check = fold(sum16(&fr.ip, sizeof(fr.ip)));
	fr.tcp = (struct tcphdr){
		.source = htons(sport), .dest = htons(f->port),
		.seq = htonl(seq), .ack_seq = htonl(ack), .doff = 5,
		.window = htons(8192),
	};
	fr.tcp.th_flags = flags;
	fr.tcp.check = fold(sum16(&fr.ip.saddr, 8) + IPPROTO_TCP + tcp_len +
			    sum16(&fr.tcp, tcp_len));
	pace(f);
	if (write(f->fd, &fr, sizeof(fr) - sizeof(fr.data) + len) < 0 &&
	    errno != ENOBUFS && errno != EAGAIN)
		perror("flood: write");
}

static uint32_t addr_of(uint32_t n)
{
	return ADDR_FIRST + n / PORTS;
}

static uint16_t port_of(uint32_t n)
{
	return (uint16_t)(PORT_FIRST + n % PORTS);
}

static uint32_t iss_of(uint32_t n)
{
	return n * 2246822519u + 12345;
}

static void syns(struct flood *f, uint8_t flags, uint32_t more)
{
	for (uint32_t n = 0; n < f->count; n++)
		send_segment(f, addr_of(n), port_of(n), iss_of(n) + more, 0,
			     flags, 0);
}

static void storm(struct flood *f, uint8_t flags)
{
	for (uint32_t n = 0; n < f->count; n++) {
		if (n & 1)
			send_segment(f, ntohl(f->victim.s_addr),
				     f->victim_port, draw(f), draw(f), flags,
				     0);
		else
			send_segment(f, addr_of(n), port_of(n), draw(f),
				     draw(f), flags, 0);
	}
}

/* The acknowledgement number for each connection, from the SYN-ACKs. */
static void learn(struct flood *f, uint32_t *theirs, uint64_t ms)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	uint64_t end = now_ns() + ms * 1000000;
	struct frame fr;
	uint32_t n;

	for (;;) {
		if (recv(f->fd, &fr, sizeof(fr), MSG_DONTWAIT) <= 0) {
			if (now_ns() >= end)
				return;
			poll(&p, 1, 10);
			continue;
		}
		n = (ntohl(fr.ip.daddr) - ADDR_FIRST) * PORTS +
		    ntohs(fr.tcp.dest) - PORT_FIRST;
		if (fr.eth.ether_type != htons(ETHERTYPE_IP) ||
		    fr.ip.protocol != IPPROTO_TCP || n >= f->count ||
		    (fr.tcp.th_flags & (SYN | ACK)) != (SYN | ACK))
			continue;
		theirs[n] = ntohl(fr.tcp.seq) + 1;
		send_segment(f, addr_of(n), port_of(n), iss_of(n) + 1,
			     theirs[n], ACK, 0);
	}
}

static void until_end_of_input(struct flood *f)
{
	char c;

	printf("there\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	/* The end goes at the same rate. */
	f->begun = now_ns();
	f->sent = 0;
}

static void hoard(struct flood *f)
{
	uint32_t *theirs = calloc(f->count, sizeof(*theirs));

	for (int tries = 0; tries < 5; tries++) {
		for (uint32_t n = 0; n < f->count; n++) {
			if (!theirs[n])
				send_segment(f, addr_of(n), port_of(n),
					     iss_of(n), 0, SYN, 0);
			learn(f, theirs, 0);
		}
		learn(f, theirs, 300);
	}
	for (uint32_t i = 1; i <= HOARDED; i++) {
		for (uint32_t n = 0; n < f->count; n++)
			send_segment(f, addr_of(n), port_of(n),
				     iss_of(n) + 1 + i * SEGMENT, theirs[n],
				     ACK, SEGMENT);
	}
	until_end_of_input(f);
	/* Twice: the first ones may get lost. */
	for (int tries = 0; tries < 2; tries++) {
		for (uint32_t n = 0; n < f->count; n++)
			send_segment(f, addr_of(n), port_of(n), iss_of(n) + 1,
				     0, RST, 0);
	}
	free(theirs);
}

static int slow_connection(const struct flood *f, bool reader)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = f->guest,
				  .sin_port = htons(f->port) };
	int s = socket(AF_INET, SOCK_STREAM, 0), small = 2048;

	if (reader)
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("flood: connect");
		exit(1);
	}
	fcntl(s, F_SETFL, O_NONBLOCK);
	return s;
}

/* A byte of a request, or whole ones whose answers nobody takes. */
static void slow(struct flood *f, bool reader)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: slow\r\n\r\n";
	struct rlimit files = { f->count + 100, f->count + 100 };
	int *fd = calloc(f->count, sizeof(*fd));

	setrlimit(RLIMIT_NOFILE, &files);
	for (uint32_t n = 0; n < f->count; n++) {
		pace(f);
		fd[n] = slow_connection(f, reader);
	}
	for (uint32_t i = 0; i < 10; i++) {
		for (uint32_t n = 0; n < f->count; n++) {
			const char *p = reader ? request : request + i;

			pace(f);
			if (send(fd[n], p, reader ? sizeof(request) - 1 : 1,
				 MSG_NOSIGNAL) < 0 && errno != EAGAIN)
				perror("flood: send");
		}
	}
	until_end_of_input(f);
	for (uint32_t n = 0; n < f->count; n++) {
		pace(f);
		close(fd[n]);
	}
	free(fd);
}

static bool run(struct flood *f, const char *kind)
{
	f->begun = now_ns();
	if (!strcmp(kind, "syn"))
		syns(f, SYN, 0);
	else if (!strcmp(kind, "syn-end"))
		syns(f, RST, 1);
	else if (!strcmp(kind, "rst"))
		storm(f, RST);
	else if (!strcmp(kind, "ack"))
		storm(f, ACK);
	else if (!strcmp(kind, "hoard"))
		hoard(f);
	else if (!strcmp(kind, "loris") || !strcmp(kind, "reader"))
		slow(f, kind[0] == 'r');
	else
		return false;
	printf("done\n");
	return true;
}

int main(int argc, char **argv)
{
	struct flood f = { .random = 1 };
	struct ifreq ifr = { 0 };
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_IP) };

	if (argc < 8) {
		fprintf(stderr, "flood: its source says how\n");
		return 2;
	}
	sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &f.guest_mac[0],
	       &f.guest_mac[1], &f.guest_mac[2], &f.guest_mac[3],
	       &f.guest_mac[4], &f.guest_mac[5]);
	inet_aton(argv[3], &f.guest);
	f.port = (uint16_t)atoi(argv[4]);
	f.count = (uint32_t)atoi(argv[6]);
	f.rate = (uint32_t)atoi(argv[7]);
	if (argc > 9) {
		inet_aton(argv[8], &f.victim);
		f.victim_port = (uint16_t)atoi(argv[9]);
	}
	f.fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[1]);
	at.sll_ifindex = ioctl(f.fd, SIOCGIFINDEX, &ifr) ? 0 : ifr.ifr_ifindex;
	if (ioctl(f.fd, SIOCGIFHWADDR, &ifr) ||
	    bind(f.fd, (struct sockaddr *)&at, sizeof(at))) {
		perror("flood: packet socket");
		return 1;
	}
	memcpy(f.mac, ifr.ifr_hwaddr.sa_data, 6);
	return run(&f, argv[5]) ? 0 : 2;
}
