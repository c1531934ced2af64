/*
 * UDP sockets through lwIP to the wire and over the loopback.
 * sources: lwip tests/unit/lwip_fixture.c net/udp.c net/sock.c net/sock_opt.c
 * net/sock_errqueue.c net/cmsg.c
 * net/inet.c net/skbuff.c net/drop.c net/snmp.c net/ip/checksum.c
 * kernel/wait.c kernel/uio.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/inet.h"
#include "net/snmp.h"
#include "net/sock.h"
#include "net/socket.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/unit/lwip_fixture.h"

#define LOOPBACK IP4(127, 0, 0, 1)
#define SOL_SOCKET	1
#define IP_RECVERR	11
#define SO_REUSEADDR	2
#define SO_BROADCAST	6
#define SO_RCVBUF	8
#define SO_RCVTIMEO	20
#define SO_BINDTOIFINDEX 62
#define FIONREAD	0x541b

static struct frame_buf f;
static const struct net_proto_family *families[AF_INET6 + 1];

int sock_register(const struct net_proto_family *family)
{
	families[family->family] = family;
	return 0;
}

bool ip_addr_is_local(const struct ip_addr *ip)
{
	u32 v4 = be32_to_cpu(ip->a[3]);

	return ip_addr_is_v4(ip) ? v4 == ME || v4 >> 24 == 127 :
				   v4 == 1 && !ip->a[0];
}

bool ip_addr_is_multicast(const struct ip_addr *ip)
{
	return ip_addr_is_v4(ip) && be32_to_cpu(ip->a[3]) >> 28 == 14;
}

/* --- shorthands --- */

static void open_socket(struct socket *sock, u16 family)
{
	memset(sock, 0, sizeof(*sock));
	init_waitqueue_head(&sock->wq);
	assert_int_equal(families[family]->create(sock, SOCK_DGRAM, 0), 0);
}

static void close_socket(struct socket *sock)
{
	assert_int_equal(sock->ops->release(sock), 0);
}

static struct sockaddr_storage *addr4(u32 ip, u16 port)
{
	static struct sockaddr_storage ss;
	struct sockaddr_in in = { AF_INET, cpu_to_be16(port),
				  cpu_to_be32(ip), { 0 } };

	memset(&ss, 0, sizeof(ss));
	memcpy(&ss, &in, sizeof(in));
	return &ss;
}

static struct sockaddr_storage *addr6(u32 mapped, u16 port)
{
	static struct sockaddr_storage ss;
	struct sockaddr_in6 in = { .sin6_family = AF_INET6,
				   .sin6_port = cpu_to_be16(port) };

	if (mapped) {
		in.sin6_addr[2] = cpu_to_be32(0xffff);
		in.sin6_addr[3] = cpu_to_be32(mapped);
	}
	memset(&ss, 0, sizeof(ss));
	memcpy(&ss, &in, sizeof(in));
	return &ss;
}

static int bind4(struct socket *sock, u32 ip, u16 port)
{
	return sock->ops->bind(sock, addr4(ip, port),
			       sizeof(struct sockaddr_in));
}

static int connect4(struct socket *sock, u32 ip, u16 port)
{
	return sock->ops->connect(sock, addr4(ip, port),
				  sizeof(struct sockaddr_in), false);
}

static ssize_t sendto(struct socket *sock, const void *data, size_t len,
		      struct sockaddr_storage *to)
{
	struct msghdr msg = { .msg_name = to, .msg_namelen = to ? 28 : 0 };

	iov_iter_ubuf(&msg.msg_iter, (void *)data, len);
	return sock->ops->sendmsg(sock, &msg, false);
}

static struct sockaddr_in from;		/* of the last recv */
static u32 msg_flags;

static ssize_t recv(struct socket *sock, void *buf, size_t len, u32 flags)
{
	struct sockaddr_storage ss;
	struct msghdr msg = { .msg_name = &ss, .msg_flags = flags };
	ssize_t got;

	iov_iter_ubuf(&msg.msg_iter, buf, len);
	got = sock->ops->recvmsg(sock, &msg, flags & MSG_DONTWAIT);
	msg_flags = msg.msg_flags;
	if (got >= 0)
		memcpy(&from, &ss, sizeof(from));
	return got;
}

