/*
 * The socket system calls over a fake protocol: Linux's order of errors, user
 * memory that is bad, memory that runs out.
 * sources: tests/unit/fake_proto.c net/socket.c net/socket_calls.c
 * net/socket_msg.c net/sock_opt.c net/sock.c net/sock_errqueue.c net/cmsg.c
 * net/inet.c net/ifconf.c
 * net/skbuff.c net/drop.c kernel/wait.c kernel/uio.c fs/file.c fs/fdtable.c
 */
#include "tests/unit/unit.h"

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/stat.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/signal.h"
#include "kernel/time.h"
#include "net/inet.h"
#include "net/socket.h"
#include "tests/host/host.h"
#include "tests/unit/fake_proto.h"

/* ---- making sockets ---- */

static void test_socket_errors(void **state)
{
	assert_int_equal(sys_socket(AF_INET, SOCK_STREAM | 0x100, 0),
			 -EINVAL);
	assert_int_equal(sys_socket(-1, SOCK_STREAM, 0), -EAFNOSUPPORT);
	assert_int_equal(sys_socket(46, SOCK_STREAM, 0), -EAFNOSUPPORT);
	assert_int_equal(sys_socket(99, 15, 0), -EAFNOSUPPORT);
	assert_int_equal(sys_socket(AF_INET, 15, 0), -EINVAL);
	assert_int_equal(sys_socket(AF_UNIX, SOCK_STREAM, 0), -EAFNOSUPPORT);
	assert_int_equal(sys_socket(AF_INET, SOCK_RAW, 0), -ESOCKTNOSUPPORT);
	assert_int_equal(sys_socket(AF_INET, 0, 0), -ESOCKTNOSUPPORT);
	assert_int_equal(sys_socket(AF_INET, SOCK_STREAM, 17),
			 -EPROTONOSUPPORT);
	assert_int_equal(sys_socket(AF_INET, SOCK_STREAM, 1000), -EINVAL);
	assert_int_equal(sys_socket(AF_INET, SOCK_STREAM, -1), -EINVAL);
}

static void test_socket_flags(void **state)
{
	struct files_struct *files = current->files;
	int f = (int)sys_socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC |
						  SOCK_NONBLOCK, 6);
	struct kstat st;

	assert_int_equal(f, 2);
	assert_true(files->close_on_exec[0] >> f & 1);
	assert_int_equal(files->fd[f]->f_flags, O_RDWR | O_NONBLOCK);
	assert_int_equal(files->fd[f]->f_op->stat(files->fd[f], &st), 0);
	assert_int_equal(st.mode, S_IFSOCK | 0777);
	assert_int_equal(close_fd(f), 0);
	assert_int_equal(fake.releases, 1);
}

static void test_socket_out_of_memory(void **state)
{
	const int want[] = { -ENFILE, -ENOBUFS, -ENOMEM };

	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		host_fail_alloc(i + 1);
		assert_int_equal(sys_socket(AF_INET, SOCK_STREAM, 0),
				 want[i]);
		assert_true(host_alloc_failed());
	}
	host_nofile = 2;
	assert_int_equal(sys_socket(AF_INET, SOCK_STREAM, 0), -EMFILE);
}

static void test_socketpair(void **state)
{
	int fds[2];

	assert_int_equal(sys_socketpair(AF_INET, SOCK_STREAM | 0x100, 0, fds),
			 -EINVAL);
	assert_int_equal(sys_socketpair(AF_INET, SOCK_STREAM, 0, (int *)8),
			 -EFAULT);
	assert_int_equal(sys_socketpair(AF_INET, SOCK_STREAM, 0, fds),
			 -EOPNOTSUPP);
	assert_int_equal(sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fds),
			 -EAFNOSUPPORT);
	host_nofile = 3;
	assert_int_equal(sys_socketpair(AF_INET, SOCK_STREAM, 0, fds),
			 -EMFILE);
}

