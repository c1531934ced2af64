/*
 * million: very many connections to an echo server, without a kernel socket
 * for any of them: TCP is spoken here, in raw frames on a TAP's interface.
 *	million IFNAME GUEST-MAC GUEST-IP PORT WINDOW
 * Reads commands from standard input, prints a JSON line after each:
 *	open N		connections at once N, each echoes one message
 *	echo SPAN N	N messages on SPAN connections drawn at random
 *	close		closes all, without a TIME-WAIT left in the guest
 * No more than WINDOW connections have something under way; every echoed byte
 * is checked; what gets no answer in time is sent again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH		64	/* frames for each system call */
#define FRAME_MAX	2048
#define MESSAGE		64u	/* bytes of each echo */
#define WINDOW_MAX	4096
#define PORTS		1000u	/* connections from each address */
#define PORT_FIRST	10000u
#define ADDR_FIRST	0x0a640001u	/* 10.100.0.1 and up: routed */
#define CONNS_MAX	16000000u
#define RTO_NS		1000000000ull
#define GIVE_UP		20	/* tries */
#define NS		1e9

enum state { CLOSED, SYN_SENT, IDLE, ECHOING, CLOSING };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* All that a connection costs us. */
struct conn {
	uint32_t snd_una;	/* all before is acknowledged */
	uint32_t rcv_nxt;
	uint32_t ts_recent;	/* RFC 7323 */
	uint16_t flight;	/* its entry there, unless idle or closed */
	uint8_t state;
	uint8_t count;		/* messages so far: no two are alike */
};

/* Something under way: a handshake, a message or the end. */
struct flight {
	uint32_t conn;
	uint32_t got;		/* bytes of the echo */
	uint32_t tries;
	uint64_t begun, sent;	/* ns */
};

/* As they go to the device: the kernel finishes no checksum of ours. */
struct frame {
	struct virtio_net_hdr vnet;
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
	unsigned char rest[20 + MESSAGE];
} __attribute__((packed));

struct phase {
	const char *name;
	uint32_t total, begun, done;
	uint64_t start, told;	/* ns */
	uint64_t slowest, sum;	/* ns */
	uint64_t resent;
};

struct client {
	int fd;
	unsigned char mac[6], guest_mac[6];
	uint32_t guest_ip;	/* network order */
	uint16_t port;
	uint32_t window;	/* the most under way at once */
	uint32_t allowed;	/* grows up to it */
	uint32_t nr_conns;
	struct conn *conn;
	struct flight flight[WINDOW_MAX];
	uint32_t nr_flight;
	uint32_t *hot, nr_hot;	/* those that echo again */
	struct phase phase;
	uint64_t now;		/* ns, once for each batch */
	uint32_t nr_out;
	struct frame out[BATCH];
	size_t out_len[BATCH];
};

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "million: %s: %s\n", what,
		errno ? strerror(errno) : "see above");
	exit(1);
}

/* Wrong behaviour of the guest: which connection, and what. */
static void wrong(const struct client *cl, uint32_t n, const char *what)
{
	fprintf(stderr, "\nmillion: connection %u (state %d, message %d) of "
		"%u: %s\n", n, cl->conn[n].state, cl->conn[n].count,
		cl->nr_conns, what);
	exit(1);
}

static unsigned char byte_at(uint32_t n, uint8_t count, uint32_t i)
{
	return (n * 2654435761u >> 24) + count * 57 + i * 31;
}

static uint32_t first_seq(uint32_t n)
{
	return n * 2246822519u + 12345;
}

/* ---- Frames out ---------------------------------------------------------- */

static void flush(struct client *cl)
{
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	uint32_t sent = 0;

	memset(msg, 0, sizeof(msg));
	for (uint32_t i = 0; i < cl->nr_out; i++) {
		iov[i] = (struct iovec){ &cl->out[i], cl->out_len[i] };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < cl->nr_out) {
		int n = sendmmsg(cl->fd, msg + sent, cl->nr_out - sent, 0);

		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			die("sendmmsg");
		/* What the queue refuses is lost, as on any wire. */
		sent += n > 0 ? n : 1;
	}
	cl->nr_out = 0;
}

