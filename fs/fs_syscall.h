/* What the files with system calls share: buffers in, iterators out. */
#pragma once

#include "fs/file.h"
#include "kernel/types.h"
#include "kernel/uio.h"

/*
 * Reads or writes through the file's own operation, after the checks that
 * Linux makes first. @pos NULL: the file's own position, which moves. Bytes
 * moved, or -EBADF (not open for that), -EINVAL (cannot), -errno. Task.
 */
ssize_t vfs_iter_read(struct file *file, struct iov_iter *to, loff_t *pos);
ssize_t vfs_iter_write(struct file *file, struct iov_iter *from, loff_t *pos);
