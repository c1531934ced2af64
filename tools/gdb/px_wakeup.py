"""px-wakeup: walks a packet's road, row by row of the README's table.

At a row's function it stops on the first instruction, where the arguments are
still in their registers, and prints what the row is about to change; when the
function returns, it stops again and prints the same. Rows nest: the softirq
returns after everything that it calls.
"""
import gdb

import px_epoll
import px_skb
import px_sock
import px_softirq
import px_waitqueue
from px_lib import (address, command, container, enum_names, is_live,
                    list_objs, memory, Missing, obj, percpu, register,
                    text_of, U64)


def show_softirq(_):
    pending = px_softirq.pending_text(percpu("softirq_pending"),
                                      px_softirq.softirqs())
    napi = percpu("softnet", "net/dev.c").poll_head
    print(f"    softirqs pending: {pending}; poll list: "
          f"{hex(napi) if napi else 'empty'}")


def show_irq_exit(args):
    show_softirq(args)
    if percpu("context_count") & px_softirq.SOFTIRQ_MASK:
        print("    interrupted a softirq, or code that has them off: it will "
              "run what is pending, not this irq_exit")


def show_devices(_):
    for dev in list_objs(address("dev_list", "net/dev.c"), "net_device",
                         "list"):
        if text_of(dev.name) != "lo":
            print(f"    {text_of(dev.name)}: received {dev.rx_packets} "
                  f"packets, {dev.rx_bytes} bytes")


def show_skb(args):
    print(f"    {px_skb.line(obj('sk_buff', args[0]))}")


def show_sock(args):
    sk = obj("sock", args[0])
    tp = obj("tcp_sock", args[0])
    print(f"    {px_sock.line(sk)}")
    print(f"    rcv_nxt {tp.rcv_nxt} copied_seq {tp.copied_seq}: "
          f"{px_sock.rel(tp.rcv_nxt, tp.copied_seq)} bytes to read in "
          f"{sk.sk_receive_queue.qlen} packets")


def show_socket_sock(args):
    show_sock([obj("socket", args[0]).sk])


def show_sock_queue(args):
    head = obj("sock", args[0]).sk_wq
    print(f"    wait queue {head:#x} of the socket:")
    px_waitqueue.show(head, "      ")


def show_eventpoll(args):
    ep = obj("eventpoll", args[0])
    print(f"    eventpoll {ep.addr:#x} rdllist:")
    if not px_epoll.print_items(px_epoll.ready_items(ep), 8):
        print("    (empty)")
    print("    wq:")
    px_waitqueue.show(ep.member("wq"), "      ")


def show_item(args):
    show_eventpoll([container("epitem", args[0], "pwqlist").ep])


def show_task(args):
    task = obj("task", args[0])
    states = enum_names("task_state", "TASK_")
    print(f"    task {task.pid} {text_of(task.comm)}: {states.get(task.state, '?').lower()}")


def show_nothing(_):
    print("    the packet is its receiver's now")


# number, function, what the row does, before, after
ROWS = (
    (1, "virtnet_interrupt", "masks the queue, puts the device on the poll "
     "list, raises NET_RX", show_softirq, show_softirq),
    (2, "irq_exit", "runs the softirqs on the way out of the interrupt",
     show_irq_exit, show_softirq),
    (3, "net_rx_action", "calls the device's poll", show_softirq,
     show_softirq),
    (4, "virtnet_poll", "used ring to skb, refill", show_devices,
     show_devices),
    (5, "ip_rcv", "TCP to us goes on, all else to lwIP", show_skb,
     show_nothing),
    (6, "tcp_rcv_established", "data onto the receive queue", show_sock,
     show_sock),
    (7, "sock_def_readable", "wakes the socket's wait queue",
     show_sock_queue, show_sock_queue),
    (8, "ep_poll_callback", "the item onto rdllist, wakes ep->wq", show_item,
     show_item),
    (9, "wake_up_process", "the waiter is runnable", show_task, show_task),
    (10, "ep_send_events", "copies events out, asks each file's poll again",
     show_eventpoll, show_eventpoll),
    (11, "tcp_recvmsg", "read: copies, frees the skb", show_socket_sock,
     show_socket_sock),
)