static uint32_t sum16(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(sum);
}

/* The options of @flags into @at; returns their length. */
static uint32_t put_options(unsigned char *at, uint8_t flags, uint32_t ms,
			    uint32_t echo)
{
	static const unsigned char syn[8] = { 2, 4, 1460 >> 8, 1460 & 255,
					      4, 2, 8, 10 };
	static const unsigned char scale[4] = { 1, 3, 3, 7 };
	static const unsigned char stamp[4] = { 1, 1, 8, 10 };
	uint32_t len = flags & SYN ? sizeof(syn) : sizeof(stamp);

	memcpy(at, flags & SYN ? syn : stamp, len);
	ms = htonl(ms);
	echo = htonl(echo);
	memcpy(at + len, &ms, 4);
	memcpy(at + len + 4, &echo, 4);
	len += 8;
	if (flags & SYN) {
		memcpy(at + len, scale, sizeof(scale));
		len += sizeof(scale);
	}
	return len;
}

static void put_ip(const struct client *cl, struct frame *f, uint32_t n,
		   uint32_t len)
{
	f->ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.tot_len = htons(len), .frag_off = htons(IP_DF),
		.saddr = htonl(ADDR_FIRST + n / PORTS),
		.daddr = cl->guest_ip,
	};
	f->ip.check = ~fold(sum16(&f->ip, sizeof(f->ip)));
}

/* The checksum is left to whoever needs it: only what it starts from. */
static void put_checksum(struct frame *f, uint32_t tcp_len)
{
	f->vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = sizeof(f->eth) + sizeof(f->ip),
		.csum_offset = offsetof(struct tcphdr, check),
	};
	/* The two addresses end the IP header. */
	f->tcp.check = fold(sum16((char *)&f->tcp - 8, 8) + IPPROTO_TCP +
			    tcp_len);
}

/* A segment of connection @n at @seq; with the message if it is PSH. */
static void send_segment(struct client *cl, uint32_t n, uint32_t seq,
			 uint8_t flags)
{
	const struct conn *c = &cl->conn[n];
	struct frame *f = &cl->out[cl->nr_out];
	uint32_t opts = put_options(f->rest, flags, cl->now / 1000000,
				    c->ts_recent);
	uint32_t data = flags & PSH ? MESSAGE : 0;
	uint32_t tcp_len = sizeof(f->tcp) + opts + data;

	memcpy(f->eth.h_dest, cl->guest_mac, ETH_ALEN);
	memcpy(f->eth.h_source, cl->mac, ETH_ALEN);
	f->eth.h_proto = htons(ETH_P_IP);
	put_ip(cl, f, n, sizeof(f->ip) + tcp_len);
	f->tcp = (struct tcphdr){
		.source = htons(PORT_FIRST + n % PORTS),
		.dest = htons(cl->port), .seq = htonl(seq),
		.ack_seq = flags & ACK ? htonl(c->rcv_nxt) : 0,
		.doff = (sizeof(f->tcp) + opts) / 4, .window = htons(8192),
	};
	f->tcp.th_flags = flags;
	for (uint32_t i = 0; i < data; i++)
		f->rest[opts + i] = byte_at(n, c->count, i);
	put_checksum(f, tcp_len);
	cl->out_len[cl->nr_out++] = sizeof(*f) - sizeof(f->rest) + opts + data;
	if (cl->nr_out == BATCH)
		flush(cl);
}

/* ---- What is under way --------------------------------------------------- */

/* What the state of connection @n has to send, now or again. */
static void send_state(struct client *cl, uint32_t n)
{
	static const uint8_t flags[] = {
		[SYN_SENT] = SYN, [ECHOING] = PSH | ACK, [CLOSING] = FIN | ACK,
	};
	struct conn *c = &cl->conn[n];

	cl->flight[c->flight].sent = cl->now;
	send_segment(cl, n, c->snd_una, flags[c->state]);
}