static void test_lookup_errors_come_first(void **state)
{
	char buf[1];
	int len = 1;
	struct { int fd, err; } bad[] = {
		{ -1, -EBADF }, { 50, -EBADF }, { plain, -ENOTSOCK },
	};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		int f = bad[i].fd, err = bad[i].err;

		assert_int_equal(sys_bind(f, NULL, -1), err);
		assert_int_equal(sys_listen(f, 1), err);
		assert_int_equal(sys_accept(f, NULL, NULL), err);
		assert_int_equal(sys_shutdown(f, 9), err);
		assert_int_equal(sys_getsockname(f, NULL, NULL), err);
		assert_int_equal(sys_getpeername(f, NULL, NULL), err);
		assert_int_equal(sys_setsockopt(f, 1, 2, NULL, 4), err);
		assert_int_equal(sys_getsockopt(f, 1, 2, NULL, NULL), err);
		assert_int_equal(sys_sendto(f, buf, 1, 0, NULL, 0), err);
		assert_int_equal(sys_recvfrom(f, buf, 1, 0, NULL, &len), err);
		assert_int_equal(sys_sendmsg(f, NULL, 0), err);
		assert_int_equal(sys_recvmsg(f, NULL, 0), err);
		assert_int_equal(sys_sendmmsg(f, NULL, 1, 0), err);
		assert_int_equal(sys_recvmmsg(f, NULL, 1, 0, NULL), err);
	}
	/* Here Linux looks at the other arguments first. */
	assert_int_equal(sys_connect(50, NULL, -1), -EBADF);
	assert_int_equal(sys_connect(plain, NULL, -1), -EINVAL);
	assert_int_equal(sys_connect(plain, NULL, 16), -EFAULT);
	assert_int_equal(sys_connect(plain, buf, 1), -ENOTSOCK);
	assert_int_equal(sys_accept4(50, NULL, NULL, 1), -EBADF);
	assert_int_equal(sys_accept4(plain, NULL, NULL, 1), -EINVAL);
	assert_int_equal(sys_setsockopt(50, 1, 2, NULL, -1), -EBADF);
	assert_int_equal(sys_setsockopt(fd, 1, 2, NULL, -1), -EINVAL);
	assert_int_equal(sys_sendto(50, (void *)-4096L, 1, 0, NULL, 0),
			 -EFAULT);
	assert_int_equal(sys_recvfrom(50, (void *)-4096L, 1, 0, NULL, NULL),
			 -EFAULT);
}

/* ---- accept ---- */

static void test_accept(void **state)
{
	struct sockaddr_in addr;
	int len = sizeof(addr);
	int f = (int)sys_accept4(fd, &addr, &len, SOCK_NONBLOCK);
	struct socket *sock;

	assert_int_equal(f, 2);
	assert_false(fake.was_nonblock);
	assert_int_equal(len, 16);
	assert_int_equal(addr.sin_family, AF_INET);
	assert_int_equal(addr.sin_port, cpu_to_be16(2));
	assert_int_equal(current->files->fd[f]->f_flags, O_RDWR | O_NONBLOCK);
	sock = current->files->fd[f]->private_data;
	assert_ptr_equal(sock->ops, &fake_ops);
	assert_int_equal(sock->type, SOCK_STREAM);
	assert_ptr_equal(sock->file, current->files->fd[f]);
	assert_int_equal(sys_accept(fd, NULL, NULL), 3);
	assert_int_equal(current->files->fd[3]->f_flags, O_RDWR);
}

