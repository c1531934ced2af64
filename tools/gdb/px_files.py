"""px-files: the open-file table of the program, as the text draws it."""
from px_lib import (address, command, flags_text, list_objs, memory, Missing,
                    obj)

O_FLAGS = ((0o2000, "APPEND"), (0o4000, "NONBLOCK"), (0o20000, "ASYNC"))
ACCESS = ("RDONLY", "WRONLY", "RDWR", "?")
# kind of file: its wait queues, as (member, struct tag)
QUEUES = {
    "socket": (("wq", "socket"),),
    "[eventpoll]": (("wq", "eventpoll"), ("poll_wait", "eventpoll"),
                    ("mtx.wait", "eventpoll")),
    "[eventfd]": (("wq", "eventfd"),),
    "[timerfd]": (("wq", "timerfd"),),
    "pipe": (("rd_wait", "pipe"), ("wr_wait", "pipe")),
}


def table():
    """The files_struct of the first task that has one, None before init."""
    for task in list_objs(address("task_list"), "task", "tasks"):
        if task.files:
            return obj("files_struct", task.files)
    return None


def open_fds():
    """(fd, address of the struct file) in order."""
    files = table()
    if not files:
        return
    for word in range(0, files.max_fds, 64):
        bits = memory.u64(files.open_fds + word // 8)
        while bits:
            fd = word + (bits & -bits).bit_length() - 1
            bits &= bits - 1
            file = memory.u64(files.fd + 8 * fd)
            if file:
                yield fd, file


def open_files():
    """(fd, struct file)."""
    for fd, file in open_fds():
        yield fd, obj("file", file)


def file_of(fd):
    """The struct file of @fd, None if it is not open."""
    files = table()
    if not files or not 0 <= fd < files.max_fds:
        return None
    file = memory.u64(files.fd + 8 * fd)
    return obj("file", file) if file else None


def kind_of(file):
    return memory.string(obj("file_operations", file.f_op).name)


def what_text(kind, file):
    """One line on the object behind @file."""
    if kind == "socket":
        import px_sock
        return px_sock.socket_text(file.private_data)
    if kind == "[eventpoll]":
        import px_epoll
        return px_epoll.summary(file.private_data)
    if kind == "[eventfd]":
        return f"count {obj('eventfd', file.private_data).count}"
    return f"{file.private_data:#x}" if file.private_data else ""


def watchers(file):
    """The epitems that watch @file."""
    at = file.f_ep
    while at:
        item = obj("epitem", at)
        yield item
        at = item.fnext


@command("px-files", "[FIRST [COUNT]]")
def files(words):
    """The open-file table: descriptor, file, what it is, who watches it.

    Shows COUNT descriptors (default 64) from FIRST on."""
    first, count = [int(w, 0) for w in words] + [0, 64][len(words):]
    where = table()
    if not where:
        print("no task has an open-file table: the program has not started")
        return
    print(f"files_struct {where.addr:#x}: room for {where.max_fds}, "
          f"next_fd {where.next_fd}, users {where.users.v}")
    left = 0
    for fd, addr in open_fds():
        if fd < first:
            continue
        if count <= 0:
            left += 1
            continue
        count -= 1
        file = obj("file", addr)
        kind = kind_of(file)
        try:
            what = what_text(kind, file)
        except Missing as e:
            what = f"({e})"
        flags = f"{ACCESS[file.f_flags & 3]}|" + flags_text(
            file.f_flags & ~3, O_FLAGS)
        watched = sum(1 for _ in watchers(file))
        print(f"{fd:5} file {addr:#x} {kind:12} {flags.removesuffix('|0')} "
              f"refs {file.f_count.v} watched {watched}: {what}")
    if left:
        print(f"... and {left} more: px-files {fd - left + 1}")