static void begin(struct client *cl, uint32_t n, enum state state)
{
	struct conn *c = &cl->conn[n];

	c->flight = cl->nr_flight;
	cl->flight[cl->nr_flight++] = (struct flight){
		.conn = n, .begun = cl->now,
	};
	cl->phase.begun++;
	c->state = state;
	send_state(cl, n);
}

static void finish(struct client *cl, uint32_t n, enum state state)
{
	struct conn *c = &cl->conn[n];
	struct flight *f = &cl->flight[c->flight];
	uint64_t took = cl->now - f->begun;

	cl->phase.done++;
	cl->phase.sum += took;
	if (took > cl->phase.slowest)
		cl->phase.slowest = took;
	*f = cl->flight[--cl->nr_flight];
	cl->conn[f->conn].flight = c->flight;
	c->state = state;
	if (cl->allowed < cl->window)
		cl->allowed++;
}

static void resend_late(struct client *cl)
{
	for (uint32_t i = 0; i < cl->nr_flight; i++) {
		struct flight *f = &cl->flight[i];

		if (cl->now - f->sent < RTO_NS)
			continue;
		if (++f->tries == GIVE_UP)
			wrong(cl, f->conn, "no answer");
		cl->phase.resent++;
		send_state(cl, f->conn);
	}
}

/* ---- Frames in ----------------------------------------------------------- */

struct segment {
	uint32_t seq, ack, len;
	uint8_t flags;
	const unsigned char *data;
};

/* Which connection a frame is for; false: none of ours. */
static bool parse(struct client *cl, const struct frame *f, size_t len,
		  struct segment *s, uint32_t *n)
{
	uint32_t addr, port, header, ip_len;

	if (len < sizeof(*f) - sizeof(f->rest) ||
	    f->eth.h_proto != htons(ETH_P_IP) || f->ip.ihl != 5 ||
	    f->ip.protocol != IPPROTO_TCP || f->ip.saddr != cl->guest_ip)
		return false;
	addr = ntohl(f->ip.daddr) - ADDR_FIRST;
	port = ntohs(f->tcp.dest) - PORT_FIRST;
	ip_len = ntohs(f->ip.tot_len);
	header = sizeof(f->ip) + f->tcp.doff * 4;
	if (addr >= CONNS_MAX / PORTS || port >= PORTS || header > ip_len ||
	    ip_len > len - offsetof(struct frame, ip))
		return false;
	*n = addr * PORTS + port;
	s->seq = ntohl(f->tcp.seq);
	s->ack = ntohl(f->tcp.ack_seq);
	s->flags = f->tcp.th_flags;
	s->len = ip_len - header;
	s->data = (const unsigned char *)&f->ip + header;
	return *n < cl->nr_conns;
}

/* The guest always has timestamps where we place them: first, aligned. */
static void take_stamp(struct conn *c, const struct frame *f)
{
	uint32_t at = f->tcp.th_flags & SYN ? 8 : 4;

	for (uint32_t i = 0; i + 10 <= f->tcp.doff * 4 - sizeof(f->tcp) &&
	     i <= at; i++) {
		if (f->rest[i] == 8 && f->rest[i + 1] == 10) {
			uint32_t v;

			memcpy(&v, f->rest + i + 2, 4);
			c->ts_recent = ntohl(v);
			return;
		}
	}
}

static void take_data(struct client *cl, uint32_t n, const struct segment *s)
{
	struct conn *c = &cl->conn[n];
	struct flight *f = &cl->flight[c->flight];

	if (c->state != ECHOING || f->got + s->len > MESSAGE)
		wrong(cl, n, "more data than was sent");
	for (uint32_t i = 0; i < s->len; i++) {
		if (s->data[i] != byte_at(n, c->count, f->got + i))
			wrong(cl, n, "another byte than was sent");
	}
	f->got += s->len;
	c->rcv_nxt += s->len;
}