static void test_accept_errors_undo_all(void **state)
{
	struct sockaddr_in addr;
	int len = sizeof(addr);

	assert_int_equal(sys_accept4(fd, NULL, NULL, 1), -EINVAL);
	fake.answer = -EINVAL;
	assert_int_equal(sys_accept(fd, NULL, NULL), -EINVAL);
	fake.answer = 0;
	fake.name_answer = -ENOTCONN;
	assert_int_equal(sys_accept(fd, &addr, &len), -ECONNABORTED);
	fake.name_answer = 0;
	len = -1;
	assert_int_equal(sys_accept(fd, &addr, &len), -EINVAL);
	len = 16;
	assert_int_equal(sys_accept(fd, &addr, (int *)8), -EFAULT);
	assert_int_equal(sys_accept(fd, (void *)8, &len), -EFAULT);
	for (u32 i = 1; i <= 3; i++) {
		host_fail_alloc(i);
		assert_true(sys_accept(fd, NULL, NULL) < 0);
		assert_true(host_alloc_failed());
	}
	host_fail_alloc(0);
	host_nofile = 2;
	assert_int_equal(sys_accept(fd, NULL, NULL), -EMFILE);
	host_nofile = 100;
	/* The number was given back each time. */
	assert_int_equal(sys_accept(fd, NULL, NULL), 2);
}

static void test_accept_of_nothing_allocates_nothing(void **state)
{
	unsigned long made;

	sys_listen(fd, 5);
	file_change_flags(current->files->fd[fd], 0, O_NONBLOCK);
	made = host_allocs_made();
	assert_int_equal(sys_accept(fd, NULL, NULL), -EAGAIN);
	assert_int_equal(host_allocs_made(), made);
	assert_int_equal(fake.accepts, 0);
	fake.poll_answer = EPOLLIN;
	assert_int_equal(sys_accept(fd, NULL, NULL), 2);
	assert_true(fake.was_nonblock);
}

/* ---- names ---- */

static void test_addresses_are_checked(void **state)
{
	u8 addr[200] = { 2 };

	assert_int_equal(sys_bind(fd, addr, -1), -EINVAL);
	assert_int_equal(sys_bind(fd, addr, 129), -EINVAL);
	assert_int_equal(sys_bind(fd, (void *)8, 16), -EFAULT);
	assert_int_equal(sys_bind(fd, addr, 128), 0);
	assert_int_equal(fake.was_len, 128);
	fake.answer = -EADDRINUSE;
	assert_int_equal(sys_bind(fd, addr, 16), -EADDRINUSE);
	assert_int_equal(sys_connect(fd, addr, 16), -EADDRINUSE);
	assert_false(fake.was_nonblock);
	file_change_flags(current->files->fd[fd], 0, O_NONBLOCK);
	sys_connect(fd, addr, 16);
	assert_true(fake.was_nonblock);
}

static void test_names_are_cut_to_the_room(void **state)
{
	struct sockaddr_in addr = { .sin_addr = 7 };
	int len = 4;

	assert_int_equal(sys_getsockname(fd, &addr, &len), 0);
	assert_int_equal(len, 16);
	assert_int_equal(addr.sin_port, cpu_to_be16(1));
	assert_int_equal(addr.sin_addr, 7);
	assert_int_equal(sys_getpeername(fd, &addr, &len), 0);
	assert_int_equal(addr.sin_port, cpu_to_be16(2));
	len = -1;
	assert_int_equal(sys_getsockname(fd, &addr, &len), -EINVAL);
	len = 0;
	assert_int_equal(sys_getsockname(fd, (void *)8, &len), 0);
	assert_int_equal(sys_getsockname(fd, (void *)8, &len), -EFAULT);
	assert_int_equal(sys_getsockname(fd, &addr, (int *)8), -EFAULT);
	fake.name_answer = -ENOTCONN;
	assert_int_equal(sys_getpeername(fd, NULL, NULL), -ENOTCONN);
}

static void test_listen_and_shutdown(void **state)
{
	assert_int_equal(sys_listen(fd, -1), 0);
	assert_int_equal(fake.was_backlog, 4096);
	assert_int_equal(sys_listen(fd, 5000), 0);
	assert_int_equal(fake.was_backlog, 4096);
	assert_int_equal(sys_listen(fd, 7), 0);
	assert_int_equal(fake.was_backlog, 7);
	fake.answer = -ENOTCONN;
	assert_int_equal(sys_shutdown(fd, 3), -EINVAL);
	assert_int_equal(sys_shutdown(fd, -1), -EINVAL);
	assert_int_equal(sys_shutdown(fd, 2), -ENOTCONN);
}