static int set_int(struct socket *sock, int level, int opt, int val)
{
	return sock->ops->setsockopt(sock, level, opt, &val, sizeof(val));
}

static void rx_udp(u32 src, u16 sport, u32 dst, u16 dport, const char *data)
{
	u8 udp[2000];

	put_ip4(&f, IPPROTO_UDP, src, dst, 0, udp,
		make_udp(udp, src, sport, dst, dport, data,
			 (u32)strlen(data)));
	wire_rx(&f);
}

/* The local port. */
static u16 port_of(struct socket *sock)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in;

	assert_int_equal(sock->ops->getname(sock, &ss, false), sizeof(in));
	memcpy(&in, &ss, sizeof(in));
	return be16_to_cpu(in.sin_port);
}

/* --- tests --- */

static void test_datagram_in(void **state)
{
	struct socket s;
	char buf[32];

	open_socket(&s, AF_INET);
	assert_int_equal(bind4(&s, 0, 5000), 0);
	assert_int_equal(s.ops->poll(&s) & EPOLLIN, 0);
	assert_int_equal(recv(&s, buf, sizeof(buf), MSG_DONTWAIT), -EAGAIN);
	rx_udp(PEER, 4000, ME, 5000, "hello");
	assert_int_equal(s.ops->poll(&s) & EPOLLIN, EPOLLIN);
	assert_int_equal(recv(&s, buf, sizeof(buf), 0), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(be16_to_cpu(from.sin_port), 4000);
	assert_int_equal(be32_to_cpu(from.sin_addr), PEER);
	assert_int_equal(recv(&s, buf, sizeof(buf), MSG_DONTWAIT), -EAGAIN);
	close_socket(&s);
}

static void test_peek_and_truncation(void **state)
{
	struct socket s;
	char buf[32];
	int n;

	open_socket(&s, AF_INET);
	assert_int_equal(bind4(&s, 0, 5000), 0);
	rx_udp(PEER, 4000, ME, 5000, "0123456789");
	rx_udp(PEER, 4000, ME, 5000, "");
	assert_int_equal(s.ops->ioctl(&s, FIONREAD, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(recv(&s, buf, 4, MSG_PEEK), 4);
	assert_int_equal(msg_flags, MSG_TRUNC);
	assert_int_equal(recv(&s, buf, 4, MSG_PEEK | MSG_TRUNC), 10);
	assert_int_equal(recv(&s, buf, 10, MSG_PEEK), 10);
	assert_int_equal(msg_flags, 0);
	assert_int_equal(recv(&s, buf, 4, 0), 4);
	assert_int_equal(recv(&s, buf, 4, 0), 0);	/* the empty one */
	assert_int_equal(recv(&s, buf, 4, MSG_DONTWAIT), -EAGAIN);
	close_socket(&s);
}

static void test_datagram_out(void **state)
{
	struct wire_frame *w;
	struct socket s;
	const u8 *ip4;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET);
	assert_int_equal(sendto(&s, "ping", 4, NULL), -EDESTADDRREQ);
	assert_int_equal(sendto(&s, "ping", 4, addr4(PEER, 0)), -EINVAL);
	assert_int_equal(sendto(&s, "ping", 4, addr4(PEER, 9000)), 4);
	assert_int_equal(wire_count(), 1);
	w = wire_sent(0);
	ip4 = w->data + ETH_HLEN;
	assert_int_equal(w->len, ETH_HLEN + 20 + 8 + 4);
	assert_int_equal(inet_sum(ip4, 20, 0), 0);
	assert_int_equal(inet_sum(ip4 + 20, 12, pseudo4(ME, PEER, 17, 12)), 0);
	assert_int_equal(get_be16(ip4 + 22), 9000);
	assert_int_equal(get_be16(ip4 + 20), port_of(&s));
	assert_int_not_equal(port_of(&s), 0);
	/* The answer to the port that was chosen arrives. */
	rx_udp(PEER, 9000, ME, port_of(&s), "pong");
	assert_int_equal(s.ops->poll(&s) & EPOLLIN, EPOLLIN);
	close_socket(&s);
}

static void test_datagram_waits_for_arp(void **state)
{
	struct socket s;

	open_socket(&s, AF_INET);
	assert_int_equal(sendto(&s, "ping", 4, addr4(PEER, 9000)), 4);
	assert_int_equal(wire_count(), 1);
	put_arp(&f, ARP_REP, peer_mac, PEER, my_mac, ME);
	wire_rx(&f);
	assert_int_equal(wire_count(), 2);
	assert_memory_equal(wire_sent(1)->data, peer_mac, 6);
	/* Another host that never answers: gone after a while. */
	assert_int_equal(sendto(&s, "ping", 4, addr4(PEER + 1, 9000)), 4);
	close_socket(&s);
}

static void test_chosen_ports_are_spread(void **state)
{
	struct socket s[8];
	u32 lowest = 65535, highest = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++) {
		open_socket(&s[i], AF_INET);
		assert_int_equal(bind4(&s[i], 0, 0), 0);
		lowest = min(lowest, (u32)port_of(&s[i]));
		highest = max(highest, (u32)port_of(&s[i]));
	}
	assert_in_range(lowest, 32768, 60999);
	assert_in_range(highest, 32768, 60999);
	assert_true(highest - lowest > 100);
	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++)
		close_socket(&s[i]);
}

