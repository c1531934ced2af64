"""px-waitqueue: who is on a wait queue; and the names of queues."""
import px_files
from px_lib import (address, command, list_nodes, memory, Missing, number, obj,
                    pointer_name, container, text_of)

EXCLUSIVE = 1


def known_queues():
    """{address of a wait_queue_head: what it is}."""
    queues = {}
    for name, file in (("console_input_wait", None), ("port", None)):
        try:
            at = address(name, file)
        except Missing:
            continue
        if name == "port":
            at = obj("lwip_port", at).member("wq")
            name = "lwIP port.wq"
        queues[at] = name
    for fd, file in px_files.open_files():
        kind = px_files.kind_of(file)
        for member, struct_tag in px_files.QUEUES.get(kind, ()):
            at = obj(struct_tag, file.private_data).member(member)
            queues[at] = f"fd {fd} ({kind}) {member}"
    return queues


def entries(head):
    """The wait_queue_entry objects on the queue at @head."""
    lock_and_list = obj("wait_queue_head", head)
    for node in list_nodes(lock_and_list.member("head"), 1 << 20):
        yield container("wait_queue_entry", node, "entry")


def entry_text(entry):
    func = pointer_name(entry.func)
    kind = "exclusive" if entry.flags & EXCLUSIVE else "shared"
    what = f"{entry.addr:#x} {kind} {func}"
    if func == "ep_poll_callback":
        item = container("epitem", entry.addr, "pwqlist")
        return (f"{what}: epitem {item.addr:#x} of eventpoll "
                f"{item.ep:#x}, fd {item.ffd.fd}")
    if func == "ep_poll_callback_more":
        more = container("eppoll_entry", entry.addr, "wait")
        item = obj("epitem", more.base)
        return f"{what}: epitem {item.addr:#x}, fd {item.ffd.fd}"
    if entry.private and func.endswith("wake_function"):
        task = obj("task", entry.private)
        return f"{what}: task {task.pid} {text_of(task.comm)}"
    return f"{what}: private {entry.private:#x}"


def show(head, indent=""):
    """Prints the queue's entries; returns how many there are."""
    count = 0
    for entry in entries(head):
        print(f"{indent}{entry_text(entry)}")
        count += 1
    if not count:
        print(f"{indent}(nobody)")
    return count


@command("px-waitqueue", "ADDR")
def waitqueue(words):
    """Who waits on the wait queue at ADDR, and how they are woken.

    Without ADDR: the queues of all open files on which somebody waits."""
    queues = known_queues()
    if words:
        head = number(" ".join(words))
        print(f"wait queue {head:#x}: {queues.get(head, 'not of a file')}")
        show(head, "  ")
        return
    for head, name in queues.items():
        if memory.u64(obj("wait_queue_head", head).member("head")) != \
                obj("wait_queue_head", head).member("head"):
            print(f"wait queue {head:#x}: {name}")
            show(head, "  ")
