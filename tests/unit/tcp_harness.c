/* The faked surroundings of TCP, and the verbs of segment scripts. */
#include "tests/unit/tcp_harness.h"

#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "net/inet.h"
#include "net/ip/ip.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_mini.h"

#define MAX_CAPTURED 4096

static struct sk_buff *captured[MAX_CAPTURED];
static unsigned int nr_captured, next_captured;
static const struct net_proto_family *inet;
static u32 our_iss;
static unsigned long baseline;
static struct net_device dev = { .name = "eth0" };

struct th_seg th_last;
void (*th_xmit_hook)(struct sk_buff *skb, const struct ip_out *out);
u16 th_port = 7000;
u16 th_mtu;
bool th_device_keeps;
u32 th_dev_features;
int th_route_err;
unsigned long th_fail_next;
unsigned int th_sigurg;
u32 ip_route_gen;

static const struct ip_addr us = { { 0, 0, IP_MAPPED_WORD, 0x0100000a } };
static const struct ip_addr peer = { { 0, 0, IP_MAPPED_WORD, 0x0200000a } };

/* ---- what TCP calls ---- */


int sock_register(const struct net_proto_family *family)
{
	if (family->family == AF_INET)
		inet = family;
	return 0;
}

void sk_send_sigurg(const struct sock *sk)
{
	th_sigurg++;
}

struct net_device *dev_get_by_name(const char *name)
{
	return NULL;
}

struct net_device *dev_get_by_index(int ifindex)
{
	return NULL;
}

u32 xmit_depth;
struct net_device *xmit_unkicked;

void dev_xmit_batch_kick(void)
{
}

bool ip_addr_is_local(const struct ip_addr *ip)
{
	return ip->a[3] == us.a[3] || ip->a[3] == peer.a[3];
}

bool ip_addr_is_multicast(const struct ip_addr *ip)
{
	return (ip->a[3] & 0xf0) == 0xe0;
}

int ip_route_output(struct ip_addr *saddr, const struct ip_addr *daddr,
		    struct ip_route *rt)
{
	if (th_route_err)
		return th_route_err;
	if (ip_addr_any(saddr))
		*saddr = us;
	dev.features = th_dev_features;
	*rt = (struct ip_route){ .dev = &dev, .mtu = th_mtu, .ll_len = 14 };
	return 0;
}

/* The checksum TCP left to the device must come out right. */
static void check_partial_sum(const struct sk_buff *skb,
			      const struct ip_out *ip)
{
	u16 field;
	u16 want = (u16)~csum_fold(csum_pseudo(ip->saddr, ip->daddr, 6,
					       skb->len));

	assert_int_equal(skb->ip_summed, CHECKSUM_PARTIAL);
	assert_int_equal(skb->csum_offset, 16);
	assert_ptr_equal(skb->head + skb->csum_start, skb->data);
	memcpy(&field, skb->data + 16, 2);
	assert_int_equal(field, want);
}

static struct sk_buff *kept[MAX_CAPTURED];
static unsigned int nr_kept;

void th_device_done(void)
{
	while (nr_kept)
		kfree_skb(kept[--nr_kept]);
}

int ip_queue_xmit(struct sk_buff *skb, struct ip_route *rt,
		  struct ip_out ip)
{
	static u8 flat[70000];
	struct sk_buff *copy;

	check_partial_sum(skb, &ip);
	assert_true(skb->len + 20 <= rt->mtu || skb->gso_size);
	skb_copy_bits(skb, 0, flat, skb->len);
	copy = th_packet(ip.saddr, ip.daddr, flat, skb->len);
	copy->gso_size = skb->gso_size;
	copy->head[1] = ip.tos;
	/* As a device would: the headers below TCP's are written, too. */
	skb_push(skb, 20 + 14);
	if (th_device_keeps && nr_kept < MAX_CAPTURED)
		kept[nr_kept++] = skb;
	else
		kfree_skb(skb);
	if (th_xmit_hook) {
		th_xmit_hook(copy, &ip);
		return 0;
	}
	assert_true(nr_captured < MAX_CAPTURED);
	captured[nr_captured++] = copy;
	return 0;
}

/* ---- packets ---- */

