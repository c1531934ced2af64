/*
 * Socket options and interface ioctls: Linux's values, limits and errno.
 * sources: tests/unit/fake_proto.c net/socket.c net/socket_calls.c
 * net/socket_msg.c net/sock_opt.c net/sock.c net/sock_errqueue.c net/cmsg.c
 * net/inet.c net/ifconf.c
 * net/skbuff.c net/drop.c kernel/wait.c kernel/uio.c fs/file.c fs/fdtable.c
 */
#include "tests/unit/unit.h"

#include "fs/fdtable.h"
#include "fs/file.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/time.h"
#include "net/sock.h"
#include "net/socket.h"
#include "tests/host/host.h"
#include "tests/unit/fake_proto.h"

/* ---- interfaces ---- */

struct uifreq {
	char name[16];
	union {
		struct sockaddr_in in;
		struct { u16 family; u8 mac[6]; } hw;
		s16 flags;
		int value;
		u8 room[24];
	};
};

static void test_interface_ioctls(void **state)
{
	struct file *file = current->files->fd[fd];
	long (*ioctl)(struct file *file, unsigned int cmd,
		      unsigned long arg) = file->f_op->ioctl;
	struct uifreq req = { .name = "eth0" }, list[2];
	struct { int len; void *req; } conf = { sizeof(list), list };
	long arg = (long)&req;

	assert_int_equal(ioctl(file, 0x8915, arg), 0);
	assert_int_equal(req.in.sin_addr, cpu_to_be32(0x0a000002));
	assert_int_equal(ioctl(file, 0x891b, arg), 0);
	assert_int_equal(req.in.sin_addr, cpu_to_be32(0xffffff00));
	assert_int_equal(ioctl(file, 0x8919, arg), 0);
	assert_int_equal(req.in.sin_addr, cpu_to_be32(0x0a0000ff));
	assert_int_equal(ioctl(file, 0x8913, arg), 0);
	assert_int_equal(req.flags, 0x1 | 0x2 | 0x40 | 0x1000);
	assert_int_equal(ioctl(file, 0x8921, arg), 0);
	assert_int_equal(req.value, 1500);
	assert_int_equal(ioctl(file, 0x8927, arg), 0);
	assert_int_equal(req.hw.family, 1);
	assert_memory_equal(req.hw.mac, fake_eth.dev_addr, 6);
	assert_int_equal(ioctl(file, 0x8933, arg), 0);
	assert_int_equal(req.value, 2);
	memset(req.name, 0, 16);
	assert_int_equal(ioctl(file, 0x8910, arg), 0);
	assert_string_equal(req.name, "eth0");
	req.value = 9;
	assert_int_equal(ioctl(file, 0x8910, arg), -ENODEV);
	strcpy(req.name, "wlan0");
	assert_int_equal(ioctl(file, 0x8915, arg), -ENODEV);
	assert_int_equal(ioctl(file, 0x8915, 8), -EFAULT);
	assert_int_equal(ioctl(file, 0x8912, (long)&conf), 0);
	assert_int_equal(conf.len, 40);
	assert_string_equal(list[0].name, "eth0");
	fake.have_ifaddr = false;
	assert_int_equal(ioctl(file, 0x8912, (long)&conf), 0);
	assert_int_equal(conf.len, 0);
	strcpy(req.name, "eth0");
	assert_int_equal(ioctl(file, 0x8915, arg), -EADDRNOTAVAIL);
}

/* ---- options ---- */

static int set_int(int name, int val)
{
	return (int)sys_setsockopt(fd, 1, name, &val, sizeof(val));
}

static int get_int(int name)
{
	int val = -1, len = sizeof(val);
	long err = sys_getsockopt(fd, 1, name, &val, &len);

	return err ? (int)err : val;
}

static void test_on_off_options(void **state)
{
	const int names[] = { 1, 2, 5, 6, 9, 10, 11, 15 };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(get_int(names[i]), 0);
		assert_int_equal(set_int(names[i], 5), 0);
		assert_int_equal(get_int(names[i]), 1);
		assert_int_equal(set_int(names[i], 0), 0);
		assert_int_equal(get_int(names[i]), 0);
	}
	set_int(9, 1);
	assert_true(fake.keepalive);
	set_int(9, 0);
	assert_false(fake.keepalive);
}