/* ---- data ---- */

static void test_file_read_and_write(void **state)
{
	struct file *file = current->files->fd[fd];
	char buf[8] = "";
	struct iov_iter it;

	iov_iter_ubuf(&it, (void *)"hello", 5);
	assert_int_equal(file->f_op->write_iter(file, &it, NULL), 5);
	iov_iter_ubuf(&it, buf, 8);
	assert_int_equal(file->f_op->read_iter(file, &it, NULL), 5);
	assert_string_equal(buf, "hello");
	assert_false(fake.was_nonblock);
	iov_iter_ubuf(&it, buf, 0);
	fake.answer = -EIO;
	assert_int_equal(file->f_op->read_iter(file, &it, NULL), 0);
	fake.answer = -EPIPE;
	file_change_flags(file, 0, O_NONBLOCK);
	assert_int_equal(file->f_op->write_iter(file, &it, NULL), -EPIPE);
	assert_int_equal(fake.last_signal, SIGPIPE);
	assert_true(fake.was_nonblock);
}

static void test_sigpipe_only_if_wanted(void **state)
{
	fake.answer = -EPIPE;
	assert_int_equal(sys_sendto(fd, "x", 1, MSG_NOSIGNAL, NULL, 0),
			 -EPIPE);
	assert_int_equal(fake.last_signal, 0);
	assert_int_equal(sys_sendto(fd, "x", 1, 0, NULL, 0), -EPIPE);
	assert_int_equal(fake.last_signal, SIGPIPE);
}

static void test_sendto_recvfrom(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char buf[8] = "";
	int len = sizeof(addr);

	assert_int_equal(sys_sendto(fd, "data", 4, MSG_DONTWAIT, &addr, 16),
			 4);
	assert_true(fake.was_nonblock);
	assert_int_equal(fake.was_flags, MSG_DONTWAIT);
	assert_int_equal(fake.was_len, 16);
	assert_int_equal(sys_sendto(fd, "data", 4, 0, &addr, -1), -EINVAL);
	assert_int_equal(sys_sendto(fd, "data", 4, 0, (void *)8, 16),
			 -EFAULT);
	assert_int_equal(sys_recvfrom(fd, buf, 8, MSG_PEEK, &addr, &len), 4);
	assert_int_equal(fake.was_flags, MSG_PEEK);
	assert_string_equal(buf, "data");
	assert_int_equal(addr.sin_port, cpu_to_be16(2));
	assert_int_equal(sys_recvfrom(fd, buf, 8, 0, &addr, (int *)8),
			 -EFAULT);
	assert_int_equal(sys_recvfrom(fd, buf, 8, 0, NULL, NULL), 4);
}

static void test_sendmsg_recvmsg(void **state)
{
	char a[3] = "", b[8] = "";
	union {
		struct sockaddr_storage room;
		struct sockaddr_in in;
	} addr = { .in = { .sin_family = AF_INET } };
	struct iovec out[2] = { { (void *)"ab", 2 }, { (void *)"cde", 3 } };
	struct iovec in[2] = { { a, 2 }, { b, 8 } };
	struct umsghdr msg = { .iov = out, .iovlen = 2, .name = &addr,
			       .namelen = 300 };

	assert_int_equal(sys_sendmsg(fd, &msg, MSG_DONTWAIT), 5);
	assert_int_equal(fake.was_len, 128);
	assert_memory_equal(fake.stream, "abcde", 5);
	msg.iov = in;
	msg.flags = 0xffff;
	msg.namelen = sizeof(addr);
	msg.control = b;
	msg.controllen = 8;
	assert_int_equal(sys_recvmsg(fd, &msg, 0), 5);
	assert_string_equal(a, "ab");
	assert_string_equal(b, "cde");
	assert_int_equal(msg.flags, MSG_TRUNC);
	assert_int_equal(msg.namelen, 16);
	assert_int_equal(msg.controllen, 0);
	assert_int_equal(addr.in.sin_port, cpu_to_be16(2));
}

