/* What /proc/self/fdinfo tells of an epoll: a line for each watch. */
#include "fs/eventpoll_internal.h"

#include "fs/stat.h"
#include "kernel/seq_file.h"

void ep_show_fdinfo(struct file *file, struct seq_file *m)
{
	struct eventpoll *ep = file->private_data;
	struct rb_node *node;

	mutex_lock(&ep->mtx);
	for (node = rb_first(&ep->rbr); node; node = rb_next(node)) {
		struct epitem *epi = rb_entry(node, struct epitem, rbn);
		struct kstat st;

		if (vfs_fstat(epi->ffd.file, &st))
			continue;
		seq_printf(m, "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%llx\n",
			   epi->ffd.fd, epi->events,
			   (unsigned long long)epi->data,
			   (long long)epi->ffd.file->f_pos,
			   (unsigned long long)st.ino,
			   (unsigned long long)st.dev);
		if (m->overflow)
			break;
	}
	mutex_unlock(&ep->mtx);
}