/* A segment for a message or an end that is under way; in order. */
static void advance(struct client *cl, uint32_t n, const struct segment *s)
{
	struct conn *c = &cl->conn[n];
	uint32_t size = c->state == ECHOING ? MESSAGE : 1;

	if (s->len)
		take_data(cl, n, s);
	if (s->flags & FIN) {
		if (c->state != CLOSING)
			wrong(cl, n, "closed by the guest");
		c->rcv_nxt++;
		/* It can close for no other reason than that ours came. */
		c->snd_una++;
		finish(cl, n, CLOSED);
	} else if (c->state == ECHOING && s->ack == c->snd_una + size &&
		   cl->flight[c->flight].got == MESSAGE) {
		c->snd_una += size;
		c->count++;
		finish(cl, n, IDLE);
	} else if (!s->len) {
		return;
	}
	send_segment(cl, n, c->snd_una + (c->state == ECHOING ? size : 0),
		     ACK);
}

static void receive_one(struct client *cl, const struct frame *frame,
			size_t len)
{
	struct segment s;
	struct conn *c;
	uint32_t n;

	if (!parse(cl, frame, len, &s, &n))
		return;
	c = &cl->conn[n];
	if (s.flags & RST) {
		/* For what we sent twice of a connection that is no more. */
		if (c->state == CLOSED)
			return;
		wrong(cl, n, "reset by the guest");
	}
	if (c->state == SYN_SENT) {
		if ((s.flags & (SYN | ACK)) != (SYN | ACK) ||
		    s.ack != c->snd_una + 1)
			wrong(cl, n, "answered a SYN oddly");
		take_stamp(c, frame);
		c->snd_una++;
		c->rcv_nxt = s.seq + 1;
		/* The ACK goes with the message. */
		c->state = ECHOING;
		send_state(cl, n);
		return;
	}
	/* Sent again: our ACK was lost or late. */
	if (s.seq != c->rcv_nxt) {
		if (s.len || s.flags & (SYN | FIN))
			send_segment(cl, n, c->snd_una, ACK);
		return;
	}
	take_stamp(c, frame);
	if (c->state == ECHOING || c->state == CLOSING)
		advance(cl, n, &s);
	else if (s.len || s.flags & FIN)
		wrong(cl, n, "sent something on an idle connection");
}

/* All that is there, waiting up to @ms for the first. */
static void receive(struct client *cl, int ms)
{
	static unsigned char in[BATCH][FRAME_MAX];
	struct pollfd wait = { .fd = cl->fd, .events = POLLIN };
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int n;

	memset(msg, 0, sizeof(msg));
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ in[i], FRAME_MAX };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(cl->fd, msg, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0 && errno == EAGAIN) {
		flush(cl);
		poll(&wait, 1, ms);
		n = recvmmsg(cl->fd, msg, BATCH, MSG_DONTWAIT, NULL);
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		die("recvmmsg");
	cl->now = clock_ns();
	for (int i = 0; i < n; i++)
		receive_one(cl, (const struct frame *)in[i], msg[i].msg_len);
}

/* ---- Phases -------------------------------------------------------------- */

static void tell(struct client *cl, uint64_t every)
{
	struct phase *p = &cl->phase;
	double seconds = (cl->now - p->start) / NS;

	if (cl->now - p->told < every)
		return;
	p->told = cl->now;
	fprintf(stderr, "%s %u of %u, %.0f a second, %llu sent again, "
		"%.0f s to go\n", p->name, p->done, p->total,
		p->done / seconds, (unsigned long long)p->resent,
		p->done ? (p->total - p->done) * seconds / p->done : 0);
}

static void start_next(struct client *cl, enum state state)
{
	uint32_t n = cl->phase.begun;

	if (state == ECHOING) {
		n = cl->hot[rand() % cl->nr_hot];
		/* One message at a time on each. */
		if (cl->conn[n].state != IDLE)
			return;
	}
	begin(cl, n, state);
}