static void test_message_errors(void **state)
{
	struct iovec iov = { (void *)"ab", 2 };
	struct umsghdr msg = { .iov = &iov, .iovlen = 1025 };
	struct sockaddr_in addr;

	assert_int_equal(sys_sendmsg(fd, (void *)8, 0), -EFAULT);
	assert_int_equal(sys_recvmsg(fd, (void *)8, 0), -EFAULT);
	assert_int_equal(sys_sendmsg(fd, &msg, 0), -EMSGSIZE);
	assert_int_equal(sys_recvmsg(fd, &msg, 0), -EMSGSIZE);
	msg.iovlen = 1;
	msg.name = &addr;
	msg.namelen = -1;
	assert_int_equal(sys_sendmsg(fd, &msg, 0), -EINVAL);
	msg.name = (void *)8;
	msg.namelen = 16;
	assert_int_equal(sys_sendmsg(fd, &msg, 0), -EFAULT);
	assert_int_equal(sys_recvmsg(fd, &msg, 0), -EFAULT);
	msg.name = NULL;
	msg.namelen = -1;
	msg.control = &iov;
	msg.controllen = 1ul << 31;
	assert_int_equal(sys_sendmsg(fd, &msg, 0), -ENOBUFS);
	msg.controllen = 0;
	msg.iov = (void *)8;
	assert_int_equal(sys_sendmsg(fd, &msg, 0), -EFAULT);
	msg.iov = &iov;
	fake.answer = -EPIPE;
	assert_int_equal(sys_sendmsg(fd, &msg, 0), -EPIPE);
	assert_int_equal(fake.last_signal, SIGPIPE);
}

static void test_long_vectors_need_memory(void **state)
{
	struct iovec iov[40];
	struct umsghdr msg = { .iov = iov, .iovlen = 40 };

	for (u32 i = 0; i < 40; i++)
		iov[i] = (struct iovec){ (void *)"z", 1 };
	assert_int_equal(sys_sendmsg(fd, &msg, 0), 40);
	host_fail_alloc(1);
	assert_int_equal(sys_sendmsg(fd, &msg, 0), -ENOMEM);
	host_fail_alloc(1);
	assert_int_equal(sys_recvmsg(fd, &msg, 0), -ENOMEM);
}

static void test_many_messages(void **state)
{
	char buf[2][8] = { "", "" };
	struct iovec iov[2] = { { (void *)"one", 3 }, { (void *)"two", 3 } };
	struct ummsghdr msg[2] = {
		{ .hdr = { .iov = &iov[0], .iovlen = 1 } },
		{ .hdr = { .iov = &iov[1], .iovlen = 1 } },
	};
	struct pollux_timespec bad = { 0, -1 }, soon = { 0, 1000 };

	assert_int_equal(sys_sendmmsg(fd, msg, 2, 0), 2);
	assert_int_equal(msg[1].len, 3);
	msg[1].hdr.iov = (void *)8;
	assert_int_equal(sys_sendmmsg(fd, msg, 2, 0), 1);
	assert_int_equal(sys_sendmmsg(fd, msg + 1, 1, 0), -EFAULT);
	iov[0] = (struct iovec){ buf[0], 8 };
	iov[1] = (struct iovec){ buf[1], 8 };
	msg[1].hdr.iov = &iov[1];
	assert_int_equal(sys_recvmmsg(fd, msg, 2, MSG_WAITFORONE, NULL), 2);
	assert_true(fake.was_nonblock);
	assert_int_equal(fake.was_flags, 0);
	assert_string_equal(buf[1], "one");
	assert_int_equal(sys_recvmmsg(fd, msg, 2, 0, &bad), -EINVAL);
	assert_int_equal(sys_recvmmsg(fd, msg, 2, 0, (void *)8), -EFAULT);
	assert_int_equal(sys_recvmmsg(fd, msg, 2, 0, &soon), 2);
	/* An error after the first is kept for the next call. */
	msg[1].hdr.iov = (void *)8;
	assert_int_equal(sys_recvmmsg(fd, msg, 2, 0, NULL), 1);
	assert_int_equal(sys_recvmmsg(fd, msg, 2, 0, NULL), -EFAULT);
	assert_int_equal(sys_recvmmsg(fd, msg, 1, 0, NULL), 1);
}