def entries_of(name):
    """The first instruction of a function, and of each place that it is
    inlined at; there may be both."""
    found = []
    try:
        found += [int(gdb.parse_and_eval(f"(unsigned long)&{name}"))]
    except gdb.error:
        pass
    try:
        for sal in gdb.decode_line(name)[1]:
            inside = gdb.execute(f"info symbol {sal.pc:#x}", to_string=True)
            # Behind the function's own prologue it has begun already.
            if sal.pc and not (found and inside.split()[0] == name):
                found.append(sal.pc)
    except (gdb.error, TypeError):
        pass
    if not found:
        raise Missing(f"no function '{name}'")
    return found


def caller_of(rsp):
    """(where the function that begins here returns to, its rsp then). An
    inlined one returns when the function around it does."""
    frame = gdb.newest_frame()
    if frame.type() != gdb.INLINE_FRAME and \
            frame.pc() == int(frame.function().value().address or 0):
        return memory.u64(rsp), rsp + 8
    while frame.type() == gdb.INLINE_FRAME:
        frame = frame.older()
    frame = frame.older()
    return frame.pc(), int(frame.read_register("rsp")) & U64


def silent_breakpoint(at):
    point = gdb.Breakpoint(f"*{at:#x}", internal=True)
    point.silent = True
    return point


class Walk:
    """One packet's way; rows that were entered and have not returned are on
    the stack."""

    def __init__(self):
        self.entries = {}
        self.points = []
        self.stack = []
        self.next_row = 1
        for row in ROWS:
            for at in entries_of(row[1]):
                self.entries[at] = row
                self.points.append(silent_breakpoint(at))

    def end(self):
        for point in self.points + [s[3] for s in self.stack]:
            if point.is_valid():
                point.delete()

    def enter(self, row):
        """False if the row is not the next one: somebody else's call."""
        number, name, what, before, _ = row
        if number == 1 and not self.stack:
            self.next_row = 1
        if number != self.next_row:
            return False
        args = [register("rdi"), register("rsi")]
        memory.clear()
        print(f"row {number}: {name}: {what}\n  before")
        before(args)
        back, rsp = caller_of(register("rsp"))
        self.stack.append((row, rsp, args, silent_breakpoint(back)))
        self.next_row += 1
        return True

    def leave(self):
        """True if the innermost open row has just returned."""
        if not self.stack or register("rsp") != self.stack[-1][1]:
            return False
        row, _, args, point = self.stack.pop()
        point.delete()
        memory.clear()
        print(f"row {row[0]}: {row[1]} has returned\n  after")
        row[4](args)
        return True

    def step(self):
        """To the next stop of the road; False once the last row is done."""
        while True:
            gdb.execute("continue", to_string=True)
            pc = register("rip")
            if pc in self.entries:
                if self.enter(self.entries[pc]):
                    return True
            elif self.leave():
                return bool(self.stack) or self.next_row <= len(ROWS)
            elif not self.at_own_point(pc):
                print("stopped elsewhere: px-wakeup goes on from here")
                return True

    def at_own_point(self, pc):
        """A return address that another call passes."""
        return any(p.location == f"*{pc:#x}"
                   for p in self.points + [s[3] for s in self.stack])


walks = []


@command("px-wakeup", "[all | end]")
def wakeup(words):
    """Walks a packet through the road: to the next stop, or `all` of it.

    A stop is where a row of the README's table begins or has returned; what
    the row touches is printed at both. In between, every other command works.
    Send a packet to an open connection once it waits. `end` gives up."""
    if "end" in words:
        while walks:
            walks.pop().end()
        return
    if not is_live():
        print("px-wakeup needs a live guest (make gdb), not a core")
        return
    if not walks:
        walks.append(Walk())
        print("waiting for a packet: send one to an open connection")
        gdb.flush()
    going = True
    try:
        while going:
            going = walks[-1].step()
            if "all" not in words:
                break
    except gdb.error as e:
        print(f"px-wakeup: {e}")
        going = False
    if not going:
        walks.pop().end()
        print("the packet's road is walked")