struct sk_buff *th_packet(const struct ip_addr *saddr,
			  const struct ip_addr *daddr, const void *tcp,
			  u32 len)
{
	struct sk_buff *skb = alloc_skb(20 + len);
	struct iphdr *ip;

	/* A failure injected for TCP may hit here; it does so only once. */
	if (!skb)
		skb = alloc_skb(20 + len);
	assert_non_null(skb);
	ip = skb_put(skb, 20);
	memset(ip, 0, 20);
	ip->ver_ihl = 0x45;
	ip->saddr = saddr->a[3];
	ip->daddr = daddr->a[3];
	skb->network_header = 0;
	memcpy(skb_put(skb, len), tcp, len);
	skb_pull(skb, 20);
	skb->transport_header = 20;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

void th_receive(struct sk_buff *skb)
{
	skb->tstamp = host_now;
	local_bh_disable();
	tcp_v4_rcv(skb);
	local_bh_enable();
}

static u8 *put_opt(u8 *p, u8 kind, u8 len, u32 val)
{
	*p++ = kind;
	*p++ = len;
	for (int i = len - 2; i > 0; i--)
		*p++ = (u8)(val >> (8 * (i - 1)));
	return p;
}

/* Options of @seg at @p; the end, padded. */
static u8 *put_options(u8 *p, const struct th_seg *seg, u8 *start)
{
	if (seg->mss)
		p = put_opt(p, 2, 4, seg->mss);
	if (seg->wscale)
		p = put_opt(p, 3, 3, seg->wscale - 1);
	if (seg->sack_ok)
		p = put_opt(p, 4, 2, 0);
	if (seg->tsval) {
		*p++ = 1;
		*p++ = 1;
		*p++ = 8;
		*p++ = 10;
		put_be32(seg->tsval, p);
		put_be32(seg->tsecr, p + 4);
		p += 8;
	}
	if (seg->nr_sacks) {
		*p++ = 5;
		*p++ = (u8)(2 + 8 * seg->nr_sacks);
		for (u32 i = 0; i < seg->nr_sacks; i++) {
			put_be32(our_iss + seg->sacks[i].start, p);
			put_be32(our_iss + seg->sacks[i].end, p + 4);
			p += 8;
		}
	}
	if (seg->fo_len) {
		*p++ = 34;
		*p++ = seg->fo_len + 1;
		memcpy(p, seg->fo, seg->fo_len - 1);
		p += seg->fo_len - 1;
	}
	while ((p - start) % 4)
		*p++ = 1;
	return p;
}

void th_in(const struct th_seg *seg)
{
	static u8 buf[70000];
	struct tcphdr *th = (struct tcphdr *)buf;
	u8 *p = buf + TCP_HDR_LEN;
	struct sk_buff *skb;

	memset(buf, 0, TCP_MAX_HDR);
	th->source = cpu_to_be16(seg->sport ? seg->sport : TH_PEER_PORT);
	th->dest = cpu_to_be16(seg->dport ? seg->dport : TH_PORT);
	th->seq = cpu_to_be32(TH_PEER_ISS + seg->seq);
	th->ack = cpu_to_be32(seg->flags & ACK ? our_iss + seg->ack : 0);
	th->flags = seg->flags;
	th->window = cpu_to_be16((u16)seg->wnd);
	p = put_options(p, seg, p);
	th->doff = (u8)((p - buf) / 4 << 4);
	for (u32 i = 0; i < seg->len; i++)
		*p++ = seg->data ? (u8)seg->data[i]
				 : th_pattern(seg->seq + i);
	th->urg = cpu_to_be16(seg->urg);
	skb = th_packet(&peer, &us, buf, (u32)(p - buf));
	skb->head[1] = seg->ecn;
	host_fail_alloc(th_fail_next);
	th_fail_next = 0;
	th_receive(skb);
	host_fail_alloc(0);
}

/* ---- what came out ---- */

static void learn_iss(const struct tcp_segment *seg)
{
	if (seg->flags & SYN)
		our_iss = seg->seq;
}

u32 th_iss(void)
{
	return our_iss;
}

static void decode_captured(struct sk_buff *skb, struct th_seg *o)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	assert_int_equal(tcp_decode(skb), 0);
	learn_iss(seg);
	memset(o, 0, sizeof(*o));
	o->flags = seg->flags;
	o->seq = seg->seq - our_iss;
	o->ack = seg->flags & ACK ? seg->ack - TH_PEER_ISS : seg->ack;
	o->wnd = seg->wnd;
	o->len = skb->len - seg->hdr_len;
	o->ecn = skb->head[1] & 3;
	o->urg = seg->urg;
	o->mss = seg->opts & TCP_OPT_MSS ? seg->mss : 0;
	o->wscale = seg->opts & TCP_OPT_WSCALE ? (u8)(seg->wscale + 1) : 0;
	o->sack_ok = seg->opts & TCP_OPT_SACK_OK;
	if (seg->opts & TCP_OPT_TS) {
		o->tsval = seg->tsval;
		o->tsecr = seg->tsecr;
	}
	if (seg->opts & TCP_OPT_FASTOPEN) {
		o->fo_len = seg->fo_len + 1;
		memcpy(o->fo, skb->data + seg->fo_off, seg->fo_len);
	}
	o->nr_sacks = seg->nr_sacks;
	for (u32 i = 0; i < seg->nr_sacks && i < TCP_MAX_SACKS; i++) {
		o->sacks[i] = tcp_sack_in(skb->data, seg, i);
		o->sacks[i].start -= TH_PEER_ISS;
		o->sacks[i].end -= TH_PEER_ISS;
	}
}

