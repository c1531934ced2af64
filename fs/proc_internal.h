/* Between the files of /proc. */
#pragma once

#include "fs/pseudo.h"
#include "kernel/sched.h"
#include "kernel/sysctl.h"

/* The links, files and directories of one process, and of one thread. */
extern const struct pseudo_node proc_process, proc_thread; /* proc_self.c */
extern const struct pseudo_node proc_fd, proc_fdinfo;	/* proc_fd.c */
extern const struct pseudo_node proc_net;	/* proc_net.c */
extern const struct pseudo_node proc_sys;	/* proc_sys.c */

/* What was registered for /proc/sys/net/ipv4 (proc_sysctl.c). */
int proc_sysctl_lookup(struct dentry *dir, const char *name, size_t len,
		       struct dentry **out);
bool proc_sysctl_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e);

/* What one write gives the numbers of @e. 0, -EINVAL. */
int proc_sysctl_store(const struct sysctl_entry *e, const char *text);

/* An array of nodes for pseudo_node.children. */
#define NODES(...) ((const struct pseudo_node *const[]){ __VA_ARGS__, NULL })
/* pseudo_node.names. */
#define NAMES(...) (&(const struct pseudo_names){ __VA_ARGS__ })
#define DIR(_name, ...)							\
	{								\
		.name = _name, .mode = S_IFDIR | 0555,			\
		.children = NODES(__VA_ARGS__),				\
	}
#define PSEUDO_FILE(_name, ...)						\
	(&(const struct pseudo_node){					\
		.name = _name, .mode = S_IFREG | 0444, __VA_ARGS__	\
	})
#define FILE_TEXT(name, _text)						\
	PSEUDO_FILE(name, .fixed = true, .text = _text)
#define FILE_SHOW(name, _show)	PSEUDO_FILE(name, .show = _show)

/* The thread of that number with a reference, NULL if there is none. */
struct task *proc_find_task(u64 tid);
/* The program's threads; @last gets the highest number. */
u32 proc_count_threads(s32 *last);

/* "Name:    123 kB", as in meminfo. */
void proc_put_kb(struct seq_file *m, const char *name, u64 pages);