static void test_large_datagrams_go_in_fragments(void **state)
{
	static u8 big[65508];
	struct socket s;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET);
	assert_int_equal(sendto(&s, big, 4000, addr4(PEER, 9000)), 4000);
	assert_int_equal(wire_count(), 3);
	assert_int_equal(sendto(&s, big, 65400, addr4(PEER, 9000)), 65400);
	assert_int_equal(sendto(&s, big, 65508, addr4(PEER, 9000)),
			 -EMSGSIZE);
	close_socket(&s);
}

static void test_bind_rules(void **state)
{
	struct socket a, b;

	open_socket(&a, AF_INET);
	open_socket(&b, AF_INET);
	assert_int_equal(bind4(&a, PEER, 5000), -EADDRNOTAVAIL);
	assert_int_equal(a.ops->bind(&a, addr4(0, 1), 4), -EINVAL);
	assert_int_equal(a.ops->bind(&a, addr6(0, 1), 28), -EAFNOSUPPORT);
	assert_int_equal(bind4(&a, ME, 5000), 0);
	assert_int_equal(bind4(&a, ME, 5001), -EINVAL);
	assert_int_equal(bind4(&b, ME, 5000), -EADDRINUSE);
	assert_int_equal(bind4(&b, 0, 5000), -EADDRINUSE);
	assert_int_equal(bind4(&b, LOOPBACK, 5000), 0);
	close_socket(&a);
	close_socket(&b);
}

static void test_reuseaddr(void **state)
{
	struct socket a, b;

	open_socket(&a, AF_INET);
	open_socket(&b, AF_INET);
	assert_int_equal(set_int(&a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(bind4(&a, 0, 5000), 0);
	assert_int_equal(bind4(&b, 0, 5000), -EADDRINUSE);
	assert_int_equal(set_int(&b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(bind4(&b, 0, 5000), 0);
	close_socket(&a);
	close_socket(&b);
}

static void test_connected(void **state)
{
	struct sockaddr_storage ss;
	struct socket s;
	char buf[8];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET);
	assert_int_equal(s.ops->getname(&s, &ss, true), -ENOTCONN);
	assert_int_equal(connect4(&s, PEER, 9000), 0);
	assert_int_equal(s.ops->getname(&s, &ss, true), 16);
	assert_int_equal(s.ops->getname(&s, &ss, false), 16);
	memcpy(&from, &ss, sizeof(from));
	assert_int_equal(be32_to_cpu(from.sin_addr), ME);
	assert_int_equal(sendto(&s, "x", 1, NULL), 1);
	/* Only the peer gets through. */
	rx_udp(PEER, 9001, ME, port_of(&s), "no");
	rx_udp(PEER + 1, 9000, ME, port_of(&s), "no");
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), -EAGAIN);
	rx_udp(PEER, 9000, ME, port_of(&s), "yes");
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), 3);
	/* Disconnected: from anybody again. */
	memset(&ss, 0, sizeof(ss));
	assert_int_equal(s.ops->connect(&s, &ss, 16, false), 0);
	assert_int_equal(s.ops->getname(&s, &ss, true), -ENOTCONN);
	assert_int_equal(connect4(&s, IP4(192, 0, 2, 1), 1), 0);
	close_socket(&s);
}