static const char *flag_text(u8 f, char *buf)
{
	snprintf(buf, 16, "%s%s%s%s%s%s%s%s", f & ECE ? "E" : "",
		 f & CWR ? "C" : "", f & URG ? "U" : "", f & SYN ? "S" : "", f & FIN ? "F" : "",
		 f & RST ? "R" : "", f & PSH ? "P" : "", f & ACK ? "A" : "");
	return buf;
}

static bool matches(const struct th_seg *o, const struct th_seg *want)
{
	u8 care = (u8)~PSH;

	return (o->flags & care) == (want->flags & care) &&
	       o->seq == want->seq && o->ack == want->ack &&
	       o->len == want->len && (!want->wnd || o->wnd == want->wnd) &&
	       (!want->mss || o->mss == want->mss) &&
	       (!want->wscale || o->wscale == want->wscale) &&
	       (!want->nr_sacks || (o->nr_sacks == want->nr_sacks &&
		!memcmp(o->sacks, want->sacks,
			want->nr_sacks * sizeof(o->sacks[0]))));
}

void th_out(const char *file, int line, const struct th_seg *want)
{
	char a[16], b[16];

	if (next_captured == nr_captured)
		_fail(file, line);
	decode_captured(captured[next_captured], &th_last);
	kfree_skb(captured[next_captured++]);
	if (matches(&th_last, want))
		return;
	print_message("%s:%d: want %s seq %u ack %u len %u wnd %u, "
		      "got %s seq %u ack %u len %u wnd %u (%u sacks)\n",
		      file, line, flag_text(want->flags, a), want->seq,
		      want->ack, want->len, want->wnd,
		      flag_text(th_last.flags, b), th_last.seq, th_last.ack,
		      th_last.len, th_last.wnd, th_last.nr_sacks);
	_fail(file, line);
}

void th_quiet(const char *file, int line)
{
	char a[16];

	if (next_captured == nr_captured)
		return;
	decode_captured(captured[next_captured], &th_last);
	print_message("%s:%d: nothing expected, got %s seq %u ack %u len %u\n",
		      file, line, flag_text(th_last.flags, a), th_last.seq,
		      th_last.ack, th_last.len);
	_fail(file, line);
}

unsigned int th_flush(void)
{
	unsigned int n = nr_captured - next_captured;

	while (next_captured < nr_captured) {
		decode_captured(captured[next_captured], &th_last);
		kfree_skb(captured[next_captured++]);
	}
	nr_captured = 0;
	next_captured = 0;
	return n;
}

void th_sleep_ms(u64 ms)
{
	host_advance(ms * MS);
}

/* ---- sockets ---- */

struct socket *th_socket(void)
{
	struct socket *s = kzalloc(sizeof(*s));

	assert_non_null(s);
	init_waitqueue_head(&s->wq);
	s->type = SOCK_STREAM;
	assert_int_equal(inet->create(s, SOCK_STREAM, 0), 0);
	return s;
}

static void fill_addr(struct sockaddr_storage *a, const struct ip_addr *ip,
		      u16 port)
{
	struct sockaddr_in in4 = {
		.sin_family = AF_INET,
		.sin_port = cpu_to_be16(port),
		.sin_addr = ip->a[3],
	};

	memset(a, 0, sizeof(*a));
	memcpy(a, &in4, sizeof(in4));
}

struct socket *th_listen(u16 port)
{
	struct ip_addr any = { { 0, 0, IP_MAPPED_WORD, 0 } };
	struct socket *s = th_socket();
	struct sockaddr_storage a;

	th_setopt(s, 1, 2, 1);	/* SO_REUSEADDR */
	fill_addr(&a, &any, port);
	assert_int_equal(s->ops->bind(s, &a, 16), 0);
	assert_int_equal(s->ops->listen(s, 128), 0);
	return s;
}

