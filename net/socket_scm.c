/*
 * Open files as AF_UNIX passes them: references taken, counted and turned
 * into descriptors again. Beside net/socket.c the only file of net/ that
 * knows struct file. Task context.
 */
#include "net/scm.h"

#include "fs/fdtable.h"
#include "fs/file.h"
#include "kernel/uaccess.h"
#include "net/sock.h"
#include "net/socket_internal.h"

struct file *scm_get_file(int fd)
{
	struct fd_ref f = fdget(fd);

	if (!f.file)
		return NULL;
	get_file(f.file);
	fdput(f);
	return f.file;
}

void scm_hold_file(struct file *file)
{
	get_file(file);
}

void scm_put_file(struct file *file)
{
	fput(file);
}

int scm_install_file(struct file *file, int __user *slot, bool cloexec)
{
	int fd = get_unused_fd_from(0, cloexec ? O_CLOEXEC : 0);

	if (fd < 0)
		return fd;
	if (put_user(fd, slot)) {
		put_unused_fd(fd);
		return -EFAULT;
	}
	get_file(file);
	fd_install(fd, file);
	return 0;
}

struct sock *scm_file_sock(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	if (!sock || !sock->sk || sock->sk->sk_family != AF_UNIX)
		return NULL;
	return sock->sk;
}

u32 scm_file_count(const struct file *file)
{
	return (u32)atomic_read(&file->f_count);
}
