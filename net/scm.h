/*
 * Control messages of AF_UNIX (unix(7), cmsg(3)): open files and credentials
 * that go along with data. net/scm.c reads and writes the messages;
 * net/socket_scm.c is the side that knows what a struct file is.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/types.h"
#include "net/cmsg.h"
#include "net/socket.h"

struct file;
struct sock;

#define SCM_RIGHTS	1
#define SCM_CREDENTIALS	2
#define SCM_MAX_FD	253u

/* struct ucred of Linux. */
struct ucred {
	s32 pid;
	u32 uid;
	u32 gid;
};

/* What SO_PEERCRED says if nobody is there, and the uid of nobody. */
#define UCRED_NONE	((struct ucred){ 0, UINT32_MAX, UINT32_MAX })
#define OVERFLOW_ID	65534u

/* Files under way; each entry is a reference. */
struct scm_fp_list {
	struct list_head link;		/* among those to be given back */
	u32 count;
	u32 max;
	struct file *fp[];
};

/* What goes with one message. */
struct scm_cookie {
	struct scm_fp_list *fp;		/* NULL: no files */
	struct ucred creds;
	bool have_creds;
};

static inline void scm_init(struct scm_cookie *scm)
{
	scm->fp = NULL;
	scm->have_creds = false;
}

/* The calling program's. */
struct ucred scm_own_creds(void);

/*
 * Reads the control messages of @msg into @scm. 0; then give it back with
 * scm_destroy(). -EINVAL, -EBADF, -EPERM, -ENOBUFS, -ENOMEM, -EFAULT. Task.
 */
int scm_send(const struct msghdr *msg, struct scm_cookie *scm) __must_check;

/*
 * Writes what came with a message behind @msg's control data, with new
 * descriptors for the files, and takes @scm over. @flags are recvmsg's;
 * MSG_CTRUNC in msg_flags says that something did not fit. Task.
 */
void scm_recv(struct msghdr *msg, struct scm_cookie *scm, bool passcred,
	      u32 flags);

/* Gives the files back. Task, may sleep. */
void scm_destroy(struct scm_cookie *scm);

/* A copy with references of its own; NULL: no memory. Task. */
struct scm_fp_list *scm_fp_dup(const struct scm_fp_list *fp);
/* Gives all files back and frees @fp. NULL is fine. Task, may sleep. */
void scm_fp_free(struct scm_fp_list *fp);

/* ---- net/socket_scm.c ---- */

/* A reference to what is open under @fd, or NULL. */
struct file *scm_get_file(int fd);
void scm_hold_file(struct file *file);
void scm_put_file(struct file *file);
/*
 * Opens @file (a reference is taken) under a new descriptor and tells it to
 * *@slot. 0, -EMFILE, -ENOMEM, -EFAULT.
 */
int scm_install_file(struct file *file, int __user *slot, bool cloexec)
	__must_check;
/* The AF_UNIX sock that @file is, or NULL. */
struct sock *scm_file_sock(struct file *file);
/* References to @file in all. */
u32 scm_file_count(const struct file *file);
