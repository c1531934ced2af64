/*
 * libFuzzer target: an input is a program of frames, segments that fit (or
 * nearly fit) a connection's state, calls of the user, time that passes and
 * allocations that fail. Afterwards all is closed and all memory is back.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "net/inet.h"
#include "net/ip/ip.h"
#include "net/tcp/tcp_hash.h"
#include "tests/fuzz/input.h"
#include "tests/host/host.h"
#include "tests/sim/sim.h"

#define MAX_OPS		64
#define MAX_SOCKS	8
#define SO_LINGER	13

static struct socket *socks[MAX_SOCKS], *listener, *udp;
static u8 frame[4096];

/* Up to @most bytes of the input at @to; how many. */
static u32 bytes(struct input *in, u8 *to, u32 most)
{
	u32 n = byte(in) * 8;

	n = min(min(n, most), (u32)(in->end - in->p));
	memcpy(to, in->p, n);
	in->p += n;
	return n;
}

static void raw_frame(struct input *in)
{
	u32 n = bytes(in, frame, 1514);

	fuzz_rx(frame, n);
}

/* An IP packet with good headers around what the input says. */
static void ip_packet(struct input *in)
{
	u8 proto = (u8)byte(in);
	u8 payload[2048];
	u32 n = bytes(in, payload, sizeof(payload));
	u32 at = fuzz_headers(frame, proto, n);
	u16 sum;

	if ((proto == 1 || proto == 17) && n >= 8) {
		memset(payload + (proto == 1 ? 2 : 6), 0, 2);
		sum = proto == 17 ? 0 : csum_fold(csum_partial(payload, n, 0));
		memcpy(payload + (proto == 1 ? 2 : 6), &sum, 2);
	}
	memcpy(frame + at, payload, n);
	fuzz_rx(frame, at + n);
}

static void finish_tcp(u8 *tcp, u32 len)
{
	struct ip_addr s = ip_addr_v4(cpu_to_be32(0x0a000009));
	struct ip_addr d = ip_addr_v4(cpu_to_be32(0x0a000002));
	u16 sum;

	memset(tcp + 16, 0, 2);
	sum = csum_fold(csum_partial(tcp, len, csum_pseudo(&s, &d, 6, len)));
	memcpy(tcp + 16, &sum, 2);
}

/*
 * A segment of connection byte & 3. Sequence and ACK number are what we
 * expect, plus a signed offset; bit 2 takes 24 bits of it instead of 16.
 */
static void tcp_segment(struct input *in)
{
	u32 which = byte(in), flags = byte(in), wnd = word(in);
	struct fuzz_conn *c = &fuzz_conns[which & 3];
	u32 seq = c->our_ack + (u32)(s16)word(in);
	u32 ack = c->our_seq + (u32)(s16)word(in);
	u8 *tcp = frame + 34;
	u32 opt, n;

	if (which & 4)
		seq += byte(in) << 16;
	if (!c->our_ack)
		seq = 0x1000 * (which & 3);
	opt = bytes(in, tcp + 20, 40) / 4 * 4;
	if (which & 8 && opt >= 12) {
		put_be32(0x0101080a, tcp + 20);
		put_be32(c->our_ack + byte(in), tcp + 24);
		put_be32(c->ts_recent, tcp + 28);
	}
	n = bytes(in, tcp + 20 + opt, 1460);
	put_be16((u16)(FUZZ_PEER_PORT + (which & 3)), tcp);
	put_be16(c->our_port ? c->our_port : FUZZ_PORT, tcp + 2);
	put_be32(seq, tcp + 4);
	put_be32(ack, tcp + 8);
	tcp[12] = (u8)((20 + opt) / 4 << 4);
	tcp[13] = (u8)flags;
	put_be16((u16)wnd, tcp + 14);
	put_be16(0, tcp + 18);
	finish_tcp(tcp, 20 + opt + n);
	fuzz_headers(frame, 6, 20 + opt + n);
	fuzz_rx(frame, 54 + opt + n);
}

/* The whole handshake at once, so that the input need not find it. */
static void handshake(struct input *in)
{
	static const u8 options[20] = {
		2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7,
	};
	u32 which = byte(in) & 3;
	u8 syn[64] = { (u8)which, 2, 255, 255, 0, 0, 0, 0, 3 };
	u8 ack[16] = { (u8)which, 16, 255, 1 };
	struct input a = { syn, syn + sizeof(syn) };
	struct input b = { ack, ack + sizeof(ack) };

	fuzz_conns[which] = (struct fuzz_conn){ 0 };
	memcpy(syn + 9, options, sizeof(options));
	tcp_segment(&a);
	tcp_segment(&b);
}

/* --- the user --- */

static struct socket **free_slot(void)
{
	for (u32 i = 0; i < MAX_SOCKS; i++) {
		if (!socks[i])
			return &socks[i];
	}
	return NULL;
}

static void user_accept(void)
{
	struct socket **slot = free_slot();
	struct socket *s = slot && listener ? kzalloc(sizeof(*s)) : NULL;

	if (!s)
		return;
	init_waitqueue_head(&s->wq);
	s->type = SOCK_STREAM;
	s->ops = listener->ops;
	if (s->ops->accept(listener, s, true))
		kfree(s);
	else
		*slot = s;
}

