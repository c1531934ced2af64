/*
 * Control messages in and out: what sendmsg(2) gives along with the data, and
 * what recvmsg(2) reports of it. The layout is cmsg(3)'s. The socket families
 * call in task context, without locks.
 */
#include "net/scm.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"

#define CONTROL_MAX	20480u	/* Linux's net.core.optmem_max of old */

struct ucred scm_own_creds(void)
{
	return (struct ucred){ .pid = current->tgid };
}

/* ---- lists of files ---- */

static struct scm_fp_list *fp_alloc(u32 max)
{
	struct scm_fp_list *fp = kmalloc(sizeof(*fp) +
					 max * sizeof(fp->fp[0]));

	if (fp) {
		fp->count = 0;
		fp->max = max;
	}
	return fp;
}

struct scm_fp_list *scm_fp_dup(const struct scm_fp_list *fp)
{
	struct scm_fp_list *copy = fp_alloc(fp->count);

	if (!copy)
		return NULL;
	for (u32 i = 0; i < fp->count; i++) {
		scm_hold_file(fp->fp[i]);
		copy->fp[i] = fp->fp[i];
	}
	copy->count = fp->count;
	return copy;
}

void scm_fp_free(struct scm_fp_list *fp)
{
	if (!fp)
		return;
	for (u32 i = 0; i < fp->count; i++)
		scm_put_file(fp->fp[i]);
	kfree(fp);
}

void scm_destroy(struct scm_cookie *scm)
{
	scm_fp_free(scm->fp);
	scm->fp = NULL;
}

/* ---- in: from the sender ---- */

/* The descriptors of one SCM_RIGHTS message; several add up. */
static int read_rights(const u8 *data, size_t len, struct scm_cookie *scm)
{
	u32 n = (u32)(len / sizeof(int));

	if (!n)
		return 0;
	if (n > SCM_MAX_FD)
		return -EINVAL;
	if (!scm->fp)
		scm->fp = fp_alloc(SCM_MAX_FD);
	if (!scm->fp)
		return -ENOMEM;
	if (scm->fp->count + n > scm->fp->max)
		return -EINVAL;
	for (u32 i = 0; i < n; i++) {
		struct file *file;
		int fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		file = scm_get_file(fd);
		if (!file)
			return -EBADF;
		scm->fp->fp[scm->fp->count++] = file;
	}
	return 0;
}

/* Root may claim any user, but only a process that there is. */
static int read_creds(const u8 *data, size_t len, struct scm_cookie *scm)
{
	struct ucred creds;

	if (len != sizeof(creds))
		return -EINVAL;
	memcpy(&creds, data, sizeof(creds));
	if (creds.uid == UINT32_MAX || creds.gid == UINT32_MAX)
		return -EINVAL;
	if (creds.pid != current->tgid)
		return -ESRCH;
	scm->creds = creds;
	scm->have_creds = true;
	return 0;
}

static int read_message(const struct cmsghdr *h, const u8 *data,
			struct scm_cookie *scm)
{
	size_t len = h->cmsg_len - CMSG_HDR;

	if (h->cmsg_level != SOL_SOCKET)
		return 0;
	switch (h->cmsg_type) {
	case SCM_RIGHTS:
		return read_rights(data, len, scm);
	case SCM_CREDENTIALS:
		return read_creds(data, len, scm);
	default:
		return -EINVAL;
	}
}

static int read_control(const u8 *buf, size_t len, struct scm_cookie *scm)
{
	size_t at = 0;
	int err = 0;

	while (!err && len - at >= CMSG_HDR) {
		struct cmsghdr h;

		memcpy(&h, buf + at, sizeof(h));
		if (h.cmsg_len < CMSG_HDR || h.cmsg_len > len - at)
			return -EINVAL;
		err = read_message(&h, buf + at + CMSG_HDR, scm);
		at += min((size_t)CMSG_ALIGN(h.cmsg_len), len - at);
	}
	return err;
}

int scm_send(const struct msghdr *msg, struct scm_cookie *scm)
{
	size_t len = msg->msg_controllen;
	u8 *buf;
	int err;

	scm_init(scm);
	if (likely(!len))
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	buf = kmalloc(len);
	if (!buf)
		return -ENOBUFS;
	err = copy_from_user(buf, msg->msg_control, len);
	if (!err)
		err = read_control(buf, len, scm);
	kfree(buf);
	if (err)
		scm_destroy(scm);
	return err;
}

/* ---- out: to the receiver ---- */

/* As many descriptors as there is room for; the others are closed. */
static void put_rights(struct msghdr *msg, const struct scm_fp_list *fp,
		       bool cloexec)
{
	struct cmsghdr h = { 0, SOL_SOCKET, SCM_RIGHTS };
	char __user *at = msg->msg_control;
	u32 room = 0, n = 0;

	if (msg->msg_controllen > CMSG_HDR)
		room = (u32)min((msg->msg_controllen - CMSG_HDR) / sizeof(int),
				(size_t)SCM_MAX_FD);
	for (; n < min(room, fp->count); n++) {
		int __user *slot = (int __user *)(at + CMSG_HDR) + n;

		if (scm_install_file(fp->fp[n], slot, cloexec))
			break;
	}
	if (n < fp->count)
		msg->msg_flags |= MSG_CTRUNC;
	h.cmsg_len = CMSG_HDR + n * sizeof(int);
	if (n && !copy_to_user(at, &h, sizeof(h)))
		cmsg_advance(msg, CMSG_ALIGN(h.cmsg_len));
}

void scm_recv(struct msghdr *msg, struct scm_cookie *scm, bool passcred,
	      u32 flags)
{
	struct ucred creds = { 0, OVERFLOW_ID, OVERFLOW_ID };

	if (!msg->msg_control) {
		if (passcred || scm->fp)
			msg->msg_flags |= MSG_CTRUNC;
		scm_destroy(scm);
		return;
	}
	if (scm->have_creds)
		creds = scm->creds;
	if (passcred)
		(void)put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS,
			       sizeof(creds), &creds);
	if (scm->fp)
		put_rights(msg, scm->fp, flags & MSG_CMSG_CLOEXEC);
	scm_destroy(scm);
}