/* Port unreachable for the datagram that was sent last. */
static void rx_unreachable(u8 code)
{
	struct wire_frame *w = wire_sent(wire_count() - 1);
	u8 icmp[64];

	put_ip4(&f, IPPROTO_ICMP, PEER, ME, 0, icmp,
		make_icmp(icmp, 3, code, 0, w->data + ETH_HLEN, 28));
	wire_rx(&f);
}

static void test_port_unreachable_is_econnrefused(void **state)
{
	struct socket s;
	char buf[8];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET);
	assert_int_equal(connect4(&s, PEER, 9000), 0);
	assert_int_equal(sendto(&s, "x", 1, NULL), 1);
	rx_unreachable(3);
	assert_int_equal(s.ops->poll(&s) & EPOLLERR, EPOLLERR);
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), -ECONNREFUSED);
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), -EAGAIN);
	rx_unreachable(3);
	assert_int_equal(sendto(&s, "x", 1, NULL), -ECONNREFUSED);
	rx_unreachable(1);	/* host unreachable may pass */
	assert_int_equal(sendto(&s, "x", 1, NULL), 1);
	close_socket(&s);
	/* Unconnected: nobody to tell. */
	open_socket(&s, AF_INET);
	assert_int_equal(sendto(&s, "x", 1, addr4(PEER, 9000)), 1);
	rx_unreachable(3);
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), -EAGAIN);
	close_socket(&s);
}

/* With IP_RECVERR: also what is not final, also without a connection. */
static void test_icmp_errors_for_who_asked(void **state)
{
	struct socket s;
	char buf[32];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET);
	assert_int_equal(set_int(&s, IPPROTO_IP, IP_RECVERR, 1), 0);
	assert_int_equal(sendto(&s, "hello", 5, addr4(PEER, 9)), 5);
	rx_unreachable(1);
	assert_int_equal(recv(&s, buf, 32, MSG_DONTWAIT), -EHOSTUNREACH);
	assert_int_equal(s.ops->poll(&s) & EPOLLERR, EPOLLERR);
	assert_int_equal(recv(&s, buf, 32, MSG_ERRQUEUE), 0);
	assert_int_equal(be32_to_cpu(from.sin_addr), PEER);
	assert_int_equal(s.ops->poll(&s) & EPOLLERR, 0);
	close_socket(&s);
}

static void test_loopback(void **state)
{
	struct socket a, b;
	char buf[8];

	open_socket(&a, AF_INET);
	open_socket(&b, AF_INET);
	assert_int_equal(bind4(&a, LOOPBACK, 5000), 0);
	assert_int_equal(sendto(&b, "one", 3, addr4(LOOPBACK, 5000)), 3);
	wire_run_lo();
	assert_int_equal(recv(&a, buf, 8, MSG_DONTWAIT), 3);
	assert_int_equal(be32_to_cpu(from.sin_addr), LOOPBACK);
	assert_int_equal(be16_to_cpu(from.sin_port), port_of(&b));
	/* To nobody there: refused. */
	assert_int_equal(connect4(&b, LOOPBACK, 5001), 0);
	assert_int_equal(sendto(&b, "x", 1, NULL), 1);
	wire_run_lo();
	assert_int_equal(recv(&b, buf, 8, MSG_DONTWAIT), -ECONNREFUSED);
	close_socket(&a);
	close_socket(&b);
}

static void test_own_address_goes_over_the_loopback(void **state)
{
	struct socket a, b;
	char buf[8];

	open_socket(&a, AF_INET);
	open_socket(&b, AF_INET);
	assert_int_equal(bind4(&a, ME, 5000), 0);
	assert_int_equal(sendto(&b, "one", 3, addr4(ME, 5000)), 3);
	assert_ptr_equal(wire_sent(0)->dev, &wire_lo);
	wire_run_lo();
	assert_int_equal(recv(&a, buf, 8, MSG_DONTWAIT), 3);
	assert_int_equal(be32_to_cpu(from.sin_addr), ME);
	close_socket(&a);
	close_socket(&b);
}