struct socket *th_accept(struct socket *listener, int *err)
{
	struct socket *s = kzalloc(sizeof(*s));

	assert_non_null(s);
	init_waitqueue_head(&s->wq);
	s->type = SOCK_STREAM;
	s->ops = listener->ops;
	*err = s->ops->accept(listener, s, true);
	if (!*err)
		return s;
	kfree(s);
	return NULL;
}

int th_connect(struct socket *s, u16 port, bool nonblock)
{
	struct sockaddr_storage a;

	fill_addr(&a, &peer, port);
	return s->ops->connect(s, &a, 16, nonblock);
}

ssize_t th_send(struct socket *s, const void *data, size_t n, u32 flags)
{
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_kbuf(&msg.msg_iter, (void *)data, n);
	return s->ops->sendmsg(s, &msg, true);
}

ssize_t th_recv(struct socket *s, void *buf, size_t n, u32 flags)
{
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_kbuf(&msg.msg_iter, buf, n);
	return s->ops->recvmsg(s, &msg, true);
}

int th_setopt(struct socket *s, int level, int name, int val)
{
	if (level == 1)
		return sock_setsockopt(s->sk, name, &val, sizeof(val));
	return s->ops->setsockopt(s, level, name, &val, sizeof(val));
}

void th_close(struct socket *s)
{
	if (s->sk)
		s->ops->release(s);
	kfree(s);
}

u32 th_poll(struct socket *s)
{
	return s->ops->poll(s);
}

struct tcp_sock *th_tp(struct socket *s)
{
	return tcp_sk(s->sk);
}

struct th_conn th_established(bool plain)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	if (plain) {
		in(.flags = SYN, .wnd = 65535, .mss = 1000);
		out(.flags = SYN | ACK, .ack = 1);
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	} else {
		in(.flags = SYN, .wnd = 65535, .mss = 1460, .wscale = 8,
		   .sack_ok = true, .tsval = 1000);
		out(.flags = SYN | ACK, .ack = 1);
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 512,
		   .tsval = 1001, .tsecr = th_last.tsval);
	}
	quiet();
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	return c;
}

void th_conn_close(struct th_conn *c)
{
	if (c->s)
		th_close(c->s);
	if (c->listener)
		th_close(c->listener);
}

void th_conn_done(struct th_conn *c)
{
	th_conn_close(c);
	th_flush();
}

void th_icmp(u16 sport, u16 dport, u32 seq, u8 err, u32 mtu)
{
	u8 quoted[8];
	struct icmp_error e = {
		.saddr = us,
		.daddr = peer,
		.error = err,
		.mtu = mtu,
		.quoted = quoted,
		.len = sizeof(quoted),
	};

	put_be16(sport, quoted);
	put_be16(dport, quoted + 2);
	put_be32(seq, quoted + 4);
	tcp_icmp_error(&e);
}

/* ---- setup ---- */

static unsigned int leaf_pages;

void th_leaf_pages(unsigned int n)
{
	leaf_pages = n;
}

int th_setup(void **state)
{
	static bool once;

	host_reset();
	host_random_seed(1);
	if (!once) {
		skb_init();
		sock_init();
		inet_init();
		tcp_init();
		once = true;
	}
	baseline = host_allocs_outstanding();
	our_iss = 0;
	th_port++;
	leaf_pages = 0;
	th_mtu = 1500;
	th_dev_features = 0;
	th_route_err = 0;
	th_xmit_hook = NULL;
	th_device_keeps = false;
	th_fail_next = 0;
	th_sigurg = 0;
	return 0;
}

static void kill_sock(struct sock *sk, void *arg)
{
	print_message("left over: sock %p state %s refs %d\n", (void *)sk,
		      tcp_state_names[sk->sk_state],
		      atomic_read(&sk->sk_refs));
}

static void kill_mini(struct tcp_mini *mini, void *arg)
{
	print_message("left over: record of kind %u\n", mini->kind);
}

/* Long enough for every timer that a closed connection may have. */
int th_teardown(void **state)
{
	th_flush();
	for (unsigned int i = 0; i < 20; i++) {
		host_advance(60 * NSEC_PER_SEC);
		th_flush();
	}
	tcp_for_each(kill_sock, kill_mini, NULL);
	if (host_allocs_outstanding() - baseline <= leaf_pages)
		return 0;
	print_message("left over: %lu allocations\n",
		      host_allocs_outstanding() - baseline);
	return -1;
}
