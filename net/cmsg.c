/*
 * Control messages on their way to recvmsg(2)'s caller. Every family that
 * reports something beside the data writes it with put_cmsg(), in task
 * context.
 */
#include "net/cmsg.h"

#include "kernel/errno.h"
#include "kernel/uaccess.h"

void cmsg_advance(struct msghdr *msg, size_t n)
{
	n = min(n, msg->msg_controllen);
	msg->msg_control = (char __user *)msg->msg_control + n;
	msg->msg_controllen -= n;
}

int put_cmsg(struct msghdr *msg, int level, int type, u32 len,
	     const void *data)
{
	struct cmsghdr h = { CMSG_HDR + len, level, type };

	if (!msg->msg_control || msg->msg_controllen < CMSG_HDR) {
		msg->msg_flags |= MSG_CTRUNC;
		return 0;
	}
	if (msg->msg_controllen < h.cmsg_len) {
		msg->msg_flags |= MSG_CTRUNC;
		h.cmsg_len = msg->msg_controllen;
	}
	if (copy_to_user(msg->msg_control, &h, sizeof(h)) ||
	    copy_to_user((char __user *)msg->msg_control + CMSG_HDR, data,
			 h.cmsg_len - CMSG_HDR))
		return -EFAULT;
	cmsg_advance(msg, CMSG_ALIGN(CMSG_HDR + len));
	return 0;
}