static void test_large_over_the_loopback(void **state)
{
	static u8 big[65400], got[65400];
	struct socket a, b;

	for (u32 i = 0; i < sizeof(big); i++)
		big[i] = (u8)(i * 31 >> 3);
	open_socket(&a, AF_INET);
	open_socket(&b, AF_INET);
	assert_int_equal(bind4(&a, LOOPBACK, 5000), 0);
	assert_int_equal(sendto(&b, big, sizeof(big), addr4(LOOPBACK, 5000)),
			 sizeof(big));
	wire_run_lo();
	assert_int_equal(recv(&a, got, sizeof(got), MSG_DONTWAIT),
			 sizeof(got));
	assert_memory_equal(big, got, sizeof(big));
	close_socket(&a);
	close_socket(&b);
}

/* SO_BINDTODEVICE: only by that device, both ways. */
static void test_bound_to_a_device(void **state)
{
	struct socket s;
	int index = 99;
	char buf[8];

	open_socket(&s, AF_INET);
	assert_int_equal(bind4(&s, 0, 5000), 0);
	assert_int_equal(sock_setsockopt(s.sk, SO_BINDTOIFINDEX, &index,
					 sizeof(index)), 0);
	rx_udp(PEER, 4000, ME, 5000, "no");
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(sendto(&s, "no", 2, addr4(PEER, 9)), -ENETUNREACH);
	index = 0;
	assert_int_equal(sock_setsockopt(s.sk, SO_BINDTOIFINDEX, &index,
					 sizeof(index)), 0);
	rx_udp(PEER, 4000, ME, 5000, "yes");
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), 3);
	close_socket(&s);
}

static void test_broadcast_needs_leave(void **state)
{
	struct socket s;

	open_socket(&s, AF_INET);
	assert_int_equal(sendto(&s, "x", 1, addr4(IP4(10, 0, 0, 255), 9)),
			 -EACCES);
	assert_int_equal(set_int(&s, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(sendto(&s, "x", 1, addr4(IP4(10, 0, 0, 255), 9)), 1);
	assert_memory_equal(wire_sent(0)->data, all_mac, 6);
	assert_int_equal(sendto(&s, "x", 1, addr4(0xffffffff, 9)), 1);
	close_socket(&s);
}

static void test_receive_buffer_is_bounded(void **state)
{
	struct socket s;

	open_socket(&s, AF_INET);
	assert_int_equal(bind4(&s, 0, 5000), 0);
	assert_int_equal(set_int(&s, SOL_SOCKET, SO_RCVBUF, 4096), 0);
	for (int i = 0; i < 200; i++)
		rx_udp(PEER, 4000, ME, 5000, "x");
	assert_in_range(drops(DROP_UDP_RCV_FULL), 100, 199);
	close_socket(&s);
}

static void test_bad_udp_is_dropped(void **state)
{
	u64 errors = snmp_counts[SNMP_Udp_InErrors];
	u64 sums = snmp_counts[SNMP_Udp_InCsumErrors];
	struct socket s;

	open_socket(&s, AF_INET);
	assert_int_equal(bind4(&s, 0, 5000), 0);
	rx_udp(PEER, 4000, ME, 5000, "hello");
	f.data[ETH_HLEN + 28] ^= 1;
	wire_rx(&f);
	assert_int_equal(drops(DROP_UDP_CSUM), 1);
	assert_int_equal(s.sk->sk_receive_queue.qlen, 1);
	/* The device has looked at it: then lwIP does not. */
	wire_rx_checked(&f);
	assert_int_equal(s.sk->sk_receive_queue.qlen, 2);
	put_be16(200, f.data + ETH_HLEN + 24);
	wire_rx_checked(&f);
	put_be16(7, f.data + ETH_HLEN + 24);
	wire_rx_checked(&f);
	assert_int_equal(drops(DROP_UDP_HDR), 2);
	assert_int_equal(snmp_counts[SNMP_Udp_InErrors] - errors, 3);
	assert_int_equal(snmp_counts[SNMP_Udp_InCsumErrors] - sums, 1);
	/* Shorter than the IP packet: the rest does not count. */
	put_be16(10, f.data + ETH_HLEN + 24);
	wire_rx_checked(&f);
	assert_int_equal(s.sk->sk_receive_queue.qlen, 3);
	assert_int_equal(skb_peek_tail(&s.sk->sk_receive_queue)->len, 2);
	close_socket(&s);
}

static void test_shutdown(void **state)
{
	struct socket s;
	char buf[8];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET);
	assert_int_equal(s.ops->shutdown(&s, 3), -EINVAL);
	assert_int_equal(s.ops->shutdown(&s, SHUT_RD), -ENOTCONN);
	assert_int_equal(connect4(&s, PEER, 9000), 0);
	assert_int_equal(recv(&s, buf, 8, 0), 0);
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(s.ops->shutdown(&s, SHUT_WR), 0);
	assert_int_equal(sendto(&s, "x", 1, NULL), -EPIPE);
	assert_int_equal(s.ops->poll(&s) & (EPOLLHUP | EPOLLRDHUP),
			 EPOLLHUP | EPOLLRDHUP);
	close_socket(&s);
}

static void test_other_calls(void **state)
{
	struct socket s;
	int n;

	open_socket(&s, AF_INET);
	assert_int_equal(s.ops->listen(&s, 1), -EOPNOTSUPP);
	assert_int_equal(s.ops->accept(&s, &s, false), -EOPNOTSUPP);
	assert_int_equal(s.ops->ioctl(&s, 0x1234, &n), -ENOTTY);
	assert_int_equal(set_int(&s, IPPROTO_IP, 2, 300), -EINVAL);
	assert_int_equal(set_int(&s, IPPROTO_IP, 2, 7), 0);
	assert_int_equal(set_int(&s, IPPROTO_IP, 99, 7), -ENOPROTOOPT);
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	assert_int_equal(sendto(&s, "x", 1, addr4(PEER, 9)), 1);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 8], 7);
	close_socket(&s);
}