static void test_poll_and_ioctl(void **state)
{
	struct file *file = current->files->fd[fd];
	int val = 0;

	fake.poll_answer = EPOLLOUT;
	assert_int_equal(file->f_op->poll(file, NULL), EPOLLOUT);
	assert_int_equal(file->f_op->ioctl(file, 0x541b, (long)&val), 0);
	assert_int_equal(val, 77);
	assert_int_equal(file->f_op->ioctl(file, 0x541b, 8), -EFAULT);
	assert_int_equal(file->f_op->ioctl(file, 0x5401, (long)&val),
			 -ENOTTY);
}

/* ---- addresses ---- */

static void test_inet_addresses(void **state)
{
	struct sockaddr_storage ss;
	struct ip_addr ip = ip_addr_v4(cpu_to_be32(0x7f000001)), back;
	u16 port;
	u32 len = inet_addr_out(AF_INET, &ip, 80, &ss);

	assert_int_equal(inet_addr_in(AF_INET, &ss, len, &back, &port), 0);
	assert_true(ip_addr_eq(&ip, &back));
	assert_int_equal(port, 80);
	assert_int_equal(inet_addr_in(AF_INET, &ss, 15, &back, &port),
			 -EINVAL);
	assert_int_equal(inet_addr_in(AF_INET6, &ss, 28, &back, &port),
			 -EAFNOSUPPORT);
	assert_int_equal(inet_addr_in(AF_INET6, &ss, 23, &back, &port),
			 -EINVAL);
	ip.a[0] = 5;
	len = inet_addr_out(AF_INET6, &ip, 443, &ss);
	assert_int_equal(len, 28);
	assert_int_equal(inet_addr_in(AF_INET6, &ss, 24, &back, &port), 0);
	assert_true(ip_addr_eq(&ip, &back));
	assert_int_equal(port, 443);
	assert_int_equal(inet_addr_in(AF_INET, &ss, 28, &back, &port),
			 -EAFNOSUPPORT);
}

static void test_registration(void **state)
{
	const struct net_proto_family out = { .family = 46 };
	const struct net_proto_family again = { .family = AF_INET };

	assert_int_equal(sock_register(&out), -ENOBUFS);
	assert_int_equal(sock_register(&again), -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fake_proto_setup, \
					     fake_proto_teardown)
		T(test_socket_errors),
		T(test_socket_flags),
		T(test_socket_out_of_memory),
		T(test_socketpair),
		T(test_lookup_errors_come_first),
		T(test_accept),
		T(test_accept_errors_undo_all),
		T(test_accept_of_nothing_allocates_nothing),
		T(test_addresses_are_checked),
		T(test_names_are_cut_to_the_room),
		T(test_listen_and_shutdown),
		T(test_file_read_and_write),
		T(test_sigpipe_only_if_wanted),
		T(test_sendto_recvfrom),
		T(test_sendmsg_recvmsg),
		T(test_message_errors),
		T(test_long_vectors_need_memory),
		T(test_many_messages),
		T(test_poll_and_ioctl),
		T(test_inet_addresses),
		T(test_registration),
	};

	return cmocka_run_group_tests(tests, fake_proto_group_setup, NULL);
}