static void test_buffer_sizes(void **state)
{
	assert_int_equal(get_int(7), 212992);
	assert_int_equal(set_int(7, 10000), 0);
	assert_int_equal(get_int(7), 20000);
	set_int(7, 0);
	assert_int_equal(get_int(7), 4608);
	set_int(7, -1);
	assert_int_equal(get_int(7), 425984);
	set_int(8, 1);
	assert_int_equal(get_int(8), 2304);
	set_int(8, 1 << 30);
	assert_int_equal(get_int(8), 425984);
	set_int(33, 1 << 20);
	assert_int_equal(get_int(8), 1 << 21);
	set_int(33, INT32_MAX);
	assert_int_equal(get_int(8), INT32_MAX - 1);
	set_int(32, -5);
	assert_int_equal(get_int(7), 4608);
}

static void test_plain_options(void **state)
{
	struct socket *sock = current->files->fd[fd]->private_data;

	assert_int_equal(get_int(3), SOCK_STREAM);
	assert_int_equal(get_int(38), 6);
	assert_int_equal(get_int(39), AF_INET);
	assert_int_equal(get_int(30), 0);
	sys_listen(fd, 1);
	assert_int_equal(get_int(30), 1);
	sock->sk->sk_err = ECONNREFUSED;
	assert_int_equal(get_int(4), ECONNREFUSED);
	assert_int_equal(get_int(4), 0);
	set_int(12, 6);
	assert_int_equal(get_int(12), 6);
	set_int(36, 9);
	assert_int_equal(get_int(36), 9);
	set_int(18, 0);
	assert_int_equal(get_int(18), 1);
	set_int(18, -1);
	assert_int_equal(get_int(18), INT32_MAX);
	set_int(8, 5000);
	set_int(18, -1);
	assert_int_equal(get_int(18), 5000);
	assert_int_equal(get_int(19), 1);
	for (u32 name = 3; name <= 39; name++) {
		if (name == 3 || name == 4 || name == 30 || name >= 38)
			assert_int_equal(set_int((int)name, 1), -ENOPROTOOPT);
	}
	assert_int_equal(get_int(1000), -ENOPROTOOPT);
	assert_int_equal(set_int(1000, 1), -ENOPROTOOPT);
}

static void test_linger(void **state)
{
	struct { int onoff, linger; } ling = { 1, 5 };
	int len = sizeof(ling);

	assert_int_equal(sys_setsockopt(fd, 1, 13, &ling, 4), -EINVAL);
	assert_int_equal(sys_setsockopt(fd, 1, 13, &ling, 8), 0);
	ling.linger = 0;
	assert_int_equal(sys_getsockopt(fd, 1, 13, &ling, &len), 0);
	assert_int_equal(ling.onoff, 1);
	assert_int_equal(ling.linger, 5);
	ling.onoff = 0;
	sys_setsockopt(fd, 1, 13, &ling, 8);
	sys_getsockopt(fd, 1, 13, &ling, &len);
	assert_int_equal(ling.onoff, 0);
}

static void test_times(void **state)
{
	struct socket *sock = current->files->fd[fd]->private_data;
	struct pollux_timeval tv = { 1, 500000 };
	int len = sizeof(tv);

	assert_int_equal(sys_setsockopt(fd, 1, 20, &tv, 8), -EINVAL);
	assert_int_equal(sys_setsockopt(fd, 1, 20, &tv, 16), 0);
	assert_int_equal(sock->sk->sk_rcvtimeo, 1500);
	tv.tv_sec = 0;
	assert_int_equal(sys_getsockopt(fd, 1, 20, &tv, &len), 0);
	assert_int_equal(tv.tv_sec, 1);
	assert_int_equal(tv.tv_usec, 500000);
	tv.tv_usec = 1000000;
	assert_int_equal(sys_setsockopt(fd, 1, 21, &tv, 16), -EDOM);
	tv.tv_usec = -1;
	assert_int_equal(sys_setsockopt(fd, 1, 21, &tv, 16), -EDOM);
	tv = (struct pollux_timeval){ 0, 1 };
	sys_setsockopt(fd, 1, 21, &tv, 16);
	assert_int_equal(sock->sk->sk_sndtimeo, 1);
	tv = (struct pollux_timeval){ INT64_MAX, 999999 };
	sys_setsockopt(fd, 1, 21, &tv, 16);
	assert_true(sock->sk->sk_sndtimeo > 4000000000u);
	tv = (struct pollux_timeval){ -1, 0 };
	sys_setsockopt(fd, 1, 21, &tv, 16);
	assert_int_equal(sock_sndtimeo(sock->sk, false), 0);
	sys_getsockopt(fd, 1, 21, &tv, &len);
	assert_int_equal(tv.tv_sec, 0);
	assert_int_equal(tv.tv_usec, 0);
	tv = (struct pollux_timeval){ 0, 0 };
	sys_setsockopt(fd, 1, 21, &tv, 16);
	assert_int_equal(sock_sndtimeo(sock->sk, false), UINT64_MAX);
}