static void test_dual_stack(void **state)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 in6;
	struct socket s;
	char buf[8];
	struct msghdr msg = { .msg_name = &ss };

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET6);
	assert_int_equal(s.ops->bind(&s, addr6(0, 5000), 28), 0);
	rx_udp(PEER, 4000, ME, 5000, "four");
	iov_iter_ubuf(&msg.msg_iter, buf, sizeof(buf));
	assert_int_equal(s.ops->recvmsg(&s, &msg, true), 4);
	memcpy(&in6, &ss, sizeof(in6));
	assert_int_equal(in6.sin6_family, AF_INET6);
	assert_int_equal(be32_to_cpu(in6.sin6_addr[2]), 0xffff);
	assert_int_equal(be32_to_cpu(in6.sin6_addr[3]), PEER);
	assert_int_equal(sendto(&s, "x", 1, addr6(PEER, 4000)), 1);
	assert_int_equal(wire_count(), 1);
	close_socket(&s);
	open_socket(&s, AF_INET6);
	assert_int_equal(set_int(&s, IPPROTO_IPV6, 26, 1), 0);
	assert_int_equal(s.ops->bind(&s, addr6(0, 5000), 28), 0);
	rx_udp(PEER, 4000, ME, 5000, "four");
	assert_int_equal(s.sk->sk_receive_queue.qlen, 0);
	assert_int_equal(sendto(&s, "x", 1, addr6(PEER, 4000)), -ENETUNREACH);
	close_socket(&s);
}

static void test_ip6_on_the_link(void **state)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = cpu_to_be16(5000) };
	u8 udp[12] = { 0x0f, 0xa0, 0x13, 0x88, 0, 12, 0, 0, 's', 'i', 'x', 0 };
	struct msghdr msg = { .msg_name = &ss };
	struct socket s;
	const u8 *ip6;
	char buf[8];

	open_socket(&s, AF_INET6);
	memcpy(in6.sin6_addr, peer_ip6, 16);
	memcpy(&ss, &in6, sizeof(in6));
	assert_int_equal(s.ops->bind(&s, &ss, 28), -EADDRNOTAVAIL);
	memcpy(in6.sin6_addr, my_ip6, 16);
	memcpy(&ss, &in6, sizeof(in6));
	assert_int_equal(s.ops->bind(&s, &ss, 28), 0);
	put_ip6(&f, 17, peer_ip6, my_ip6, udp, sizeof(udp));
	ip6 = f.data + ETH_HLEN;
	put_be16(inet_sum(udp, 12, pseudo6(ip6, 17, 12)),
		 f.data + ETH_HLEN + 46);
	wire_rx(&f);
	iov_iter_ubuf(&msg.msg_iter, buf, sizeof(buf));
	assert_int_equal(s.ops->recvmsg(&s, &msg, true), 4);
	assert_string_equal(buf, "six");
	memcpy(&in6, &ss, sizeof(in6));
	assert_memory_equal(in6.sin6_addr, peer_ip6, 16);
	assert_int_equal(be16_to_cpu(in6.sin6_port), 4000);
	/* The answer has to find its neighbour first. */
	assert_int_equal(sendto(&s, "re", 2, &ss), 2);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 40], 135);
	close_socket(&s);
}