static void address(struct sockaddr_storage *a, u32 ip, u16 port)
{
	struct ip_addr addr = ip_addr_v4(cpu_to_be32(ip));

	inet_addr_out(AF_INET, &addr, port, a);
}

static void user_connect(u32 which)
{
	struct socket **slot = free_slot();
	struct socket *s = slot ? fuzz_socket(SOCK_STREAM) : NULL;
	struct sockaddr_storage a;

	if (!s)
		return;
	*slot = s;
	fuzz_conns[which & 3] = (struct fuzz_conn){ 0 };
	address(&a, 0x0a000009, (u16)(FUZZ_PEER_PORT + (which & 3)));
	s->ops->connect(s, &a, 16, true);
}

static void user_close(struct socket **slot, bool reset)
{
	struct socket *s = *slot;
	struct { int onoff, linger; } now = { 1, 0 };

	if (reset)
		(void)!sock_setsockopt(s->sk, SO_LINGER, &now, sizeof(now));
	s->ops->release(s);
	kfree(s);
	*slot = NULL;
}

static void user_send(struct socket *s, u32 n, u32 flags)
{
	static u8 buf[65536];
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_kbuf(&msg.msg_iter, buf, n);
	s->ops->sendmsg(s, &msg, true);
}

static void user_recv(struct socket *s, u32 n, u32 flags)
{
	static u8 buf[65536];
	struct sockaddr_storage from;
	struct msghdr msg = { .msg_flags = flags, .msg_name = &from };

	iov_iter_kbuf(&msg.msg_iter, buf, n);
	s->ops->recvmsg(s, &msg, true);
}

static void user_call(struct input *in)
{
	u32 what = byte(in), arg = word(in);
	struct socket **slot = &socks[what >> 4 & 7];
	int val = (int)arg;

	if ((what & 15) == 0)
		user_accept();
	else if ((what & 15) == 1)
		user_connect(arg);
	else if ((what & 15) == 2 && udp)
		user_recv(udp, arg, 0);
	if ((what & 15) < 3 || !*slot)
		return;
	switch (what & 15) {
	case 3:
	case 4:
		user_send(*slot, arg, byte(in) & 0x8000);
		break;
	case 5:
	case 6:
		user_recv(*slot, arg, byte(in) & 0x22);
		break;
	case 7:
		(*slot)->ops->shutdown(*slot, (int)(arg % 3));
		break;
	case 8:
		user_close(slot, arg & 1);
		break;
	case 9:
		(void)!sock_setsockopt((*slot)->sk, (int)byte(in), &val, 4);
		break;
	case 10:
		(*slot)->ops->setsockopt(*slot, 6, (int)byte(in), &val, 4);
		break;
	default:
		(*slot)->ops->poll(*slot);
		break;
	}
}

/* --- one input --- */

static void run(struct input *in)
{
	for (u32 i = 0; i < MAX_OPS && in->p < in->end; i++) {
		switch (byte(in) % 8) {
		case 0:
			raw_frame(in);
			break;
		case 1:
		case 2:
		case 3:
			tcp_segment(in);
			break;
		case 4:
			user_call(in);
			break;
		case 5:
			fuzz_advance(word(in) * MS);
			break;
		case 6:
			ip_packet(in);
			break;
		default:
			if (byte(in) & 1)
				host_fail_alloc(1 + byte(in) % 8);
			else
				handshake(in);
			break;
		}
		fuzz_softirqs();
	}
}

static void open_sockets(void)
{
	struct sockaddr_storage a;

	address(&a, 0, FUZZ_PORT);
	listener = fuzz_socket(SOCK_STREAM);
	udp = fuzz_socket(SOCK_DGRAM);
	BUG_ON(!listener || !udp);
	BUG_ON(listener->ops->bind(listener, &a, 16));
	BUG_ON(listener->ops->listen(listener, 4));
	BUG_ON(udp->ops->bind(udp, &a, 16));
}

static void show_sock(struct sock *sk, void *arg)
{
	printf("left: %u to %u in %s\n", sk->sk_num, sk->sk_dport,
	       tcp_state_names[sk->sk_state]);
}

static void show_mini(struct tcp_mini *mini, void *arg)
{
	printf("left: record of kind %u\n", mini->kind);
}

/* Everything must come back; orphans may take their eight retries. */
static void close_all(unsigned long before)
{
	host_fail_alloc(0);
	for (u32 i = 0; i < MAX_SOCKS; i++) {
		if (socks[i])
			user_close(&socks[i], i & 1);
	}
	user_close(&listener, false);
	user_close(&udp, false);
	for (u32 i = 0; i < 40 && host_allocs_outstanding() > before; i++)
		fuzz_advance(30 * SEC);
	if (host_allocs_outstanding() <= before)
		return;
	tcp_for_each(show_sock, show_mini, NULL);
	printf("%lu allocations are left\n",
	       host_allocs_outstanding() - before);
	abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };
	static unsigned long before;

	if (!before) {
		fuzz_init();
		before = host_allocs_outstanding();
	}
	host_log_clear();
	host_random_seed(1);
	memset(fuzz_conns, 0, sizeof(fuzz_conns));
	open_sockets();
	run(&in);
	close_all(before);
	return 0;
}