static void run_phase(struct client *cl, const char *name, uint32_t total,
		      enum state state)
{
	struct phase *p = &cl->phase;
	uint64_t checked;
	double seconds;

	cl->now = checked = clock_ns();
	*p = (struct phase){
		.name = name, .total = total, .start = cl->now,
		.told = cl->now,
	};
	cl->allowed = 1;
	while (p->done < total) {
		for (uint32_t i = cl->nr_flight;
		     i < cl->allowed && p->begun < total; i++)
			start_next(cl, state);
		receive(cl, 100);
		if (cl->now - checked > RTO_NS / 10) {
			checked = cl->now;
			resend_late(cl);
			tell(cl, 5 * NS);
		}
	}
	flush(cl);
	seconds = (cl->now - p->start) / NS;
	printf("{\"what\": \"%s\", \"count\": %u, \"seconds\": %.2f, "
	       "\"rate\": %.0f, \"resent\": %llu, \"mean_us\": %.0f, "
	       "\"slowest_us\": %.0f}\n", name, total, seconds,
	       total / seconds, (unsigned long long)p->resent,
	       p->sum / 1e3 / (total ? total : 1), p->slowest / 1e3);
	fflush(stdout);
}

static void open_all(struct client *cl, uint32_t n)
{
	free(cl->conn);
	cl->conn = calloc(n, sizeof(*cl->conn));
	if (!cl->conn)
		die("no memory");
	cl->nr_conns = n;
	for (uint32_t i = 0; i < n; i++)
		cl->conn[i].snd_una = first_seq(i);
	run_phase(cl, "open", n, SYN_SENT);
}

static void echo_some(struct client *cl, uint32_t span, uint32_t n)
{
	cl->hot = realloc(cl->hot, span * sizeof(*cl->hot));
	if (!cl->hot)
		die("no memory");
	cl->nr_hot = span;
	for (uint32_t i = 0; i < span; i++)
		cl->hot[i] = rand() % cl->nr_conns;
	run_phase(cl, "echo", n, ECHOING);
}

/* ---- Start --------------------------------------------------------------- */

static int open_interface(struct client *cl, const char *name)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, size = 64 << 20;
	struct ifreq req = { 0 };

	strncpy(req.ifr_name, name, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req) < 0)
		return -1;
	memcpy(cl->mac, req.ifr_hwaddr.sa_data, ETH_ALEN);
	at.sll_ifindex = if_nametoindex(name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one,
		       sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -1;
	return fd;
}

static bool arguments(struct client *cl, char **argv)
{
	unsigned char *m = cl->guest_mac;

	cl->port = atoi(argv[4]);
	cl->window = atoi(argv[5]);
	return sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1,
		      m + 2, m + 3, m + 4, m + 5) == 6 &&
	       inet_pton(AF_INET, argv[3], &cl->guest_ip) == 1 &&
	       cl->window >= 1 && cl->window <= WINDOW_MAX;
}

int main(int argc, char **argv)
{
	static struct client cl;
	uint32_t a, b;
	char line[80];

	if (argc != 6 || !arguments(&cl, argv)) {
		fprintf(stderr, "usage: million IFNAME MAC IP PORT WINDOW "
			"(WINDOW 1 to %d)\n", WINDOW_MAX);
		return 2;
	}
	cl.fd = open_interface(&cl, argv[1]);
	if (cl.fd < 0)
		die("cannot open the interface");
	while (fgets(line, sizeof(line), stdin)) {
		errno = 0;
		if (sscanf(line, "open %u", &a) == 1 && a <= CONNS_MAX)
			open_all(&cl, a);
		else if (sscanf(line, "echo %u %u", &a, &b) == 2 && a &&
			 cl.nr_conns)
			echo_some(&cl, a, b);
		else if (!strcmp(line, "close\n"))
			run_phase(&cl, "close", cl.nr_conns, CLOSING);
		else
			die("no such command");
	}
	return 0;
}
