"""px-epoll: an eventpoll, its sleepers, its tree and its ready list."""
import struct

import px_files
import px_waitqueue
from px_lib import (command, flags_text, layout, list_nodes, memory, number,
                    obj, rb_nodes)

EVENTS = ((0x1, "IN"), (0x2, "PRI"), (0x4, "OUT"), (0x8, "ERR"),
          (0x10, "HUP"), (0x40, "RDNORM"), (0x80, "RDBAND"),
          (0x100, "WRNORM"), (0x200, "WRBAND"), (0x400, "MSG"),
          (0x2000, "RDHUP"), (1 << 28, "EXCLUSIVE"), (1 << 29, "WAKEUP"),
          (1 << 30, "ONESHOT"), (1 << 31, "ET"))
UNACTIVE = (1 << 64) - 1
SHOWN = 32


def events_text(events):
    return flags_text(events, EVENTS)


def ready_items(ep):
    """Addresses of the items on rdllist."""
    to_item = layout("epitem").offset("rdllink")
    for node in list_nodes(ep.member("rdllist")):
        yield node - to_item


def overflow_items(ep):
    at = ep.ovflist
    while at and at != UNACTIVE:
        yield at
        at = obj("epitem", at).next


def overflow_text(ep):
    if ep.ovflist == UNACTIVE:
        return "not active (no scan under way)"
    return "active (a scan is under way)"


def summary(addr):
    ep = obj("eventpoll", addr)
    watches = sum(1 for _ in rb_nodes(ep.rbr))
    ready = sum(1 for _ in ready_items(ep))
    return f"{watches} watches, {ready} on the ready list"


def item_text(addr):
    item = obj("epitem", addr)
    return (f"epitem {addr:#x} fd {item.ffd.fd} {events_text(item.events)} "
            f"data {item.data:#x} file {item.ffd.file:#x}")


def print_tree(ep, limit):
    """The tree by indentation, in order; returns how many, how deep, and
    what is wrong with it."""
    lay = layout("epitem")
    to_item = lay.offset("rbn")
    fd_at, events_at = lay.offset("ffd.fd"), lay.offset("events")
    data_at, ep_at = lay.offset("data"), lay.offset("ep")
    i32, u32, u64 = (struct.Struct(f).unpack_from for f in ("<i", "<I", "<Q"))
    total = depth_max = foreign = 0
    for node, depth, parent in rb_nodes(ep.rbr):
        raw = memory.read(node - to_item, lay.size)
        foreign += u64(raw, ep_at)[0] != ep.addr
        if total < limit:
            colour = "black" if parent & 1 else "red"
            print(f"    {'  ' * depth}{colour} fd {i32(raw, fd_at)[0]} "
                  f"{events_text(u32(raw, events_at)[0])} data "
                  f"{u64(raw, data_at)[0]:#x} epitem {node - to_item:#x}")
        total += 1
        depth_max = max(depth_max, depth + 1)
    if total > limit:
        print(f"    ... and {total - limit} more (px-epoll FD all)")
    return total, depth_max, foreign


def print_items(items, limit):
    total = 0
    for addr in items:
        if total < limit:
            print(f"    {item_text(addr)}")
        total += 1
    if total > limit:
        print(f"    ... and {total - limit} more")
    return total


def show(ep, limit):
    owner = f"held by task {ep.mtx.owner:#x}" if ep.mtx.owner else "free"
    print(f"eventpoll {ep.addr:#x}, file {ep.file:#x}, mtx {owner}")
    print("  wq (who sleeps in epoll_wait):")
    px_waitqueue.show(ep.member("wq"), "    ")
    print("  rdllist (items that may be ready):")
    ready = print_items(ready_items(ep), limit)
    print(f"  overflow list: {overflow_text(ep)}")
    over = print_items(overflow_items(ep), limit)
    print("  rbr (all watches, by file and descriptor):")
    total, deep, foreign = print_tree(ep, limit)
    print(f"  in all {total} watches in a tree {deep} deep, {ready} ready, "
          f"{over} on the overflow list")
    if foreign:
        print(f"  DAMAGED: {foreign} items say that another epoll is theirs")


@command("px-epoll", "[FD | ADDR] [all]")
def epoll(words):
    """An epoll: wq, rbr as a tree, rdllist, overflow list.

    Without FD: every epoll that is open. A long tree is cut unless told all."""
    limit = 1 << 30 if "all" in words else SHOWN
    words = [w for w in words if w != "all"]
    if not words:
        for fd, file in px_files.open_files():
            if px_files.kind_of(file) == "[eventpoll]":
                print(f"fd {fd}: ", end="")
                show(obj("eventpoll", file.private_data), limit)
        return
    which = number(words[0])
    if which >= 1 << 32:
        show(obj("eventpoll", which), limit)
        return
    file = px_files.file_of(which)
    if not file:
        print(f"descriptor {which} is not open: px-files lists those that are")
    elif px_files.kind_of(file) != "[eventpoll]":
        print(f"descriptor {which} is {px_files.kind_of(file)}, not an epoll")
    else:
        show(obj("eventpoll", file.private_data), limit)