static void test_bind_to_device(void **state)
{
	char name[16];
	int len = sizeof(name);

	assert_int_equal(sys_setsockopt(fd, 1, 25, "nope", 5), -ENODEV);
	assert_int_equal(sys_setsockopt(fd, 1, 25, "eth0", 4), 0);
	assert_int_equal(sys_getsockopt(fd, 1, 25, name, &len), 0);
	assert_string_equal(name, "eth0");
	assert_int_equal(len, 5);
	assert_int_equal(sys_getsockopt(fd, 1, 25, name, &len), -EINVAL);
	assert_int_equal(get_int(62), 2);
	assert_int_equal(sys_setsockopt(fd, 1, 25, "", 1), 0);
	assert_int_equal(get_int(62), 0);
	assert_int_equal(set_int(62, 2), 0);
	assert_int_equal(set_int(62, 9), 0);
	assert_int_equal(set_int(62, -1), -EINVAL);
}

static void test_option_memory(void **state)
{
	char val[8];
	int len = -1;

	assert_int_equal(sys_setsockopt(fd, 1, 2, NULL, 3), -EINVAL);
	assert_int_equal(sys_setsockopt(fd, 1, 2, NULL, 4), -EFAULT);
	assert_int_equal(sys_getsockopt(fd, 1, 2, val, (int *)8), -EFAULT);
	assert_int_equal(sys_getsockopt(fd, 1, 2, val, &len), -EINVAL);
	len = 4;
	assert_int_equal(sys_getsockopt(fd, 1, 2, (void *)8, &len), -EFAULT);
	len = 2;
	assert_int_equal(sys_getsockopt(fd, 1, 3, val, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(val[0], SOCK_STREAM);
	/* Only the first word is readable, and only that is read. */
	memset(val, 0, sizeof(val));
	host_bad_user(val + 4, 4);
	assert_int_equal(sys_setsockopt(fd, 1, 2, val, 8), 0);
	assert_int_equal(sys_setsockopt(fd, 1, 13, val, 8), -EINVAL);
}

static void test_other_levels_go_to_the_protocol(void **state)
{
	char val[300] = "";
	int len = sizeof(val);

	assert_int_equal(sys_setsockopt(fd, 6, 1, val, 300), 0);
	assert_int_equal(fake.was_len, 256);
	assert_int_equal(sys_setsockopt(fd, 6, 1, val, 0), 0);
	assert_int_equal(fake.was_len, 0);
	assert_int_equal(sys_getsockopt(fd, 6, 1, val, &len), 0);
	assert_int_equal(len, 3);
	assert_string_equal(val, "ooo");
	fake.answer = -ENOPROTOOPT;
	assert_int_equal(sys_getsockopt(fd, 6, 1, val, &len), -ENOPROTOOPT);
	assert_int_equal(sys_setsockopt(fd, 6, 1, val, 4), -ENOPROTOOPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fake_proto_setup, \
					     fake_proto_teardown)
		T(test_interface_ioctls),
		T(test_on_off_options),
		T(test_buffer_sizes),
		T(test_plain_options),
		T(test_linger),
		T(test_times),
		T(test_bind_to_device),
		T(test_option_memory),
		T(test_other_levels_go_to_the_protocol),
	};

	return cmocka_run_group_tests(tests, fake_proto_group_setup, NULL);
}
