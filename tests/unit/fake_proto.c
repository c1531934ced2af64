/*
 * The fake protocol: each operation notes its arguments and answers as told.
 * Devices, addresses and signals are faked beside it.
 */
#include "tests/unit/fake_proto.h"

#include "tests/unit/unit.h"

#include "fs/fdtable.h"
#include "fs/file.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/signal.h"
#include "net/inet.h"
#include "net/lwip/lwip_port.h"
#include "net/sock.h"
#include "net/socket_internal.h"
#include "net/tcp/tcp.h"
#include "tests/host/host.h"

/* ---- what the socket layer fake.accepts ---- */

int send_sig(int sig, struct task *task)
{
	fake.last_signal = sig;
	return 0;
}

struct fake_proto_state fake;

struct net_device fake_eth = { .name = "eth0", .ifindex = 2, .mtu = 1500,
				 .dev_addr = { 1, 2, 3, 4, 5, 6 },
				 .link_up = true };

struct net_device *dev_get_by_name(const char *name)
{
	return strcmp(name, fake_eth.name) ? NULL : &fake_eth;
}

struct net_device *dev_get_by_index(int ifindex)
{
	return ifindex == fake_eth.ifindex ? &fake_eth : NULL;
}

void dev_for_each(void (*fn)(struct net_device *dev, void *arg), void *arg)
{
	fn(&fake_eth, arg);
}

bool lwip_get_ifaddr(struct net_device *dev, struct lwip_ifaddr *out)
{
	out->addr = cpu_to_be32(0x0a000002);
	out->mask = cpu_to_be32(0xffffff00);
	out->gateway = cpu_to_be32(0x0a000001);
	return fake.have_ifaddr;
}

u32 lwip_get_aliases(struct net_device *dev, struct lwip_ifaddr *out, u32 most)
{
	return 0;
}

/* ---- the protocol ---- */

static void fake_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	kfree_skb(skb);
}

static void fake_keepalive(struct sock *sk, bool is_on)
{
	fake.keepalive = is_on;
}

static struct proto fake_proto = {
	.name = "FAKE",
	.backlog_rcv = fake_backlog_rcv,
	.keepalive = fake_keepalive,
};

static int fake_release(struct socket *sock)
{
	struct sock *sk = sock->sk;

	fake.releases++;
	lock_sock(sk);
	sock_orphan(sk);
	release_sock(sk);
	sock_put(sk);
	return 0;
}

static int fake_bind(struct socket *sock, struct sockaddr_storage *addr,
		     u32 len)
{
	fake.was_len = len;
	return fake.answer;
}

static int fake_connect(struct socket *sock, struct sockaddr_storage *addr,
			u32 len, bool nonblock)
{
	fake.was_nonblock = nonblock;
	return fake.answer;
}

static int fake_listen(struct socket *sock, int backlog)
{
	fake.was_backlog = backlog;
	sock->sk->sk_state = TCP_LISTEN;
	return fake.answer;
}

static struct sock *fake_create(u16 family)
{
	return sk_alloc(&fake_proto, family, SOCK_STREAM, 6);
}

static int fake_accept(struct socket *sock, struct socket *newsock,
		       bool nonblock)
{
	struct sock *sk;

	fake.accepts++;
	fake.was_nonblock = nonblock;
	if (fake.answer)
		return fake.answer;
	sk = fake_create(AF_INET);
	if (!sk)
		return -ENOMEM;
	sock_graft(sk, newsock);
	return 0;
}

static int fake_getname(struct socket *sock, struct sockaddr_storage *addr,
			bool peer)
{
	struct ip_addr ip = ip_addr_v4(cpu_to_be32(0x01020304));

	if (fake.name_answer)
		return fake.name_answer;
	return (int)inet_addr_out(AF_INET, &ip, peer ? 2 : 1, addr);
}

static u32 fake_poll(struct socket *sock)
{
	return fake.poll_answer;
}

static ssize_t fake_sendmsg(struct socket *sock, struct msghdr *msg,
			    bool nonblock)
{
	fake.was_nonblock = nonblock;
	fake.was_flags = msg->msg_flags;
	fake.was_len = msg->msg_name ? msg->msg_namelen : 0;
	if (fake.answer)
		return fake.answer;
	fake.stream_len = copy_from_iter(fake.stream, min(msg->msg_iter.count,
						sizeof(fake.stream)),
				    &msg->msg_iter);
	return (ssize_t)fake.stream_len;
}

static ssize_t fake_recvmsg(struct socket *sock, struct msghdr *msg,
			    bool nonblock)
{
	fake.was_nonblock = nonblock;
	fake.was_flags = msg->msg_flags;
	if (fake.answer)
		return fake.answer;
	msg->msg_flags = MSG_TRUNC;
	if (msg->msg_name)
		msg->msg_namelen = (u32)fake_getname(sock, msg->msg_name,
						     true);
	return (ssize_t)copy_to_iter(fake.stream, min(fake.stream_len,
						 msg->msg_iter.count),
				     &msg->msg_iter);
}

static int fake_shutdown(struct socket *sock, int how)
{
	return fake.answer;
}

static int fake_setsockopt(struct socket *sock, int level, int optname,
			   const void *val, u32 len)
{
	fake.was_len = len;
	return fake.answer;
}

static int fake_getsockopt(struct socket *sock, int level, int optname,
			   void *val, u32 *len)
{
	*len = min(*len, 3u);
	memset(val, 'o', *len);
	return fake.answer;
}

static int fake_ioctl(struct socket *sock, unsigned int cmd, int *val)
{
	*val = 77;
	return cmd == 0x541b ? 0 : -ENOTTY;
}

const struct proto_ops fake_ops = {
	.family = AF_INET,
	.release = fake_release,
	.bind = fake_bind,
	.connect = fake_connect,
	.listen = fake_listen,
	.accept = fake_accept,
	.getname = fake_getname,
	.poll = fake_poll,
	.sendmsg = fake_sendmsg,
	.recvmsg = fake_recvmsg,
	.shutdown = fake_shutdown,
	.setsockopt = fake_setsockopt,
	.getsockopt = fake_getsockopt,
	.ioctl = fake_ioctl,
};

static const struct inet_protosw fake_sw = {
	.type = SOCK_STREAM,
	.protocol = 6,
	.ops = &fake_ops,
	.create = fake_create,
};

static const struct file_operations plain_ops = { .name = "plain" };

int fd;
int plain;

int fake_proto_group_setup(void **state)
{
	host_reset();
	file_init();
	skb_init();
	sock_init();
	socket_init();
	inet_init();
	fake_proto.slab = kmem_cache_create("fake", sizeof(struct sock), 0,
					    SLAB_ZERO);
	return inet_register_protosw(&fake_sw);
}

int fake_proto_setup(void **state)
{
	host_reset();
	host_main_task.files = files_create();
	fake = (struct fake_proto_state){ .have_ifaddr = true };
	fd = (int)sys_socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	plain = get_unused_fd_flags(0);
	fd_install(plain, file_alloc(&plain_ops, NULL, O_RDWR));
	return 0;
}

int fake_proto_teardown(void **state)
{
	host_fail_alloc(0);
	host_good_user();
	files_put(host_main_task.files);
	assert_int_equal(host_allocs_outstanding(), 0);
	assert_int_equal(context_count, 0);
	return 0;
}