static bool send_one(void *arg)
{
	rx_udp(PEER, 4000, ME, 5000, "late");
	host_on_idle = NULL;
	return true;
}

static void test_blocking_receive(void **state)
{
	struct timeval tv = { 0, 20000 };
	struct socket s;
	u64 start;
	char buf[8];

	open_socket(&s, AF_INET);
	assert_int_equal(bind4(&s, 0, 5000), 0);
	host_on_idle = send_one;
	assert_int_equal(recv(&s, buf, 8, 0), 4);
	assert_int_equal(s.ops->setsockopt(&s, SOL_SOCKET, SO_RCVTIMEO, &tv,
					   sizeof(tv)), 0);
	start = host_now;
	assert_int_equal(recv(&s, buf, 8, 0), -EAGAIN);
	assert_in_range(host_now - start, 20 * NSEC_PER_MSEC,
			21 * NSEC_PER_MSEC);
	close_socket(&s);
}

static void test_bad_user_memory(void **state)
{
	struct socket s;
	char buf[8];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	open_socket(&s, AF_INET);
	assert_int_equal(bind4(&s, 0, 5000), 0);
	host_bad_user(buf, sizeof(buf));
	assert_int_equal(sendto(&s, buf, 8, addr4(PEER, 9)), -EFAULT);
	rx_udp(PEER, 4000, ME, 5000, "hello");
	assert_int_equal(recv(&s, buf, 8, 0), -EFAULT);
	host_good_user();
	assert_int_equal(recv(&s, buf, 8, MSG_DONTWAIT), -EAGAIN);
	close_socket(&s);
}

static void use_everything(void)
{
	struct socket s = { 0 };
	char buf[8];
	ssize_t n;

	init_waitqueue_head(&s.wq);
	if (families[AF_INET]->create(&s, SOCK_DGRAM, 0))
		return;
	if (!bind4(&s, 0, 5000)) {
		n = sendto(&s, "x", 1, addr4(PEER, 9));
		assert_true(n == 1 || n == -ENOBUFS);
		n = sendto(&s, "x", 1, addr4(LOOPBACK, 5000));
		assert_true(n == 1 || n == -ENOBUFS);
		wire_run_lo();
		rx_udp(PEER, 4000, ME, 5000, "hello");
		n = recv(&s, buf, 8, MSG_DONTWAIT);
		assert_true(n > 0 || n == -EAGAIN);
	}
	close_socket(&s);
	host_advance(700 * NSEC_PER_SEC);
}

static void test_every_allocation_may_fail(void **state)
{
	unsigned long before = host_allocs_outstanding(), n = 0;

	do {
		host_fail_alloc(++n);
		use_everything();
		assert_int_equal(host_allocs_outstanding(), before);
	} while (host_alloc_failed());
	assert_true(n > 6);
}

#define T(name) cmocka_unit_test_setup_teardown(name, wire_setup, \
						wire_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_datagram_in),
		T(test_peek_and_truncation),
		T(test_datagram_out),
		T(test_datagram_waits_for_arp),
		T(test_chosen_ports_are_spread),
		T(test_large_datagrams_go_in_fragments),
		T(test_bind_rules),
		T(test_reuseaddr),
		T(test_connected),
		T(test_port_unreachable_is_econnrefused),
		T(test_icmp_errors_for_who_asked),
		T(test_loopback),
		T(test_own_address_goes_over_the_loopback),
		T(test_large_over_the_loopback),
		T(test_bound_to_a_device),
		T(test_broadcast_needs_leave),
		T(test_receive_buffer_is_bounded),
		T(test_bad_udp_is_dropped),
		T(test_shutdown),
		T(test_other_calls),
		T(test_dual_stack),
		T(test_ip6_on_the_link),
		T(test_blocking_receive),
		T(test_bad_user_memory),
		T(test_every_allocation_may_fail),
	};

	wire_init("10.0.0.2::10.0.0.1:255.255.255.0::eth0:off");
	inet_init();
	udp_sockets_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
